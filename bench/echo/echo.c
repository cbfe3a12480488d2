/* SPDX-License-Identifier: MIT */

#include "echo.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

static int tell_port(const auv_server *server)
{
        struct sockaddr_in address;
        socklen_t size = sizeof(address);
        int fd;

        if (auv_server_sockets(server, &fd, 1) != 1 ||
            getsockname(fd, (struct sockaddr *)&address, &size) < 0)
                return auv_raise(AUV_EINVAL, "the server does not listen");
        printf("port %d\n", ntohs(address.sin_port));
        fflush(stdout);
        return 0;
}

static void stop(void *server)
{
        auv_server_close(server);
}

int echo_await_end(auv_server *server)
{
        int r;

        AUV_TRY(auv_loop_add_signal_handler(NULL, SIGTERM, stop, server));
        AUV_TRY(tell_port(server));
        r = auv_await_server_serve_forever(server);
        auv_loop_remove_signal_handler(NULL, SIGTERM);
        return r == AUV_ECANCELED ? 0 : r;
}

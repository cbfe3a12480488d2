/* SPDX-License-Identifier: MIT */
/*
 * A TCP echo server, a thread of the library for each connection. A signal's handler may not call
 * the library; it writes to a pipe which the first thread reads.
 */

#include "peer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE 65536
#define STACK_SIZE  (BUFFER_SIZE + 32768)

static int signal_pipe[2];
static size_t n_connections;

static void *echo(void *arg)
{
        const st_netfd_t connection = arg;
        char buffer[BUFFER_SIZE];
        ssize_t n;

        while ((n = st_read(connection, buffer, sizeof(buffer), ST_UTIME_NO_TIMEOUT)) > 0)
                if (st_write(connection, buffer, (size_t)n, ST_UTIME_NO_TIMEOUT) != n)
                        break;
        st_netfd_close(connection);
        return NULL;
}

static void *accept_all(void *arg)
{
        const st_netfd_t server = arg;
        const int on = 1;

        for (;;) {
                const st_netfd_t connection = st_accept(server, NULL, NULL, ST_UTIME_NO_TIMEOUT);

                if (connection == NULL)
                        fail("cannot accept");
                setsockopt(st_netfd_fileno(connection), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
                if (st_thread_create(echo, connection, /* joinable= */ 0, STACK_SIZE) == NULL)
                        fail("cannot create a thread");
                n_connections++;
        }
        return NULL;
}

static void pass_on(int signum)
{
        const char byte = (char)signum;

        if (write(signal_pipe[1], &byte, 1) != 1)
                _exit(EXIT_FAILURE);
}

static st_netfd_t listen_on(uint16_t *port)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(*port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
        socklen_t size = sizeof(address);
        st_netfd_t server;

        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 4096) < 0
            || getsockname(fd, (struct sockaddr *)&address, &size) < 0)
                fail("cannot listen");
        *port = ntohs(address.sin_port);
        server = st_netfd_open_socket(fd);
        if (server == NULL)
                fail("out of memory");
        return server;
}

void serve_echo(const struct options *options)
{
        uint16_t port = options->port;
        const st_netfd_t server = listen_on(&port);
        st_netfd_t signals;
        int64_t cpu;
        char byte;

        if (pipe(signal_pipe) < 0)
                fail("cannot open a pipe");
        signals = st_netfd_open(signal_pipe[0]);
        if (signals == NULL)
                fail("out of memory");
        signal(SIGTERM, pass_on);
        signal(SIGPIPE, SIG_IGN);
        start_thread(accept_all, server);
        cpu = cpu_ns();
        printf("port %d\n", port);
        fflush(stdout);

        st_read(signals, &byte, 1, ST_UTIME_NO_TIMEOUT);
        report("echo", n_connections, "cpu_s", (double)(cpu_ns() - cpu) / 1e9, "s");
}

/* SPDX-License-Identifier: MIT */
#include "service.h"

#include "support/loop.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

int service_factory(void *arg, auv_protocol *ret_protocol)
{
        struct service *service = arg;
        struct recorder *recorder = &service->recorders[service->n % 8];

        if (service->closes)
                auv_server_close(service->closes);
        if (service->refuses)
                return auv_raise(service->refuses, "refused");
        service->n++;
        *ret_protocol = recorder_protocol(recorder);
        return 0;
}

int service_create(void *arg, auv_value *ret)
{
        struct service_request *request = arg;

        return auv_await_create_server(service_factory, request->service, request->host, request->port,
                                       request->options, &request->server);
}

auv_server *service_start(struct service *service, const auv_server_options *options)
{
        struct service_request request = { .service = service, .host = "127.0.0.1", .options = options };

        cr_assert(eq(int, loop_run(service_create, &request, NULL), 0));
        return request.server;
}

int service_port_of(int fd)
{
        struct sockaddr_storage address;
        socklen_t size = sizeof(address);

        getsockname(fd, (struct sockaddr *)&address, &size);
        /* at the same place for IPv4 and IPv6 */
        return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

int service_socket(const auv_server *server)
{
        int fd = -1;

        auv_server_sockets(server, &fd, 1);
        return fd;
}

struct sockaddr_in service_address(const auv_server *server)
{
        return (struct sockaddr_in) { .sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)service_port_of(service_socket(server))),
                                      .sin_addr = { htonl(INADDR_LOOPBACK) } };
}

int service_dial(const auv_server *server)
{
        const struct sockaddr_in address = service_address(server);
        const int fd = socket(AF_INET, SOCK_STREAM, 0);

        cr_assert(eq(int, connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0));
        fcntl(fd, F_SETFL, O_NONBLOCK);
        return fd;
}

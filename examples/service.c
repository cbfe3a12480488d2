/* SPDX-License-Identifier: MIT */

#include "service.h"

#include "argument.h"

#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Whether a task ended because its peer has gone. That happens to every server, and is no fault. */
static bool is_peer_gone(int error)
{
        return error == AUV_ECONNRESET || error == AUV_ENOTCONN || error == AUV_EPIPE ||
               error == AUV_ETIMEDOUT;
}

/*
 * To close a connection on which something still comes in resets it, and the client may lose what it
 * has not read yet. So the end is sent first, and what comes is thrown away until the client ends, too.
 */
static int await_end_of_client(struct client *client)
{
        const char *data;
        size_t size = 0;

        if (!auv_stream_is_closing(client->writer)) {
                AUV_TRY(auv_stream_write_eof(client->writer));
                do {
                        AUV_TRY(auv_await_stream_read(client->reader, AUV_STREAM_ALL - 1, &data, &size));
                } while (size > 0);
        }
        auv_stream_close(client->writer);
        return auv_await_stream_wait_closed(client->writer);
}

static int await_closed(struct client *client)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(client->service->grace);

        AUV_TRY(auv_timeout_enter(limit));
        return auv_timeout_exit(limit, await_end_of_client(client));
}

/* The body of each connection's task. */
static int serve_client(void *arg, auv_stream_reader *reader, auv_stream_writer *writer)
{
        struct service *service = arg;
        struct client client = { .service = service, .reader = reader, .writer = writer };
        int r;

        client.next = service->clients;
        client.link = &service->clients;
        if (client.next)
                client.next->link = &client.next;
        service->clients = &client;

        /* Nobody has asked who came just before the stop, and has not begun. */
        r = service->stopping ? 0 : service->serve(&client);

        *client.link = client.next;
        if (client.next)
                client.next->link = client.link;
        if (r >= 0)
                r = await_closed(&client);
        if (r < 0)
                auv_transport_abort(auv_stream_transport(writer));
        return is_peer_gone(r) ? 0 : r;
}

static int print_port(auv_server *server)
{
        struct sockaddr_in address;
        socklen_t size = sizeof(address);
        int fd;

        if (auv_server_sockets(server, &fd, 1) != 1 ||
            getsockname(fd, (struct sockaddr *)&address, &size) < 0)
                return auv_raise(AUV_EINVAL, "the server has no socket");
        printf("port %d\n", ntohs(address.sin_port));
        return fflush(stdout) == 0 ? 0 : AUV_EIO;
}

static void request_stop(void *arg)
{
        struct service *service = arg;

        auv_event_set(service->stop_requested);
}

/*
 * stop() does not suspend, so no client comes or goes while the list is walked. A server counts as
 * closed when its last connection has gone.
 */
static int await_end(struct service *service, auv_server *server)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(service->grace);
        int r;

        service->stopping = true;
        auv_server_close(server);
        for (struct client *client = service->clients; client; client = client->next)
                service->stop(client);

        AUV_TRY(auv_timeout_enter(limit));
        r = auv_timeout_exit(limit, auv_await_server_wait_closed(server));
        if (r == AUV_ETIMEDOUT) {
                fprintf(stderr, "some clients did not end in time\n");
                auv_server_abort_clients(server);
                return 0;
        }
        return r;
}

static int run(void *arg, auv_value *ret)
{
        struct service *service = arg;
        AUV_AUTO auv_server *server = NULL;

        AUV_TRY(auv_loop_add_signal_handler(/* loop= */ NULL, SIGTERM, request_stop, service));
        AUV_TRY(auv_await_start_server(serve_client, service, "127.0.0.1", service->port,
                                       AUV_SERVER_OPTIONS(.limit = service->limit), &server));
        AUV_TRY(print_port(server));
        AUV_TRY(auv_await_event_wait(service->stop_requested));
        return await_end(service, server);
}

bool service_parse(struct service *service, int argc, char **argv, const char *letters)
{
        bool good = true;
        int option;

        while ((option = getopt(argc, argv, letters)) >= 0) {
                if (option == 'p')
                        good &= argument_port(optarg, &service->port);
                else if (option == 'g')
                        good &= argument_seconds(optarg, &service->grace);
                else if (option == 't')
                        good &= argument_seconds(optarg, &service->time_limit);
                else
                        good = false;
        }
        return good;
}

int service_run(struct service *service)
{
        /* It outlives the loop, and so the signal handler that sets it. */
        AUV_AUTO auv_event *stop_requested = auv_event_new();

        service->stop_requested = stop_requested;
        return auv_run(run, service) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */

/*
 * A server that sends back whatever it is sent: the least that a server has to be.
 *
 * Each connection has a task, whose body is a loop: read, write, drain. drain() is what keeps the memory in
 * bounds: a client that sends and does not read is no longer read from when its answers pile up.
 *
 * SIGTERM ends it gracefully. It accepts nobody any more; each client still gets the answer to what has been
 * read from it, and then the end; who does not end, too, within a time is cut off. SIGINT (Ctrl-C) cancels
 * everything at once, as in any program that is run by auv_run().
 */

#include "argument.h"

#include <asyncuv.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024 };

/* A connection; it stands on the stack of its task. */
struct client {
        auv_task *task;
        struct client *next;
        struct client **link; /* what points here */
};

struct server {
        int port;
        double grace; /* seconds that the clients have to end */
        auv_event *stop_requested;
        struct client *clients;
        bool is_stopping;
};

/* Returns 0 at the end of what the client sends. */
static int echo(auv_stream_reader *reader, auv_stream_writer *writer)
{
        const char *data;
        size_t size;

        for (;;) {
                AUV_TRY(auv_await_stream_read(reader, CHUNK, &data, &size));
                if (size == 0)
                        return 0;
                AUV_TRY(auv_stream_write(writer, data, size));
                AUV_TRY(auv_await_stream_drain(writer));
        }
}

/*
 * A connection that is closed while something still comes in is reset, and the client may lose what it has
 * not read yet. So the end is sent, and what comes is thrown away until the client ends, too.
 */
static int say_goodbye(auv_stream_reader *reader, auv_stream_writer *writer)
{
        const char *data;
        size_t size;

        AUV_TRY(auv_stream_write_eof(writer));
        do {
                AUV_TRY(auv_await_stream_read(reader, CHUNK, &data, &size));
        } while (size > 0);
        return 0;
}

/* That happens to every server, and is no fault. */
static bool is_client_gone(int error)
{
        return error == AUV_ECONNRESET || error == AUV_EPIPE || error == AUV_ETIMEDOUT;
}

/* The body of each connection's task. When it returns, the connection is closed. */
static int serve(void *arg, auv_stream_reader *reader, auv_stream_writer *writer)
{
        struct server *server = arg;
        struct client client = { .task = auv_current_task(/* loop= */ NULL),
                                 .next = server->clients,
                                 .link = &server->clients };
        int r;

        if (client.next)
                client.next->link = &client.next;
        server->clients = &client;

        r = echo(reader, writer);

        *client.link = client.next;
        if (client.next)
                client.next->link = client.link;
        if (r == AUV_ECANCELED && server->is_stopping) {
                auv_task_uncancel(client.task);
                r = say_goodbye(reader, writer);
        }
        return is_client_gone(r) ? 0 : r;
}

static void request_stop(void *arg)
{
        struct server *server = arg;

        auv_event_set(server->stop_requested);
}

/* A server counts as closed when its last connection has gone. */
static int stop(struct server *server, auv_server *listening)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(server->grace);
        int r;

        server->is_stopping = true;
        auv_server_close(listening);
        for (struct client *client = server->clients; client; client = client->next)
                AUV_TRY(auv_task_cancel(client->task, "the server stops"));

        AUV_TRY(auv_timeout_enter(limit));
        r = auv_timeout_exit(limit, auv_await_server_wait_closed(listening));
        if (r != AUV_ETIMEDOUT)
                return r;
        fprintf(stderr, "some clients did not end in time\n");
        auv_server_abort_clients(listening);
        return auv_await_server_wait_closed(listening);
}

static int print_port(const auv_server *listening)
{
        struct sockaddr_in address;
        socklen_t size = sizeof(address);
        int fd;

        if (auv_server_sockets(listening, &fd, 1) != 1
            || getsockname(fd, (struct sockaddr *)&address, &size) < 0)
                return auv_raise(AUV_EINVAL, "the server has no socket");
        printf("port %d\n", ntohs(address.sin_port));
        return fflush(stdout) == 0 ? 0 : AUV_EIO;
}

static int run(void *arg, auv_value *ret)
{
        struct server *server = arg;
        AUV_AUTO auv_server *listening = NULL;

        AUV_TRY(auv_loop_add_signal_handler(/* loop= */ NULL, SIGTERM, request_stop, server));
        AUV_TRY(auv_await_start_server(serve, server, "127.0.0.1", server->port, /* options= */ NULL,
                                       &listening));
        AUV_TRY(print_port(listening));
        AUV_TRY(auv_await_event_wait(server->stop_requested));
        return stop(server, listening);
}

int main(int argc, char **argv)
{
        /* It outlives the loop, and so the signal handler that sets it. */
        AUV_AUTO auv_event *stop_requested = auv_event_new();
        struct server server = { .grace = 5, .stop_requested = stop_requested };
        bool is_valid = true;
        int option;

        while ((option = getopt(argc, argv, "p:g:")) >= 0) {
                is_valid = is_valid
                           && ((option == 'p' && argument_port(optarg, &server.port))
                               || (option == 'g' && argument_seconds(optarg, &server.grace)));
        }
        if (!is_valid || optind != argc) {
                fprintf(stderr, "usage: echo-server [-p PORT] [-g SECONDS]\n"
                                "Listens on PORT, or on one that the system chooses; it is printed.\n"
                                "On SIGTERM the clients have SECONDS to end, 5 by default.\n");
                return 2;
        }
        return auv_run(run, &server) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * echo-server - sends back whatever it is sent: the least that a server has to be
 *
 * Each connection has a task, whose body is a loop: read, write, drain. drain() is what keeps the memory in
 * bounds: a client that sends and does not read is no longer read from when its answers pile up.
 *
 * When the service stops, the task is cancelled where it waits. So each client still gets the answer to what
 * has been read from it, and then the end.
 */

#include "service.h"

#include <stdio.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024 };

static int await_echo(struct client *client)
{
        const char *data;
        size_t size;

        for (;;) {
                AUV_TRY(auv_await_stream_read(client->reader, CHUNK, &data, &size));
                if (size == 0)
                        return 0;
                AUV_TRY(auv_stream_write(client->writer, data, size));
                AUV_TRY(auv_await_stream_drain(client->writer));
        }
}

static int serve(struct client *client)
{
        int r;

        client->user = auv_current_task(/* loop= */ NULL);
        r = await_echo(client);
        if (r == AUV_ECANCELED && client->service->stopping) {
                auv_task_uncancel(client->user);
                return 0;
        }
        return r;
}

static void stop(struct client *client)
{
        auv_task_cancel(client->user, "the server stops");
}

int main(int argc, char **argv)
{
        struct service service = { .serve = serve, .stop = stop, .grace = 5 };

        if (!service_parse(&service, argc, argv, "p:g:") || optind != argc) {
                fprintf(stderr, "usage: %s [-p PORT] [-g SECONDS for the end]\n", argv[0]);
                return 2;
        }
        return service_run(&service);
}

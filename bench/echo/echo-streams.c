/* SPDX-License-Identifier: MIT */

/*
 * A TCP echo server on streams, a task for each connection. Prints "port N" when it listens on 127.0.0.1;
 * ends on SIGTERM.
 */

#include "echo.h"

static int echo(auv_stream_reader *reader, auv_stream_writer *writer)
{
        const char *data;
        size_t size;

        for (;;) {
                AUV_TRY(auv_await_stream_read(reader, 65536, &data, &size));
                if (size == 0)
                        break;
                AUV_TRY(auv_stream_write(writer, data, size));
                AUV_TRY(auv_await_stream_drain(writer));
        }
        return 0;
}

/* The client ends with requests under way, which resets the connections. */
static int serve(void *arg, auv_stream_reader *reader, auv_stream_writer *writer)
{
        const int r = echo(reader, writer);

        return r == AUV_ECONNRESET || r == AUV_EPIPE ? 0 : r;
}

static int amain(void *arg, auv_value *ret)
{
        AUV_AUTO auv_server *server = NULL;

        AUV_TRY(auv_await_start_server(serve, NULL, "127.0.0.1", 0,
                                       AUV_SERVER_OPTIONS(.backlog = 4096), &server));
        return echo_await_end(server);
}

int main(void)
{
        return auv_run(amain, NULL) < 0;
}

/* SPDX-License-Identifier: MIT */

/*
 * A TCP echo server on streams, a task without a stack for each connection. Prints "port N" when it listens
 * on 127.0.0.1; ends on SIGTERM.
 */

#include "echo.h"

struct echo {
        auv_stream_frame frame;
        const char *data;
        size_t size;
        auv_subframe subframe;
};

static int echo(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct echo, self);
        int r;

        for (;;) {
                AUV_AWAIT_CALL_CATCH(r, &self->subframe, auv_await_stream_read(self->frame.reader, 65536,
                                                                               &self->data, &self->size));
                if (r < 0 || self->size == 0)
                        break;
                r = auv_stream_write(self->frame.writer, self->data, self->size);
                if (r < 0)
                        break;
                AUV_AWAIT_CALL_CATCH(r, &self->subframe, auv_await_stream_drain(self->frame.writer));
                if (r < 0)
                        break;
        }
        /* The client ends with requests under way, which resets the connections. */
        AUV_LEAVE(r == AUV_ECONNRESET || r == AUV_EPIPE ? 0 : r);
        AUV_END;
}

static int amain(void *arg, auv_value *ret)
{
        AUV_AUTO auv_server *server = NULL;

        AUV_TRY(auv_await_start_server(NULL, &(struct echo) { .size = 0 }, "127.0.0.1", 0,
                                       AUV_SERVER_OPTIONS(.backlog = 4096, .stackless = echo,
                                                          .frame_size = sizeof(struct echo)), &server));
        return echo_await_end(server);
}

int main(void)
{
        return auv_run(amain, NULL) < 0;
}

/* SPDX-License-Identifier: MIT */

/* Transports of pipes, and of what a program uses like one: a socket in one direction, a terminal. */

#include "base/error.h"
#include "io/sigpipe.h"
#include "io/stream_transport.h"

#include <sys/uio.h>
#include <unistd.h>

static void read_ready(auv_transport *transport)
{
        const int r = auv__stream_receive(transport, read);
        auv_error *error;

        if (auv__likely(r > 0))
                return;
        if (r == 0) {
                transport->at_eof = true;
                auv_transport_close(transport);
                return;
        }
        /* As asyncio: of a terminal that was hung up nobody has to be told. */
        error = auv__transport_system_error(r);
        if (r == AUV_EIO)
                auv__transport_force_close(transport, error);
        else
                auv__transport_fail(transport, error, "Fatal read error on pipe transport");
}

static void before_lost(auv_transport *transport)
{
        const auv_protocol *protocol = &transport->protocol;

        if (transport->at_eof && protocol->functions->eof_received)
                (void)protocol->functions->eof_received(protocol->user);
}

const struct auv__transport_kind auv__read_pipe_kind = {
        .descriptor_name = "pipe",
        .read_ready = read_ready,
        .clear = auv__stream_clear,
        .before_lost = before_lost,
        .reads = true,
};

static ssize_t write_some(auv_transport *transport, const auv_buffer *buffers, size_t n)
{
        enum { MOST = 64 };

        struct iovec vectors[MOST];
        const int most = n < MOST ? (int)n : MOST;
        struct auv__sigpipe sigpipe;

        for (int i = 0; i < most; i++)
                vectors[i] = (struct iovec) { .iov_base = (void *)buffers[i].data,
                                              .iov_len = buffers[i].size };
        auv__sigpipe_block(&sigpipe);
        return auv__sent(auv__sigpipe_unblock(&sigpipe, writev(transport->fd, vectors, most)));
}

/* All that can be received here is that nobody is left to read. */
static void peer_gone(auv_transport *transport)
{
        auv_error *error = transport->buffered > 0 ? auv__error_static(AUV_EPIPE) : NULL;

        auv__transport_force_close(transport, error);
}

/* As asyncio: the writer of a pipe goes on when all has been sent, whatever the low water mark is. */
static void write_ready(auv_transport *transport)
{
        if (auv__stream_flush(transport, write_some) && transport->buffered == 0)
                auv__stream_flushed(transport);
}

static int write_buffers(auv_transport *transport, const auv_buffer *buffers, size_t n)
{
        if (n == 0 || (n == 1 && buffers[0].size == 0))
                return 0;
        if (transport->is_closing) {
                auv__transport_drop_write(transport, "a pipe transport that is closed is written to");
                return 0;
        }
        return auv__stream_send(transport, buffers, n, write_some);
}

static int write_eof(auv_transport *transport)
{
        auv_transport_close(transport);
        return 0;
}

const struct auv__transport_kind auv__write_pipe_kind = {
        .descriptor_name = "pipe",
        .read_ready = peer_gone,
        .write_ready = write_ready,
        .write = write_buffers,
        .write_eof = write_eof,
        .clear = auv__stream_clear,
};

const struct auv__transport_kind auv__device_kind = {
        .descriptor_name = "pipe",
        .write_ready = write_ready,
        .write = write_buffers,
        .write_eof = write_eof,
        .clear = auv__stream_clear,
};

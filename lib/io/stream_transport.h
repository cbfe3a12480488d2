/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_STREAM_TRANSPORT_H
#define AUV_IO_STREAM_TRANSPORT_H

#include "io/transport.h"

#include <errno.h>
#include <sys/types.h>

/* The kinds of transports that carry bytes. */
extern const struct auv__transport_kind auv__socket_kind;
extern const struct auv__transport_kind auv__read_pipe_kind;
extern const struct auv__transport_kind auv__write_pipe_kind;
extern const struct auv__transport_kind auv__device_kind; /* a character device that is written to */

/* As auv__transport_new(); a TCP socket is set to send at once what it is given. */
int auv__stream_transport_new(auv_loop *loop, const struct auv__transport_kind *kind, int fd,
                              const struct auv__address *peer, const auv_protocol *protocol,
                              auv_transport **ret_transport);

/*
 * Hands what was received to the protocol: @receive reads into a buffer, and returns how much, or -1 and
 * errno. Returns a negative error of the system's that ends the connection; 0 for the end; 1 for all else,
 * and then the connection may have been closed.
 */
int auv__stream_receive(auv_transport *transport, ssize_t (*receive)(int fd, void *buffer, size_t size));

/* Sends some of @size bytes: how many, 0 where the system takes none now, or a negative error. */
typedef ssize_t (*auv__send_fn)(auv_transport *transport, const auv_buffer *buffers, size_t n);

/* That, from what a call of the system's has returned. */
static inline ssize_t auv__sent(ssize_t n)
{
        if (auv__likely(n >= 0))
                return n;
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
}

/*
 * Sends what can be sent of the buffers, and keeps the rest. Returns 0, also where that has ended the
 * connection; or AUV_ENOMEM with its object.
 */
int auv__stream_send(auv_transport *transport, const auv_buffer *buffers, size_t n, auv__send_fn send);

/* Sends on of what was kept. Returns false where that has ended the connection. */
bool auv__stream_flush(auv_transport *transport, auv__send_fn send);

/* After that: the protocol may write again, and with nothing left the end that was asked for comes. */
void auv__stream_flushed(auv_transport *transport);

void auv__stream_clear(auv_transport *transport);

#endif

/* SPDX-License-Identifier: MIT */

/* What the transports that carry bytes have in common, and the one of connected sockets. */

#include "io/stream_transport.h"

#include "base/error.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/uio.h>

enum { MOST_BUFFERS = 64 }; /* for one call of the system's; they stand on the stack */

static const char write_failed[] = "Fatal write error on a transport";

int auv__stream_transport_new(auv_loop *loop, const struct auv__transport_kind *kind, int fd,
                              const struct auv__address *peer, const auv_protocol *protocol,
                              auv_transport **ret_transport)
{
        const int on = 1;
        auv_value own = { .p = NULL };
        int r = auv__transport_new(loop, kind, fd, peer, protocol, ret_transport);

        if (r < 0)
                return r;
        auv_transport_get_extra_info(*ret_transport, "sockname", &own);
        if (own.p && ((const struct sockaddr *)own.p)->sa_family != AF_UNIX)
                (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        return 0;
}

/* Ends a connection whose protocol has no room. @raised is why, or NULL. */
static void fail_without_room(auv_transport *transport, const char *buffer, auv_error *raised)
{
        auv_error *error = buffer ? auv_error_new(AUV_ERUNTIME, "get_buffer() returned an empty buffer")
                                  : auv_ref(raised);

        auv__transport_fail(transport, error ? error : auv__error_static(AUV_ENOMEM),
                            "Fatal error: protocol.get_buffer() call failed.");
}

/*
 * Where a BufferedProtocol wants its data, and how much. 0 where that has ended the connection, or set
 * another protocol: its data is not for the buffer of the one before.
 */
static size_t get_buffer(auv_transport *transport, char **ret_buffer)
{
        const auv_protocol asked = transport->protocol;
        auv_error **outer = auv__error_slot, *raised = NULL;
        size_t size = 0;

        /* It may be called in the step of a task, whose error is not touched. */
        auv__error_slot = &raised;
        *ret_buffer = asked.functions->get_buffer(asked.user, /* size_hint= */ 0, &size);
        auv__error_slot = outer;
        if (transport->protocol.functions != asked.functions || transport->protocol.user != asked.user) {
                size = 0;
        } else if (auv__unlikely(!*ret_buffer || size == 0)) {
                fail_without_room(transport, *ret_buffer, raised);
                size = 0;
        }
        if (auv__unlikely(raised))
                auv_unref(raised);
        return auv__likely(!transport->is_lost) ? size : 0;
}

AUV__HOT int auv__stream_receive(auv_transport *transport,
                                 ssize_t (*receive)(int fd, void *buffer, size_t size))
{
        const auv_protocol_functions *functions = transport->protocol.functions;
        const bool buffered = functions->get_buffer;
        char *buffer = transport->receive_room;
        size_t room = AUV__RECEIVE_SIZE;
        ssize_t n;

        if (buffered) {
                room = get_buffer(transport, &buffer);
                if (room == 0)
                        return 1;
        }
        n = receive(transport->fd, buffer, room);
        if (auv__unlikely(n < 0))
                return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 1 : -errno;
        if (n == 0)
                return 0;
        if (buffered && functions->buffer_updated)
                functions->buffer_updated(transport->protocol.user, (size_t)n);
        else if (!buffered && functions->data_received)
                functions->data_received(transport->protocol.user, buffer, (size_t)n);
        return 1;
}

/* Keeps what is left of the buffers when @sent bytes of them have been sent. */
static int keep(auv_transport *transport, const auv_buffer *buffers, size_t n, size_t sent)
{
        size_t left = 0;

        for (size_t i = 0; i < n; i++)
                left += buffers[i].size;
        left -= sent;
        if (left == 0)
                return 0;
        if (auv__write_buffer_reserve(&transport->buffer, left) < 0) {
                auv__transport_fail(transport, auv__error_static(AUV_ENOMEM), write_failed);
                return auv_raise(AUV_ENOMEM, NULL);
        }
        for (size_t i = 0; i < n; i++) {
                const size_t skip = sent < buffers[i].size ? sent : buffers[i].size;

                sent -= skip;
                if (buffers[i].size > skip)
                        auv__write_buffer_append(&transport->buffer, (const char *)buffers[i].data + skip,
                                                 buffers[i].size - skip);
        }
        transport->buffered += left;
        auv__transport_watch(transport);
        auv__transport_maybe_pause(transport);
        return 0;
}

int auv__stream_send(auv_transport *transport, const auv_buffer *buffers, size_t n, auv__send_fn send)
{
        ssize_t sent = 0;

        if (transport->buffered == 0) {
                sent = send(transport, buffers, n);
                if (auv__unlikely(sent < 0)) {
                        auv__transport_force_close(transport, auv__transport_system_error((int)sent));
                        return 0;
                }
                if (auv__likely(n == 1 && (size_t)sent == buffers[0].size))
                        return 0;
        }
        return keep(transport, buffers, n, (size_t)sent);
}

bool auv__stream_flush(auv_transport *transport, auv__send_fn send)
{
        struct auv__write_buffer *buffer = &transport->buffer;
        const auv_buffer rest = { .data = buffer->memory + buffer->begin,
                                  .size = auv__write_buffer_size(buffer) };
        const ssize_t sent = send(transport, &rest, 1);

        if (sent < 0) {
                auv__transport_force_close(transport, auv__transport_system_error((int)sent));
                return false;
        }
        auv__write_buffer_consume(buffer, (size_t)sent);
        transport->buffered -= (size_t)sent;
        return true;
}

void auv__stream_flushed(auv_transport *transport)
{
        auv__transport_maybe_resume(transport); /* which may write, and close */
        if (transport->buffered > 0 || transport->is_lost)
                return;
        if (transport->is_closing) {
                auv__transport_end(transport);
                return;
        }
        if (transport->wrote_eof)
                (void)shutdown(transport->fd, SHUT_WR);
        auv__transport_watch(transport);
}

void auv__stream_clear(auv_transport *transport)
{
        auv__write_buffer_clear(&transport->buffer);
}

static ssize_t receive(int fd, void *buffer, size_t size)
{
        return recv(fd, buffer, size, 0);
}

AUV__HOT static void read_ready(auv_transport *transport)
{
        const auv_protocol *protocol = &transport->protocol;
        const int r = auv__stream_receive(transport, receive);

        if (auv__likely(r > 0))
                return;
        if (r < 0) {
                auv__transport_force_close(transport, auv__transport_system_error(r));
                return;
        }
        transport->at_eof = true;
        if (!protocol->functions->eof_received || !protocol->functions->eof_received(protocol->user))
                auv_transport_close(transport);
        auv__transport_watch(transport);
}

/* Not inlined: who sends one buffer, as nearly everybody does, is not to have these on its stack. */
__attribute__((noinline)) static ssize_t send_first_of(auv_transport *transport, const auv_buffer *buffers,
                                                       size_t n)
{
        struct iovec vectors[MOST_BUFFERS];
        struct msghdr message = { .msg_iov = vectors, .msg_iovlen = n };

        for (size_t i = 0; i < n; i++)
                vectors[i] = (struct iovec) { .iov_base = (void *)buffers[i].data,
                                              .iov_len = buffers[i].size };
        return auv__sent(sendmsg(transport->fd, &message, MSG_NOSIGNAL));
}

static ssize_t send_many(auv_transport *transport, const auv_buffer *buffers, size_t n)
{
        ssize_t sum = 0;

        for (size_t begin = 0, n_now; begin < n; begin += n_now) {
                ssize_t sent, size = 0;

                n_now = n - begin < MOST_BUFFERS ? n - begin : MOST_BUFFERS;
                for (size_t i = begin; i < begin + n_now; i++)
                        size += (ssize_t)buffers[i].size;
                sent = send_first_of(transport, buffers + begin, n_now);
                if (sent < 0)
                        return sum > 0 ? sum : sent;
                sum += sent;
                if (sent < size)
                        break;
        }
        return sum;
}

/* A peer that has gone is to be an error here, and no signal. */
AUV__HOT static ssize_t send_some(auv_transport *transport, const auv_buffer *buffers, size_t n)
{
        if (auv__unlikely(n != 1))
                return send_many(transport, buffers, n);
        return auv__sent(send(transport->fd, buffers[0].data, buffers[0].size, MSG_NOSIGNAL));
}

static void write_ready(auv_transport *transport)
{
        if (auv__stream_flush(transport, send_some))
                auv__stream_flushed(transport);
}

static int refuse_write(const auv_transport *transport)
{
        return auv_raise(AUV_ERUNTIME, transport->wrote_eof ? "cannot write after write_eof()"
                                                            : "unable to write; sendfile is in progress");
}

AUV__HOT static int write_buffers(auv_transport *transport, const auv_buffer *buffers, size_t n)
{
        if (auv__unlikely(transport->wrote_eof || transport->is_sending_file))
                return refuse_write(transport);
        if (auv__unlikely(n == 0 || (n == 1 && buffers[0].size == 0)))
                return 0;
        if (auv__unlikely(transport->is_lost)) {
                auv__transport_drop_write(transport, "a transport whose connection is lost is written to");
                return 0;
        }
        return auv__stream_send(transport, buffers, n, send_some);
}

static int write_eof(auv_transport *transport)
{
        if (transport->is_closing || transport->wrote_eof)
                return 0;
        if (transport->is_sending_file)
                return refuse_write(transport);
        transport->wrote_eof = true;
        if (transport->buffered == 0 && shutdown(transport->fd, SHUT_WR) < 0)
                return auv_raise(-errno, NULL);
        return 0;
}

const struct auv__transport_kind auv__socket_kind = {
        .descriptor_name = "socket",
        .read_ready = read_ready,
        .write_ready = write_ready,
        .write = write_buffers,
        .write_eof = write_eof,
        .clear = auv__stream_clear,
        .reads = true,
};

/* SPDX-License-Identifier: MIT */

/*
 * Datagrams
 *
 * The transport of a datagram socket. Each look at the descriptor brings one datagram, as in asyncio: what
 * that makes ready runs before the next. What the system does not take at once stands in the transport's
 * buffer, one record behind the other: its header, its address, its data.
 */

#include "io/datagram.h"

#include "base/error.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum { COUNTED_HEADER_SIZE = 8 }; /* what asyncio adds to the size of a datagram that waits */

struct header {
        size_t size;
        socklen_t address_size; /* 0 for none */
};

static bool is_blocked(int error)
{
        return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static void tell_of_error(auv_transport *transport, int code)
{
        const auv_protocol *protocol = &transport->protocol;
        auv_error *error;

        if (!protocol->functions || !protocol->functions->error_received)
                return;
        error = auv__transport_system_error(code);
        protocol->functions->error_received(protocol->user, error);
        auv_unref(error);
}

static void read_ready(auv_transport *transport)
{
        const auv_protocol *protocol = &transport->protocol;
        struct auv__address sender;
        ssize_t n;

        memset(&sender, 0, sizeof(sender));
        sender.size = sizeof(sender.storage);
        n = recvfrom(transport->fd, transport->receive_room, AUV__RECEIVE_SIZE, /* flags= */ 0, &sender.any,
                     &sender.size);
        if (n < 0 && !is_blocked(errno))
                tell_of_error(transport, -errno);
        if (n >= 0 && protocol->functions->datagram_received)
                protocol->functions->datagram_received(protocol->user, transport->receive_room, (size_t)n,
                                                       sender.size > 0 ? &sender.any : NULL);
}

/* Returns 0, or AUV_EAGAIN where the system takes none now, or another negative error. */
static int send_one(auv_transport *transport, const void *data, size_t size, const struct sockaddr *address,
                    socklen_t address_size)
{
        if (sendto(transport->fd, data, size, MSG_NOSIGNAL, address, address_size) >= 0)
                return 0;
        return is_blocked(errno) ? AUV_EAGAIN : -errno;
}

/* Sends the first of those that wait. Returns as send_one(), which leaves it there with AUV_EAGAIN. */
static int send_first(auv_transport *transport)
{
        struct auv__write_buffer *buffer = &transport->buffer;
        struct auv__address address;
        struct header header;
        const char *rest;
        int r;

        memcpy(&header, buffer->memory + buffer->begin, sizeof(header));
        rest = buffer->memory + buffer->begin + sizeof(header);
        memcpy(&address.room, rest, header.address_size);
        r = send_one(transport, rest + header.address_size, header.size,
                     header.address_size > 0 ? &address.any : NULL, header.address_size);
        if (r == AUV_EAGAIN)
                return r;
        auv__write_buffer_consume(buffer, sizeof(header) + header.address_size + header.size);
        transport->buffered -= header.size + COUNTED_HEADER_SIZE;
        return r;
}

static void write_ready(auv_transport *transport)
{
        while (transport->buffered > 0) {
                const int r = send_first(transport);

                if (r == AUV_EAGAIN)
                        break;
                if (r < 0)
                        tell_of_error(transport, r); /* which may send more, close, and abort */
        }
        if (transport->is_lost)
                return;
        auv__transport_maybe_resume(transport); /* likewise */
        if (transport->buffered > 0 || transport->is_lost)
                return;
        if (transport->is_closing)
                auv__transport_end(transport);
        else
                auv__transport_watch(transport);
}

static void clear(auv_transport *transport)
{
        auv__write_buffer_clear(&transport->buffer);
}

const struct auv__transport_kind auv__datagram_kind = {
        .descriptor_name = "socket",
        .read_ready = read_ready,
        .write_ready = write_ready,
        .clear = clear,
        .reads = true,
};

/* How long an address is; 0 for one that no socket here can have. */
static socklen_t size_of(const struct sockaddr *address)
{
        const struct sockaddr_un *un = (const struct sockaddr_un *)address;
        size_t length;

        switch (address->sa_family) {
        case AF_INET:
                return sizeof(struct sockaddr_in);
        case AF_INET6:
                return sizeof(struct sockaddr_in6);
        case AF_UNIX:
                /* A name in the abstract space begins with a zero byte, and ends without one. */
                if (un->sun_path[0] == '\0')
                        length = 1 + strnlen(un->sun_path + 1, sizeof(un->sun_path) - 1);
                else
                        length = strnlen(un->sun_path, sizeof(un->sun_path) - 1) + 1;
                return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
        default:
                return 0;
        }
}

static bool is_same_address(const struct sockaddr *a, const struct sockaddr *b)
{
        const struct sockaddr_in *in_a = (const struct sockaddr_in *)a,
                                 *in_b = (const struct sockaddr_in *)b;
        const struct sockaddr_in6 *in6_a = (const struct sockaddr_in6 *)a,
                                  *in6_b = (const struct sockaddr_in6 *)b;

        if (a->sa_family != b->sa_family)
                return false;
        switch (a->sa_family) {
        case AF_INET:
                return in_a->sin_port == in_b->sin_port && in_a->sin_addr.s_addr == in_b->sin_addr.s_addr;
        case AF_INET6:
                return in6_a->sin6_port == in6_b->sin6_port &&
                       in6_a->sin6_scope_id == in6_b->sin6_scope_id &&
                       memcmp(&in6_a->sin6_addr, &in6_b->sin6_addr, sizeof(in6_a->sin6_addr)) == 0;
        default:
                return size_of(a) == size_of(b) && memcmp(a, b, size_of(a)) == 0;
        }
}

/* Finds where a datagram is to go, *ret_size 0 for where the socket is connected to. */
static int find_destination(const auv_transport *transport, const struct sockaddr **address,
                            socklen_t *ret_size)
{
        const struct sockaddr *peer = (const struct sockaddr *)transport->addresses;

        if (transport->peer_size > 0) {
                if (*address && !is_same_address(*address, peer))
                        return auv_raise(AUV_EINVAL,
                                         "the address is not the remote address of the transport");
                *address = transport->is_unconnected ? peer : NULL;
                *ret_size = transport->is_unconnected ? transport->peer_size : 0;
                return 0;
        }
        if (!*address)
                return auv_raise(AUV_EDESTADDRREQ, NULL);
        *ret_size = size_of(*address);
        return *ret_size > 0 ? 0 : auv_raise(AUV_EINVAL, "an address of family %d", (*address)->sa_family);
}

static int keep(auv_transport *transport, const void *data, size_t size, const struct sockaddr *address,
                socklen_t address_size)
{
        const struct header header = { .size = size, .address_size = address_size };

        if (size > SIZE_MAX / 4 ||
            auv__write_buffer_reserve(&transport->buffer, sizeof(header) + address_size + size) < 0)
                return auv_raise(AUV_ENOMEM, NULL);
        auv__write_buffer_append(&transport->buffer, &header, sizeof(header));
        if (address_size > 0)
                auv__write_buffer_append(&transport->buffer, address, address_size);
        if (size > 0)
                auv__write_buffer_append(&transport->buffer, data, size);
        transport->buffered += size + COUNTED_HEADER_SIZE;
        auv__transport_watch(transport);
        auv__transport_maybe_pause(transport);
        return 0;
}

int auv_transport_sendto(auv_transport *transport, const void *data, size_t size,
                         const struct sockaddr *address)
{
        socklen_t address_size;
        int r;

        if (!transport || (size > 0 && !data))
                return auv_raise(AUV_EINVAL, "no transport, or no data");
        if (transport->kind != &auv__datagram_kind)
                return auv_raise(AUV_ENOTSUP, "the transport does not send datagrams");
        AUV_TRY(find_destination(transport, &address, &address_size));
        if (transport->is_lost) {
                auv__transport_drop_write(transport, "a transport that is gone is sent datagrams over");
                return 0;
        }
        if (transport->buffered == 0) {
                r = send_one(transport, data, size, address, address_size);
                if (r < 0 && r != AUV_EAGAIN)
                        tell_of_error(transport, r);
                if (r != AUV_EAGAIN)
                        return 0;
        }
        return keep(transport, data, size, address, address_size);
}

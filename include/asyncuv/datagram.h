/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_DATAGRAM_H
#define ASYNCUV_DATAGRAM_H

#include <asyncuv/transport.h>

AUV_BEGIN_DECLS

/*
 * Datagram endpoints
 *
 * A transport over a datagram socket, of UDP or of AF_UNIX, with or without a peer. Its protocol is called
 * with datagram_received() and error_received(); what else there is to a transport stands in transport.h.
 * What asyncio leaves to the socket, as membership in multicast groups, is set on the descriptor that
 * auv_transport_get_extra_info() gives for "socket".
 */

/**
 * struct auv_datagram_options - how to make a datagram endpoint; all zero but @size is the default
 * @size:        sizeof(auv_datagram_options), so that later versions may add fields
 * @use_sock:    take @sock, with no addresses and no other option
 * @sock:        a datagram socket, which may be bound and connected; taken over, see below
 * @family:      AF_INET, AF_INET6 or AF_UNIX; 0 for either of the first two, where there is an address
 * @proto:       protocol of the socket, as for getaddrinfo(); 0 for any
 * @flags:       AI_ flags for getaddrinfo()
 * @reuse_port:  other sockets with this option may be bound to the same address
 * @allow_broadcast: datagrams may go to a broadcast address. The socket is then not connected to the
 *               remote address: what others send is received, too, and "peername" is not known.
 *
 * The AUV_DATAGRAM_OPTIONS() macro fills in @size.
 */
typedef struct auv_datagram_options {
        size_t size;
        bool use_sock;
        int sock;
        int family;
        int proto;
        int flags;
        bool reuse_port;
        bool allow_broadcast;
} auv_datagram_options;

/* Options for an endpoint, as in AUV_DATAGRAM_OPTIONS(.family = AF_INET). */
#define AUV_DATAGRAM_OPTIONS(...) AUV_OPTIONS_(auv_datagram_options, __VA_ARGS__)

/**
 * auv_await_create_datagram_endpoint() - open a datagram socket
 * @factory:     makes the protocol
 * @arg:         handed to @factory
 * @local_host:  name, address in digits, or for AF_UNIX a path, to bind to; NULL for the loopback where
 *               @local_port is not 0, else not to bind
 * @local_port:  port, 0 to 65535; 0 for any, and with AF_UNIX
 * @remote_host: the same of the only peer; NULL for the loopback where @remote_port is not 0, else for no
 *               peer: each datagram has an address
 * @remote_port: its port
 * @options:     how; NULL for the defaults
 * @ret_transport: receives the transport; may be NULL
 *
 * Of the families that all given addresses have, the first is taken for which the socket can be made, bound
 * and connected. A stale socket in the file system is removed before a path is bound to.
 *
 * Returns when connection_made() has been called. Before the factory is called nothing is left behind where
 * this fails or is cancelled; after that, as of auv_await_create_connection().
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, the arguments have no meaning together, as no address and no family; AUV_EADDRINUSE
 * and others of the system's, those for the first of the addresses; AUV_EAI_NONAME and others from
 * looking up a name; AUV_ECANCELED; AUV_ENOTASK; AUV_ECLOSED; AUV_ENOMEM; what @factory returned.
 * Owns: the caller owns a reference to *ret_transport; the socket of use_sock is taken over, also where this
 * fails.
 * Suspends: yes.    Thread: the loop's.
 * Like: loop.create_datagram_endpoint(). Differs: a path that begins with '@' is a name in Linux's abstract
 * space; one that cannot be removed is not reported before bind() fails.
 */
AUV_API int auv_await_create_datagram_endpoint(auv_protocol_factory_fn factory, void *arg,
                                               const char *local_host, int local_port,
                                               const char *remote_host, int remote_port,
                                               const auv_datagram_options *options,
                                               auv_transport **ret_transport);

/**
 * auv_transport_sendto() - send a datagram
 * @transport:   a transport for datagrams
 * @data:        what to send; copied where it cannot be sent at once
 * @size:        how many bytes; 0 sends an empty datagram
 * @address:     where to; NULL, or the same again, for a transport with a remote address. Its family tells
 *               how long it is, and of AF_UNIX the name: one in the abstract space ends at the next
 *               zero byte behind its first, so that one with a zero byte in it cannot be sent to
 *
 * Does not wait: where the system takes none now, it waits in the transport's buffer, and counts with 8
 * bytes more than it has; heed pause_writing(). What the system says against it is told by
 * error_received(), also from within this call. Datagrams for a transport that is gone are dropped;
 * after a few the loop's exception handler is told.
 *
 * Return: 0, or a negative error, and then it is not sent.
 * Errors: AUV_EINVAL, @transport is NULL, or @data is with a @size, or it is not the remote address;
 * AUV_EDESTADDRREQ, no address; AUV_ENOTSUP, @transport is not for datagrams; AUV_ENOMEM.
 * Suspends: no.    Thread: the loop's.
 * Like: DatagramTransport.sendto(). Differs: a connected socket that was handed in refuses another address,
 * which asyncio ignores.
 */
AUV_API int auv_transport_sendto(auv_transport *transport, const void *data, size_t size,
                                 const struct sockaddr *address);

AUV_END_DECLS

#endif

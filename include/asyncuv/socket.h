/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_SOCKET_H
#define ASYNCUV_SOCKET_H

#include <asyncuv/future.h>

#include <sys/socket.h>

AUV_BEGIN_DECLS

/*
 * Sockets of the program's own
 *
 * For a program that has a socket and wants neither a stream nor a transport over it. The descriptor
 * stays the program's, and must not block (O_NONBLOCK); in debug mode one that does is refused.
 *
 * Each call tries at once, and waits only where the system says that it would have to. It then is the
 * reader or the writer of the descriptor, as auv_loop_add_reader() adds one: whoever becomes it
 * thereafter takes its place, and the one before then waits until it is cancelled. A cancelled call
 * leaves nothing behind. A descriptor must not be closed while a call waits for it: cancel the call first.
 * Where it is closed before the loop has looked at it, the call gives AUV_EBADF; later, it waits until it
 * is cancelled, as in asyncio.
 */

/**
 * auv_await_sock_recv() - receive from a socket
 * @fd:          the socket
 * @buffer:      receives the data; not written to after this has returned
 * @size:        bytes that there is room for
 * @ret_size:    receives how many bytes came; 0 at the end of a stream
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, no @ret_size, or no @buffer for a @size, or in debug mode a descriptor that blocks;
 * AUV_ERUNTIME, a transport has the descriptor; AUV_ECONNRESET and others of recv(2); AUV_ECANCELED;
 * AUV_ENOTASK; AUV_ECLOSED; AUV_ENOMEM.
 * Owns: nothing.
 * Suspends: yes, unless there is something to receive.    Thread: the loop's.
 * Like: loop.sock_recv() and loop.sock_recv_into().
 */
AUV_API int auv_await_sock_recv(int fd, void *buffer, size_t size, size_t *ret_size);

/**
 * auv_await_sock_recvfrom() - receive from a socket, and see who has sent it
 * @fd:          the socket
 * @buffer:      receives the data; not written to after this has returned
 * @size:        bytes that there is room for; the rest of a longer datagram is lost
 * @ret_size:    receives how many bytes came
 * @ret_address: receives the sender's address, zeroed behind its end; may be NULL
 * @ret_address_size: receives how long it is, 0 where the sender has none; may be NULL
 *
 * Return: as auv_await_sock_recv().
 * Owns: nothing.
 * Suspends: yes, unless there is something to receive.    Thread: the loop's.
 * Like: loop.sock_recvfrom() and loop.sock_recvfrom_into().
 */
AUV_API int auv_await_sock_recvfrom(int fd, void *buffer, size_t size, size_t *ret_size,
                                    struct sockaddr_storage *ret_address, socklen_t *ret_address_size);

/**
 * auv_await_sock_sendall() - send to a socket until all is sent
 * @fd:          the socket
 * @data:        what to send; not read from after this has returned
 * @size:        bytes of it
 *
 * After an error, or where it is cancelled, there is no telling how much of it was sent. SIGPIPE is not
 * raised.
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, no @data for a @size, or in debug mode a descriptor that blocks; AUV_ERUNTIME,
 * a transport has the descriptor; AUV_EPIPE, AUV_ECONNRESET and others of send(2); AUV_ECANCELED;
 * AUV_ENOTASK; AUV_ECLOSED; AUV_ENOMEM.
 * Owns: nothing.
 * Suspends: yes, unless there is room for all of it.    Thread: the loop's.
 * Like: loop.sock_sendall().
 */
AUV_API int auv_await_sock_sendall(int fd, const void *data, size_t size);

/**
 * auv_await_sock_sendto() - send a datagram
 * @fd:          the socket
 * @data:        what to send; not read from after this has returned
 * @size:        bytes of it
 * @address:     where to; NULL for the address that the socket is connected to
 * @address_size: bytes of @address
 * @ret_size:    receives how many bytes were sent; may be NULL
 *
 * Return: 0, or a negative error.
 * Errors: as auv_await_sock_sendall(); AUV_EMSGSIZE, and others of sendto(2).
 * Owns: nothing.
 * Suspends: yes, unless there is room for it.    Thread: the loop's.
 * Like: loop.sock_sendto(). Differs: takes an address in the system's form, not a name.
 */
AUV_API int auv_await_sock_sendto(int fd, const void *data, size_t size, const struct sockaddr *address,
                                  socklen_t address_size, size_t *ret_size);

/**
 * auv_await_sock_connect() - connect a socket to an address
 * @fd:          the socket
 * @address:     where to
 * @address_size: bytes of @address
 *
 * A connection that is under way when this is cancelled stays so, until the socket is closed.
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, no @address, or in debug mode a descriptor that blocks; AUV_ERUNTIME, a transport has
 * the descriptor; AUV_ECONNREFUSED and others of connect(2); AUV_ECANCELED; AUV_ENOTASK; AUV_ECLOSED;
 * AUV_ENOMEM.
 * Owns: nothing.
 * Suspends: yes, unless it is connected at once.    Thread: the loop's.
 * Like: loop.sock_connect(). Differs: a unix socket whose server has too many waiting gives AUV_EAGAIN,
 * where asyncio takes it for connected.
 */
AUV_API int auv_await_sock_connect(int fd, const struct sockaddr *address, socklen_t address_size);

/**
 * auv_await_sock_connect_host() - connect a socket to a host and a port
 * @fd:          the socket, of AF_INET or AF_INET6
 * @host:        name or address in digits; NULL for the loopback
 * @port:        the port, from 0 to 65535
 *
 * The first address that the name has in the socket's family is taken.
 *
 * Return: 0, or a negative error.
 * Errors: as auv_await_sock_connect() and auv_await_getaddrinfo(); AUV_EINVAL, @port is out of range.
 * Owns: nothing.
 * Suspends: yes, unless @host is in digits and it is connected at once.    Thread: the loop's.
 * Like: loop.sock_connect().
 */
AUV_API int auv_await_sock_connect_host(int fd, const char *host, int port);

/**
 * auv_await_sock_accept() - accept a connection
 * @fd:          a socket that listens
 * @ret_fd:      receives the connection, which does not block, and is closed on exec
 * @ret_address: receives the peer's address, zeroed behind its end; may be NULL
 * @ret_address_size: receives how long it is; may be NULL
 *
 * A connection that is accepted just when the task is cancelled is closed.
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, no @ret_fd, @fd does not listen, or in debug mode blocks; AUV_ERUNTIME, a transport or
 * server has the descriptor; AUV_EMFILE, AUV_ECONNABORTED and others of accept(2); AUV_ECANCELED;
 * AUV_ENOTASK; AUV_ECLOSED; AUV_ENOMEM.
 * Owns: the caller owns the connection, and closes it.
 * Suspends: yes, unless one is waiting.    Thread: the loop's.
 * Like: loop.sock_accept().
 */
AUV_API int auv_await_sock_accept(int fd, int *ret_fd, struct sockaddr_storage *ret_address,
                                  socklen_t *ret_address_size);

AUV_END_DECLS

#endif

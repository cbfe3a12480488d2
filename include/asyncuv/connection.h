/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_CONNECTION_H
#define ASYNCUV_CONNECTION_H

#include <asyncuv/transport.h>

AUV_BEGIN_DECLS

/*
 * Connections
 *
 * Each of these functions makes a protocol and its transport, and returns when connection_made() has been
 * called. The transport belongs to the caller as far as its memory goes, and lives by itself; see
 * transport.h.
 *
 * A descriptor that is handed in is taken over: the transport closes it, and where there comes to be no
 * transport, the function that fails.
 *
 * What fails or is cancelled before the factory has been called leaves nothing behind. After that either
 * the protocol is released at once, or connection_made() has been called, or is about to be, and
 * connection_lost() follows.
 */

/* The least value of `interleave` that has a meaning; and asyncio's interleave=0. */
#define AUV_NO_INTERLEAVE (-1)

/**
 * struct auv_connection_options - how to connect; all zero but @size is the default
 * @size:        sizeof(auv_connection_options), so that later versions may add fields
 * @use_sock:    take @sock, with no host and port
 * @sock:        a connected stream socket; taken over, see below
 * @family:      AF_INET or AF_INET6; 0 for either
 * @proto:       protocol of the socket, as for getaddrinfo(); 0 for any
 * @flags:       AI_ flags for getaddrinfo()
 * @local_host:  bind to an address of this host first; NULL for any where there is a @local_port
 * @local_port:  bind to this port first; 0 for any
 * @happy_eyeballs_delay: seconds after which the next address is tried beside the one that has not
 *               answered; 0 to try one after the other. 0.25 is what RFC 8305 recommends.
 * @interleave:  reorder the addresses by family, as so many of the first family before the first of
 *               another; 0 for 1 with @happy_eyeballs_delay, else for none; AUV_NO_INTERLEAVE
 * @all_errors:  fail with AUV_EGROUP, which has the error of each address
 * @limit:       of the reader that auv_await_open_connection() makes, in bytes; 0 for 64 KiB
 *
 * The AUV_CONNECTION_OPTIONS() macro fills in @size.
 */
typedef struct auv_connection_options {
        size_t size;
        bool use_sock;
        int sock;
        int family;
        int proto;
        int flags;
        const char *local_host;
        int local_port;
        double happy_eyeballs_delay;
        int interleave;
        bool all_errors;
        size_t limit;
} auv_connection_options;

/* Options for a connection, as in AUV_CONNECTION_OPTIONS(.family = AF_INET). */
#define AUV_CONNECTION_OPTIONS(...) AUV_OPTIONS_(auv_connection_options, __VA_ARGS__)

/**
 * auv_await_create_connection() - connect to a TCP server
 * @factory:     makes the protocol
 * @arg:         handed to @factory
 * @host:        name or numeric address; NULL for this host, or with the option use_sock
 * @port:        port, 0 to 65535
 * @options:     how; NULL for the defaults
 * @ret_transport: receives the transport; may be NULL
 *
 * The addresses that @host has are tried in turn, or staggered (happy eyeballs), until one of them
 * accepts; a numeric address needs no thread of libuv's pool.
 *
 * Return: 0, or a negative error.
 * Errors: where no address could be connected to: the error of the only one; or of the first, where all
 * have the same text; else that code, with all texts in the message. AUV_EAI_NONAME and others from
 * looking up a name; AUV_EINVAL, the arguments have no meaning together; AUV_ECANCELED; AUV_ENOTASK;
 * AUV_ENOMEM; AUV_EMFILE and others of the system's; what @factory returned.
 * Owns: the caller owns a reference to *ret_transport; the socket of use_sock is taken over, also where this
 * fails.
 * Suspends: yes.    Thread: the loop's.
 * Like: loop.create_connection(). Differs: where several addresses fail in different ways, the code is that
 * of the last; asyncio's error has none.
 */
AUV_API int auv_await_create_connection(auv_protocol_factory_fn factory, void *arg, const char *host,
                                        int port, const auv_connection_options *options,
                                        auv_transport **ret_transport);

/**
 * auv_await_create_unix_connection() - connect to a Unix socket
 * @factory, @arg: as for auv_await_create_connection()
 * @path:        path of the socket; "@name" for a name in Linux's abstract space; NULL with the option
 *               use_sock
 * @options:     how: use_sock and sock have a meaning here; NULL for the defaults
 * @ret_transport: receives the transport; may be NULL
 *
 * Return: 0, or a negative error, as of auv_await_create_connection().
 * Errors: AUV_ENOENT; AUV_ECONNREFUSED, nobody listens; AUV_EAGAIN, too many wait to be accepted;
 * AUV_EINVAL, the path is empty or too long; and others of the system's.
 * Owns: as auv_await_create_connection().
 * Suspends: yes.    Thread: the loop's.
 * Like: loop.create_unix_connection(). Differs: '@' stands for asyncio's zero byte; where too many wait,
 * asyncio takes the socket for connected.
 */
AUV_API int auv_await_create_unix_connection(auv_protocol_factory_fn factory, void *arg, const char *path,
                                             const auv_connection_options *options,
                                             auv_transport **ret_transport);

/**
 * auv_await_connect_accepted_socket() - make a transport of a socket that was accepted elsewhere
 * @factory, @arg: as for auv_await_create_connection()
 * @sock:        a connected stream socket
 * @ret_transport: receives the transport; may be NULL
 *
 * Return: 0, or a negative error, as of auv_await_create_connection().
 * Owns: the caller owns a reference to *ret_transport; @sock is taken over, also where this fails.
 * Suspends: yes.    Thread: the loop's.
 * Like: loop.connect_accepted_socket().
 */
AUV_API int auv_await_connect_accepted_socket(auv_protocol_factory_fn factory, void *arg, int sock,
                                              auv_transport **ret_transport);

/**
 * auv_await_connect_read_pipe() - read from a pipe or a terminal
 * @factory, @arg: as for auv_await_create_connection()
 * @pipe:        descriptor of a pipe, a socket, or a character device
 * @ret_transport: receives the transport; may be NULL
 *
 * At its end the protocol is called with eof_received(), whatever that returns, and then with
 * connection_lost().
 *
 * A terminal is opened anew under the same number, so that who else has it does not find it changed to
 * not block; a pipe is changed, and so is the side of a pseudoterminal that drives it.
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, @pipe is of another kind; AUV_EPERM, the device cannot be waited for; AUV_EBADF;
 * AUV_ECANCELED; AUV_ENOTASK; AUV_ENOMEM; what @factory returned.
 * Owns: the caller owns a reference to *ret_transport; @pipe is taken over, also where this fails.
 * Suspends: yes.    Thread: the loop's.
 * Like: loop.connect_read_pipe().
 */
AUV_API int auv_await_connect_read_pipe(auv_protocol_factory_fn factory, void *arg, int pipe,
                                        auv_transport **ret_transport);

/**
 * auv_await_connect_write_pipe() - write to a pipe or a terminal
 * @factory, @arg, @pipe, @ret_transport: as for auv_await_connect_read_pipe()
 *
 * The connection is lost when nobody is left to read from the pipe, with AUV_EPIPE where something waited
 * to be written. SIGPIPE is not sent.
 *
 * Return: as auv_await_connect_read_pipe().
 * Owns: as auv_await_connect_read_pipe().
 * Suspends: yes.    Thread: the loop's.
 * Like: loop.connect_write_pipe(). Differs: a device that cannot be waited for, as /dev/null, is refused;
 * asyncio writes to it, and fails only where it would have to wait.
 */
AUV_API int auv_await_connect_write_pipe(auv_protocol_factory_fn factory, void *arg, int pipe,
                                         auv_transport **ret_transport);

AUV_END_DECLS

#endif

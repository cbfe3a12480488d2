/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_SERVER_H
#define ASYNCUV_SERVER_H

#include <asyncuv/task.h>
#include <asyncuv/transport.h>

AUV_BEGIN_DECLS

/*
 * Servers
 *
 * A server listens on one or more sockets, and makes a protocol and a transport for each connection. While
 * it is serving, or has connections, it lives by itself; giving up the last reference to it closes it only
 * where it is not serving yet.
 *
 * Where the process runs out of descriptors or the system of memory, the loop's exception handler is told,
 * and the server accepts again after a second.
 */

/* What listens. */
typedef struct auv_server auv_server;

/**
 * struct auv_server_options - how to serve; all zero but @size is the default
 * @size:        sizeof(auv_server_options), so that later versions may add fields
 * @hosts:       serve on all addresses of these hosts, in place of the one given
 * @n_hosts:     how many
 * @use_sock:    serve on @sock, with no host and port or path
 * @sock:        a stream socket that is bound; taken over, also where the call fails
 * @family:      AF_INET or AF_INET6; 0 for either
 * @flags:       AI_ flags for getaddrinfo(); 0 for AI_PASSIVE
 * @backlog:     how many connections may wait to be accepted; 0 for 100
 * @no_reuse_address: a socket's port may not be taken again right after a server that had it has ended;
 *               asyncio's reuse_address=False
 * @reuse_port:  several servers may have the same address, and share what comes
 * @keep_alive:  look now and then whether a silent peer still is there
 * @defer_serving: do not listen yet; asyncio's start_serving=False
 * @keep_path:   of a Unix socket: leave its path when the server is closed; asyncio's
 *               cleanup_socket=False
 * @limit:       of the readers that auv_await_start_server() makes, in bytes; 0 for 64 KiB
 * @stackless:   of auv_await_start_server() and auv_await_start_unix_server(): the body that serves each
 *               connection, where it is one without a stack; then no function is given there, and as its
 *               argument the frame that each task begins with; see asyncuv/stream.h
 * @frame_size:  size of that frame in bytes; its first member is an auv_stream_frame
 *
 * The AUV_SERVER_OPTIONS() macro fills in @size.
 */
typedef struct auv_server_options {
        size_t size;
        const char *const *hosts;
        size_t n_hosts;
        bool use_sock;
        int sock;
        int family;
        int flags;
        int backlog;
        bool no_reuse_address;
        bool reuse_port;
        bool keep_alive;
        bool defer_serving;
        bool keep_path;
        size_t limit;
        auv_stackless_fn stackless;
        size_t frame_size;
} auv_server_options;

/* Options for a server, as in AUV_SERVER_OPTIONS(.reuse_port = true). */
#define AUV_SERVER_OPTIONS(...) AUV_OPTIONS_(auv_server_options, __VA_ARGS__)

/**
 * auv_await_create_server() - make a TCP server
 * @factory:     makes the protocol of each connection; where it fails the connection is closed, and the
 *               loop's exception handler told
 * @arg:         handed to @factory; must live until the server is closed
 * @host:        name or numeric address to listen on; NULL or "" for all of this host's, IPv4 and
 *               IPv6; with the options hosts and use_sock it has to be NULL
 * @port:        port, 0 to 65535; 0 for one that the system finds, for each address another
 * @options:     how; NULL for the defaults
 * @ret_server:  receives the server
 *
 * What is said to a client is sent at once (TCP_NODELAY).
 *
 * Return: 0, or a negative error, and then nothing listens.
 * Errors: AUV_EADDRINUSE; AUV_EADDRNOTAVAIL, none of the addresses is one of this host's; AUV_EACCES;
 * AUV_EINVAL, the arguments have no meaning together; AUV_EAI_NONAME and others from looking up a name;
 * AUV_ECANCELED; AUV_ENOTASK; AUV_ENOMEM; AUV_EMFILE and others of the system's.
 * Owns: the caller owns *ret_server.
 * Suspends: yes.    Thread: the loop's.
 * Like: loop.create_server(). Differs: protocols are made right when a connection is accepted, not in a task
 * of their own; where that fails the exception handler is told also without debug mode. An address that
 * there is no descriptor or memory for is an error; asyncio leaves it out.
 */
AUV_API int auv_await_create_server(auv_protocol_factory_fn factory, void *arg, const char *host, int port,
                                    const auv_server_options *options, auv_server **ret_server);

/**
 * auv_await_create_unix_server() - make a server at a path
 * @factory, @arg: as for auv_await_create_server()
 * @path:        path of the socket; "@name" for a name in Linux's abstract space; NULL with the option
 *               use_sock
 * @options:     how: use_sock, sock, backlog, defer_serving and keep_path have a meaning here; NULL for
 *               the defaults
 * @ret_server:  receives the server
 *
 * A socket that a server before has left at @path is removed. When the server is closed it removes
 * its own, if that is still there.
 *
 * Return: 0, or a negative error, and then nothing listens.
 * Errors: AUV_EADDRINUSE, there is something else at @path, or a server with that name; AUV_EINVAL, the
 * path is empty or too long; AUV_ENOENT, its folder is not there; AUV_EACCES; and as
 * auv_await_create_server().
 * Owns: the caller owns *ret_server.
 * Suspends: yes.    Thread: the loop's.
 * Like: loop.create_unix_server(). Differs: '@' stands for asyncio's zero byte.
 */
AUV_API int auv_await_create_unix_server(auv_protocol_factory_fn factory, void *arg, const char *path,
                                         const auv_server_options *options, auv_server **ret_server);

/**
 * auv_server_close() - stop listening
 * @server:      the server; NULL does nothing
 *
 * Connections that there are go on. auv_await_server_serve_forever() ends with AUV_ECANCELED. May be
 * called again.
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Server.close().
 */
AUV_API void auv_server_close(auv_server *server);

/**
 * auv_server_close_clients() - close each connection when what was written to it has been sent
 * @server:      the server; NULL does nothing
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Server.close_clients().
 */
AUV_API void auv_server_close_clients(auv_server *server);

/**
 * auv_server_abort_clients() - close each connection at once
 * @server:      the server; NULL does nothing
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Server.abort_clients().
 */
AUV_API void auv_server_abort_clients(auv_server *server);

/**
 * auv_server_is_serving() - whether new connections are accepted
 * @server:      the server; NULL is not
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Server.is_serving().
 */
AUV_API bool auv_server_is_serving(const auv_server *server);

/**
 * auv_server_get_loop() - the loop of a server
 * @server:      the server; NULL gives NULL
 *
 * Owns: nothing; the loop is borrowed.
 * Suspends: no.    Thread: the loop's.
 * Like: Server.get_loop().
 */
AUV_API auv_loop *auv_server_get_loop(const auv_server *server);

/**
 * auv_server_sockets() - the descriptors that a server listens on
 * @server:      the server; NULL has none
 * @ret_sockets: receives as many as there is room for; may be NULL where @n is 0
 * @n:           room in *@ret_sockets
 *
 * Return: how many there are; 0 when the server is closed.
 * Owns: nothing; the descriptors are the server's. See getsockname() for the port of each.
 * Suspends: no.    Thread: the loop's.
 * Like: Server.sockets.
 */
AUV_API size_t auv_server_sockets(const auv_server *server, int *ret_sockets, size_t n);

/**
 * auv_await_server_start_serving() - listen
 * @server:      the server, which may be serving already
 *
 * Return: 0, or a negative error, and then the server is as it was.
 * Errors: AUV_ERUNTIME, it is closed, or another loop's; AUV_EADDRINUSE; AUV_EINVAL, @server is NULL;
 * AUV_ECANCELED, and then it is serving; AUV_ENOTASK; AUV_ENOMEM.
 * Suspends: yes, for a turn.    Thread: the loop's.
 * Like: Server.start_serving().
 */
AUV_API int auv_await_server_start_serving(auv_server *server);

/**
 * auv_await_server_serve_forever() - listen, until this is cancelled or the server is closed
 * @server:      the server
 *
 * Cancelled, it closes the server, and waits until its connections are gone.
 *
 * Return: a negative error.
 * Errors: AUV_ECANCELED, it was cancelled or the server was closed; AUV_ERUNTIME, the server had been closed
 * before, or another task is in this function; as auv_await_server_start_serving().
 * Suspends: yes.    Thread: the loop's.
 * Like: Server.serve_forever().
 */
AUV_API int auv_await_server_serve_forever(auv_server *server);

/**
 * auv_await_server_wait_closed() - wait until a server is closed and its connections are gone
 * @server:      the server
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, @server is NULL; AUV_ERUNTIME, it is another loop's; AUV_ECANCELED; AUV_ENOTASK.
 * Suspends: yes, unless all that is the case.    Thread: the loop's.
 * Like: Server.wait_closed().
 */
AUV_API int auv_await_server_wait_closed(auv_server *server);

AUV_END_DECLS

#endif

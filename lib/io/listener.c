/* SPDX-License-Identifier: MIT */

/*
 * Listener
 *
 * One socket of a server: accepts what waits there, as many connections for one look at it as the
 * backlog may hold. libuv's own uv_listen() accepts one that it has no descriptor for only to close it;
 * here, as in asyncio, the connection waits in the backlog, and is tried again after a second.
 */

#include "io/server.h"

#include "base/alloc.h"
#include "base/context.h"
#include "base/error.h"
#include "io/stream_transport.h"
#include "loop/timer.h"
#include "loop/watcher.h"

#include <errno.h>
#include <unistd.h>

#define RETRY_NS ((int64_t)1000000000)

struct auv__listener {
        struct auv__handle handle;
        uv_poll_t poll;
        struct auv__timer retry;
        struct auv__object *context;
        auv_server *server; /* with a reference; NULL once it is closed */
        int fd;
};

static void report(const auv_server *server, const char *message, auv_error *error)
{
        auv_loop_call_exception_handler(server->loop, &(auv_exception_context) { .message = message,
                                                                                 .error = error });
}

/* Makes a protocol and a transport for a connection. Takes over @fd. */
static void serve(auv_server *server, int fd, const struct auv__address *peer)
{
        auv_protocol protocol;
        auv_transport *transport;
        auv_error *error;
        int r = auv__server_make_protocol(server, &protocol);

        if (r == 0) {
                r = auv__stream_transport_new(server->loop, &auv__socket_kind, fd, peer, &protocol,
                                              &transport);
                if (r == 0) {
                        auv__server_attach(server, transport);
                        auv__transport_begin(transport);
                        return;
                }
                auv__protocol_release(&protocol);
                auv_raise(r, NULL);
        }
        error = auv__error_for(r);
        close(fd);
        report(server, "Error on transport creation for incoming connection", error);
        auv_unref(error);
}

static void on_acceptable(uv_poll_t *poll, int status, int events);

static void start(struct auv__listener *listener)
{
        /* It has worked before. */
        (void)uv_poll_start(&listener->poll, UV_READABLE, on_acceptable);
}

static void run_retry(struct auv__item *item, bool dropped)
{
        struct auv__listener *listener = auv__container_of(item, struct auv__listener, retry.item);

        if (!dropped)
                start(listener);
}

bool auv__is_shortage(int error)
{
        return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void accept_failed(struct auv__listener *listener, int error)
{
        const auv_server *server = listener->server;
        auv_error *object = auv__transport_system_error(-error);
        const bool shortage = auv__is_shortage(error);

        if (shortage) {
                (void)uv_poll_stop(&listener->poll);
                auv__timer_start(server->loop, &listener->retry, auv__loop_now(server->loop) + RETRY_NS);
        }
        report(server, shortage ? "socket.accept() out of system resource" : "socket.accept() failed",
               object);
        auv_unref(object);
}

/* Returns whether another one may be waiting. */
static bool accept_one(struct auv__listener *listener)
{
        struct auv__address peer = { .size = sizeof(peer.storage) };
        const int fd = accept4(listener->fd, &peer.any, &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
                serve(listener->server, fd, &peer);
                return true;
        }
        if (errno == ECONNABORTED)
                return true;
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
                accept_failed(listener, errno);
        return false;
}

static void accept_all(struct auv__listener *listener)
{
        /* The program may close the server. */
        for (int left = listener->server->backlog; left >= 0 && listener->server; left--)
                if (!accept_one(listener))
                        break;
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
        struct auv__listener *listener = auv__container_of(poll, struct auv__listener, poll);
        auv_server *server = auv_ref(listener->server);
        auv_loop *outer_loop = auv__running_loop;
        struct auv__object **outer = auv__context_enter(&listener->context);

        auv__running_loop = server->loop;
        accept_all(listener);
        /* libuv has stopped looking at a socket with an error; accept4() has taken it. */
        if (status < 0 && listener->server && !auv__timer_is_set(&listener->retry))
                start(listener);
        auv__running_loop = outer_loop;
        auv__context_leave(outer);
        auv_unref(server);
}

static void on_closed(struct auv__handle *handle)
{
        struct auv__listener *listener = auv__container_of(handle, struct auv__listener, handle);

        auv__context_drop(listener->context);
        auv__free(listener);
}

static void on_loop_closed(struct auv__handle *handle)
{
        auv__server_forsake(auv__container_of(handle, struct auv__listener, handle)->server);
}

static const struct auv__handle_functions handle_functions = { .loop_closed = on_loop_closed,
                                                               .closed = on_closed };

/* Makes libuv's part of a listener. */
static int open_handle(struct auv__listener *listener, auv_loop *loop, int fd)
{
        int r;

        AUV_TRY(auv__handle_prepare(&listener->handle, loop, &handle_functions));
        AUV_TRY(auv__watchers_claim(loop, fd));
        r = uv_poll_init(auv__handle_uv_loop(&listener->handle), &listener->poll, fd);
        if (r < 0) {
                auv__watchers_release(loop, fd);
                return r;
        }
        auv__handle_open(&listener->handle, (uv_handle_t *)&listener->poll);
        return 0;
}

int auv__listener_open(auv_server *server, int fd, struct auv__listener **ret_listener)
{
        struct auv__listener *listener = auv__calloc(sizeof(*listener));
        int r;

        if (!listener)
                return AUV_ENOMEM;
        r = listen(fd, server->backlog) < 0 ? -errno : open_handle(listener, server->loop, fd);
        if (r < 0) {
                auv__free(listener);
                return r;
        }
        listener->retry.item.run = run_retry;
        listener->context = auv__context_copy();
        listener->server = auv_ref(server);
        listener->fd = fd;
        start(listener);
        *ret_listener = listener;
        return 0;
}

void auv__listener_close(struct auv__listener *listener)
{
        auv_server *server = listener->server;

        listener->server = NULL;
        auv__timer_stop(&listener->retry);
        auv__handle_close(&listener->handle);
        auv__watchers_release(server->loop, listener->fd);
        auv_unref(server);
}

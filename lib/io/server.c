/* SPDX-License-Identifier: MIT */

/* Server: what listens, the connections that came of it, and who waits for their end. */

#include "io/server.h"

#include "base/alloc.h"
#include "base/error.h"
#include "loop/watcher.h"
#include "sync/bind.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEFAULT_BACKLOG = 100 };

static int copy_options(const auv_server_options *options, auv_server_options *ret)
{
        *ret = (auv_server_options) { .size = sizeof(*ret) };
        if (options && options->size < offsetof(auv_server_options, hosts))
                return auv_raise(AUV_EINVAL, "the options have no size");
        if (options)
                memcpy(ret, options, options->size < sizeof(*ret) ? options->size : sizeof(*ret));
        if (ret->backlog == 0)
                ret->backlog = DEFAULT_BACKLOG;
        return 0;
}

int auv__server_check(int r, const struct auv__serving *serving, const auv_server_options *options,
                      auv_server_options *ret_options, auv_server **ret_server)
{
        const int copied = copy_options(options, ret_options);

        if (r == 0)
                r = copied;
        if (r == 0 && (!serving->factory || !ret_server))
                r = auv_raise(AUV_EINVAL, "no protocol factory, or no place for the server");
        if (r == 0 && (ret_options->backlog < 0 || (ret_options->n_hosts > 0 && !ret_options->hosts)))
                r = auv_raise(AUV_EINVAL, "an option of the server has no meaning");
        if (r < 0 && ret_options->use_sock && ret_options->sock >= 0)
                close(ret_options->sock);
        return r;
}

void auv__serving_release(const struct auv__serving *serving)
{
        if (serving->release_arg)
                serving->release_arg(serving->arg);
}

/* The path is removed only where it still is what this server has made. */
static void remove_path(auv_server *server)
{
        struct stat status;

        if (server->path && stat(server->path, &status) == 0 && status.st_ino == server->path_number)
                (void)unlink(server->path);
        auv__free(server->path);
        server->path = NULL;
}

/* The factory is not called any more; one that closes the server still runs. */
static void release_factory(auv_server *server)
{
        const auv__release_fn release_arg = server->release_arg;

        if (server->calling)
                return;
        server->release_arg = NULL;
        if (release_arg)
                release_arg(server->arg);
}

static void stop_listening(auv_server *server)
{
        server->serving = false;
        for (size_t i = 0; i < server->n; i++) {
                struct auv__listener *listener = server->listeners[i];

                server->listeners[i] = NULL;
                if (listener)
                        auv__listener_close(listener);
        }
}

static void wake_if_gone(auv_server *server)
{
        if (server->closed && !server->clients)
                auv__line_wake_all(&server->closing);
}

void auv_server_close(auv_server *server)
{
        if (!server || server->closed)
                return;
        auv__keep(&server->object);
        server->closed = true;
        stop_listening(server);
        for (size_t i = 0; i < server->n; i++)
                close(auv__server_fds(server)[i]);
        remove_path(server);
        auv__arrive(&server->forever, AUV_ECANCELED);
        wake_if_gone(server);
        release_factory(server);
        auv__drop(&server->object);
}

/* Nothing is reported to a loop that has been closed before: its handler may have gone. */
void auv__server_forsake(auv_server *server)
{
        auv_loop *loop = server->loop;
        const bool tells = auv__loop_hooks(loop) && (!loop->closed || loop->closing);

        auv__keep(&server->object);
        if (tells && !server->closed)
                auv_loop_call_exception_handler(loop, &(auv_exception_context) {
                        .message = "unclosed server" });
        auv_server_close(server);
        auv__drop(&server->object);
}

void auv__server_free(struct auv__object *object)
{
        auv_server *server = auv__container_of(object, auv_server, object);
        auv_loop *loop = server->loop;

        /* Not a reference more than this one while it is closed. */
        server->object.refs = 1;
        auv__server_forsake(server);
        auv__free(server);
        auv__loop_release(loop);
}

int auv__server_make_protocol(auv_server *server, auv_protocol *ret_protocol)
{
        int r;

        server->calling = true;
        r = auv__protocol_make(server->factory, server->arg, ret_protocol);
        server->calling = false;
        if (!server->closed)
                return r;
        if (r == 0)
                auv__protocol_release(ret_protocol);
        release_factory(server);
        return r < 0 ? r : auv_raise(AUV_ERUNTIME, "the server was closed by its protocol factory");
}

void auv__server_attach(auv_server *server, auv_transport *transport)
{
        transport->server = auv_ref(server);
        transport->previous = NULL;
        transport->next = server->clients;
        if (transport->next)
                transport->next->previous = transport;
        server->clients = transport;
}

void auv__server_detach(auv_server *server, auv_transport *transport)
{
        if (transport->previous)
                transport->previous->next = transport->next;
        else
                server->clients = transport->next;
        if (transport->next)
                transport->next->previous = transport->previous;
        wake_if_gone(server);
        auv_unref(server);
}

/* Neither call tells a protocol anything at once, so the list stays as it is. */
void auv_server_close_clients(auv_server *server)
{
        for (auv_transport *transport = server ? server->clients : NULL; transport;
             transport = transport->next)
                auv_transport_close(transport);
}

void auv_server_abort_clients(auv_server *server)
{
        for (auv_transport *transport = server ? server->clients : NULL; transport;
             transport = transport->next)
                auv_transport_abort(transport);
}

bool auv_server_is_serving(const auv_server *server)
{
        return server && server->serving;
}

auv_loop *auv_server_get_loop(const auv_server *server)
{
        return server ? server->loop : NULL;
}

size_t auv_server_sockets(const auv_server *server, int *ret_sockets, size_t n)
{
        if (!server || server->closed)
                return 0;
        for (size_t i = 0; ret_sockets && i < n && i < server->n; i++)
                ret_sockets[i] = auv__server_fds(server)[i];
        return server->n;
}

/* 0 or a negative error with its object. */
static int start_listening(auv_server *server)
{
        int r;

        if (server->closed)
                return auv_raise(AUV_ERUNTIME, "the server is closed");
        if (server->serving)
                return 0;
        server->serving = true;
        for (size_t i = 0; i < server->n; i++) {
                r = auv__listener_open(server, auv__server_fds(server)[i], &server->listeners[i]);
                if (r < 0) {
                        stop_listening(server);
                        return auv_raise(r, NULL);
                }
        }
        return 0;
}

static int await_turn(struct auv__task *task)
{
        auv__task_make_ready(task);
        return auv__task_suspend(task);
}

/* A server that does not listen yet. Takes over what is given. */
static auv_server *new_server(auv_loop *loop, const struct auv__serving *serving, const int *fds, size_t n,
                              char *path, int backlog)
{
        auv_server *server =
                auv__calloc(sizeof(*server) + n * (sizeof(struct auv__listener *) + sizeof(int)));
        struct stat status;

        if (!server) {
                for (size_t i = 0; i < n; i++)
                        close(fds[i]);
                auv__free(path);
                auv__serving_release(serving);
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        server->object = auv__object_init(AUV__SERVER, 0);
        server->loop = loop;
        server->factory = serving->factory;
        server->arg = serving->arg;
        server->release_arg = serving->release_arg;
        server->backlog = backlog;
        server->n = n;
        memcpy(auv__server_fds(server), fds, n * sizeof(int));
        if (path && stat(path, &status) == 0) {
                server->path = path;
                server->path_number = status.st_ino;
        } else {
                auv__free(path);
        }
        auv__loop_hold(loop);
        return server;
}

int auv__await_server(struct auv__task *task, const struct auv__serving *serving, const int *fds, size_t n,
                      char *path, const auv_server_options *options, auv_server **ret_server)
{
        auv_server *server = new_server(task->future.loop, serving, fds, n, path, options->backlog);
        int r = 0;

        if (!server)
                return AUV_ENOMEM;
        if (!options->defer_serving) {
                r = start_listening(server);
                if (r == 0)
                        r = await_turn(task);
        }
        if (r < 0) {
                auv_server_close(server);
                auv_unref(server);
                return r;
        }
        *ret_server = server;
        return 0;
}

/* Whether a task can wait for something of a server's. */
static int check(auv_server *server, const struct auv__task *task)
{
        return server ? auv__sync_bind(&server->loop, task) : auv_raise(AUV_EINVAL, "no server");
}

int auv_await_server_start_serving(auv_server *server)
{
        struct auv__task *task;

        AUV_TRY(auv__await_begin(&task));
        AUV_TRY(check(server, task));
        AUV_TRY(start_listening(server));
        return await_turn(task);
}

static int await_closed(struct auv__task *task, auv_server *server)
{
        bool woken;

        if (server->closed && !server->clients)
                return 0;
        return auv__line_wait(&server->closing, task, &woken);
}

int auv_await_server_wait_closed(auv_server *server)
{
        struct auv__task *task;
        int r;

        AUV_TRY(auv__await_begin(&task));
        AUV_TRY(check(server, task));
        auv__keep(&server->object);
        r = await_closed(task, server);
        auv__drop(&server->object);
        return r;
}

/* Until the task is cancelled, or the server closed. */
static int await_forever(struct auv__task *task, auv_server *server)
{
        auv_error *error;
        bool arrived;
        int r = auv__await_arrival(task, &server->forever, &arrived);

        if (r != AUV_ECANCELED)
                return r;
        error = arrived ? auv_ref(auv__error_static(r)) : auv__error_for(r);
        auv_server_close(server);
        (void)await_closed(task, server);
        return auv__error_set_current(error);
}

int auv_await_server_serve_forever(auv_server *server)
{
        struct auv__task *task;
        int r;

        AUV_TRY(auv__await_begin(&task));
        AUV_TRY(check(server, task));
        if (server->forever)
                return auv_raise(AUV_ERUNTIME,
                                 "another task is in auv_await_server_serve_forever() already");
        AUV_TRY(start_listening(server));
        auv__keep(&server->object);
        r = await_forever(task, server);
        auv__drop(&server->object);
        return r;
}

/* SPDX-License-Identifier: MIT */

/* Connections: how a descriptor comes to have a transport and a protocol, and who waits for that. */

#include "io/connection.h"

#include "base/error.h"
#include "io/stream_transport.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int auv__connection_options_copy(const auv_connection_options *options, auv_connection_options *ret)
{
        *ret = (auv_connection_options) { .size = sizeof(*ret) };
        if (!options)
                return 0;
        if (options->size < offsetof(auv_connection_options, use_sock))
                return auv_raise(AUV_EINVAL, "the options have no size");
        memcpy(ret, options, options->size < sizeof(*ret) ? options->size : sizeof(*ret));
        if (!(ret->happy_eyeballs_delay >= 0) || isinf(ret->happy_eyeballs_delay)
            || ret->interleave < AUV_NO_INTERLEAVE || ret->local_port < 0 || ret->local_port > UINT16_MAX)
                return auv_raise(AUV_EINVAL, "an option of the connection has no meaning");
        return 0;
}

int auv__connection_check(int r, const auv_connection_options *options, auv_connection_options *ret,
                          int *ret_fd)
{
        const int copied = auv__connection_options_copy(options, ret);

        *ret_fd = ret->use_sock ? ret->sock : -1;
        return r < 0 ? r : copied;
}

int auv__socket_check(int fd, int family)
{
        int type = 0, domain = 0;
        socklen_t size = sizeof(int);

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0
            || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0)
                return auv_raise(-errno, "a stream socket was expected");
        if (type != SOCK_STREAM || (family != 0 && domain != family))
                return auv_raise(AUV_EINVAL, "a%s stream socket was expected",
                                 family == AF_UNIX ? " Unix" : "");
        return 0;
}

/* Takes over @fd as soon as it succeeds. */
static int make(auv_loop *loop, const struct auv__transport_kind *kind, auv_protocol_factory_fn factory,
                void *arg, int fd, auv_transport **ret_transport)
{
        auv_protocol protocol;
        int r;

        AUV_TRY(auv__protocol_make(factory, arg, &protocol));
        r = auv__stream_transport_new(loop, kind, fd, /* peer= */ NULL, &protocol, ret_transport);
        if (r < 0) {
                auv__protocol_release(&protocol);
                return auv_raise(r, NULL);
        }
        return 0;
}

static int await_connection(struct auv__task *task, const struct auv__transport_kind *kind,
                            auv_protocol_factory_fn factory, void *arg, int fd,
                            auv_transport **ret_transport)
{
        auv_transport *transport;
        int r = make(task->future.loop, kind, factory, arg, fd, &transport);

        if (r < 0) {
                close(fd);
                return r;
        }
        auv__transport_begin(transport);
        auv__keep(&transport->object);
        r = auv__await_transport(task, transport);
        if (r == 0 && ret_transport)
                *ret_transport = transport;
        else
                auv__drop(&transport->object);
        return r;
}

int auv__await_connection_if(int r, struct auv__task *task, const struct auv__transport_kind *kind,
                             auv_protocol_factory_fn factory, void *arg, int fd,
                             auv_transport **ret_transport)
{
        if (r == 0 && !factory)
                r = auv_raise(AUV_EINVAL, "no protocol factory");
        if (r == 0)
                return await_connection(task, kind, factory, arg, fd, ret_transport);
        if (fd >= 0)
                close(fd);
        return r;
}

int auv_await_connect_accepted_socket(auv_protocol_factory_fn factory, void *arg, int sock,
                                      auv_transport **ret_transport)
{
        struct auv__task *task;
        int r = auv__await_begin(&task);

        if (r == 0)
                r = auv__socket_check(sock, /* family= */ 0);
        return auv__await_connection_if(r, task, &auv__socket_kind, factory, arg, sock, ret_transport);
}

int auv__await_create_connection(int r, struct auv__task *task, auv_protocol_factory_fn factory, void *arg,
                                 const char *host, int port, const auv_connection_options *options,
                                 auv_transport **ret_transport)
{
        auv_connection_options o;
        int fd;

        r = auv__connection_check(r, options, &o, &fd);
        if (r == 0 && o.use_sock)
                r = host || port
                            ? auv_raise(AUV_EINVAL, "a host or port and a socket are given at the same time")
                            : auv__socket_check(fd, /* family= */ 0);
        else if (r == 0)
                r = factory ? auv__await_connect(task, host, port, &o, &fd) : 0;
        return auv__await_connection_if(r, task, &auv__socket_kind, factory, arg, fd, ret_transport);
}

int auv_await_create_connection(auv_protocol_factory_fn factory, void *arg, const char *host, int port,
                                const auv_connection_options *options, auv_transport **ret_transport)
{
        struct auv__task *task;
        const int r = auv__await_begin(&task);

        return auv__await_create_connection(r, task, factory, arg, host, port, options, ret_transport);
}

/* SPDX-License-Identifier: MIT */

/* Datagram endpoints: how a datagram socket comes to be, and to have a transport and a protocol. */

#include "io/datagram.h"

#include "base/error.h"
#include "io/name.h"
#include "io/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One end, as the caller gave it, and what it was found to be. */
struct end {
        const char *host;
        int port;
        bool is_given;
        struct addrinfo *found;   /* NULL where it is not given, or a path */
        struct auv__address path; /* of AF_UNIX */
};

struct endpoint {
        struct auv__task *task;
        auv_datagram_options options;
        struct end local;
        struct end remote;
        struct auv__address
                peer; /* where datagrams go from a socket that is not connected; size 0: nowhere */
        auv_error *first_error; /* of those that the addresses gave */
        int fd;                 /* -1 for none yet */
};

static int check_options(const auv_datagram_options *options)
{
        if (options->use_sock && (options->family || options->proto || options->flags ||
                                  options->reuse_port || options->allow_broadcast))
                return auv_raise(AUV_EINVAL, "socket options cannot be used where a socket is given");
        return 0;
}

static int copy_options(const auv_datagram_options *options, auv_datagram_options *ret)
{
        *ret = (auv_datagram_options) { .size = sizeof(*ret) };
        if (!options)
                return 0;
        if (options->size < offsetof(auv_datagram_options, use_sock))
                return auv_raise(AUV_EINVAL, "the options have no size");
        memcpy(ret, options, options->size < sizeof(*ret) ? options->size : sizeof(*ret));
        return check_options(ret);
}

/* asyncio refuses streams, and leaves the rest to the system. */
static int take_socket(struct endpoint *endpoint)
{
        const int fd = endpoint->options.sock, flags = fcntl(fd, F_GETFL);
        socklen_t size = sizeof(int);
        int type = 0;

        endpoint->fd = fd;
        if (endpoint->local.is_given || endpoint->remote.is_given)
                return auv_raise(AUV_EINVAL, "an address and a socket are given at the same time");
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
                return auv_raise(-errno, "a datagram socket was expected");
        if (type == SOCK_STREAM)
                return auv_raise(AUV_EINVAL, "a datagram socket was expected");
        return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 ? 0 : auv_raise(-errno, NULL);
}

static int set_option(int fd, int option)
{
        return setsockopt(fd, SOL_SOCKET, option, &(int) { 1 }, sizeof(int)) == 0 ? 0
                                                                                 : auv_raise(-errno, NULL);
}

/* @local, @remote: NULL for none. */
static int await_open(struct endpoint *endpoint, int family, int protocol, const struct auv__address *local,
                      const struct auv__address *remote)
{
        const auv_datagram_options *options = &endpoint->options;

        endpoint->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
        if (endpoint->fd < 0)
                return auv_raise(-errno, NULL);
        if (options->reuse_port)
                AUV_TRY(set_option(endpoint->fd, SO_REUSEPORT));
        if (options->allow_broadcast)
                AUV_TRY(set_option(endpoint->fd, SO_BROADCAST));
        if (local && bind(endpoint->fd, &local->any, local->size) < 0)
                return auv_raise(-errno, NULL);
        if (!remote)
                return 0;
        if (!options->allow_broadcast)
                return auv__await_sock_connect(endpoint->task, endpoint->fd, &remote->any, remote->size);
        endpoint->peer = *remote;
        return 0;
}

/* Whether another address might do: it was the system that refused this one. */
static bool may_try_another(int r)
{
        return r != AUV_ECANCELED && r != AUV_ECLOSED && r != AUV_ENOMEM && r != AUV_ERUNTIME;
}

/* The same, without a socket where it fails. Returns 1 where another address is to be tried. */
static int await_try(struct endpoint *endpoint, int family, int protocol, const struct auv__address *local,
                     const struct auv__address *remote)
{
        const int r = await_open(endpoint, family, protocol, local, remote);

        if (r == 0)
                return 0;
        if (endpoint->fd >= 0)
                close(endpoint->fd);
        endpoint->fd = -1;
        if (!may_try_another(r))
                return r;
        if (!endpoint->first_error)
                endpoint->first_error = auv__error_for(r);
        return 1;
}

static bool is_of_pair(const struct addrinfo *info, const struct addrinfo *pair)
{
        return info->ai_family == pair->ai_family && info->ai_protocol == pair->ai_protocol;
}

/* The last address of a family and a protocol, as a dictionary of them would have it; false where there is
 * none. */
static bool find_address(const struct end *end, const struct addrinfo *pair, struct auv__address *ret)
{
        bool found = false;

        for (const struct addrinfo *info = end->found; info; info = info->ai_next) {
                if (!is_of_pair(info, pair) || info->ai_addrlen > sizeof(ret->storage))
                        continue;
                memset(ret, 0, sizeof(*ret));
                memcpy(&ret->any, info->ai_addr, info->ai_addrlen);
                ret->size = info->ai_addrlen;
                found = true;
        }
        return found;
}

static int await_try_pair(struct endpoint *endpoint, const struct addrinfo *pair)
{
        const struct end *local = &endpoint->local, *remote = &endpoint->remote;
        struct auv__address local_address, remote_address;

        if (local->is_given && !find_address(local, pair, &local_address))
                return 1;
        if (remote->is_given && !find_address(remote, pair, &remote_address))
                return 1;
        return await_try(endpoint, pair->ai_family, pair->ai_protocol,
                         local->is_given ? &local_address : NULL,
                         remote->is_given ? &remote_address : NULL);
}

static int await_resolve(struct endpoint *endpoint, struct end *end)
{
        const auv_datagram_options *options = &endpoint->options;

        if (!end->is_given)
                return 0;
        return auv__await_getaddrinfo(endpoint->task, end->host, end->port, options->family, SOCK_DGRAM,
                                      options->proto, options->flags, &end->found);
}

/* Each family and protocol once, in the order in which the addresses have them. */
static int await_inet(struct endpoint *endpoint)
{
        const struct addrinfo *first, *earlier;
        int r;

        AUV_TRY(await_resolve(endpoint, &endpoint->local));
        AUV_TRY(await_resolve(endpoint, &endpoint->remote));
        /* A family that one end has and the other has not is left out: so one list is enough. */
        first = endpoint->local.is_given ? endpoint->local.found : endpoint->remote.found;
        for (const struct addrinfo *pair = first; pair; pair = pair->ai_next) {
                for (earlier = first; !is_of_pair(earlier, pair);)
                        earlier = earlier->ai_next;
                if (earlier != pair)
                        continue;
                r = await_try_pair(endpoint, pair);
                if (r <= 0)
                        return r;
        }
        if (!endpoint->first_error)
                return auv_raise(AUV_EINVAL, "can not get address information");
        return auv_reraise(endpoint->first_error);
}

static int find_path(struct end *end)
{
        if (!end->is_given)
                return 0;
        if (!end->host || end->port != 0)
                return auv_raise(AUV_EINVAL, "a Unix socket has a path, and no port");
        return auv__address_of_path(end->host, &end->path);
}

/* Where a socket of an earlier run is in the way. What cannot be removed is what bind() will tell. */
static void remove_stale(const char *path)
{
        struct stat status;

        if (path[0] != '@' && stat(path, &status) == 0 && S_ISSOCK(status.st_mode))
                (void)unlink(path);
}

static int await_unix(struct endpoint *endpoint)
{
        const struct end *local = &endpoint->local, *remote = &endpoint->remote;
        int r;

        AUV_TRY(find_path(&endpoint->local));
        AUV_TRY(find_path(&endpoint->remote));
        if (local->is_given)
                remove_stale(local->host);
        r = await_try(endpoint, AF_UNIX, endpoint->options.proto, local->is_given ? &local->path : NULL,
                      remote->is_given ? &remote->path : NULL);
        return r > 0 ? auv_reraise(endpoint->first_error) : r;
}

/* Opens the socket. */
static int await_socket(struct endpoint *endpoint)
{
        const auv_datagram_options *options = &endpoint->options;
        int r;

        if (options->use_sock)
                return take_socket(endpoint);
        if (options->family == AF_UNIX)
                return await_unix(endpoint);
        if (endpoint->local.is_given || endpoint->remote.is_given)
                return await_inet(endpoint);
        if (options->family == 0)
                return auv_raise(AUV_EINVAL,
                                 "unexpected address family: there is no address that would have one");
        r = await_try(endpoint, options->family, options->proto, /* local= */ NULL, /* remote= */ NULL);
        return r > 0 ? auv_reraise(endpoint->first_error) : r;
}

/* Takes over the socket as soon as it succeeds. */
static int make_transport(struct endpoint *endpoint, auv_protocol_factory_fn factory, void *arg,
                          auv_transport **ret_transport)
{
        const struct auv__address *peer = endpoint->peer.size > 0 ? &endpoint->peer : NULL;
        auv_loop *loop = endpoint->task->future.loop;
        auv_protocol protocol;
        int r;

        AUV_TRY(auv__protocol_make(factory, arg, &protocol));
        r = auv__transport_new(loop, &auv__datagram_kind, endpoint->fd, peer, &protocol, ret_transport);
        if (r < 0) {
                auv__protocol_release(&protocol);
                return auv_raise(r, NULL);
        }
        (*ret_transport)->is_unconnected = peer != NULL;
        endpoint->fd = -1;
        return 0;
}

static int await_transport(struct endpoint *endpoint, auv_protocol_factory_fn factory, void *arg,
                           auv_transport **ret_transport)
{
        auv_transport *transport;
        int r;

        AUV_TRY(make_transport(endpoint, factory, arg, &transport));
        auv__transport_begin(transport);
        auv__keep(&transport->object);
        r = auv__await_transport(endpoint->task, transport);
        if (r == 0 && ret_transport)
                *ret_transport = transport;
        else
                auv__drop(&transport->object);
        return r;
}

static struct end make_end(const char *host, int port)
{
        return (struct end) { .host = host, .port = port, .is_given = host || port != 0 };
}

static void drop(struct endpoint *endpoint)
{
        if (endpoint->fd >= 0)
                close(endpoint->fd);
        auv_freeaddrinfo(endpoint->local.found);
        auv_freeaddrinfo(endpoint->remote.found);
        auv_unref(endpoint->first_error);
}

int auv_await_create_datagram_endpoint(auv_protocol_factory_fn factory, void *arg, const char *local_host,
                                       int local_port, const char *remote_host, int remote_port,
                                       const auv_datagram_options *options, auv_transport **ret_transport)
{
        struct endpoint endpoint = { .local = make_end(local_host, local_port),
                                     .remote = make_end(remote_host, remote_port),
                                     .fd = -1 };
        int r = copy_options(options, &endpoint.options);

        /* Taken over in any case. */
        if (endpoint.options.use_sock)
                endpoint.fd = endpoint.options.sock;
        if (r == 0)
                r = auv__await_begin(&endpoint.task);
        if (r == 0 && !factory)
                r = auv_raise(AUV_EINVAL, "no protocol factory");
        if (r == 0)
                r = await_socket(&endpoint);
        if (r == 0)
                r = await_transport(&endpoint, factory, arg, ret_transport);
        drop(&endpoint);
        return r;
}

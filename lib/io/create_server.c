/* SPDX-License-Identifier: MIT */

/* Servers at the addresses of hosts. */

#include "io/name.h"
#include "io/server.h"

#include "base/alloc.h"
#include "io/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

/* The sockets that have been bound so far. */
struct bound {
        int *fds;
        size_t n;
};

static void close_bound(struct bound *bound)
{
        for (size_t i = 0; i < bound->n; i++)
                close(bound->fds[i]);
        auv__free(bound->fds);
}

static int add_bound(struct bound *bound, int fd)
{
        int *fds = auv__realloc(bound->fds, (bound->n + 1) * sizeof(int));

        if (!fds)
                return AUV_ENOMEM;
        fds[bound->n++] = fd;
        bound->fds = fds;
        return 0;
}

/* What the options say of a socket; that some do not know one of them is no error. */
static int set_options(int fd, int family, const auv_server_options *options)
{
        const int on = 1;
        const bool is_ip = family == AF_INET || family == AF_INET6;

        if (!options->no_reuse_address)
                (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (options->reuse_port && is_ip && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
                return auv_raise(-errno, "reuse_port is not supported");
        if (options->keep_alive)
                (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
        /* IPv4 has sockets of its own. */
        if (family == AF_INET6)
                (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
        return 0;
}

/*
 * Returns the descriptor; AUV_EADDRNOTAVAIL, this host has no such address; or another error with its
 * object.
 */
static int bind_to(const struct addrinfo *to, const auv_server_options *options)
{
        char text[AUV_ADDRESS_SIZE];
        const int fd =
                socket(to->ai_family, to->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, to->ai_protocol);
        int r;

        /* As asyncio: a family that the system does not have. But what it has no room for is an error. */
        if (fd < 0)
                return auv__is_shortage(errno) ? auv_raise(-errno, NULL) : AUV_EADDRNOTAVAIL;
        r = set_options(fd, to->ai_family, options);
        if (r == 0 && bind(fd, to->ai_addr, to->ai_addrlen) < 0) {
                r = -errno;
                auv_format_address(to->ai_addr, text, sizeof(text));
                auv_raise(r, "error while attempting to bind on address %s: %s", text, auv_strerror(r));
        }
        if (r == 0)
                return fd;
        close(fd);
        return r;
}

/* What the hosts have for addresses, one list for each. */
struct found {
        size_t n;
        struct addrinfo *lists[];
};

static void free_found(struct found *found)
{
        for (size_t i = 0; i < found->n; i++)
                auv_freeaddrinfo(found->lists[i]);
        auv__free(found);
}

static bool is_same(const struct addrinfo *a, const struct addrinfo *b)
{
        return a->ai_addrlen == b->ai_addrlen && memcmp(a->ai_addr, b->ai_addr, a->ai_addrlen) == 0;
}

/* Whether an address stands somewhere before. */
static bool is_repeated(const struct found *found, const struct addrinfo *address)
{
        for (size_t i = 0; i < found->n; i++)
                for (const struct addrinfo *each = found->lists[i]; each; each = each->ai_next) {
                        if (each == address)
                                return false;
                        if (is_same(each, address))
                                return true;
                }
        return false;
}

static int bind_one(struct bound *bound, const struct addrinfo *to, const auv_server_options *options)
{
        const int r = bind_to(to, options);

        if (r < 0)
                return r == AUV_EADDRNOTAVAIL ? 0 : r;
        if (add_bound(bound, r) < 0) {
                close(r);
                return auv_raise(AUV_ENOMEM, NULL);
        }
        return 0;
}

static int bind_found(struct bound *bound, const struct found *found, const auv_server_options *options)
{
        for (size_t i = 0; i < found->n; i++)
                for (const struct addrinfo *each = found->lists[i]; each; each = each->ai_next)
                        if (!is_repeated(found, each))
                                AUV_TRY(bind_one(bound, each, options));
        if (bound->n == 0)
                return auv_raise(AUV_EADDRNOTAVAIL, "could not bind on any address of the host");
        return 0;
}

static int await_found(struct auv__task *task, const char *const *hosts, size_t n, int port,
                       const auv_server_options *options, struct found *found)
{
        const int flags = options->flags ? options->flags : AI_PASSIVE;

        for (; found->n < n; found->n++) {
                const char *host = hosts[found->n];

                AUV_TRY(auv__await_getaddrinfo(task, host && *host ? host : NULL, port, options->family,
                                               SOCK_STREAM, /* protocol= */ 0, flags,
                                               &found->lists[found->n]));
        }
        return 0;
}

/* Binds to all addresses of all hosts. On failure nothing is bound. */
static int await_bind(struct auv__task *task, const char *const *hosts, size_t n, int port,
                      const auv_server_options *options, struct bound *bound)
{
        struct found *found = auv__calloc(sizeof(*found) + n * sizeof(struct addrinfo *));
        int r;

        if (!found)
                return auv_raise(AUV_ENOMEM, NULL);
        r = await_found(task, hosts, n, port, options, found);
        if (r == 0)
                r = bind_found(bound, found, options);
        free_found(found);
        return r;
}

/* The sockets to listen on; those that were made so far also on failure. */
static int await_sockets(struct auv__task *task, const char *host, int port,
                         const auv_server_options *options, struct bound *bound)
{
        const bool is_list = options->n_hosts > 0;

        if (options->use_sock) {
                if (add_bound(bound, options->sock) < 0) {
                        close(options->sock);
                        return auv_raise(AUV_ENOMEM, NULL);
                }
                if (host || port || is_list)
                        return auv_raise(AUV_EINVAL, "an address and a socket are given at the same time");
                return auv__socket_check(options->sock, /* family= */ 0);
        }
        if (host && is_list)
                return auv_raise(AUV_EINVAL, "a host and a list of hosts are given at the same time");
        if (port < 0 || port > UINT16_MAX)
                return auv_raise(AUV_EINVAL, "there is no port %d", port);
        return await_bind(task, is_list ? options->hosts : &host, is_list ? options->n_hosts : 1, port,
                          options, bound);
}

int auv__await_create_server(int r, struct auv__task *task, const struct auv__serving *serving,
                             const char *host, int port, const auv_server_options *options,
                             auv_server **ret_server)
{
        struct bound bound = { .n = 0 };
        auv_server_options o;

        r = auv__server_check(r, serving, options, &o, ret_server);
        if (r == 0)
                r = await_sockets(task, host, port, &o, &bound);
        if (r < 0) {
                close_bound(&bound);
                auv__serving_release(serving);
                return r;
        }
        r = auv__await_server(task, serving, bound.fds, bound.n, /* path= */ NULL, &o, ret_server);
        auv__free(bound.fds);
        return r;
}

int auv_await_create_server(auv_protocol_factory_fn factory, void *arg, const char *host, int port,
                            const auv_server_options *options, auv_server **ret_server)
{
        const struct auv__serving serving = { .factory = factory, .arg = arg };
        struct auv__task *task;
        const int r = auv__await_begin(&task);

        return auv__await_create_server(r, task, &serving, host, port, options, ret_server);
}

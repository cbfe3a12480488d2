/* SPDX-License-Identifier: MIT */

/* Unix sockets: connections to them, and servers that listen at a path. */

#include "base/alloc.h"
#include "io/connection.h"
#include "io/server.h"
#include "io/stream_transport.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a Unix socket the system says at once how it ends. */
static int connect_to_path(const char *path, int *ret_fd)
{
        struct auv__address address;
        int fd, r;

        AUV_TRY(auv__address_of_path(path, &address));
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return auv_raise(-errno, NULL);
        if (connect(fd, &address.any, address.size) < 0) {
                r = -errno;
                close(fd);
                return auv_raise(r, NULL);
        }
        *ret_fd = fd;
        return 0;
}

int auv__await_create_unix_connection(int r, struct auv__task *task, auv_protocol_factory_fn factory,
                                      void *arg, const char *path, const auv_connection_options *options,
                                      auv_transport **ret_transport)
{
        auv_connection_options o;
        int fd;

        r = auv__connection_check(r, options, &o, &fd);
        if (r == 0 && o.use_sock == (path != NULL))
                r = auv_raise(AUV_EINVAL, "either a path or a socket has to be given");
        if (r == 0 && o.use_sock)
                r = auv__socket_check(fd, AF_UNIX);
        else if (r == 0 && factory)
                r = connect_to_path(path, &fd);
        return auv__await_connection_if(r, task, &auv__socket_kind, factory, arg, fd, ret_transport);
}

int auv_await_create_unix_connection(auv_protocol_factory_fn factory, void *arg, const char *path,
                                     const auv_connection_options *options, auv_transport **ret_transport)
{
        struct auv__task *task;
        const int r = auv__await_begin(&task);

        return auv__await_create_unix_connection(r, task, factory, arg, path, options, ret_transport);
}

/* A socket that nobody listens on any more would be in the way. What else may be there is left. */
static void remove_stale(const char *path)
{
        struct stat status;

        if (path[0] != '@' && stat(path, &status) == 0 && S_ISSOCK(status.st_mode))
                (void)unlink(path);
}

static int bind_path(const char *path, int *ret_fd)
{
        struct auv__address address;
        int fd, r;

        AUV_TRY(auv__address_of_path(path, &address));
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return auv_raise(-errno, NULL);
        remove_stale(path);
        if (bind(fd, &address.any, address.size) < 0) {
                r = -errno;
                close(fd);
                return r == AUV_EADDRINUSE ? auv_raise(r, "address '%s' is already in use", path)
                                           : auv_raise(r, NULL);
        }
        *ret_fd = fd;
        return 0;
}

/* Where a socket is bound to in the file system; NULL, it is not, or there is no memory. */
static char *path_of(int fd)
{
        struct auv__address own;

        memset(&own, 0, sizeof(own));
        own.size = sizeof(own.un);
        if (getsockname(fd, &own.any, &own.size) < 0 || own.any.sa_family != AF_UNIX || !own.un.sun_path[0])
                return NULL;
        return auv__strdup(own.un.sun_path);
}

/* On failure *@fd is to be closed where it is not negative. */
static int find_socket(const char *path, const auv_server_options *options, int *fd)
{
        if (!options->use_sock)
                return path ? bind_path(path, fd)
                            : auv_raise(AUV_EINVAL, "neither a path nor a socket is given");
        *fd = options->sock;
        if (path)
                return auv_raise(AUV_EINVAL, "a path and a socket are given at the same time");
        return auv__socket_check(*fd, AF_UNIX);
}

int auv__await_create_unix_server(int r, struct auv__task *task, const struct auv__serving *serving,
                                  const char *path, const auv_server_options *options,
                                  auv_server **ret_server)
{
        auv_server_options o;
        int fd = -1;

        r = auv__server_check(r, serving, options, &o, ret_server);
        if (r == 0)
                r = find_socket(path, &o, &fd);
        if (r < 0) {
                if (fd >= 0)
                        close(fd);
                auv__serving_release(serving);
                return r;
        }
        return auv__await_server(task, serving, &fd, 1, o.keep_path ? NULL : path_of(fd), &o, ret_server);
}

int auv_await_create_unix_server(auv_protocol_factory_fn factory, void *arg, const char *path,
                                 const auv_server_options *options, auv_server **ret_server)
{
        const struct auv__serving serving = { .factory = factory, .arg = arg };
        struct auv__task *task;
        const int r = auv__await_begin(&task);

        return auv__await_create_unix_server(r, task, &serving, path, options, ret_server);
}

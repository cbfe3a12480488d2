/* SPDX-License-Identifier: MIT */

#include "io/address.h"

#include <asyncuv/error.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static size_t format_ipv6(const struct sockaddr_in6 *in6, char *buffer, size_t size)
{
        char host[INET6_ADDRSTRLEN], scope[16] = "";

        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        if (in6->sin6_scope_id)
                snprintf(scope, sizeof(scope), "%%%u", (unsigned)in6->sin6_scope_id);
        return (size_t)snprintf(buffer, size, "[%s%s]:%u", host, scope, ntohs(in6->sin6_port));
}

/* Behind a name in the abstract space there is a zero byte only if the address was cleared before. */
static size_t format_unix(const struct sockaddr_un *un, char *buffer, size_t size)
{
        const int most = sizeof(un->sun_path);

        if (un->sun_path[0] == '\0' && un->sun_path[1] != '\0')
                return (size_t)snprintf(buffer, size, "@%.*s", most - 1, un->sun_path + 1);
        return (size_t)snprintf(buffer, size, "%.*s", most, un->sun_path);
}

size_t auv_format_address(const struct sockaddr *address, char *buffer, size_t size)
{
        char host[INET_ADDRSTRLEN];

        if (!buffer)
                size = 0;
        if (!address || address->sa_family == AF_UNSPEC)
                return (size_t)snprintf(buffer, size, "%s", "");
        switch (address->sa_family) {
        case AF_INET: {
                const struct sockaddr_in *in = (const struct sockaddr_in *)address;

                inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
                return (size_t)snprintf(buffer, size, "%s:%u", host, ntohs(in->sin_port));
        }
        case AF_INET6:
                return format_ipv6((const struct sockaddr_in6 *)address, buffer, size);
        case AF_UNIX:
                return format_unix((const struct sockaddr_un *)address, buffer, size);
        default:
                return (size_t)snprintf(buffer, size, "(family %d)", address->sa_family);
        }
}

int auv__address_of_path(const char *path, struct auv__address *ret_address)
{
        const size_t length = strlen(path);
        struct sockaddr_un *un = &ret_address->un;

        if (length == 0)
                return auv_raise(AUV_EINVAL, "the path of a Unix socket is empty");
        if (length >= sizeof(un->sun_path) + (path[0] == '@'))
                return auv_raise(AUV_EINVAL, "the path of a Unix socket is too long: %s", path);
        memset(ret_address, 0, sizeof(*ret_address));
        un->sun_family = AF_UNIX;
        memcpy(un->sun_path, path, length);
        ret_address->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
        if (path[0] == '@')
                un->sun_path[0] = '\0';
        else
                ret_address->size++;
        return 0;
}

/* SPDX-License-Identifier: MIT */

/*
 * Names
 *
 * libuv runs the resolver in its pool, and in the caller's thread where it is given no callback: so the
 * same call, and the same list, serves what needs no thread.
 */

#include "io/name.h"

#include "io/request.h"
#include "loop/reactor.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

struct lookup {
        struct auv__request request;
        struct addrinfo *found;
};

/* The resolver's own text for libuv's number; NULL for one that is not the resolver's. */
static const char *text_of(int code)
{
        switch (code) {
        case AUV_EAI_ADDRFAMILY:
                return gai_strerror(EAI_ADDRFAMILY);
        case AUV_EAI_AGAIN:
                return gai_strerror(EAI_AGAIN);
        case AUV_EAI_BADFLAGS:
                return gai_strerror(EAI_BADFLAGS);
        case AUV_EAI_FAIL:
                return gai_strerror(EAI_FAIL);
        case AUV_EAI_FAMILY:
                return gai_strerror(EAI_FAMILY);
        case AUV_EAI_MEMORY:
                return gai_strerror(EAI_MEMORY);
        case AUV_EAI_NODATA:
                return gai_strerror(EAI_NODATA);
        case AUV_EAI_NONAME:
                return gai_strerror(EAI_NONAME);
        case AUV_EAI_OVERFLOW:
                return gai_strerror(EAI_OVERFLOW);
        case AUV_EAI_SERVICE:
                return gai_strerror(EAI_SERVICE);
        case AUV_EAI_SOCKTYPE:
                return gai_strerror(EAI_SOCKTYPE);
        default:
                return NULL;
        }
}

static int fail(int code)
{
        const char *text = text_of(code);

        return text ? auv_raise(code, "%s", text) : auv_raise(code, NULL);
}

/* What a request's callback hands on: only libuv's own errors have no text of the resolver's. */
static int reraise(int code)
{
        return text_of(code) ? fail(code) : code;
}

static bool is_digits(const char *text)
{
        return text[strspn(text, "0123456789")] == '\0';
}

/* An index of an interface, as in "fe80::1%eth0", is left to the resolver, as asyncio does. */
static bool is_address(const char *text)
{
        struct in6_addr address;

        return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

/* Of this host alone, and of an address in digits, the resolver asks nobody. */
static bool needs_thread(const char *host, const char *service)
{
        return (host && !is_address(host)) || (service && !is_digits(service));
}

static int look_up_here(uv_loop_t *loop, const char *host, const char *service,
                        const struct addrinfo *hints, struct addrinfo **ret)
{
        struct addrinfo digits = hints ? *hints : (struct addrinfo) { .ai_family = AF_UNSPEC };
        uv_getaddrinfo_t request;
        int r;

        digits.ai_flags &= ~AI_ADDRCONFIG;
        digits.ai_flags |= AI_NUMERICSERV | (host ? AI_NUMERICHOST : 0);
        r = uv_getaddrinfo(loop, &request, /* getaddrinfo_cb= */ NULL, host, service, &digits);
        if (r < 0)
                return fail(r);
        *ret = request.addrinfo;
        return 0;
}

static void on_found(uv_getaddrinfo_t *uv, int status, struct addrinfo *found)
{
        struct lookup *lookup = (struct lookup *)uv;

        lookup->found = status == 0 ? found : NULL;
        auv__request_end(&lookup->request, status);
}

static void discard_lookup(struct auv__request *request)
{
        uv_freeaddrinfo(auv__container_of(request, struct lookup, request)->found);
}

static int await_getaddrinfo(struct auv__task *task, const char *host, const char *service,
                             const struct addrinfo *hints, struct addrinfo **ret)
{
        struct lookup *lookup;
        int r;

        if (service && !*service)
                service = NULL;
        if (!host && !service)
                service = "0";
        if (!needs_thread(host, service))
                return look_up_here(auv__reactor_uv(task->future.loop->reactor), host, service, hints, ret);
        lookup = auv__request_new(task, sizeof(*lookup), discard_lookup);
        if (!lookup)
                return AUV_ENOMEM;
        r = uv_getaddrinfo(lookup->request.loop, &lookup->request.uv.getaddrinfo, on_found, host, service,
                           hints);
        r = auv__await_request(task, &lookup->request, r);
        if (r < 0)
                return reraise(r);
        *ret = lookup->found;
        lookup->found = NULL;
        auv__request_free(&lookup->request);
        return 0;
}

int auv__await_getaddrinfo(struct auv__task *task, const char *host, int port, int family, int type,
                           int protocol, int flags, struct addrinfo **ret)
{
        const struct addrinfo hints = {
                .ai_family = family, .ai_socktype = type, .ai_protocol = protocol, .ai_flags = flags
        };
        char service[sizeof("65535")];

        if (port < 0 || port > 65535)
                return auv_raise(AUV_EINVAL, "%d is not a port: they go from 0 to 65535", port);
        snprintf(service, sizeof(service), "%d", port);
        return await_getaddrinfo(task, host, service, &hints, ret);
}

int auv_await_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                          struct addrinfo **ret)
{
        struct auv__task *task;

        AUV_TRY(auv__await_begin(&task));
        if (!ret)
                return auv_raise(AUV_EINVAL, "no place for the addresses");
        return await_getaddrinfo(task, host, service, hints, ret);
}

void auv_freeaddrinfo(struct addrinfo *list)
{
        uv_freeaddrinfo(list);
}

static void on_named(uv_getnameinfo_t *uv, int status, const char *host, const char *service)
{
        auv__request_end((struct auv__request *)uv, status);
}

/* Both or, where one of them does not fit, none. */
static int copy_names(const uv_getnameinfo_t *names, char *ret_host, size_t host_size, char *ret_service,
                      size_t service_size)
{
        const size_t host_length = strlen(names->host), service_length = strlen(names->service);

        if ((ret_host && host_length >= host_size) || (ret_service && service_length >= service_size))
                return fail(AUV_EAI_OVERFLOW);
        if (ret_host)
                memcpy(ret_host, names->host, host_length + 1);
        if (ret_service)
                memcpy(ret_service, names->service, service_length + 1);
        return 0;
}

/* A request that no thread gets begins and ends here, with the same memory as the others. */
static int await_names(struct auv__task *task, struct auv__request *request, const struct sockaddr *address,
                       int flags)
{
        const bool here = flags & NI_NUMERICHOST && flags & NI_NUMERICSERV;
        int r = uv_getnameinfo(request->loop, &request->uv.getnameinfo, here ? NULL : on_named, address,
                               flags);

        if (!here)
                return reraise(auv__await_request(task, request, r));
        if (r < 0)
                auv__request_free(request);
        return r < 0 ? fail(r) : 0;
}

int auv_await_getnameinfo(const struct sockaddr *address, int flags, char *ret_host, size_t host_size,
                          char *ret_service, size_t service_size)
{
        struct auv__request *request;
        struct auv__task *task;
        int r;

        AUV_TRY(auv__await_begin(&task));
        if (!address || (address->sa_family != AF_INET && address->sa_family != AF_INET6))
                return auv_raise(AUV_EINVAL, "only addresses of IPv4 and IPv6 have names");
        request = auv__request_new(task, sizeof(*request), /* discard= */ NULL);
        if (!request)
                return AUV_ENOMEM;
        AUV_TRY(await_names(task, request, address, flags));
        r = copy_names(&request->uv.getnameinfo, ret_host, host_size, ret_service, service_size);
        auv__request_free(request);
        return r;
}

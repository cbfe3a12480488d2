/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_NAME_H
#define ASYNCUV_NAME_H

#include <asyncuv/future.h>

#include <netdb.h>
#include <sys/socket.h>

AUV_BEGIN_DECLS

struct addrinfo; /* also for compilers that are asked for C without POSIX, where <netdb.h> hides it */

/*
 * Names
 *
 * The system's resolver blocks, so libuv's pool of threads runs it. What needs no resolver takes no
 * thread and returns at once: addresses in digits with ports in digits, and names that are to be digits.
 */

/**
 * auv_await_getaddrinfo() - find the addresses of a host and the port of a service
 * @host:        name or address in digits; NULL for this host: all its interfaces where @hints has
 *               AI_PASSIVE, else the loopback
 * @service:     name of a service, or port in digits; NULL or "" for port 0
 * @hints:       family, type, protocol and flags as getaddrinfo(3) takes them; NULL for any
 * @ret:         receives the list, of at least one
 *
 * A task that is cancelled goes on at once; a look-up that has begun ends in its thread by
 * itself, and what it finds is freed. auv_loop_close() waits for that.
 *
 * Return: 0, or a negative error. The message is the one of gai_strerror(3).
 * Errors: AUV_EAI_NONAME, AUV_EAI_AGAIN and the other AUV_EAI_...; AUV_EINVAL, @ret is NULL or @host
 * cannot be encoded; AUV_ECANCELED; AUV_ENOTASK; AUV_ECLOSED; AUV_ENOMEM.
 * Owns: the caller owns the list, and gives it back with auv_freeaddrinfo().
 * Suspends: yes, unless all of it is digits.    Thread: the loop's.
 * Like: loop.getaddrinfo(). Differs: digits take no thread; closing the loop waits for a look-up that was
 * cancelled.
 */
AUV_API int auv_await_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                                  struct addrinfo **ret);

/**
 * auv_freeaddrinfo() - give back a list of addresses
 * @list:        what auv_await_getaddrinfo() gave; may be NULL
 *
 * Suspends: no.    Thread: any.
 */
AUV_API void auv_freeaddrinfo(struct addrinfo *list);

/**
 * auv_await_getnameinfo() - find the names of an address and a port
 * @address:     the address, of AF_INET or AF_INET6
 * @flags:       NI_... as getnameinfo(3) takes them
 * @ret_host:    receives the name of the host, ended by a zero byte; NULL for nothing
 * @host_size:   size of @ret_host in bytes; NI_MAXHOST always does
 * @ret_service: receives the name of the service, or the port in digits; NULL for nothing
 * @service_size: size of @ret_service in bytes; NI_MAXSERV always does
 *
 * Return: 0, or a negative error, and then nothing was written. The message is the one of
 *         gai_strerror(3).
 * Errors: AUV_EAI_OVERFLOW, a name does not fit; AUV_EAI_NONAME and the other AUV_EAI_...; AUV_EINVAL,
 * @address is NULL or of another family; AUV_ECANCELED; AUV_ENOTASK; AUV_ECLOSED; AUV_ENOMEM.
 * Owns: nothing; @address is copied.
 * Suspends: yes, unless @flags has NI_NUMERICHOST and NI_NUMERICSERV.    Thread: the loop's.
 * Like: loop.getnameinfo(). Differs: as auv_await_getaddrinfo().
 */
AUV_API int auv_await_getnameinfo(const struct sockaddr *address, int flags, char *ret_host,
                                  size_t host_size, char *ret_service, size_t service_size);

AUV_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_CONNECTION_H
#define AUV_IO_CONNECTION_H

#include "io/transport.h"

#include <asyncuv/connection.h>

/*
 * The options with those that the caller, older than they are, did not know at their defaults. Returns 0, or
 * AUV_EINVAL with its object where one has no meaning.
 */
int auv__connection_options_copy(const auv_connection_options *options, auv_connection_options *ret);

/*
 * The same, where @r is what came before, with the descriptor that was handed in, or -1 for none: also where
 * this fails, and then it is to be closed.
 */
int auv__connection_check(int r, const auv_connection_options *options, auv_connection_options *ret,
                          int *ret_fd);

/*
 * Makes a protocol and a transport of a descriptor, and waits for connection_made(). Does nothing with an @r
 * that is an error but to return it. Takes over @fd in any case, where it is not negative. Returns 0, and
 * the caller has a reference where @ret_transport is not NULL; or an error with its object.
 */
int auv__await_connection_if(int r, struct auv__task *task, const struct auv__transport_kind *kind,
                             auv_protocol_factory_fn factory, void *arg, int fd,
                             auv_transport **ret_transport);

/* As the public calls; @r is what came before. A socket among the options is taken over in any case. */
int auv__await_create_connection(int r, struct auv__task *task, auv_protocol_factory_fn factory, void *arg,
                                 const char *host, int port, const auv_connection_options *options,
                                 auv_transport **ret_transport);
int auv__await_create_unix_connection(int r, struct auv__task *task, auv_protocol_factory_fn factory,
                                      void *arg, const char *path, const auv_connection_options *options,
                                      auv_transport **ret_transport);

/*
 * Whether a descriptor is a stream socket, of @family where that is not 0: 0, or an error with its object.
 */
int auv__socket_check(int fd, int family);

/*
 * Connects a socket to one of the addresses of a host, as create_connection() does. 0 or an error with its
 * object.
 */
int auv__await_connect(struct auv__task *task, const char *host, int port,
                       const auv_connection_options *options, int *ret_fd);

/* The same for addresses that have been looked up; @local are those to bind to, or NULL. */
struct addrinfo;
int auv__await_connect_to(struct auv__task *task, const struct addrinfo *found, const struct addrinfo *local,
                          const auv_connection_options *options, int *ret_fd);

#endif

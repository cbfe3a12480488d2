/* SPDX-License-Identifier: MIT */
#ifndef TESTS_IO_SERVICE_H
#define TESTS_IO_SERVICE_H

/*
 * Service
 *
 * What a server makes protocols of: recorders, one for each connection; and how such a server is made and
 * connected to.
 */

#include "support/recorder.h"

#include <netinet/in.h>

struct service {
        struct recorder recorders[8];
        int n;
        int refuses;
        auv_server *closes; /* the factory closes it */
};

struct service_request {
        struct service *service;
        const char *host;
        int port;
        const auv_server_options *options;
        auv_server *server;
};

/* A factory; @arg is the service. */
int service_factory(void *arg, auv_protocol *ret_protocol);

/* The body of a task that makes a server; @arg is the request. */
int service_create(void *arg, auv_value *ret);

/* A server on the loopback; the caller owns the reference. */
auv_server *service_start(struct service *service, const auv_server_options *options);

/* The first descriptor that a server listens on, and the port of one. */
int service_socket(const auv_server *server);
int service_port_of(int fd);

/* Where a server on the loopback listens. */
struct sockaddr_in service_address(const auv_server *server);

/* A client that is not ours, and does not block. */
int service_dial(const auv_server *server);

#endif

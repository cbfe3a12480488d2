/* SPDX-License-Identifier: MIT */
#ifndef TESTS_IO_ENDPOINT_H
#define TESTS_IO_ENDPOINT_H

/*
 * Endpoint
 *
 * A datagram endpoint, how it is made, and what its protocol was told. It traces made, pause, resume, and
 * lost or lost:ERROR.
 */

#include <asyncuv.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

struct endpoint {
        const char *local_host;
        int local_port;
        const char *remote_host;
        int remote_port;
        const auv_datagram_options *options;
        int factory_error;
        bool echoes;
        bool aborts_on_error;
        int r;
        auv_transport *transport;
        char received[256 * 1024];
        size_t size;
        int n_received;
        struct sockaddr_storage sender;
        bool has_sender;
        int n_errors;
        int error;
        int lost;
        int released;
};

/* At a port of this host, if nothing else is asked for; not opened yet. */
struct endpoint *endpoint_new(void);

/* A factory of its protocol. */
int endpoint_factory(void *arg, auv_protocol *ret_protocol);

/* The body of a task that opens it. */
int endpoint_opens(void *arg, auv_value *ret);

/* A new one that is open; and one whose only peer is another. */
struct endpoint *endpoint_open(void);
struct endpoint *endpoint_connect(const struct endpoint *other);

/* Ends it, and frees it. */
void endpoint_close(struct endpoint *endpoint);

int endpoint_port(const struct endpoint *endpoint);
int endpoint_fd(const struct endpoint *endpoint);
struct sockaddr_in endpoint_address(const struct endpoint *endpoint);

int endpoint_send(struct endpoint *from, const struct endpoint *to, const char *text);

/* Waits for so many datagrams, which are on their way. */
void endpoint_receive(struct endpoint *endpoint, int n);

/* Waits for an error. */
void endpoint_receive_error(struct endpoint *endpoint);

#endif

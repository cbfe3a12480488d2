/* SPDX-License-Identifier: MIT */
#ifndef TESTS_IO_OPERATION_H
#define TESTS_IO_OPERATION_H

/*
 * Operation
 *
 * Calls on sockets, as bodies of tasks: what a call is given, and what it gave. The fixture is a loop and a
 * connected pair that does not block: the calls are made on `near`, the test is at `far`.
 */

#include <asyncuv.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { OPERATION_ROOM = 64 };

extern int near;
extern int far;

struct operation {
        int fd;
        char buffer[OPERATION_ROOM];
        size_t size;
        const void *data;
        struct sockaddr_storage address;
        socklen_t address_size;
        const char *host;
        int port;
        int r;
        size_t n;
        int connection;
};

void operation_setup(void);
void operation_teardown(void);

/* Another pair in place of the fixture's. */
void operation_reopen_pair(int type);

/* One that is made on `near`, and is to receive. */
struct operation operation_on_near(void);

/* The bodies; @arg is the operation, which has to live as long as the task. */
int does_recv(void *arg, auv_value *ret);
int does_recvfrom(void *arg, auv_value *ret);
int does_sendall(void *arg, auv_value *ret);
int does_sendto(void *arg, auv_value *ret);
int does_connect(void *arg, auv_value *ret);
int does_connect_host(void *arg, auv_value *ret);
int does_accept(void *arg, auv_value *ret);

auv_task *operation_start(auv_coro_fn fn, struct operation *op);
int operation_run(auv_coro_fn fn, struct operation *op);

void operation_set_address(struct operation *op, const struct sockaddr_in *address);

/* Makes it a send of one byte that has to wait, as `near` is full. */
void operation_set_full(struct operation *op);

/* Whether no descriptor is watched: libuv has nothing to wait for then. */
bool operation_watches_nothing(void);

void operation_send_text(int fd, const char *text);

/* Fills what the system holds between the two, so that a send has to wait. Returns how much it was. */
size_t operation_fill(int fd);

/* Takes all that has arrived. Returns how much it was. */
size_t operation_drain(int fd);

/* A socket that listens on a port of this host, and one that could connect to it. */
int operation_listening(struct sockaddr_in *ret_address);
int operation_tcp_socket(void);

#endif

/* SPDX-License-Identifier: MIT */
#include "operation.h"

#include "support/loop.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

int near;
int far;

static void open_pair(int type)
{
        int pair[2];

        if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
                abort();
        near = pair[0];
        far = pair[1];
}

void operation_setup(void)
{
        loop_setup();
        open_pair(SOCK_STREAM);
}

void operation_teardown(void)
{
        close(near);
        close(far);
        loop_teardown();
}

void operation_reopen_pair(int type)
{
        close(near);
        close(far);
        open_pair(type);
}

struct operation operation_on_near(void)
{
        return (struct operation) { .fd = near, .size = OPERATION_ROOM, .connection = -1, .n = 99 };
}

int does_recv(void *arg, auv_value *ret)
{
        struct operation *op = arg;

        return op->r = auv_await_sock_recv(op->fd, op->buffer, op->size, &op->n);
}

int does_recvfrom(void *arg, auv_value *ret)
{
        struct operation *op = arg;

        return op->r = auv_await_sock_recvfrom(op->fd, op->buffer, op->size, &op->n, &op->address,
                                               &op->address_size);
}

int does_sendall(void *arg, auv_value *ret)
{
        struct operation *op = arg;

        return op->r = auv_await_sock_sendall(op->fd, op->data, op->size);
}

int does_sendto(void *arg, auv_value *ret)
{
        struct operation *op = arg;

        return op->r = auv_await_sock_sendto(op->fd, op->data, op->size,
                                             op->address_size ? (struct sockaddr *)&op->address : NULL,
                                             op->address_size, &op->n);
}

int does_connect(void *arg, auv_value *ret)
{
        struct operation *op = arg;

        return op->r = auv_await_sock_connect(op->fd, (struct sockaddr *)&op->address, op->address_size);
}

int does_connect_host(void *arg, auv_value *ret)
{
        struct operation *op = arg;

        return op->r = auv_await_sock_connect_host(op->fd, op->host, op->port);
}

int does_accept(void *arg, auv_value *ret)
{
        struct operation *op = arg;

        return op->r = auv_await_sock_accept(op->fd, &op->connection, &op->address, &op->address_size);
}

auv_task *operation_start(auv_coro_fn fn, struct operation *op)
{
        return auv_loop_create_task(loop, fn, op, 0, NULL);
}

int operation_run(auv_coro_fn fn, struct operation *op)
{
        return loop_run(fn, op, NULL);
}

bool operation_watches_nothing(void)
{
        loop_turn();
        return !uv_loop_alive(auv_loop_uv(loop));
}

void operation_send_text(int fd, const char *text)
{
        cr_assert(eq(sz, (size_t)send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text)));
}

size_t operation_fill(int fd)
{
        static const char block[4096];
        size_t total = 0;
        ssize_t n;

        while ((n = send(fd, block, sizeof(block), MSG_NOSIGNAL)) > 0)
                total += (size_t)n;
        return total;
}

size_t operation_drain(int fd)
{
        char block[4096];
        size_t total = 0;
        ssize_t n;

        while ((n = recv(fd, block, sizeof(block), 0)) > 0)
                total += (size_t)n;
        return total;
}

int operation_listening(struct sockaddr_in *ret_address)
{
        socklen_t size = sizeof(*ret_address);
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        *ret_address =
                (struct sockaddr_in) { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        cr_assert(eq(int, bind(fd, (struct sockaddr *)ret_address, size), 0));
        cr_assert(eq(int, listen(fd, 8), 0));
        cr_assert(eq(int, getsockname(fd, (struct sockaddr *)ret_address, &size), 0));
        return fd;
}

int operation_tcp_socket(void)
{
        return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

void operation_set_address(struct operation *op, const struct sockaddr_in *address)
{
        memcpy(&op->address, address, sizeof(*address));
        op->address_size = sizeof(*address);
}

void operation_set_full(struct operation *op)
{
        operation_fill(near);
        op->data = "x";
        op->size = 1;
}

/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/descriptors.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"

#include "loop/watcher.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

enum { ROOM = 64 };

/* A connected pair that does not block: the calls are made on `near`, the test is at `far`. */
static int near;
static int far;

/* What a call is given, and what it gave. */
struct operation {
        int fd;
        char buffer[ROOM];
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

static void open_pair(int type)
{
        int pair[2];

        if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
                abort();
        near = pair[0];
        far = pair[1];
}

static void setup(void)
{
        loop_setup();
        open_pair(SOCK_STREAM);
}

static void teardown(void)
{
        close(near);
        close(far);
        loop_teardown();
}

TestSuite(socket, .init = setup, .fini = teardown);

/* Another pair in place of the suite's. */
static void reopen_pair(int type)
{
        close(near);
        close(far);
        open_pair(type);
}

static struct operation on_near(void)
{
        return (struct operation) { .fd = near, .size = ROOM, .connection = -1, .n = 99 };
}

static int does_recv(void *arg, auv_value *ret)
{
        struct operation *op = arg;

        return op->r = auv_await_sock_recv(op->fd, op->buffer, op->size, &op->n);
}

static int does_recvfrom(void *arg, auv_value *ret)
{
        struct operation *op = arg;

        return op->r = auv_await_sock_recvfrom(op->fd, op->buffer, op->size, &op->n, &op->address,
                                               &op->address_size);
}

static int does_sendall(void *arg, auv_value *ret)
{
        struct operation *op = arg;

        return op->r = auv_await_sock_sendall(op->fd, op->data, op->size);
}

static int does_sendto(void *arg, auv_value *ret)
{
        struct operation *op = arg;

        return op->r = auv_await_sock_sendto(op->fd, op->data, op->size,
                                             op->address_size ? (struct sockaddr *)&op->address : NULL,
                                             op->address_size, &op->n);
}

static int does_connect(void *arg, auv_value *ret)
{
        struct operation *op = arg;

        return op->r = auv_await_sock_connect(op->fd, (struct sockaddr *)&op->address, op->address_size);
}

static int does_connect_host(void *arg, auv_value *ret)
{
        struct operation *op = arg;

        return op->r = auv_await_sock_connect_host(op->fd, op->host, op->port);
}

static int does_accept(void *arg, auv_value *ret)
{
        struct operation *op = arg;

        return op->r = auv_await_sock_accept(op->fd, &op->connection, &op->address, &op->address_size);
}

static auv_task *start(auv_coro_fn fn, struct operation *op)
{
        return auv_loop_create_task(loop, fn, op, 0, NULL);
}

static int run(auv_coro_fn fn, struct operation *op)
{
        return loop_run(fn, op, NULL);
}

/* Whether no descriptor is watched: libuv has nothing to wait for then. */
static bool nothing_is_watched(void)
{
        loop_turn();
        return !uv_loop_alive(auv_loop_uv(loop));
}

static void send_text(int fd, const char *text)
{
        cr_assert(eq(sz, (size_t)send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text)));
}

/* Fills what the system holds between the two, so that a send has to wait. Returns how much it was. */
static size_t fill(int fd)
{
        static const char block[4096];
        size_t total = 0;
        ssize_t n;

        while ((n = send(fd, block, sizeof(block), MSG_NOSIGNAL)) > 0)
                total += (size_t)n;
        return total;
}

/* Takes all that has arrived. */
static size_t drain(int fd)
{
        char block[4096];
        size_t total = 0;
        ssize_t n;

        while ((n = recv(fd, block, sizeof(block), 0)) > 0)
                total += (size_t)n;
        return total;
}

static int listening(struct sockaddr_in *ret_address)
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

static int tcp_socket(void)
{
        return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static void set_address(struct operation *op, const struct sockaddr_in *address)
{
        memcpy(&op->address, address, sizeof(*address));
        op->address_size = sizeof(*address);
}

Test(socket, recv_does_not_suspend_where_there_is_something)
{
        struct operation op = on_near();
        AUV_AUTO auv_task *task = NULL;

        send_text(far, "hello");
        task = start(does_recv, &op);
        loop_turn();
        cr_assert(auv_future_done(task));
        cr_assert(eq(sz, op.n, 5));
        cr_assert(zero(int, memcmp(op.buffer, "hello", 5)));
}

Test(socket, recv_waits_for_something)
{
        struct operation op = on_near();
        AUV_AUTO auv_task *task = start(does_recv, &op);

        loop_turns(3);
        cr_assert(not(auv_future_done(task)));
        send_text(far, "hi");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert(eq(sz, op.n, 2));
        cr_assert(nothing_is_watched());
}

/* the call and the end of it are in two turns, as asyncio's future has it */
Test(socket, recv_goes_on_in_the_turn_after_the_data_came)
{
        struct operation op = on_near();
        AUV_AUTO auv_task *task = start(does_recv, &op);

        loop_turn();
        send_text(far, "hi");
        loop_turn();
        cr_assert(not(auv_future_done(task)));
        loop_turn();
        cr_assert(auv_future_done(task));
}

Test(socket, recv_takes_no_more_than_there_is_room_for)
{
        struct operation op = on_near();

        op.size = 3;
        send_text(far, "hello");
        cr_assert(eq(int, run(does_recv, &op), 0));
        cr_assert(eq(sz, op.n, 3));
        cr_assert(eq(int, run(does_recv, &op), 0));
        cr_assert(eq(sz, op.n, 2));
}

Test(socket, recv_gives_nothing_at_the_end_of_the_stream)
{
        struct operation op = on_near();
        AUV_AUTO auv_task *task = start(does_recv, &op);

        loop_turn();
        shutdown(far, SHUT_WR);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert(eq(sz, op.n, 0));
}

Test(socket, recv_tells_of_a_reset_while_it_waits)
{
        struct sockaddr_in address;
        const int listener = listening(&address), client = tcp_socket();
        struct operation op = on_near();
        AUV_AUTO auv_task *task = NULL;
        int server;

        set_address(&op, &address);
        op.fd = client;
        cr_assert(eq(int, run(does_connect, &op), 0));
        server = accept(listener, NULL, NULL);
        task = start(does_recv, &op);
        loop_turn();
        setsockopt(server, SOL_SOCKET, SO_LINGER, &(struct linger) { .l_onoff = 1 }, sizeof(struct linger));
        close(server);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECONNRESET));
        cr_assert(eq(sz, op.n, 99));
        close(client);
        close(listener);
}

Test(socket, recvfrom_gives_the_sender)
{
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        struct operation op = on_near();
        AUV_AUTO auv_task *task = NULL;
        int from, to;

        from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        to = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        cr_assert(eq(int, bind(to, (struct sockaddr *)&address, size), 0));
        cr_assert(eq(int, getsockname(to, (struct sockaddr *)&address, &size), 0));
        cr_assert(eq(int, connect(from, (struct sockaddr *)&address, size), 0));
        op.fd = to;
        task = start(does_recvfrom, &op);
        loop_turn();
        send_text(from, "datagram");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert(eq(sz, op.n, 8));
        cr_assert(eq(sz, op.address_size, sizeof(address)));
        getsockname(from, (struct sockaddr *)&address, &size);
        cr_assert(zero(
                int, memcmp(&op.address, &address, sizeof(address.sin_family) + sizeof(address.sin_port))));
        close(from);
        close(to);
}

Test(socket, recvfrom_gives_no_address_where_the_sender_has_none)
{
        struct operation op = on_near();

        reopen_pair(SOCK_DGRAM);
        op.fd = near;
        op.address_size = 99;
        send_text(far, "x");
        cr_assert(eq(int, run(does_recvfrom, &op), 0));
        cr_assert(eq(sz, op.address_size, 0));
}

Test(socket, recvfrom_gives_empty_datagrams)
{
        struct operation op = on_near();

        reopen_pair(SOCK_DGRAM);
        op.fd = near;
        cr_assert(eq(int, (int)send(far, "", 0, 0), 0));
        cr_assert(eq(int, run(does_recvfrom, &op), 0));
        cr_assert(eq(sz, op.n, 0));
}

Test(socket, sendall_does_not_suspend_where_there_is_room)
{
        struct operation op = on_near();
        AUV_AUTO auv_task *task = NULL;

        op.data = "hello";
        op.size = 5;
        task = start(does_sendall, &op);
        loop_turn();
        cr_assert(auv_future_done(task));
        cr_assert(eq(sz, drain(far), 5));
}

Test(socket, sendall_sends_more_than_the_system_holds)
{
        enum { SIZE = 4 << 20 };

        AUV_AUTO auv_task *task = NULL;
        struct operation op = on_near();
        char *data = malloc(SIZE), *received = malloc(SIZE);
        size_t total = 0;

        for (size_t i = 0; i < SIZE; i++)
                data[i] = (char)(i * 31 + i / 4096);
        op.data = data;
        op.size = SIZE;
        task = start(does_sendall, &op);
        while (total < SIZE) {
                const ssize_t n =
                        recv(far, received + total, SIZE - total < 10000 ? SIZE - total : 10000, 0);

                if (n > 0)
                        total += (size_t)n;
                else
                        loop_turn();
        }
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert(zero(int, memcmp(data, received, SIZE)));
        cr_assert(eq(sz, drain(far), 0));
        cr_assert(nothing_is_watched());
        free(data);
        free(received);
}

Test(socket, sendall_tells_of_a_peer_that_is_gone_and_raises_no_signal)
{
        struct operation op = on_near();
        AUV_AUTO auv_task *task = NULL;

        fill(near);
        op.data = "x";
        op.size = 1;
        task = start(does_sendall, &op);
        loop_turns(2);
        cr_assert(not(auv_future_done(task)));
        close(far);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_EPIPE));
        far = dup(near);
}

Test(socket, sendto_sends_to_an_address)
{
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        struct operation op = on_near();
        char received[ROOM];
        int to;

        to = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        cr_assert(eq(int, bind(to, (struct sockaddr *)&address, size), 0));
        cr_assert(eq(int, getsockname(to, (struct sockaddr *)&address, &size), 0));
        set_address(&op, &address);
        op.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        op.data = "datagram";
        op.size = 8;
        cr_assert(eq(int, run(does_sendto, &op), 0));
        cr_assert(eq(sz, op.n, 8));
        cr_assert(eq(int, (int)recv(to, received, sizeof(received), 0), 8));
        /* more than a datagram holds */
        op.data = memset(malloc(70000), 0, 70000);
        op.size = 70000;
        cr_assert(eq(int, run(does_sendto, &op), AUV_EMSGSIZE));
        free((void *)op.data);
        close(op.fd);
        close(to);
}

Test(socket, sendto_waits_for_room_and_sends_to_the_peer_without_an_address)
{
        struct operation op = on_near();
        AUV_AUTO auv_task *task = NULL;
        size_t n;

        reopen_pair(SOCK_DGRAM);
        op.fd = near;
        n = fill(near);
        op.data = "x";
        op.size = 1;
        task = start(does_sendto, &op);
        loop_turns(2);
        cr_assert(not(auv_future_done(task)));
        cr_assert(eq(sz, drain(far), n));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert(eq(sz, op.n, 1));
        cr_assert(eq(sz, drain(far), 1));
        cr_assert(nothing_is_watched());
}

Test(socket, connects_and_accepts)
{
        struct sockaddr_in address, own;
        const int listener = listening(&address), client = tcp_socket();
        struct operation accepting = { .fd = listener, .connection = -1 }, connecting = { .fd = client };
        AUV_AUTO auv_task *accept_task = start(does_accept, &accepting);
        AUV_AUTO auv_task *connect_task = NULL;
        socklen_t size = sizeof(own);

        loop_turns(2);
        cr_assert(not(auv_future_done(accept_task)));
        set_address(&connecting, &address);
        connect_task = start(does_connect, &connecting);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, connect_task, NULL), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, accept_task, NULL), 0));
        cr_assert(ne(int, fcntl(accepting.connection, F_GETFL) & O_NONBLOCK, 0));
        cr_assert(ne(int, fcntl(accepting.connection, F_GETFD) & FD_CLOEXEC, 0));
        getsockname(client, (struct sockaddr *)&own, &size);
        cr_assert(eq(sz, accepting.address_size, size));
        cr_assert(zero(int, memcmp(&accepting.address, &own, size)));
        cr_assert(nothing_is_watched());
        close(accepting.connection);
        close(client);
        close(listener);
}

Test(socket, connects_to_a_host_in_digits)
{
        struct sockaddr_in address;
        const int listener = listening(&address), client = tcp_socket();
        struct operation op = { .fd = client, .host = "127.0.0.1", .port = ntohs(address.sin_port) };

        cr_assert(eq(int, run(does_connect_host, &op), 0));
        close(client);
        close(listener);
}

Test(socket, connects_to_a_name)
{
        struct sockaddr_in address;
        const int listener = listening(&address), client = tcp_socket();
        struct operation op = { .fd = client, .host = "localhost", .port = ntohs(address.sin_port) };

        cr_assert(eq(int, run(does_connect_host, &op), 0));
        close(client);
        close(listener);
}

Test(socket, connect_tells_that_it_was_refused)
{
        struct sockaddr_in address;
        struct operation op = { .fd = tcp_socket() };

        close(listening(&address));
        set_address(&op, &address);
        cr_assert(eq(int, run(does_connect, &op), AUV_ECONNREFUSED));
        cr_assert(nothing_is_watched());
        close(op.fd);
}

/* A server whose queue is full does not answer, and so leaves the end of it to the test. */
Test(socket, connect_tells_what_went_wrong_while_it_waited)
{
        enum { N = 4 };

        struct sockaddr_in address;
        const int server = listening(&address);
        struct operation op = { .fd = tcp_socket() };
        AUV_AUTO auv_task *task = NULL;
        char text[AUV_ADDRESS_SIZE], expected[AUV_ADDRESS_SIZE + 32];
        auv_error *error = NULL;
        int clients[N];

        cr_assert(eq(int, listen(server, 0), 0));
        for (int i = 0; i < N; i++) {
                clients[i] = tcp_socket();
                (void)connect(clients[i], (struct sockaddr *)&address, sizeof(address));
        }
        set_address(&op, &address);
        task = start(does_connect, &op);
        loop_turns(3);
        cr_assert(not(auv_future_done(task)));
        /* the system gives up the connection, and says so to who waits for it */
        shutdown(op.fd, SHUT_RDWR);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECONNRESET));
        cr_assert(eq(int, auv_future_exception(task, &error), 0));
        auv_format_address((struct sockaddr *)&address, text, sizeof(text));
        snprintf(expected, sizeof(expected), "Connect call failed %s", text);
        cr_assert(eq(str, (char *)auv_error_message(error), expected));
        for (int i = 0; i < N; i++)
                close(clients[i]);
        close(op.fd);
        close(server);
}

/* asyncio would take it for connected */
Test(socket, connect_tells_that_a_unix_server_has_too_many_waiting)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "" };
        const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct operation op = { .address_size = sizeof(sa_family_t) };
        int clients[8], n = 0;

        /* a name that the system makes up */
        cr_assert(eq(int, bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)), 0));
        cr_assert(eq(int, listen(listener, 0), 0));
        op.address_size = sizeof(op.address);
        cr_assert(eq(int, getsockname(listener, (struct sockaddr *)&op.address, &op.address_size), 0));
        do
                op.fd = clients[n++] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        while (run(does_connect, &op) == 0 && n < 8);
        cr_assert(eq(int, op.r, AUV_EAGAIN));
        while (n > 0)
                close(clients[--n]);
        close(listener);
}

Test(socket, accept_tells_that_a_socket_does_not_listen)
{
        struct operation op = { .fd = tcp_socket() };

        cr_assert(eq(int, run(does_accept, &op), AUV_EINVAL));
        close(op.fd);
}

/* Makes ready what a call waits for. */
struct scene {
        const char *name;
        auv_coro_fn fn;
        void (*set)(struct operation *op);
        void (*make_ready)(struct operation *op);
        void (*unset)(struct operation *op);
};

static int listener;
static int client;

static void set_nothing(struct operation *op)
{
}

static void send_near(struct operation *op)
{
        send_text(far, "data");
}

static void set_full(struct operation *op)
{
        fill(near);
        op->data = "x";
        op->size = 1;
}

static void drain_near(struct operation *op)
{
        drain(far);
}

static void set_listener(struct operation *op)
{
        struct sockaddr_in address;

        listener = listening(&address);
        client = tcp_socket();
        set_address(op, &address);
        op->fd = listener;
}

static void connect_client(struct operation *op)
{
        struct sockaddr_in address;
        socklen_t size = sizeof(address);

        getsockname(listener, (struct sockaddr *)&address, &size);
        connect(client, (struct sockaddr *)&address, size);
}

static void close_listener(struct operation *op)
{
        if (op->r == 0 && op->connection >= 0)
                close(op->connection);
        close(client);
        close(listener);
}

static void set_client(struct operation *op)
{
        set_listener(op);
        op->fd = client;
}

static void set_client_of_host(struct operation *op)
{
        set_client(op);
        op->host = "127.0.0.1";
        op->port = ntohs(((struct sockaddr_in *)&op->address)->sin_port);
}

static const struct scene scenes[] = {
        { "recv", does_recv, set_nothing, send_near, drain_near },
        { "recvfrom", does_recvfrom, set_nothing, send_near, drain_near },
        { "sendall", does_sendall, set_full, drain_near, drain_near },
        { "sendto", does_sendto, set_full, drain_near, drain_near },
        { "accept", does_accept, set_listener, connect_client, close_listener },
        { "connect", does_connect, set_client, set_nothing, close_listener },
        { "connect_host", does_connect_host, set_client_of_host, set_nothing, close_listener },
};

enum { N_SCENES = sizeof(scenes) / sizeof(scenes[0]) };

/* Cancels a call after some turns, of which the first @before are made before it is ready. */
static void cancel_in_turn(const struct scene *scene, int before, int after)
{
        struct operation op = on_near();
        AUV_AUTO auv_task *task = NULL;
        const int descriptors = descriptors_open();
        int r;

        scene->set(&op);
        op.r = AUV_ECANCELED; /* where it never began */
        task = start(scene->fn, &op);
        for (int i = 0; i < before; i++)
                loop_turn();
        if (after >= 0)
                scene->make_ready(&op);
        for (int i = 0; i < after; i++)
                loop_turn();
        r = auv_future_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), r ? AUV_ECANCELED : 0), "%s",
                  scene->name);
        cr_assert(eq(int, op.r, r ? AUV_ECANCELED : 0), "%s", scene->name);
        cr_assert(nothing_is_watched(), "%s", scene->name);
        scene->unset(&op);
        drain(near);
        cr_assert(eq(int, descriptors_open(), descriptors), "%s", scene->name);
}

Test(socket, may_be_cancelled_in_every_turn)
{
        for (int i = 0; i < N_SCENES; i++)
                for (int before = 0; before < 3; before++)
                        for (int after = -1; after < 4; after++)
                                cancel_in_turn(&scenes[i], before, after);
}

/* What the kernel has is still there for the next one: nothing was taken after the cancellation. */
Test(socket, takes_nothing_once_it_is_cancelled)
{
        struct operation op = on_near();
        AUV_AUTO auv_task *task = start(does_recv, &op);

        loop_turns(2);
        send_text(far, "data");
        auv_future_cancel(task, NULL);
        loop_turns(3);
        cr_assert(auv_future_cancelled(task));
        cr_assert(eq(sz, drain(near), 4));
}

Test(socket, is_taken_down_with_its_loop)
{
        static struct operation ops[N_SCENES];
        auv_loop *old = loop;

        for (int i = 0; i < 4; i++) {
                ops[i] = on_near();
                if (i % 2 == 0)
                        scenes[i].set(&ops[i]);
        }
        for (int i = 0; i < 2; i++)
                auv_unref(start(i ? does_sendall : does_recv, &ops[2 * i]));
        loop_turns(2);
        loop = loop_new();
        auv_unref(old);
        cr_assert(eq(int, ops[0].r, AUV_ECLOSED));
        cr_assert(eq(int, ops[2].r, AUV_ECLOSED));
        cr_assert(eq(int, reports_drop(), 2));
}

Test(socket, reads_and_writes_one_descriptor_at_a_time)
{
        struct operation reading = on_near(), writing = on_near();
        AUV_AUTO auv_task *reader = NULL;
        AUV_AUTO auv_task *writer = NULL;

        set_full(&writing);
        reader = start(does_recv, &reading);
        writer = start(does_sendall, &writing);
        loop_turns(2);
        send_text(far, "x");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, reader, NULL), 0));
        cr_assert(not(auv_future_done(writer)));
        drain(far);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, writer, NULL), 0));
        cr_assert(nothing_is_watched());
}

/* rule 130 */
Test(socket, second_reader_takes_the_place_of_the_first)
{
        struct operation one = on_near(), two = on_near();
        AUV_AUTO auv_task *first = start(does_recv, &one);
        AUV_AUTO auv_task *second = start(does_recv, &two);

        loop_turns(2);
        send_text(far, "x");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, second, NULL), 0));
        cr_assert(not(auv_future_done(first)));
        auv_future_cancel(first, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, first, NULL), AUV_ECANCELED));
        cr_assert(nothing_is_watched());
}

Test(socket, first_reader_does_not_take_the_second_with_it)
{
        struct operation one = on_near(), two = on_near();
        AUV_AUTO auv_task *first = start(does_recv, &one);
        AUV_AUTO auv_task *second = start(does_recv, &two);

        loop_turns(2);
        auv_future_cancel(first, NULL);
        loop_turns(2);
        cr_assert(auv_future_done(first));
        send_text(far, "x");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, second, NULL), 0));
}

Test(socket, says_that_its_descriptor_was_closed_before_the_first_look)
{
        struct operation op = on_near();
        AUV_AUTO auv_task *task = NULL;

        op.fd = dup(near);
        task = start(does_recv, &op);
        /* within the same turn, before the loop polls */
        auv_loop_call_soon(loop, (auv_call_fn)(void (*)(void))close, (void *)(intptr_t)op.fd, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_EBADF));
        cr_assert(nothing_is_watched());
}

Test(socket, waits_until_it_is_cancelled_where_its_descriptor_was_closed_later)
{
        struct operation op = on_near();
        AUV_AUTO auv_task *task = NULL;

        op.fd = dup(near);
        task = start(does_recv, &op);
        loop_turns(2);
        close(op.fd);
        loop_turns(2);
        cr_assert(not(auv_future_done(task)));
        auv_future_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert(nothing_is_watched());
}

Test(socket, must_not_block_in_debug_mode)
{
        struct operation op = on_near();

        op.data = "x";
        op.address_size = sizeof(sa_family_t);
        op.host = "127.0.0.1";
        fcntl(near, F_SETFL, fcntl(near, F_GETFL) & ~O_NONBLOCK);
        auv_loop_set_debug(loop, true);
        for (int i = 0; i < N_SCENES; i++)
                cr_assert(eq(int, run(scenes[i].fn, &op), AUV_EINVAL), "%s", scenes[i].name);
        fcntl(near, F_SETFL, fcntl(near, F_GETFL) | O_NONBLOCK);
        op.size = 1;
        cr_assert(eq(int, run(does_sendall, &op), 0));
        op.fd = -1;
        cr_assert(eq(int, run(does_sendall, &op), AUV_EBADF));
}

Test(socket, is_refused_the_descriptor_of_a_transport_where_it_would_wait)
{
        struct operation op = on_near();

        auv__watchers_claim(loop, near);
        cr_assert(eq(int, run(does_recv, &op), AUV_ERUNTIME));
        send_text(far, "x");
        cr_assert(eq(int, run(does_recv, &op), 0));
        auv__watchers_release(loop, near);
}

Test(socket, must_be_a_socket)
{
        struct operation op = on_near();
        int ends[2];

        op.data = "x";
        op.fd = -1;
        for (int i = 0; i < N_SCENES; i++)
                cr_assert(eq(int, run(scenes[i].fn, &op), AUV_EBADF), "%s", scenes[i].name);
        cr_assert(eq(int, pipe(ends), 0));
        op.fd = ends[0];
        for (int i = 0; i < N_SCENES; i++)
                cr_assert(eq(int, run(scenes[i].fn, &op), AUV_ENOTSOCK), "%s", scenes[i].name);
        close(ends[0]);
        close(ends[1]);
}

static int gives_nonsense(void *arg, auv_value *ret)
{
        const struct sockaddr address = { .sa_family = AF_UNIX };
        char byte;
        size_t n;

        cr_assert(eq(int, auv_await_sock_recv(near, NULL, 1, &n), AUV_EINVAL));
        cr_assert(eq(int, auv_await_sock_recv(near, &byte, 1, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_await_sock_recvfrom(near, NULL, 1, &n, NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_await_sock_recvfrom(near, &byte, 1, NULL, NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_await_sock_sendall(near, NULL, 1), AUV_EINVAL));
        cr_assert(
                eq(int, auv_await_sock_sendto(near, NULL, 1, &address, sizeof(address), NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_await_sock_connect(near, NULL, 1), AUV_EINVAL));
        cr_assert(eq(int, auv_await_sock_connect_host(near, "127.0.0.1", 1), AUV_EINVAL));
        cr_assert(eq(int, auv_await_sock_accept(near, NULL, NULL, NULL), AUV_EINVAL));
        /* and nothing is a size as any other */
        cr_assert(eq(int, auv_await_sock_sendall(near, NULL, 0), 0));
        return 0;
}

static int gives_a_port_that_there_is_not(void *arg, auv_value *ret)
{
        const int fd = tcp_socket();

        cr_assert(eq(int, auv_await_sock_connect_host(fd, "127.0.0.1", 65536), AUV_EINVAL));
        cr_assert(eq(int, auv_await_sock_connect_host(fd, "127.0.0.1", -1), AUV_EINVAL));
        close(fd);
        return 0;
}

Test(socket, refuses_nonsense)
{
        cr_assert(eq(int, loop_run(gives_nonsense, NULL, NULL), 0));
        cr_assert(eq(int, loop_run(gives_a_port_that_there_is_not, NULL, NULL), 0));
}

Test(socket, must_be_in_a_task)
{
        struct operation op = on_near();

        for (int i = 0; i < N_SCENES; i++)
                cr_assert(eq(int, scenes[i].fn(&op, NULL), AUV_ENOTASK));
}

static int echoes(void *arg, auv_value *ret)
{
        struct operation op = on_near();

        set_full(&op);
        if (does_sendall(&op, NULL) < 0)
                return op.r;
        return does_recv(&op, NULL);
}

/* A loop of its own, since a loop keeps its table of descriptors. */
static void echo_once(void)
{
        auv_loop *other = NULL;
        auv_task *task;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &other) == 0) {
                task = auv_loop_create_task(other, echoes, NULL, 0, NULL);
                for (int i = 0; task && i < 6; i++) {
                        drain(far);
                        send(far, "x", 1, MSG_NOSIGNAL);
                        auv_loop_stop(other);
                        auv_loop_run_forever(other);
                }
                /* it has ended, one way or the other */
                cr_assert(eq(int, auv_future_done(task), task != NULL));
                (void)auv_future_exception(task, NULL);
                auv_unref(task);
                auv_unref(other);
        }
        drain(near);
        drain(far);
        auv_error_clear();
}

Test(socket, fails_cleanly_without_memory)
{
        cr_assert(gt(int, (int)failing_allocator_sweep(echo_once), 5));
}

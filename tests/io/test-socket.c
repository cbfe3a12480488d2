/* SPDX-License-Identifier: MIT */
#include "operation.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

TestSuite(socket, .init = operation_setup, .fini = operation_teardown);

Test(socket, recv_does_not_suspend_where_there_is_something)
{
        struct operation op = operation_on_near();
        AUV_AUTO auv_task *task = NULL;

        operation_send_text(far, "hello");
        task = operation_start(does_recv, &op);
        loop_turn();
        cr_assert(auv_future_done(task));
        cr_assert(eq(sz, op.n, 5));
        cr_assert(zero(int, memcmp(op.buffer, "hello", 5)));
}

Test(socket, recv_waits_for_something)
{
        struct operation op = operation_on_near();
        AUV_AUTO auv_task *task = operation_start(does_recv, &op);

        loop_turns(3);
        cr_assert(not(auv_future_done(task)));
        operation_send_text(far, "hi");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert(eq(sz, op.n, 2));
        cr_assert(operation_watches_nothing());
}

/* the call and the end of it are in two turns, as asyncio's future has it */
Test(socket, recv_goes_on_in_the_turn_after_the_data_came)
{
        struct operation op = operation_on_near();
        AUV_AUTO auv_task *task = operation_start(does_recv, &op);

        loop_turn();
        operation_send_text(far, "hi");
        loop_turn();
        cr_assert(not(auv_future_done(task)));
        loop_turn();
        cr_assert(auv_future_done(task));
}

Test(socket, recv_takes_no_more_than_there_is_room_for)
{
        struct operation op = operation_on_near();

        op.size = 3;
        operation_send_text(far, "hello");
        cr_assert(eq(int, operation_run(does_recv, &op), 0));
        cr_assert(eq(sz, op.n, 3));
        cr_assert(eq(int, operation_run(does_recv, &op), 0));
        cr_assert(eq(sz, op.n, 2));
}

Test(socket, recv_gives_nothing_at_the_end_of_the_stream)
{
        struct operation op = operation_on_near();
        AUV_AUTO auv_task *task = operation_start(does_recv, &op);

        loop_turn();
        shutdown(far, SHUT_WR);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert(eq(sz, op.n, 0));
}

Test(socket, recv_tells_of_a_reset_while_it_waits)
{
        struct sockaddr_in address;
        const int listener = operation_listening(&address), client = operation_tcp_socket();
        struct operation op = operation_on_near();
        AUV_AUTO auv_task *task = NULL;
        int server;

        operation_set_address(&op, &address);
        op.fd = client;
        cr_assert(eq(int, operation_run(does_connect, &op), 0));
        server = accept(listener, NULL, NULL);
        task = operation_start(does_recv, &op);
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
        struct operation op = operation_on_near();
        AUV_AUTO auv_task *task = NULL;
        int from, to;

        from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        to = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        cr_assert(eq(int, bind(to, (struct sockaddr *)&address, size), 0));
        cr_assert(eq(int, getsockname(to, (struct sockaddr *)&address, &size), 0));
        cr_assert(eq(int, connect(from, (struct sockaddr *)&address, size), 0));
        op.fd = to;
        task = operation_start(does_recvfrom, &op);
        loop_turn();
        operation_send_text(from, "datagram");
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
        struct operation op = operation_on_near();

        operation_reopen_pair(SOCK_DGRAM);
        op.fd = near;
        op.address_size = 99;
        operation_send_text(far, "x");
        cr_assert(eq(int, operation_run(does_recvfrom, &op), 0));
        cr_assert(eq(sz, op.address_size, 0));
}

Test(socket, recvfrom_gives_empty_datagrams)
{
        struct operation op = operation_on_near();

        operation_reopen_pair(SOCK_DGRAM);
        op.fd = near;
        cr_assert(eq(int, (int)send(far, "", 0, 0), 0));
        cr_assert(eq(int, operation_run(does_recvfrom, &op), 0));
        cr_assert(eq(sz, op.n, 0));
}

Test(socket, sendall_does_not_suspend_where_there_is_room)
{
        struct operation op = operation_on_near();
        AUV_AUTO auv_task *task = NULL;

        op.data = "hello";
        op.size = 5;
        task = operation_start(does_sendall, &op);
        loop_turn();
        cr_assert(auv_future_done(task));
        cr_assert(eq(sz, operation_drain(far), 5));
}

Test(socket, sendall_sends_more_than_the_system_holds)
{
        enum { SIZE = 4 << 20 };

        AUV_AUTO auv_task *task = NULL;
        struct operation op = operation_on_near();
        char *data = malloc(SIZE), *received = malloc(SIZE);
        size_t total = 0;

        for (size_t i = 0; i < SIZE; i++)
                data[i] = (char)(i * 31 + i / 4096);
        op.data = data;
        op.size = SIZE;
        task = operation_start(does_sendall, &op);
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
        cr_assert(eq(sz, operation_drain(far), 0));
        cr_assert(operation_watches_nothing());
        free(data);
        free(received);
}

Test(socket, sendall_tells_of_a_peer_that_is_gone_and_raises_no_signal)
{
        struct operation op = operation_on_near();
        AUV_AUTO auv_task *task = NULL;

        operation_fill(near);
        op.data = "x";
        op.size = 1;
        task = operation_start(does_sendall, &op);
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
        struct operation op = operation_on_near();
        char received[OPERATION_ROOM];
        int to;

        to = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        cr_assert(eq(int, bind(to, (struct sockaddr *)&address, size), 0));
        cr_assert(eq(int, getsockname(to, (struct sockaddr *)&address, &size), 0));
        operation_set_address(&op, &address);
        op.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        op.data = "datagram";
        op.size = 8;
        cr_assert(eq(int, operation_run(does_sendto, &op), 0));
        cr_assert(eq(sz, op.n, 8));
        cr_assert(eq(int, (int)recv(to, received, sizeof(received), 0), 8));
        /* more than a datagram holds */
        op.data = memset(malloc(70000), 0, 70000);
        op.size = 70000;
        cr_assert(eq(int, operation_run(does_sendto, &op), AUV_EMSGSIZE));
        free((void *)op.data);
        close(op.fd);
        close(to);
}

Test(socket, sendto_waits_for_room_and_sends_to_the_peer_without_an_address)
{
        struct operation op = operation_on_near();
        AUV_AUTO auv_task *task = NULL;
        size_t n;

        operation_reopen_pair(SOCK_DGRAM);
        op.fd = near;
        n = operation_fill(near);
        op.data = "x";
        op.size = 1;
        task = operation_start(does_sendto, &op);
        loop_turns(2);
        cr_assert(not(auv_future_done(task)));
        cr_assert(eq(sz, operation_drain(far), n));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert(eq(sz, op.n, 1));
        cr_assert(eq(sz, operation_drain(far), 1));
        cr_assert(operation_watches_nothing());
}

Test(socket, connects_and_accepts)
{
        struct sockaddr_in address, own;
        const int listener = operation_listening(&address), client = operation_tcp_socket();
        struct operation accepting = { .fd = listener, .connection = -1 }, connecting = { .fd = client };
        AUV_AUTO auv_task *accept_task = operation_start(does_accept, &accepting);
        AUV_AUTO auv_task *connect_task = NULL;
        socklen_t size = sizeof(own);

        loop_turns(2);
        cr_assert(not(auv_future_done(accept_task)));
        operation_set_address(&connecting, &address);
        connect_task = operation_start(does_connect, &connecting);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, connect_task, NULL), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, accept_task, NULL), 0));
        cr_assert(ne(int, fcntl(accepting.connection, F_GETFL) & O_NONBLOCK, 0));
        cr_assert(ne(int, fcntl(accepting.connection, F_GETFD) & FD_CLOEXEC, 0));
        getsockname(client, (struct sockaddr *)&own, &size);
        cr_assert(eq(sz, accepting.address_size, size));
        cr_assert(zero(int, memcmp(&accepting.address, &own, size)));
        cr_assert(operation_watches_nothing());
        close(accepting.connection);
        close(client);
        close(listener);
}

Test(socket, connects_to_a_host_in_digits)
{
        struct sockaddr_in address;
        const int listener = operation_listening(&address), client = operation_tcp_socket();
        struct operation op = { .fd = client, .host = "127.0.0.1", .port = ntohs(address.sin_port) };

        cr_assert(eq(int, operation_run(does_connect_host, &op), 0));
        close(client);
        close(listener);
}

Test(socket, connects_to_a_name)
{
        struct sockaddr_in address;
        const int listener = operation_listening(&address), client = operation_tcp_socket();
        struct operation op = { .fd = client, .host = "localhost", .port = ntohs(address.sin_port) };

        cr_assert(eq(int, operation_run(does_connect_host, &op), 0));
        close(client);
        close(listener);
}

Test(socket, connect_tells_that_it_was_refused)
{
        struct sockaddr_in address;
        struct operation op = { .fd = operation_tcp_socket() };

        close(operation_listening(&address));
        operation_set_address(&op, &address);
        cr_assert(eq(int, operation_run(does_connect, &op), AUV_ECONNREFUSED));
        cr_assert(operation_watches_nothing());
        close(op.fd);
}

/* A server whose queue is full does not answer, and so leaves the end of it to the test. */
Test(socket, connect_tells_what_went_wrong_while_it_waited)
{
        enum { N = 4 };

        struct sockaddr_in address;
        const int server = operation_listening(&address);
        struct operation op = { .fd = operation_tcp_socket() };
        AUV_AUTO auv_task *task = NULL;
        char text[AUV_ADDRESS_SIZE], expected[AUV_ADDRESS_SIZE + 32];
        auv_error *error = NULL;
        int clients[N];

        cr_assert(eq(int, listen(server, 0), 0));
        for (int i = 0; i < N; i++) {
                clients[i] = operation_tcp_socket();
                (void)connect(clients[i], (struct sockaddr *)&address, sizeof(address));
        }
        operation_set_address(&op, &address);
        task = operation_start(does_connect, &op);
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
        while (operation_run(does_connect, &op) == 0 && n < 8);
        cr_assert(eq(int, op.r, AUV_EAGAIN));
        while (n > 0)
                close(clients[--n]);
        close(listener);
}

Test(socket, accept_tells_that_a_socket_does_not_listen)
{
        struct operation op = { .fd = operation_tcp_socket() };

        cr_assert(eq(int, operation_run(does_accept, &op), AUV_EINVAL));
        close(op.fd);
}

static const struct {
        const char *name;
        auv_coro_fn fn;
} calls[] = {
        { "recv", does_recv },       { "recvfrom", does_recvfrom },         { "sendall", does_sendall },
        { "sendto", does_sendto },   { "accept", does_accept },             { "connect", does_connect },
        { "connect_host", does_connect_host },
};

enum { N_CALLS = sizeof(calls) / sizeof(calls[0]) };

Test(socket, must_not_block_in_debug_mode)
{
        struct operation op = operation_on_near();

        op.data = "x";
        op.address_size = sizeof(sa_family_t);
        op.host = "127.0.0.1";
        fcntl(near, F_SETFL, fcntl(near, F_GETFL) & ~O_NONBLOCK);
        auv_loop_set_debug(loop, true);
        for (int i = 0; i < N_CALLS; i++)
                cr_assert(eq(int, operation_run(calls[i].fn, &op), AUV_EINVAL), "%s", calls[i].name);
        fcntl(near, F_SETFL, fcntl(near, F_GETFL) | O_NONBLOCK);
        op.size = 1;
        cr_assert(eq(int, operation_run(does_sendall, &op), 0));
        op.fd = -1;
        cr_assert(eq(int, operation_run(does_sendall, &op), AUV_EBADF));
}

Test(socket, must_be_a_socket)
{
        struct operation op = operation_on_near();
        int ends[2];

        op.data = "x";
        op.fd = -1;
        for (int i = 0; i < N_CALLS; i++)
                cr_assert(eq(int, operation_run(calls[i].fn, &op), AUV_EBADF), "%s", calls[i].name);
        cr_assert(eq(int, pipe(ends), 0));
        op.fd = ends[0];
        for (int i = 0; i < N_CALLS; i++)
                cr_assert(eq(int, operation_run(calls[i].fn, &op), AUV_ENOTSOCK), "%s", calls[i].name);
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
        const int fd = operation_tcp_socket();

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
        struct operation op = operation_on_near();

        for (int i = 0; i < N_CALLS; i++)
                cr_assert(eq(int, calls[i].fn(&op, NULL), AUV_ENOTASK));
}

static int echoes(void *arg, auv_value *ret)
{
        struct operation op = operation_on_near();

        operation_set_full(&op);
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
                        operation_drain(far);
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
        operation_drain(near);
        operation_drain(far);
        auv_error_clear();
}

Test(socket, fails_cleanly_without_memory)
{
        cr_assert(gt(int, (int)failing_allocator_sweep(echo_once), 5));
}

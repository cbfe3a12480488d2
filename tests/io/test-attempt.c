/* SPDX-License-Identifier: MIT */

/* What waits for a socket: how it is woken, given up, and what becomes of its descriptor. */

#include "operation.h"
#include "support/descriptors.h"
#include "support/limit.h"
#include "support/loop.h"
#include "support/reports.h"

#include "loop/watcher.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>
#include <unistd.h>

TestSuite(attempt, .init = operation_setup, .fini = operation_teardown);

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
        operation_send_text(far, "data");
}

static void drain_near(struct operation *op)
{
        operation_drain(far);
}

static void set_listener(struct operation *op)
{
        struct sockaddr_in address;

        listener = operation_listening(&address);
        client = operation_tcp_socket();
        operation_set_address(op, &address);
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
        { "sendall", does_sendall, operation_set_full, drain_near, drain_near },
        { "sendto", does_sendto, operation_set_full, drain_near, drain_near },
        { "accept", does_accept, set_listener, connect_client, close_listener },
        { "connect", does_connect, set_client, set_nothing, close_listener },
        { "connect_host", does_connect_host, set_client_of_host, set_nothing, close_listener },
};

enum { N_SCENES = sizeof(scenes) / sizeof(scenes[0]) };

/* Cancels a call after some turns, of which the first @before are made before it is ready. */
static void cancel_in_turn(const struct scene *scene, int before, int after)
{
        struct operation op = operation_on_near();
        AUV_AUTO auv_task *task = NULL;
        const int descriptors = descriptors_open();
        int r;

        scene->set(&op);
        op.r = AUV_ECANCELED; /* where it never began */
        task = operation_start(scene->fn, &op);
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
        cr_assert(operation_watches_nothing(), "%s", scene->name);
        scene->unset(&op);
        operation_drain(near);
        cr_assert(eq(int, descriptors_open(), descriptors), "%s", scene->name);
}

Test(attempt, may_be_cancelled_in_every_turn)
{
        for (int i = 0; i < N_SCENES; i++)
                for (int before = 0; before < 3; before++)
                        for (int after = -1; after < 4; after++)
                                cancel_in_turn(&scenes[i], before, after);
}

/*
 * The same by a timeout. Where nothing was ready by then, nothing was done: the call can be made again, on
 * the same socket. Returns whether it has timed out.
 */
static bool time_out_in_turn(const struct scene *scene, int before, int after)
{
        struct operation op = operation_on_near();
        struct limit limit = { .fn = scene->fn, .arg = &op };
        AUV_AUTO auv_task *task = NULL;
        const int descriptors = descriptors_open();
        int r;

        scene->set(&op);
        task = auv_loop_create_task(loop, coro_within_limit, &limit, 0, NULL);
        for (int i = 0; i < before; i++)
                loop_turn();
        if (after >= 0)
                scene->make_ready(&op);
        for (int i = 0; i < after; i++)
                loop_turn();
        if (!auv_future_done(task))
                limit_expire(&limit);
        r = auv_loop_run_until_complete(loop, task, NULL);
        cr_assert(r == 0 || r == AUV_ETIMEDOUT, "%s: %d", scene->name, r);
        cr_assert(eq(int, op.r, r == 0 ? 0 : AUV_ECANCELED), "%s", scene->name);
        cr_assert(operation_watches_nothing(), "%s", scene->name);
        if (r < 0 && after < 0) {
                scene->make_ready(&op);
                cr_assert(eq(int, operation_run(scene->fn, &op), 0), "%s", scene->name);
        }
        scene->unset(&op);
        operation_drain(near);
        cr_assert(eq(int, descriptors_open(), descriptors), "%s", scene->name);
        return r < 0;
}

Test(attempt, may_time_out_in_every_turn)
{
        for (int i = 0; i < N_SCENES; i++) {
                int n = 0;

                for (int before = 1; before < 4; before++)
                        for (int after = -1; after < 4; after++)
                                n += time_out_in_turn(&scenes[i], before, after);
                cr_assert(gt(int, n, 0), "%s", scenes[i].name);
        }
}

/* What the kernel has is still there for the next one: nothing was taken after the cancellation. */
Test(attempt, takes_nothing_once_it_is_cancelled)
{
        struct operation op = operation_on_near();
        AUV_AUTO auv_task *task = operation_start(does_recv, &op);

        loop_turns(2);
        operation_send_text(far, "data");
        auv_future_cancel(task, NULL);
        loop_turns(3);
        cr_assert(auv_future_cancelled(task));
        cr_assert(eq(sz, operation_drain(near), 4));
}

Test(attempt, is_taken_down_with_its_loop)
{
        static struct operation ops[N_SCENES];
        auv_loop *old = loop;

        for (int i = 0; i < 4; i++) {
                ops[i] = operation_on_near();
                if (i % 2 == 0)
                        scenes[i].set(&ops[i]);
        }
        for (int i = 0; i < 2; i++)
                auv_unref(operation_start(i ? does_sendall : does_recv, &ops[2 * i]));
        loop_turns(2);
        loop = loop_new();
        auv_unref(old);
        cr_assert(eq(int, ops[0].r, AUV_ECLOSED));
        cr_assert(eq(int, ops[2].r, AUV_ECLOSED));
        cr_assert(eq(int, reports_drop(), 2));
}

Test(attempt, reads_and_writes_one_descriptor_at_a_time)
{
        struct operation reading = operation_on_near(), writing = operation_on_near();
        AUV_AUTO auv_task *reader = NULL;
        AUV_AUTO auv_task *writer = NULL;

        operation_set_full(&writing);
        reader = operation_start(does_recv, &reading);
        writer = operation_start(does_sendall, &writing);
        loop_turns(2);
        operation_send_text(far, "x");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, reader, NULL), 0));
        cr_assert(not(auv_future_done(writer)));
        operation_drain(far);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, writer, NULL), 0));
        cr_assert(operation_watches_nothing());
}

/* rule 130 */
Test(attempt, second_reader_takes_the_place_of_the_first)
{
        struct operation one = operation_on_near(), two = operation_on_near();
        AUV_AUTO auv_task *first = operation_start(does_recv, &one);
        AUV_AUTO auv_task *second = operation_start(does_recv, &two);

        loop_turns(2);
        operation_send_text(far, "x");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, second, NULL), 0));
        cr_assert(not(auv_future_done(first)));
        auv_future_cancel(first, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, first, NULL), AUV_ECANCELED));
        cr_assert(operation_watches_nothing());
}

Test(attempt, first_reader_does_not_take_the_second_with_it)
{
        struct operation one = operation_on_near(), two = operation_on_near();
        AUV_AUTO auv_task *first = operation_start(does_recv, &one);
        AUV_AUTO auv_task *second = operation_start(does_recv, &two);

        loop_turns(2);
        auv_future_cancel(first, NULL);
        loop_turns(2);
        cr_assert(auv_future_done(first));
        operation_send_text(far, "x");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, second, NULL), 0));
}

Test(attempt, says_that_its_descriptor_was_closed_before_the_first_look)
{
        struct operation op = operation_on_near();
        AUV_AUTO auv_task *task = NULL;

        op.fd = dup(near);
        task = operation_start(does_recv, &op);
        /* within the same turn, before the loop polls */
        auv_loop_call_soon(loop, (auv_call_fn)(void (*)(void))close, (void *)(intptr_t)op.fd, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_EBADF));
        cr_assert(operation_watches_nothing());
}

Test(attempt, waits_until_it_is_cancelled_where_its_descriptor_was_closed_later)
{
        struct operation op = operation_on_near();
        AUV_AUTO auv_task *task = NULL;

        op.fd = dup(near);
        task = operation_start(does_recv, &op);
        loop_turns(2);
        close(op.fd);
        loop_turns(2);
        cr_assert(not(auv_future_done(task)));
        auv_future_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert(operation_watches_nothing());
}

Test(attempt, is_refused_the_descriptor_of_a_transport_where_it_would_wait)
{
        struct operation op = operation_on_near();

        auv__watchers_claim(loop, near);
        cr_assert(eq(int, operation_run(does_recv, &op), AUV_ERUNTIME));
        operation_send_text(far, "x");
        cr_assert(eq(int, operation_run(does_recv, &op), 0));
        auv__watchers_release(loop, near);
}

/* SPDX-License-Identifier: MIT */

/* What becomes of the items of a queue, of those that wait for it and are cancelled, and of itself. */

#include "elsewhere.h"
#include "queue-users.h"
#include "held.h"
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(queue_life, .init = loop_setup, .fini = loop_teardown);

/* Items that have a destructor */

enum { N_ITEMS = 32 };

static int destroyed[N_ITEMS];

static void destroy(void *p)
{
        destroyed[(intptr_t)p]++;
}

static auv_value item(int number)
{
        return (auv_value) { .p = (void *)(intptr_t)number, .destroy = destroy };
}

static void fill(auv_queue *queue, int first, int n)
{
        for (int i = first; i < first + n; i++)
                cr_assert(eq(int, auv_queue_put_nowait(queue, item(i)), 0));
}

/* That each of the items has been destroyed so many times. */
static void expect_destroyed(int first, int n, int times)
{
        for (int i = first; i < first + n; i++)
                cr_assert(eq(int, destroyed[i], times), "item %d", i);
}

Test(queue_life, destroys_what_it_has_when_it_goes)
{
        for (int order = 0; order < 3; order++) {
                AUV_AUTO auv_queue *queue = order == 0 ? auv_queue_new(0)
                        : order == 1 ? auv_lifo_queue_new(0) : new_priority_queue(0);

                fill(queue, 0, N_ITEMS);
                expect_destroyed(0, N_ITEMS, order);
                queue = auv_unref(queue);
                expect_destroyed(0, N_ITEMS, order + 1);
        }
}

Test(queue_life, gives_items_away)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        auv_value value;

        fill(queue, 0, 10);
        for (int i = 0; i < 4; i++) {
                cr_assert(eq(int, auv_queue_get_nowait(queue, &value), 0));
                cr_assert(value.destroy == destroy);
        }
        queue = auv_unref(queue);
        expect_destroyed(0, 4, 0);
        expect_destroyed(4, 6, 1);
}

Test(queue_life, destroys_what_it_drops_when_it_is_shut_down)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);

        fill(queue, 0, 20);
        auv_queue_shutdown(queue, /* immediate= */ false);
        expect_destroyed(0, 20, 0);
        auv_queue_shutdown(queue, /* immediate= */ true);
        expect_destroyed(0, 20, 1);
        queue = auv_unref(queue);
        expect_destroyed(0, 20, 1);
}

Test(queue_life, leaves_items_that_it_does_not_take_to_the_caller)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(1);

        cr_assert(eq(int, auv_queue_put_nowait(NULL, item(0)), AUV_EINVAL));
        failing_allocator_arm(1);
        cr_assert(eq(int, auv_queue_put_nowait(queue, item(0)), AUV_ENOMEM));
        failing_allocator_disarm();
        fill(queue, 1, 1);
        cr_assert(eq(int, auv_queue_put_nowait(queue, item(0)), AUV_EQUEUEFULL));
        auv_queue_shutdown(queue, /* immediate= */ false);
        cr_assert(eq(int, auv_queue_put_nowait(queue, item(0)), AUV_EQUEUESHUTDOWN));
        queue = auv_unref(queue);
        expect_destroyed(0, 1, 0);
        expect_destroyed(1, 1, 1);
}

static int puts_destroyable(void *arg, auv_value *ret)
{
        return auv_await_queue_put(arg, item(0));
}

Test(queue_life, leaves_an_item_whose_put_is_cancelled_to_the_caller)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(1);
        AUV_AUTO auv_task *task = NULL;

        fill(queue, 1, 1);
        task = auv_loop_create_task(loop, puts_destroyable, queue, 0, NULL);
        loop_turn();
        auv_task_cancel(task, NULL);
        loop_turn();
        cr_assert(auv_future_cancelled(task));
        queue = auv_unref(queue);
        expect_destroyed(0, 1, 0);
        expect_destroyed(1, 1, 1);
}

/* A task owns what it returns. */
Test(queue_life, hands_an_item_to_the_task_that_gets_it)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, gets_one, queue, 0, NULL);

        loop_turn();
        fill(queue, 0, 1);
        loop_turn();
        cr_assert(auv_future_done(task));
        expect_destroyed(0, 1, 0);
        task = auv_unref(task);
        expect_destroyed(0, 1, 1);
}

static auv_queue *nested;

static void destroy_by_shutting_down(void *p)
{
        auv_value value;

        destroy(p);
        cr_assert(eq(int, auv_queue_put_nowait(nested, NUMBER(1)), AUV_EQUEUESHUTDOWN));
        if ((intptr_t)p == 1)
                cr_assert(eq(int, auv_queue_get_nowait(nested, &value), 0));
        auv_queue_shutdown(nested, /* immediate= */ true);
}

Test(queue_life, may_be_used_by_what_it_destroys)
{
        AUV_AUTO auv_task *joined = NULL;

        nested = auv_queue_new(0);
        put(nested, 0);
        get(nested);
        for (int i = 1; i < 10; i++) {
                auv_value value = item(i);

                value.destroy = destroy_by_shutting_down;
                cr_assert(eq(int, auv_queue_put_nowait(nested, value), 0));
        }
        joined = start_joiner("joined", nested);
        loop_turn();
        auv_queue_shutdown(nested, /* immediate= */ true);
        expect_destroyed(1, 1, 1);
        expect_destroyed(2, 1, 0); /* taken out by the destructor of the first */
        expect_destroyed(3, 7, 1);
        loop_turn();
        cr_assert_trace("");
        cr_assert(eq(int, auv_queue_task_done(nested), 0));
        cr_assert(eq(int, auv_queue_task_done(nested), 0));
        cr_assert(eq(int, auv_queue_task_done(nested), AUV_ERUNTIME));
        loop_turn();
        cr_assert_trace("joined");
        auv_unref(nested);
}

static void destroy_last_reference(void *p)
{
        destroy(p);
        nested = auv_unref(nested);
}

Test(queue_life, may_be_given_up_by_what_it_destroys)
{
        auv_value value = item(0);

        nested = auv_queue_new(0);
        value.destroy = destroy_last_reference;
        cr_assert(eq(int, auv_queue_put_nowait(nested, value), 0));
        fill(nested, 1, 3);
        auv_queue_shutdown(nested, /* immediate= */ true);
        expect_destroyed(0, 4, 1);
}

/* Cancellation */

Test(queue_life, is_waited_for_no_more_by_one_that_is_cancelled)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(1);
        AUV_AUTO auv_task *a = start_getter("a", queue, 1);
        HELD b = start_getter("b", queue, 1);

        loop_turn();
        auv_task_cancel(a, "enough");
        put(queue, 1);
        loop_turns(1);
        cr_assert_trace("a:ECANCELED b1 |");
        cr_assert(eq(int, auv_future_result(a, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "enough");
}

/* rule 118 */
Test(queue_life, wakes_the_next_where_one_is_cancelled_that_was_woken_for_an_item)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        AUV_AUTO auv_task *a = start_getter("a", queue, 1);
        HELD b = start_getter("b", queue, 1);

        loop_turn();
        put(queue, 1);
        auv_task_cancel(a, NULL);
        auv_task_cancel(a, NULL);
        loop_turns(2);
        cr_assert_trace("a:ECANCELED | b1 |");
}

Test(queue_life, keeps_the_item_where_the_only_one_that_was_woken_is_cancelled)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        AUV_AUTO auv_task *a = start_getter("a", queue, 1);

        loop_turn();
        put(queue, 1);
        auv_task_cancel(a, NULL);
        loop_turns(1);
        cr_assert_trace("a:ECANCELED |");
        cr_assert(eq(int, get(queue), 1));
}

Test(queue_life, wakes_nobody_where_the_item_is_gone_of_one_that_is_cancelled)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        AUV_AUTO auv_task *a = start_getter("a", queue, 1);
        HELD b = start_getter("b", queue, 1);

        loop_turn();
        put(queue, 1);
        auv_task_cancel(a, NULL);
        get(queue);
        loop_turns(2);
        cr_assert_trace("a:ECANCELED | |");
        put(queue, 2);
        loop_turns(1);
        cr_assert_trace("a:ECANCELED | | b2 |");
}

/* rule 118 */
Test(queue_life, wakes_the_next_where_one_is_cancelled_that_was_woken_for_room)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(1);
        AUV_AUTO auv_task *a = NULL, *b = NULL;

        put(queue, 0);
        a = start_putter("a", queue, 10, 1);
        b = start_putter("b", queue, 20, 1);
        loop_turn();
        get(queue);
        auv_task_cancel(a, NULL);
        loop_turns(2);
        cr_assert_trace("a:ECANCELED | b20 |");
        cr_assert(eq(int, get(queue), 20));
        cr_assert(auv_queue_empty(queue));
}

Test(queue_life, that_is_full_is_waited_for_no_more_by_one_that_is_cancelled)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(1);
        AUV_AUTO auv_task *a = NULL, *b = NULL;

        put(queue, 0);
        a = start_putter("a", queue, 10, 1);
        b = start_putter("b", queue, 20, 1);
        loop_turn();
        auv_task_cancel(a, NULL);
        loop_turn();
        get(queue);
        loop_turns(1);
        cr_assert_trace("a:ECANCELED b20 |");
}

Test(queue_life, is_joined_no_more_by_one_that_is_cancelled)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        AUV_AUTO auv_task *a = NULL, *b = NULL;

        put(queue, 0);
        a = start_joiner("a", queue);
        b = start_joiner("b", queue);
        loop_turn();
        auv_queue_task_done(queue);
        auv_task_cancel(a, NULL);
        loop_turns(1);
        cr_assert_trace("aECANCELED b |");
}

static int gets_despite_cancellation(void *arg, auv_value *ret)
{
        int r;

        while ((r = auv_await_queue_get(arg, ret)) == AUV_ECANCELED)
                trace("!");
        trace("got");
        return r;
}

Test(queue_life, is_waited_for_at_the_end_of_the_line_after_a_cancellation)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        AUV_AUTO auv_task *stubborn = auv_loop_create_task(loop, gets_despite_cancellation, queue, 0, NULL);
        HELD b = start_getter("b", queue, 1);

        loop_turn();
        for (int i = 0; i < 2; i++) {
                auv_task_cancel(stubborn, NULL);
                loop_turn();
        }
        put(queue, 1);
        put(queue, 2);
        loop_turns(1);
        cr_assert_trace("! ! b1 got |");
}

/* It was woken and cancelled, wakes the next, and takes the item all the same: it did not suspend. */
Test(queue_life, may_be_emptied_by_one_that_was_cancelled_and_asks_again)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        AUV_AUTO auv_task *stubborn = auv_loop_create_task(loop, gets_despite_cancellation, queue, 0, NULL);
        HELD b = start_getter("b", queue, 1);

        loop_turn();
        put(queue, 1);
        auv_task_cancel(stubborn, NULL);
        loop_turns(2);
        cr_assert_trace("! got | |");
        put(queue, 2);
        loop_turns(1);
        cr_assert_trace("! got | | b2 |");
}

static int is_cancelled_already(void *arg, auv_value *ret)
{
        auv_task_cancel(auv_current_task(NULL), NULL);
        return auv_await_queue_get(arg, ret);
}

Test(queue_life, is_not_waited_for_by_a_task_that_is_about_to_be_cancelled)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);

        cr_assert(eq(int, loop_run(is_cancelled_already, queue, NULL), AUV_ECANCELED));
        put(queue, 1);
        cr_assert(eq(int, get(queue), 1));
}

static int gets_in_time(void *arg, auv_value *ret)
{
        return auv_await_wait_for_coro(gets_one, arg, 2, ret);
}

Test(queue_life, may_be_waited_for_with_a_timeout)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);

        cr_assert(eq(int, loop_run(gets_in_time, queue, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
        put(queue, 1);
        cr_assert(eq(int, get(queue), 1));
}

/* What a task has put or got that is done; gives the task up. */
static int count(auv_task *task)
{
        auv_value n = NUMBER(0);

        cr_assert(auv_future_done(task));
        auv_future_result(task, &n);
        auv_unref(task);
        return (int)n.i;
}

Test(queue_life, loses_nothing_in_a_crowd_of_which_some_are_cancelled)
{
        enum { N = 150 };
        AUV_AUTO auv_queue *queue = auv_queue_new(3);
        auv_task *putters[N], *getters[N];
        int n_put = 0, n_got = 0;

        for (int i = 0; i < N; i++) {
                getters[i] = start_getter("", queue, 1);
                putters[i] = start_putter("", queue, i, 1);
                if (i % 4 == 0)
                        loop_turn();
                if (i % 3 == 0)
                        auv_task_cancel(getters[i], NULL);
                if (i % 5 == 0)
                        auv_task_cancel(putters[i], NULL);
        }
        for (int i = 0; i < N; i++)
                loop_turn();
        cr_assert(auv_queue_full(queue)); /* there were more that put */
        auv_queue_shutdown(queue, /* immediate= */ false);
        loop_turn();
        for (int i = 0; i < N; i++) {
                n_put += count(putters[i]);
                n_got += count(getters[i]);
        }
        cr_assert(eq(int, n_put - n_got, 3));
        cr_assert(ge(int, n_got, N - N / 3));
}

/* Memory */

static void make_and_unref(void)
{
        AUV_AUTO auv_queue *fifo = auv_queue_new(1);
        AUV_AUTO auv_queue *lifo = auv_lifo_queue_new(1);
        AUV_AUTO auv_queue *heap = new_priority_queue(1);

        if (fifo && lifo && heap)
                return;
        cr_assert(failing_allocator_fired());
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOMEM));
}

Test(queue_life, without_memory_cannot_be_made)
{
        cr_assert(eq(long, failing_allocator_sweep(make_and_unref), 3));
}

Test(queue_life, that_cannot_grow_loses_nothing)
{
        for (int order = 0; order < 3; order++) {
                AUV_AUTO auv_queue *queue = order == 0 ? auv_queue_new(0)
                        : order == 1 ? auv_lifo_queue_new(0) : new_priority_queue(0);
                int n = 0, sum = 0;

                for (int i = 0; i < 3; i++) { /* so that a ring does not begin at its beginning */
                        put(queue, 0);
                        get(queue);
                }
                failing_allocator_arm_all();
                while (auv_queue_put_nowait(queue, NUMBER(n)) == 0)
                        n++;
                cr_assert(failing_allocator_disarm());
                cr_assert(gt(int, n, 1));
                cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOMEM));
                cr_assert(eq(sz, auv_queue_qsize(queue), (size_t)n));
                put(queue, n);
                for (int i = 0; i <= n; i++) {
                        const int number = get(queue);

                        cr_assert(eq(int, number, order == 1 ? n - i : i));
                        sum += number;
                }
                cr_assert(eq(int, sum, n * (n + 1) / 2));
        }
}

Test(queue_life, whose_put_failed_for_want_of_memory_has_nothing_to_be_done)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        HELD g = start_getter("g", queue, 1);

        loop_turn();
        failing_allocator_arm_all();
        cr_assert(eq(int, auv_queue_put_nowait(queue, NUMBER(1)), AUV_ENOMEM));
        failing_allocator_disarm();
        loop_turns(1);
        cr_assert_trace("|");
        cr_assert(eq(int, auv_queue_task_done(queue), AUV_ERUNTIME));
        put(queue, 1);
        loop_turns(1);
        cr_assert_trace("| g1 |");
}

Test(queue_life, that_has_room_needs_no_memory)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(1);
        HELD p = start_putter("p", queue, 1, 3);
        HELD g = start_getter("g", queue, 3);
        AUV_AUTO auv_task *joined = start_joiner("joined", queue);

        put(queue, 0);
        failing_allocator_arm_all();
        loop_turns(4);
        cr_assert(not(failing_allocator_disarm()));
        cr_assert_trace("g0 | p1 | g1 | p2 |");
        cr_assert(eq(int, get(queue), 2));
        loop_turns(2);
        for (int i = 0; i < 4; i++)
                cr_assert(eq(int, auv_queue_task_done(queue), 0));
        cr_assert(eq(int, auv_queue_task_done(queue), AUV_ERUNTIME));
        loop_turn();
        cr_assert(auv_future_done(joined));
}

/* Life */

/* rule 115 */
Test(queue_life, belongs_to_the_loop_on_which_it_was_first_waited_for)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(1);
        HELD task = start_getter("a", queue, 1);

        loop_turn();
        cr_assert(eq(int, run_elsewhere(gets_one, queue), AUV_ERUNTIME));
        put(queue, 1);
        cr_assert(eq(int, run_elsewhere(puts_one, queue), AUV_ERUNTIME));
        cr_assert(eq(int, run_elsewhere(joins_one, queue), AUV_ERUNTIME));
        loop_turn();
        cr_assert_trace("a1");
        cr_assert(eq(int, run_elsewhere(puts_one, queue), 0));
        cr_assert(eq(int, run_elsewhere(gets_one, queue), 0));
}

Test(queue_life, is_held_by_the_tasks_that_wait)
{
        auv_queue *empty = auv_queue_new(1);
        auv_queue *full = auv_queue_new(1);
        AUV_AUTO auv_task *g = start_getter("g", empty, 1);
        AUV_AUTO auv_task *p = NULL, *joined = NULL;
        long live;

        fill(full, 0, 1);
        p = auv_loop_create_task(loop, puts_destroyable, full, 0, NULL);
        joined = start_joiner("joined", full);
        loop_turn();
        live = failing_allocator_live();
        auv_unref(empty);
        auv_unref(full);
        auv_task_cancel(g, NULL);
        auv_task_cancel(p, NULL);
        loop_turn();
        cr_assert_trace("g:ECANCELED");
        cr_assert(eq(long, failing_allocator_live(), live - 1)); /* the empty one had no items */
        expect_destroyed(0, 1, 0);
        auv_task_cancel(joined, NULL);
        loop_turn();
        expect_destroyed(0, 1, 1);
        cr_assert(eq(long, failing_allocator_live(), live - 3));
}

Test(queue_life, is_left_by_those_that_wait_when_the_loop_is_closed)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(1);
        HELD g = start_getter("g", queue, 2);
        HELD p = start_putter("p", queue, 1, 5);
        HELD joined = start_joiner("joined", queue);

        loop_turns(4);
        auv_loop_close(loop);
        cr_assert_trace("p1 | g1 | p2 | g2 | p:ECLOSED joinedECLOSED");
        cr_assert(eq(int, reports_drop(), 2));
        put(queue, 9);
        cr_assert(eq(int, get(queue), 9));
        auv_queue_shutdown(queue, /* immediate= */ true);
}

Test(queue_life, is_left_by_those_that_were_woken_when_the_loop_is_closed)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(1);
        HELD a = start_getter("a", queue, 1);
        HELD b = start_getter("b", queue, 1);

        loop_turn();
        put(queue, 1);
        auv_loop_close(loop);
        cr_assert_trace("a:ECLOSED b:ECLOSED");
        cr_assert(eq(int, reports_drop(), 2));
        cr_assert(eq(int, get(queue), 1));
}

Test(queue_life, outlives_its_loop)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        auv_task *task = start_getter("a", queue, 1);

        loop_turn();
        auv_unref(task);
        loop = auv_unref(loop);
        cr_assert_trace("a:ECLOSED");
        cr_assert(eq(int, reports_drop(), 1));
        put(queue, 1);
        cr_assert(eq(int, run_elsewhere(gets_one, queue), 0));
}

/* SPDX-License-Identifier: MIT */
#include "held.h"
#include "queue-users.h"
#include "support/coroutine.h"
#include "support/loop.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <limits.h>

TestSuite(queue, .init = loop_setup, .fini = loop_teardown);

/* Size */

Test(queue, is_empty_when_it_is_new)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(2);

        cr_assert(auv_queue_empty(queue));
        cr_assert(not(auv_queue_full(queue)));
        cr_assert(eq(sz, auv_queue_qsize(queue), 0));
        cr_assert(eq(long, auv_queue_maxsize(queue), 2));
}

Test(queue, is_full_when_it_has_as_many_items_as_it_takes)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(2);

        put(queue, 1);
        cr_assert(not(auv_queue_empty(queue)));
        cr_assert(not(auv_queue_full(queue)));
        put(queue, 2);
        cr_assert(auv_queue_full(queue));
        cr_assert(eq(int, auv_queue_put_nowait(queue, NUMBER(3)), AUV_EQUEUEFULL));
        cr_assert(eq(sz, auv_queue_qsize(queue), 2));
        cr_assert(eq(int, get(queue), 1));
        cr_assert(not(auv_queue_full(queue)));
        put(queue, 3);
        cr_assert(eq(int, get(queue), 2));
        cr_assert(eq(int, get(queue), 3));
        cr_assert(auv_queue_empty(queue));
}

/* rule 122 */
Test(queue, without_limit_is_never_full)
{
        for (long maxsize = -1; maxsize <= 0; maxsize++) {
                AUV_AUTO auv_queue *queue = auv_queue_new(maxsize);

                for (int i = 0; i < 1000; i++) {
                        cr_assert(not(auv_queue_full(queue)));
                        put(queue, i);
                }
                cr_assert(eq(sz, auv_queue_qsize(queue), 1000));
                cr_assert(eq(long, auv_queue_maxsize(queue), maxsize));
        }
}

Test(queue, may_have_the_largest_of_limits)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(LONG_MAX);

        put(queue, 1);
        cr_assert(not(auv_queue_full(queue)));
        cr_assert(eq(long, auv_queue_maxsize(queue), LONG_MAX));
}

Test(queue, that_is_empty_gives_nothing)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        auv_value item = NUMBER(7);

        cr_assert(eq(int, auv_queue_get_nowait(queue, &item), AUV_EQUEUEEMPTY));
        cr_assert(eq(i64, item.i, 7));
}

Test(queue, that_is_null_is_nothing)
{
        auv_value item = NUMBER(7);

        cr_assert(auv_queue_empty(NULL));
        cr_assert(not(auv_queue_full(NULL)));
        cr_assert(eq(sz, auv_queue_qsize(NULL), 0));
        cr_assert(eq(long, auv_queue_maxsize(NULL), 0));
        cr_assert(eq(int, auv_queue_put_nowait(NULL, item), AUV_EINVAL));
        cr_assert(eq(int, auv_queue_get_nowait(NULL, &item), AUV_EINVAL));
        cr_assert(eq(int, auv_queue_task_done(NULL), AUV_EINVAL));
        auv_queue_shutdown(NULL, true);
        cr_assert(eq(int, loop_run(gets_one, NULL, NULL), AUV_ENOMEM));
        cr_assert(eq(int, loop_run(puts_one, NULL, NULL), AUV_ENOMEM));
        cr_assert(eq(int, loop_run(joins_one, NULL, NULL), AUV_ENOMEM));
}

static int gets_into_nowhere(void *arg, auv_value *ret)
{
        return auv_await_queue_get(arg, NULL);
}

Test(queue, needs_a_place_for_the_item)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);

        put(queue, 1);
        cr_assert(eq(int, auv_queue_get_nowait(queue, NULL), AUV_EINVAL));
        cr_assert(eq(int, loop_run(gets_into_nowhere, queue, NULL), AUV_EINVAL));
        cr_assert(eq(sz, auv_queue_qsize(queue), 1));
}

Test(queue, is_waited_for_in_tasks)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        auv_value item;

        put(queue, 1);
        cr_assert(eq(int, auv_await_queue_put(queue, NUMBER(1)), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_queue_get(queue, &item), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_queue_join(queue), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_queue_get(NULL, &item), AUV_ENOTASK));
        cr_assert(eq(sz, auv_queue_qsize(queue), 1));
}

/* Order */

Test(queue, gives_the_first_first)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);

        for (int i = 0; i < 100; i++)
                put(queue, i);
        for (int i = 0; i < 100; i++)
                cr_assert(eq(int, get(queue), i));
}

Test(queue, keeps_its_order_as_it_grows_from_anywhere)
{
        for (int before = 0; before < 20; before++) {
                AUV_AUTO auv_queue *queue = auv_queue_new(0);

                for (int i = 0; i < before; i++) {
                        put(queue, -1);
                        get(queue);
                }
                for (int i = 0; i < 40; i++)
                        put(queue, i);
                for (int i = 0; i < 40; i++)
                        cr_assert(eq(int, get(queue), i));
        }
}

/* rule 122 */
Test(queue, of_the_other_order_gives_the_last_first)
{
        AUV_AUTO auv_queue *queue = auv_lifo_queue_new(0);

        for (int i = 0; i < 100; i++)
                put(queue, i);
        for (int i = 99; i >= 50; i--)
                cr_assert(eq(int, get(queue), i));
        put(queue, 7);
        cr_assert(eq(int, get(queue), 7));
        for (int i = 49; i >= 0; i--)
                cr_assert(eq(int, get(queue), i));
        cr_assert(auv_queue_empty(queue));
}

Test(queue, of_any_order_has_a_limit)
{
        AUV_AUTO auv_queue *stack = auv_lifo_queue_new(1);
        AUV_AUTO auv_queue *heap = new_priority_queue(1);

        put(stack, 1);
        put(heap, 1);
        cr_assert(eq(int, auv_queue_put_nowait(stack, NUMBER(2)), AUV_EQUEUEFULL));
        cr_assert(eq(int, auv_queue_put_nowait(heap, NUMBER(2)), AUV_EQUEUEFULL));
        cr_assert(eq(long, auv_queue_maxsize(stack), 1));
        cr_assert(eq(long, auv_queue_maxsize(heap), 1));
}

/* Items are a priority, and the number of the put; only the first is compared. */
enum { MAX_OPERATIONS = 120, FACTOR = 1000 };

struct row {
        int n;
        int n_puts;
        int operations[MAX_OPERATIONS];
        int leaving[MAX_OPERATIONS];
};

static const struct row rows[] = {
#include "heapq-rows.h"
};

static int compare_priorities(const auv_value *a, const auv_value *b, void *arg)
{
        return (int)(a->i / FACTOR - b->i / FACTOR);
}

static void check_row(const struct row *row)
{
        AUV_AUTO auv_queue *queue = auv_priority_queue_new(0, compare_priorities, NULL);
        int n_put = 0, n_got = 0;

        for (int i = 0; i < row->n; i++) {
                if (row->operations[i] < 0)
                        cr_assert(eq(int, get(queue) % FACTOR, row->leaving[n_got++]));
                else
                        put(queue, row->operations[i] * FACTOR + n_put++);
        }
        while (!auv_queue_empty(queue))
                cr_assert(eq(int, get(queue) % FACTOR, row->leaving[n_got++]));
        cr_assert(eq(int, n_got, row->n_puts));
}

/* rule 122 */
Test(queue, of_priorities_gives_the_least_first_and_equal_ones_as_python_does)
{
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                check_row(&rows[i]);
}

Test(queue, of_priorities_needs_a_function_to_compare_with)
{
        cr_assert(zero(ptr, auv_priority_queue_new(0, NULL, NULL)));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EINVAL));
}

/* Waiting */

/* rule 119 */
Test(queue, does_not_suspend_who_need_not_wait)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        HELD p = start_putter("p", queue, 1, 3);
        HELD g = start_getter("g", queue, 3);

        loop_turns(1);
        cr_assert_trace("p1 p2 p3 g1 g2 g3 |");
}

Test(queue, wakes_those_that_wait_for_an_item_in_their_order)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        HELD a = start_getter("a", queue, 1);
        HELD b = start_getter("b", queue, 1);
        HELD c = start_getter("c", queue, 1);

        loop_turns(1);
        put(queue, 1);
        put(queue, 2);
        loop_turns(2);
        cr_assert_trace("| a1 b2 | |");
        put(queue, 3);
        loop_turns(1);
        cr_assert_trace("| a1 b2 | | c3 |");
}

Test(queue, wakes_those_that_wait_for_room_in_their_order)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(1);
        HELD a = start_putter("a", queue, 10, 2);
        HELD b = start_putter("b", queue, 20, 1);

        loop_turns(1);
        cr_assert(eq(int, get(queue), 10));
        loop_turns(1);
        cr_assert(eq(int, get(queue), 11));
        loop_turns(1);
        cr_assert_trace("a10 | a11 | b20 |");
        cr_assert(eq(int, get(queue), 20));
}

Test(queue, hands_items_from_task_to_task)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(1);
        HELD g = start_getter("g", queue, 4);
        HELD p = start_putter("p", queue, 1, 4);

        loop_turns(6);
        cr_assert_trace("p1 | g1 | p2 | g2 | p3 | g3 |");
        loop_turns(2);
        cr_assert_trace("p1 | g1 | p2 | g2 | p3 | g3 | p4 | g4 |");
}

/* rule 116 */
Test(queue, lets_a_third_take_an_item_before_one_that_was_woken_for_it)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        HELD a = start_getter("a", queue, 1);
        HELD b = start_getter("b", queue, 1);

        loop_turns(1);
        put(queue, 1);
        cr_assert(eq(int, get(queue), 1));
        loop_turns(2);
        put(queue, 2);
        loop_turns(1);
        put(queue, 3);
        loop_turns(1);
        /* a stands in line again, behind b */
        cr_assert_trace("| | | b2 | a3 |");
}

/* rule 116 */
Test(queue, lets_a_third_fill_it_before_one_that_was_woken_for_room)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(1);
        HELD a = start_putter("a", queue, 10, 1);
        HELD b = start_putter("b", queue, 20, 1);
        HELD c = start_putter("c", queue, 30, 1);

        loop_turns(1);
        get(queue);
        put(queue, 40);
        loop_turns(2);
        get(queue);
        loop_turns(1);
        get(queue);
        loop_turns(1);
        cr_assert_trace("a10 | | | c30 | b20 |");
}

/* Dealing with items */

/* rule 120 */
Test(queue, is_joined_at_once_where_nothing_is_to_be_done)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        HELD task = start_joiner("joined", queue);

        loop_turns(1);
        cr_assert_trace("joined |");
}

/* rule 120 */
Test(queue, is_joined_when_all_items_have_been_dealt_with)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        AUV_AUTO auv_task *a = NULL, *b = NULL;

        put(queue, 1);
        put(queue, 2);
        a = start_joiner("a", queue);
        b = start_joiner("b", queue);
        loop_turns(1);
        get(queue);
        get(queue);
        cr_assert(eq(int, auv_queue_task_done(queue), 0));
        loop_turns(1);
        cr_assert(eq(int, auv_queue_task_done(queue), 0));
        loop_turns(1);
        cr_assert_trace("| | a b |");
}

/* As asyncio's: join looks at the number only when it begins to wait. */
Test(queue, is_joined_though_another_item_comes_before_who_waits_runs)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        AUV_AUTO auv_task *task = NULL;

        put(queue, 1);
        task = start_joiner("joined", queue);
        loop_turns(1);
        auv_queue_task_done(queue);
        put(queue, 2);
        loop_turns(1);
        cr_assert_trace("| joined |");
}

/* rule 120 */
Test(queue, is_not_told_of_more_that_was_done_than_there_was)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);

        cr_assert(eq(int, auv_queue_task_done(queue), AUV_ERUNTIME));
        put(queue, 1);
        cr_assert(eq(int, auv_queue_task_done(queue), 0));
        cr_assert(eq(int, auv_queue_task_done(queue), AUV_ERUNTIME));
        cr_assert(eq(int, get(queue), 1));
}

/* Shutdown */

/* rule 121 */
Test(queue, that_is_shut_down_gives_what_it_has)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        AUV_AUTO auv_task *g = NULL, *p = NULL;
        auv_value item = NUMBER(7);

        put(queue, 1);
        put(queue, 2);
        auv_queue_shutdown(queue, /* immediate= */ false);
        cr_assert(eq(int, auv_queue_put_nowait(queue, NUMBER(3)), AUV_EQUEUESHUTDOWN));
        cr_assert(eq(int, get(queue), 1));
        g = start_getter("g", queue, 2);
        p = start_putter("p", queue, 1, 1);
        loop_turns(1);
        cr_assert_trace("g2 g:EQUEUESHUTDOWN p:EQUEUESHUTDOWN |");
        cr_assert(eq(int, auv_queue_get_nowait(queue, &item), AUV_EQUEUESHUTDOWN));
        cr_assert(eq(i64, item.i, 7));
}

/* rule 121 */
Test(queue, that_is_shut_down_sends_away_all_that_wait)
{
        AUV_AUTO auv_queue *empty = auv_queue_new(1);
        AUV_AUTO auv_queue *full = auv_queue_new(1);
        HELD g = start_getter("g", empty, 1);
        HELD h = start_getter("h", empty, 1);
        HELD p = start_putter("p", full, 1, 2);
        HELD q = start_putter("q", full, 1, 2);

        loop_turns(1);
        auv_queue_shutdown(empty, /* immediate= */ false);
        auv_queue_shutdown(full, /* immediate= */ false);
        loop_turns(1);
        cr_assert_trace("p1 | g:EQUEUESHUTDOWN h:EQUEUESHUTDOWN p:EQUEUESHUTDOWN q:EQUEUESHUTDOWN |");
        cr_assert(eq(int, get(full), 1));
}

Test(queue, that_is_shut_down_gives_its_last_item_to_one_that_was_woken)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        HELD a = start_getter("a", queue, 1);
        HELD b = start_getter("b", queue, 1);

        loop_turns(1);
        put(queue, 1);
        auv_queue_shutdown(queue, /* immediate= */ false);
        loop_turns(1);
        cr_assert_trace("| a1 b:EQUEUESHUTDOWN |");
}

/* rule 121 */
Test(queue, that_is_shut_down_at_once_gives_nothing)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(2);
        HELD p = start_putter("p", queue, 1, 3);
        HELD joined = start_joiner("joined", queue);
        auv_value item;

        loop_turns(1);
        auv_queue_shutdown(queue, /* immediate= */ true);
        cr_assert(auv_queue_empty(queue));
        cr_assert(eq(int, auv_queue_get_nowait(queue, &item), AUV_EQUEUESHUTDOWN));
        loop_turns(1);
        cr_assert_trace("p1 p2 | joined p:EQUEUESHUTDOWN |");
        cr_assert(eq(int, auv_queue_task_done(queue), AUV_ERUNTIME));
}

/* rule 121 */
Test(queue, that_is_shut_down_at_once_is_joined_when_what_was_taken_out_is_done)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        AUV_AUTO auv_task *joined = NULL;

        for (int i = 0; i < 3; i++)
                put(queue, i);
        get(queue);
        joined = start_joiner("joined", queue);
        loop_turns(1);
        auv_queue_shutdown(queue, /* immediate= */ true);
        loop_turns(1);
        cr_assert(eq(int, auv_queue_task_done(queue), 0));
        loop_turns(1);
        cr_assert_trace("| | joined |");
        cr_assert(eq(int, auv_queue_task_done(queue), AUV_ERUNTIME));
}

Test(queue, may_be_shut_down_twice)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);

        put(queue, 1);
        auv_queue_shutdown(queue, /* immediate= */ false);
        auv_queue_shutdown(queue, /* immediate= */ false);
        cr_assert(eq(sz, auv_queue_qsize(queue), 1));
        auv_queue_shutdown(queue, /* immediate= */ true);
        auv_queue_shutdown(queue, /* immediate= */ true);
        cr_assert(eq(sz, auv_queue_qsize(queue), 0));
}

Test(queue, that_is_shut_down_is_joined_when_what_it_had_is_done)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        AUV_AUTO auv_task *joined = NULL;

        put(queue, 1);
        joined = start_joiner("joined", queue);
        loop_turns(1);
        auv_queue_shutdown(queue, /* immediate= */ false);
        loop_turns(1);
        get(queue);
        auv_queue_task_done(queue);
        loop_turns(1);
        cr_assert_trace("| | joined |");
}

/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>

TestSuite(as_completed, .init = loop_setup, .fini = loop_teardown);

static struct {
        auv_future *futures[4];
        size_t n;
        double timeout;
} c;

static int place_of(const auv_future *future)
{
        for (int i = 0; i < 4; i++)
                if (future && future == c.futures[i])
                        return i;
        return -1;
}

/* Goes through the futures, and traces the place of each with the time, and errors. */
static int iterates(void *arg, auv_value *ret)
{
        AUV_AUTO auv_as_completed *iterator = auv_as_completed_new(c.futures, c.n, c.timeout);
        auv_future *future = NULL;
        int r;

        while ((r = auv_await_as_completed(iterator, &future)) != 0) {
                if (r > 0) {
                        cr_assert(auv_future_done(future));
                        trace("%g:%d", auv_loop_time(loop), place_of(future));
                } else {
                        trace("%g:%s", auv_loop_time(loop), auv_error_name(r));
                        if (r != AUV_ETIMEDOUT)
                                return r;
                }
        }
        cr_assert(eq(int, auv_await_as_completed(iterator, &future), 0));
        return 0;
}

static int run_iterating(size_t n, double timeout)
{
        c.n = n;
        c.timeout = timeout;
        return loop_run(iterates, NULL, NULL);
}

static void unref_futures(void)
{
        for (int i = 0; i < 4; i++)
                auv_unref_at(&c.futures[i]);
}

/* rule 76 */
Test(as_completed, gives_futures_in_the_order_of_their_ends)
{
        c.futures[0] = start_steps(.sleep = 3);
        c.futures[1] = start_steps(.sleep = 1, .error = AUV_EUSER);
        c.futures[2] = start_steps(.sleep = 2);
        cr_assert(eq(int, run_iterating(3, AUV_NO_TIMEOUT), 0));
        cr_assert_trace("1:1 2:2 3:0");
        cr_assert(eq(int, auv_future_result(c.futures[1], NULL), AUV_EUSER));
        unref_futures();
}

Test(as_completed, gives_what_was_done_before_in_the_order_given)
{
        for (int i = 0; i < 3; i++)
                c.futures[i] = auv_loop_create_future(loop);
        auv_future_set_result(c.futures[2], NUMBER(1));
        auv_future_set_result(c.futures[0], NUMBER(1));
        auv_future_cancel(c.futures[1], NULL);
        cr_assert(eq(int, run_iterating(3, AUV_NO_TIMEOUT), 0));
        cr_assert_trace("0:0 0:1 0:2");
        unref_futures();
}

/* rule 76 */
Test(as_completed, gives_once_what_was_given_twice)
{
        c.futures[0] = start_steps(.sleep = 2);
        c.futures[1] = start_steps(.sleep = 1);
        c.futures[2] = auv_ref(c.futures[1]);
        cr_assert(eq(int, run_iterating(3, AUV_NO_TIMEOUT), 0));
        cr_assert_trace("1:1 2:0");
        unref_futures();
}

Test(as_completed, of_none_ends_at_once)
{
        AUV_AUTO auv_task *task = NULL;

        c.n = 0;
        c.timeout = 1;
        task = auv_loop_create_task(loop, iterates, NULL, 0, NULL);
        cr_assert(eq(int, loop_turns_until_done(task, 5), 1));
        cr_assert_trace("");
        cr_assert(eq(int, auv_future_result(task, NULL), 0));
}

/* rule 76 */
Test(as_completed, times_out_once_for_each_that_is_not_done)
{
        for (int i = 0; i < 4; i++)
                c.futures[i] = start_steps(.sleep = i + 1);
        cr_assert(eq(int, run_iterating(4, 2.5), 0));
        cr_assert_trace("1:0 2:1 2.5:ETIMEDOUT 2.5:ETIMEDOUT");
        for (int i = 2; i < 4; i++) {
                cr_assert(eq(int, auv_task_cancelling(c.futures[i]), 0));
                cr_assert(eq(int, auv_loop_run_until_complete(loop, c.futures[i], NULL), 0));
        }
        unref_futures();
}

static int iterates_late(void *arg, auv_value *ret)
{
        AUV_AUTO auv_as_completed *iterator = auv_as_completed_new(c.futures, c.n, 2.5);
        auv_future *future = NULL;
        int r;

        AUV_TRY(auv_await_sleep(10));
        while ((r = auv_await_as_completed(iterator, &future)) != 0)
                trace("%s", r > 0 ? "done" : auv_error_name(r));
        return 0;
}

/* The time counts from the making of the iterator; what was done by then is given all the same. */
Test(as_completed, counts_its_time_from_the_start)
{
        c.n = 4;
        for (int i = 0; i < 4; i++)
                c.futures[i] = start_steps(.sleep = i + 1);
        cr_assert(eq(int, loop_run(iterates_late, NULL, NULL), 0));
        cr_assert_trace("done done ETIMEDOUT ETIMEDOUT");
        unref_futures();
}

Test(as_completed, leaves_no_timer_behind)
{
        AUV_AUTO auv_future *never = auv_loop_create_future(loop);

        c.futures[0] = start_steps(.sleep = 1);
        cr_assert(eq(int, run_iterating(1, 1000), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, never, NULL), AUV_EDEADLK));
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
        reports_drop();
        unref_futures();
}

static int takes_one_of_many(void *arg, auv_value *ret)
{
        AUV_AUTO auv_as_completed *iterator = auv_as_completed_new(c.futures, c.n, 1000);
        auv_future *future = NULL;

        return auv_await_as_completed(iterator, &future);
}

Test(as_completed, may_be_left_before_its_end)
{
        AUV_AUTO auv_future *never = auv_loop_create_future(loop);

        c.n = 3;
        for (int i = 0; i < 3; i++)
                c.futures[i] = start_steps(.sleep = i + 1);
        cr_assert(eq(int, loop_run(takes_one_of_many, NULL, NULL), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, never, NULL), AUV_EDEADLK));
        cr_assert(eq(dbl, auv_loop_time(loop), 3));
        reports_drop();
        unref_futures();
}

Test(as_completed, that_is_cancelled_cancels_no_future)
{
        AUV_AUTO auv_task *task = NULL;

        c.futures[0] = auv_loop_create_future(loop);
        c.n = 1;
        c.timeout = AUV_NO_TIMEOUT;
        task = auv_loop_create_task(loop, iterates, NULL, 0, NULL);
        loop_turn();
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert_trace("0:ECANCELED");
        cr_assert(not(auv_future_done(c.futures[0])));
        auv_future_set_result(c.futures[0], NUMBER(1));
        loop_turn();
        unref_futures();
}

/* "Suspends: yes, unless one is done already." */
static int takes_two_that_are_done(void *arg, auv_value *ret)
{
        AUV_AUTO auv_as_completed *iterator = auv_as_completed_new(c.futures, 2, AUV_NO_TIMEOUT);
        auv_future *future = NULL;

        AUV_TRY(auv_await_sleep(0));
        AUV_TRY(auv_await_sleep(0));
        AUV_TRY(auv_await_as_completed(iterator, &future));
        AUV_TRY(auv_await_as_completed(iterator, &future));
        trace("taken");
        return 0;
}

Test(as_completed, does_not_suspend_for_what_is_done)
{
        AUV_AUTO auv_task *task = NULL;

        for (int i = 0; i < 2; i++) {
                c.futures[i] = auv_loop_create_future(loop);
                auv_future_set_result(c.futures[i], NUMBER(1));
        }
        task = auv_loop_create_task(loop, takes_two_that_are_done, NULL, 0, NULL);
        loop_turns(3);
        cr_assert_trace("| | taken |");
        cr_assert(auv_future_done(task));
        unref_futures();
}

static int makes_bad_ones(void *arg, auv_value *ret)
{
        auv_loop *other = arg;
        AUV_AUTO auv_future *foreign = auv_loop_create_future(other);
        AUV_AUTO auv_future *own = auv_loop_create_future(NULL);
        auv_future *future = NULL;

        cr_assert(zero(ptr, auv_as_completed_new((auv_future *[]) { own, NULL }, 2, 1)));
        cr_assert(zero(ptr, auv_as_completed_new((auv_future *[]) { own, foreign }, 2, 1)));
        cr_assert(zero(ptr, auv_as_completed_new(NULL, 1, 1)));
        cr_assert(zero(ptr, auv_as_completed_new(&own, 1, NAN)));
        cr_assert(lt(int, auv_await_as_completed(NULL, &future), 0));
        cr_assert(zero(ptr, future));
        return 0;
}

Test(as_completed, must_have_futures_of_the_running_loop_and_a_number)
{
        AUV_AUTO auv_loop *other = loop_new();
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        cr_assert(zero(ptr, auv_as_completed_new(&future, 1, 1)));
        cr_assert(eq(int, loop_run(makes_bad_ones, other, NULL), 0));
}

static int drops_what_it_waits_for(void *arg, auv_value *ret)
{
        auv_task *task = auv_create_task(coro_return, &(intmax_t) { 4 }, sizeof(intmax_t));
        AUV_AUTO auv_as_completed *iterator = auv_as_completed_new(&task, 1, AUV_NO_TIMEOUT);

        auv_unref(task);
        AUV_TRY(auv_await_sleep(0));
        AUV_TRY(auv_await_sleep(0));
        return iterator ? 0 : AUV_ENOMEM;
}

Test(as_completed, holds_the_futures_that_it_has_not_given)
{
        cr_assert(eq(int, loop_run(drops_what_it_waits_for, NULL, NULL), 0));
}

static void as_completed_sweep(void)
{
        auv_loop *const kept = loop;
        AUV_AUTO auv_loop *made = NULL;
        AUV_AUTO auv_task *task = NULL;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &made) < 0)
                return;
        reports_record(made);
        loop = made;
        c.n = 3;
        c.timeout = 2.5;
        for (int i = 0; i < 3; i++)
                c.futures[i] = start_sleep(made, i + 1);
        task = auv_loop_create_task(made, iterates, NULL, 0, NULL);
        if (task) {
                const int r = auv_loop_run_until_complete(made, task, NULL);

                cr_assert(r == 0 || failing_allocator_fired());
        }
        if (!failing_allocator_fired())
                cr_assert_trace("1:0 2:1 2.5:ETIMEDOUT");
        trace_clear();
        unref_futures();
        auv_loop_close(made);
        loop = kept;
        reports_drop();
        auv_error_clear();
}

Test(as_completed, without_memory_fails_and_leaves_nothing)
{
        cr_assert(gt(long, failing_allocator_sweep(as_completed_sweep), 1));
}

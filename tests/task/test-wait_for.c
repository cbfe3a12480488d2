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

TestSuite(wait_for, .init = loop_setup, .fini = loop_teardown);

struct waiting {
        auv_future *future;
        double timeout;
};

static int waits(void *arg, auv_value *ret)
{
        const struct waiting *waiting = arg;
        auv_value result = NUMBER(-1);
        const int r = auv_await_wait_for(waiting->future, waiting->timeout, &result);

        trace("%g:%s:%jd", auv_loop_time(loop), r < 0 ? auv_error_name(r) : "ok", result.i);
        cr_assert(eq(int, auv_task_cancelling(auv_current_task(NULL)), 0));
        return r;
}

static auv_task *start_waiting(auv_future *future, double timeout)
{
        return auv_loop_create_task(loop, waits, &(struct waiting) { future, timeout },
                                    sizeof(struct waiting), NULL);
}

static int run_waiting(auv_future *future, double timeout)
{
        return loop_run(waits, &(struct waiting) { future, timeout }, NULL);
}

Test(wait_for, gives_a_result_in_time)
{
        AUV_AUTO auv_task *task = start_steps(.sleep = 1, .value = 5);

        cr_assert(eq(int, run_waiting(task, 2), 0));
        cr_assert_trace("1:ok:5");
}

Test(wait_for, gives_an_error_in_time)
{
        AUV_AUTO auv_task *task = start_steps(.sleep = 1, .error = AUV_EUSER);

        cr_assert(eq(int, run_waiting(task, 2), AUV_EUSER));
        cr_assert_trace("1:EUSER:-1");
        cr_assert_text(auv_error_message(auv_error_current()), "failed");
}

Test(wait_for, cancels_what_is_not_done_in_time)
{
        AUV_AUTO auv_task *task = start_steps(.name = "t", .sleep = 5);

        cr_assert(eq(int, run_waiting(task, 2), AUV_ETIMEDOUT));
        cr_assert_trace("t+ t! 2:ETIMEDOUT:-1");
        cr_assert(auv_future_cancelled(task));
}

Test(wait_for, without_timeout_waits_as_long_as_it_takes)
{
        AUV_AUTO auv_task *task = start_steps(.sleep = 1e6, .value = 5);

        cr_assert(eq(int, run_waiting(task, AUV_NO_TIMEOUT), 0));
        cr_assert_trace("1e+06:ok:5");
}

/* rule 84 */
Test(wait_for, waits_for_the_end_of_what_it_cancels)
{
        AUV_AUTO auv_task *task = start_stubborn(.name = "t", .sleep = 5, .value = 3);

        cr_assert(eq(int, run_waiting(task, 2), 0));
        cr_assert_trace("t+ t! t- 7:ok:3");
}

/* rule 84 */
Test(wait_for, gives_the_error_of_what_it_cancels)
{
        AUV_AUTO auv_task *task = start_stubborn(.sleep = 5, .error = AUV_EUSER);

        cr_assert(eq(int, run_waiting(task, 2), AUV_EUSER));
        cr_assert_trace("7:EUSER:-1");
}

static void set_result(void *arg)
{
        auv_future_set_result(arg, NUMBER(1));
}

/* rule 83: the timer was set first, and both are due in the same turn */
Test(wait_for, times_out_though_the_result_comes_in_the_same_turn)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = start_waiting(future, 2);

        auv_loop_call_at(loop, 2, set_result, future, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ETIMEDOUT));
        cr_assert_trace("2:ETIMEDOUT:-1");
        cr_assert(not(auv_future_cancelled(future)));
}

/* Rule 85 */
Test(wait_for, is_cancelled_though_the_result_comes_in_the_same_turn)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = start_await(future);

        loop_turn();
        auv_future_set_result(future, NUMBER(1));
        auv_task_cancel(task, "outer");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
}

static int waits_and_tells_message(void *arg, auv_value *ret)
{
        return auv_await_wait_for(arg, 10, NULL);
}

/* rule 85 */
Test(wait_for, passes_a_cancellation_with_its_message_on)
{
        AUV_AUTO auv_task *inner = start_steps(.sleep = 5);
        AUV_AUTO auv_task *outer = auv_loop_create_task(loop, waits_and_tells_message, inner, 0, NULL);

        loop_turn();
        auv_task_cancel(outer, "outer");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, outer, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "outer");
        cr_assert(auv_future_cancelled(inner));
}

/* rule 81 */
Test(wait_for, of_no_time_takes_what_is_done)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        auv_future_set_result(future, NUMBER(6));
        cr_assert(eq(int, run_waiting(future, 0), 0));
        cr_assert(eq(int, run_waiting(future, -1), 0));
        cr_assert_trace("0:ok:6 0:ok:6");
}

/* rule 81 */
Test(wait_for, of_no_time_cancels_what_is_not_done)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        cr_assert(eq(int, run_waiting(future, -INFINITY), AUV_ETIMEDOUT));
        cr_assert(auv_future_cancelled(future));
        cr_assert_trace("0:ETIMEDOUT:-1");
}

/* rule 81 */
Test(wait_for, of_no_time_waits_for_the_end_of_what_it_cancels)
{
        AUV_AUTO auv_task *task = start_stubborn(.name = "t", .sleep = 5, .value = 3);

        loop_turn();
        cr_assert(eq(int, run_waiting(task, 0), 0));
        cr_assert_trace("t+ t! t- 5:ok:3");
}

Test(wait_for, leaves_no_timer_behind)
{
        AUV_AUTO auv_task *task = start_steps(.sleep = 1);
        AUV_AUTO auv_future *never = auv_loop_create_future(loop);

        cr_assert(eq(int, run_waiting(task, 1000), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, never, NULL), AUV_EDEADLK));
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
        reports_drop();
}

Test(wait_for, must_have_a_future_and_a_number)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        cr_assert(eq(int, run_waiting(future, NAN), AUV_EINVAL));
        cr_assert(not(auv_future_done(future)));
        cr_assert(lt(int, run_waiting(NULL, 1), 0));
        cr_assert(lt(int, run_waiting(NULL, 0), 0));
}

static int waits_for_itself(void *arg, auv_value *ret)
{
        return auv_await_wait_for(auv_current_task(NULL), 1, NULL);
}

Test(wait_for, of_oneself_is_refused)
{
        cr_assert(eq(int, loop_run(waits_for_itself, NULL, NULL), AUV_ERUNTIME));
}

/* Of a coroutine */

struct calling {
        auv_coro_fn fn;
        void *arg;
        double timeout;
};

static int calls(void *arg, auv_value *ret)
{
        const struct calling *calling = arg;
        auv_value result = NUMBER(-1);
        const int r = auv_await_wait_for_coro(calling->fn, calling->arg, calling->timeout, &result);

        trace("%g:%s:%jd", auv_loop_time(loop), r < 0 ? auv_error_name(r) : "ok", result.i);
        cr_assert(eq(int, auv_task_cancelling(auv_current_task(NULL)), 0));
        return r;
}

static int run_calling(auv_coro_fn fn, void *arg, double timeout)
{
        return loop_run(calls, &(struct calling) { fn, arg, timeout }, NULL);
}

static int tells_its_task(void *arg, auv_value *ret)
{
        ret->i = auv_all_tasks(NULL, NULL, 0) == 1;
        return auv_await_sleep(1);
}

/* rule 82 */
Test(wait_for, runs_a_coroutine_in_the_same_task)
{
        cr_assert(eq(int, run_calling(tells_its_task, NULL, 2), 0));
        cr_assert(eq(int, run_calling(tells_its_task, NULL, AUV_NO_TIMEOUT), 0));
        cr_assert_trace("1:ok:1 2:ok:1");
}

Test(wait_for, gives_the_error_of_a_coroutine)
{
        cr_assert(eq(int, run_calling(coro_fail, &(int) { AUV_EUSER }, 2), AUV_EUSER));
        cr_assert_trace("0:EUSER:-1");
        cr_assert_text(auv_error_message(auv_error_current()), "failed");
}

Test(wait_for, ends_a_coroutine_that_takes_too_long)
{
        struct steps steps = { .name = "t", .sleep = 5 };

        cr_assert(eq(int, run_calling(coro_steps, &steps, 2), AUV_ETIMEDOUT));
        cr_assert_trace("t+ t! 2:ETIMEDOUT:-1");
}

Test(wait_for, takes_the_result_of_a_coroutine_that_refuses_to_end)
{
        struct steps steps = { .name = "t", .sleep = 5, .value = 3 };

        cr_assert(eq(int, run_calling(coro_stubborn, &steps, 2), 0));
        cr_assert_trace("t+ t! t- 7:ok:3");
}

/* rule 81 */
Test(wait_for, of_no_time_never_starts_a_coroutine)
{
        struct steps steps = { .name = "t" };

        cr_assert(eq(int, run_calling(coro_steps, &steps, 0), AUV_ETIMEDOUT));
        cr_assert(eq(int, run_calling(coro_steps, &steps, -5), AUV_ETIMEDOUT));
        cr_assert_trace("0:ETIMEDOUT:-1 0:ETIMEDOUT:-1");
}

Test(wait_for, must_have_a_coroutine_and_a_number)
{
        cr_assert(eq(int, run_calling(NULL, NULL, 1), AUV_EINVAL));
        cr_assert(eq(int, run_calling(NULL, NULL, 0), AUV_EINVAL));
        cr_assert(eq(int, run_calling(coro_nothing, NULL, NAN), AUV_EINVAL));
}

static int n_destroyed;

static void destroy(void *p)
{
        n_destroyed++;
}

static int gives_destroyable(void *arg, auv_value *ret)
{
        *ret = (auv_value) { .p = "value", .destroy = destroy };
        return 0;
}

/* "The caller owns a result that has a destructor." Here that is a task, which hands it on. */
static int hands_on(void *arg, auv_value *ret)
{
        return auv_await_wait_for_coro(gives_destroyable, NULL, 1, ret);
}

Test(wait_for, gives_the_result_of_a_coroutine_away)
{
        cr_assert(eq(int, loop_run(hands_on, NULL, NULL), 0));
        cr_assert(eq(int, n_destroyed, 1));
}

/* rule 91, between a timeout and the one around it */
static int waits_in_wait_for(void *arg, auv_value *ret)
{
        const int r = auv_await_wait_for_coro(coro_sleep, &(double) { 9 }, 2, NULL);

        trace("%s", auv_error_name(r));
        return r;
}

Test(wait_for, around_another_of_the_same_time_is_the_one_that_times_out)
{
        cr_assert(eq(int, run_calling(waits_in_wait_for, NULL, 2), AUV_ETIMEDOUT));
        cr_assert_trace("ECANCELED 2:ETIMEDOUT:-1");
}

Test(wait_for, around_a_shorter_one_hands_its_timeout_on)
{
        cr_assert(eq(int, run_calling(waits_in_wait_for, NULL, 3), AUV_ETIMEDOUT));
        cr_assert_trace("ETIMEDOUT 2:ETIMEDOUT:-1");
}

static void wait_for_sweep(void)
{
        auv_loop *const kept = loop;
        AUV_AUTO auv_loop *made = NULL;
        AUV_AUTO auv_task *sleeper = NULL;
        AUV_AUTO auv_task *waiter = NULL;
        AUV_AUTO auv_task *caller = NULL;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &made) < 0)
                return;
        reports_record(made);
        loop = made;
        sleeper = start_sleep(made, 5);
        waiter = start_waiting(sleeper, 2);
        caller = auv_loop_create_task(made, calls, &(struct calling) { coro_nothing, NULL, 0 },
                                      sizeof(struct calling), NULL);
        for (int i = 0; i < 2; i++) {
                auv_task *const task = i == 0 ? waiter : caller;
                const int r = task ? auv_loop_run_until_complete(made, task, NULL) : AUV_ENOMEM;

                cr_assert(r == AUV_ETIMEDOUT || (r == AUV_ENOMEM && failing_allocator_fired()));
        }
        auv_loop_close(made);
        loop = kept;
        reports_drop();
        trace_clear();
        auv_error_clear();
}

Test(wait_for, without_memory_fails_and_leaves_nothing)
{
        cr_assert(gt(long, failing_allocator_sweep(wait_for_sweep), 1));
}

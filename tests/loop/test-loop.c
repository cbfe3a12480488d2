/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/descriptors.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

TestSuite(loop, .init = loop_setup, .fini = loop_teardown);

static void trace_arg(void *arg)
{
        trace("%s", (const char *)arg);
}

static void stop(void *arg)
{
        auv_loop_stop(arg);
}

/* Made and gone again */

Test(loop, is_made_with_defaults)
{
        AUV_AUTO auv_loop *made = NULL;

        cr_assert(eq(int, auv_new_event_loop(NULL, &made), 0));
        cr_assert(not(zero(ptr, made)));
        cr_assert(not(auv_loop_is_running(made)));
        cr_assert(not(auv_loop_is_closed(made)));
        cr_assert(not(auv_loop_get_debug(made)));
        cr_assert(not(zero(ptr, auv_loop_uv(made))));
}

Test(loop, is_not_made_of_options_without_meaning)
{
        auv_loop *untouched = loop;

        cr_assert(eq(int, auv_new_event_loop(NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_new_event_loop(&(auv_loop_options) { 0 }, &untouched), AUV_EINVAL));
        cr_assert(eq(int, auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = 77), &untouched), AUV_EINVAL));
        cr_assert(eq(int, auv_new_event_loop(AUV_LOOP_OPTIONS(.deadlock = 77), &untouched), AUV_EINVAL));
        cr_assert(eq(ptr, untouched, loop));
}

Test(loop, without_memory_is_not_made)
{
        const int descriptors = descriptors_open();
        long n = 0;
        bool fired;

        do {
                auv_loop *made = NULL;
                int err;

                failing_allocator_arm(++n);
                err = auv_new_event_loop(NULL, &made);
                fired = failing_allocator_disarm();
                cr_assert(eq(int, err, fired ? AUV_ENOMEM : 0));
                cr_assert(fired == (made == NULL));
                auv_unref(made);
                cr_assert(eq(int, descriptors_open(), descriptors));
        } while (fired);
        cr_assert(gt(long, n, 1));
}

Test(loop, takes_clock_and_debug_mode_from_the_environment)
{
        AUV_AUTO auv_loop *made = NULL;

        setenv("AUV_CLOCK", "virtual", 1);
        setenv("AUV_DEBUG", "1", 1);
        cr_assert(eq(int, auv_new_event_loop(NULL, &made), 0));
        cr_assert(eq(dbl, auv_loop_time(made), 0.0));
        cr_assert(auv_loop_get_debug(made));
}

Test(loop, options_go_before_the_environment)
{
        AUV_AUTO auv_loop *made = NULL;

        setenv("AUV_CLOCK", "virtual", 1);
        cr_assert(eq(int, auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_MONOTONIC), &made), 0));
        cr_assert(gt(dbl, auv_loop_time(made), 0.0));
}

Test(loop, is_closed_by_giving_it_up)
{
        const int descriptors = descriptors_open();

        for (int i = 0; i < 100; i++)
                auv_unref(loop_new());
        cr_assert(eq(int, descriptors_open(), descriptors));
}

Test(loop, of_null_is_asked_safely)
{
        auv_loop_stop(NULL);
        cr_assert(eq(int, auv_loop_close(NULL), 0));
        cr_assert(not(auv_loop_is_running(NULL)));
        cr_assert(auv_loop_is_closed(NULL));
        cr_assert(eq(dbl, auv_loop_time(NULL), 0.0));
        cr_assert(zero(ptr, auv_loop_uv(NULL)));
        auv_loop_set_debug(NULL, true);
        cr_assert(not(auv_loop_get_debug(NULL)));
        cr_assert(eq(int, auv_loop_run_forever(NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_run_until_complete(NULL, NULL, NULL), AUV_EINVAL));
}

Test(loop, switches_debug_mode)
{
        AUV_AUTO auv_loop *made = NULL;

        auv_loop_set_debug(loop, true);
        cr_assert(auv_loop_get_debug(loop));
        auv_loop_set_debug(loop, false);
        cr_assert(not(auv_loop_get_debug(loop)));
        cr_assert(eq(int, auv_new_event_loop(AUV_LOOP_OPTIONS(.debug = 1), &made), 0));
        cr_assert(auv_loop_get_debug(made));
}

Test(loop, has_a_monotonic_clock)
{
        AUV_AUTO auv_loop *made = loop_new_monotonic();
        double last = auv_loop_time(made);

        for (int i = 0; i < 1000; i++) {
                const double now = auv_loop_time(made);

                cr_assert(ge(dbl, now, last));
                last = now;
        }
}

/* Running, and which one runs */

static void expect_running(void *arg)
{
        cr_assert(eq(ptr, auv_get_running_loop(), arg));
        cr_assert(eq(ptr, auv_get_event_loop(), arg));
        cr_assert(auv_loop_is_running(arg));
        trace("ran");
}

static int expect_running_in_task(void *arg, auv_value *ret)
{
        expect_running(arg);
        return 0;
}

Test(loop, is_the_running_one_while_it_runs)
{
        cr_assert(zero(ptr, auv_get_running_loop()));
        auv_loop_call_soon(loop, expect_running, loop, NULL);
        cr_assert(eq(int, loop_run(expect_running_in_task, loop, NULL), 0));
        cr_assert_trace("ran ran");
        cr_assert(zero(ptr, auv_get_running_loop()));
        cr_assert(not(auv_loop_is_running(loop)));
}

Test(loop, can_be_set_for_the_thread)
{
        AUV_AUTO auv_loop *other = loop_new();

        cr_assert(zero(ptr, auv_get_event_loop()));
        auv_set_event_loop(other);
        cr_assert(eq(ptr, auv_get_event_loop(), other));
        cr_assert(zero(ptr, auv_get_running_loop()));
        auv_loop_call_soon(loop, expect_running, loop, NULL);
        loop_turn();
        cr_assert_trace("ran");
        cr_assert(eq(ptr, auv_get_event_loop(), other));
        auv_set_event_loop(NULL);
        cr_assert(zero(ptr, auv_get_event_loop()));
}

static void run_again(void *arg)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(arg);

        cr_assert(eq(int, auv_loop_run_forever(arg), AUV_ERUNTIME));
        cr_assert(eq(int, auv_loop_run_until_complete(arg, future, NULL), AUV_ERUNTIME));
        trace("refused");
}

/* rule 19 */
Test(loop, does_not_run_inside_of_itself)
{
        auv_loop_call_soon(loop, run_again, loop, NULL);
        loop_turn();
        cr_assert_trace("refused");
}

static int run_again_in_task(void *arg, auv_value *ret)
{
        run_again(arg);
        return auv_await_sleep(1);
}

Test(loop, does_not_run_inside_of_another)
{
        AUV_AUTO auv_loop *other = loop_new();

        cr_assert(eq(int, loop_run(run_again_in_task, other, NULL), 0));
        cr_assert_trace("refused");
        auv_loop_call_soon(other, trace_arg, "later", NULL);
        auv_loop_stop(other);
        cr_assert(eq(int, auv_loop_run_forever(other), 0));
        cr_assert_trace("refused later");
}

static void close_running(void *arg)
{
        cr_assert(eq(int, auv_loop_close(arg), AUV_ERUNTIME));
        cr_assert(not(auv_loop_is_closed(arg)));
        trace("refused");
}

/* rule 20 */
Test(loop, is_not_closed_while_it_runs)
{
        auv_loop_call_soon(loop, close_running, loop, NULL);
        auv_loop_call_soon(loop, trace_arg, "after", NULL);
        loop_turn();
        cr_assert_trace("refused after");
        cr_assert(not(auv_loop_is_closed(loop)));
}

static void *use_from_another_thread(void *arg)
{
        if (auv_loop_run_forever(arg) != AUV_ETHREAD)
                return "ran";
        if (auv_loop_run_until_complete(arg, NULL, NULL) >= 0)
                return "ran until complete";
        if (auv_loop_close(arg) != AUV_ETHREAD)
                return "closed";
        return NULL;
}

Test(loop, belongs_to_its_thread)
{
        pthread_t thread;
        void *wrong;

        pthread_create(&thread, NULL, use_from_another_thread, loop);
        pthread_join(thread, &wrong);
        cr_assert(zero(ptr, wrong));
        cr_assert(not(auv_loop_is_closed(loop)));
}

static void *run_loop_of_own(void *arg)
{
        auv_loop *own = loop_new();
        AUV_AUTO auv_task *task = start_sleep(own, 5);
        int err = auv_loop_run_until_complete(own, task, NULL);
        const bool right = err == 0 && auv_loop_time(own) == 5;

        auv_unref(own);
        return right ? NULL : "did not run to the end";
}

Test(loop, runs_beside_that_of_another_thread)
{
        pthread_t thread;
        void *wrong;

        pthread_create(&thread, NULL, run_loop_of_own, NULL);
        cr_assert(eq(int, loop_run(coro_sleep, &(double) { 3 }, NULL), 0));
        pthread_join(thread, &wrong);
        cr_assert(zero(ptr, wrong));
        cr_assert(eq(dbl, auv_loop_time(loop), 3));
}

/* run_until_complete */

Test(loop, gives_the_result_that_it_ran_for)
{
        AUV_AUTO auv_task *task = start_steps(.turns = 3, .value = 42);
        auv_value result = NUMBER(-1);

        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, &result), 0));
        cr_assert(eq(i64, result.i, 42));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
}

Test(loop, gives_the_error_that_it_ran_for)
{
        AUV_AUTO auv_task *task = start_steps(.error = AUV_EUSER - 3);
        auv_value result = NUMBER(-1);

        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, &result), AUV_EUSER - 3));
        cr_assert(eq(i64, result.i, -1));
        cr_assert_text(auv_error_message(auv_error_current()), "failed");
}

Test(loop, says_so_when_what_it_ran_for_was_cancelled)
{
        AUV_AUTO auv_task *task = start_steps(.sleep = 1);

        auv_task_cancel(task, "enough");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "enough");
}

Test(loop, does_not_run_for_a_future_of_another)
{
        AUV_AUTO auv_loop *other = loop_new();
        AUV_AUTO auv_future *future = auv_loop_create_future(other);

        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, NULL, NULL), AUV_EINVAL));
}

/* rule 16: the turn of the callback that stops is finished */
Test(loop, finishes_the_turn_in_which_its_future_was_done)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        auv_future_set_result(future, NUMBER(1));
        auv_loop_call_soon(loop, trace_arg, "before", NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), 0));
        cr_assert_trace("before");
}

/* rule 16 */
Test(loop, says_so_when_it_was_stopped_before_its_future_was_done)
{
        AUV_AUTO auv_task *task = start_steps(.name = "t", .sleep = 10, .value = 5);
        auv_value result = NUMBER(-1);

        auv_loop_call_later(loop, 1, stop, loop, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, &result), AUV_ESTOPPED));
        cr_assert(eq(i64, result.i, -1));
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
        cr_assert(not(auv_future_done(task)));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, &result), 0));
        cr_assert(eq(i64, result.i, 5));
        cr_assert(eq(dbl, auv_loop_time(loop), 10));
        cr_assert_trace("t+ t-");
}

/* A run that was stopped leaves nothing behind that would stop a later one. */
Test(loop, stopped_run_leaves_no_callback)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = start_steps(.sleep = 10);

        auv_loop_call_soon(loop, stop, loop, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), AUV_ESTOPPED));
        auv_future_set_result(future, NUMBER(1));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 10));
}

static void run_sweep(void)
{
        AUV_AUTO auv_loop *made = NULL;
        AUV_AUTO auv_task *task = NULL;
        auv_value result = NUMBER(-1);
        intmax_t value = 9;
        int err;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &made) < 0)
                return;
        reports_record(made);
        task = auv_loop_create_task(made, coro_return, &value, sizeof(value), NULL);
        if (!task) {
                cr_assert(failing_allocator_fired());
                return;
        }
        err = auv_loop_run_until_complete(made, task, &result);
        if (err < 0) {
                cr_assert(eq(int, err, AUV_ENOMEM));
                cr_assert(failing_allocator_fired());
                reports_drop();
        } else {
                cr_assert(eq(i64, result.i, 9));
        }
        auv_loop_close(made);
        reports_drop();
        auv_error_clear();
}

Test(loop, without_memory_runs_to_an_error_and_leaves_nothing)
{
        cr_assert(gt(long, failing_allocator_sweep(run_sweep), 1));
}

/* stop */

/* rule 14 */
Test(loop, stopped_before_a_run_makes_one_turn)
{
        auv_loop_call_soon(loop, trace_arg, "a", NULL);
        auv_loop_call_later(loop, 1, trace_arg, "timer", NULL);
        auv_loop_stop(loop);
        cr_assert(eq(int, auv_loop_run_forever(loop), 0));
        cr_assert_trace("a");
        cr_assert(eq(dbl, auv_loop_time(loop), 0));
}

static void call_soon_and_stop(void *arg)
{
        trace("stop");
        auv_loop_stop(loop);
        auv_loop_call_soon(loop, trace_arg, "next", NULL);
}

/* rules 14 and 15 */
Test(loop, stopped_in_a_turn_finishes_it_and_keeps_the_rest)
{
        auv_loop_call_soon(loop, call_soon_and_stop, NULL, NULL);
        auv_loop_call_soon(loop, trace_arg, "same", NULL);
        auv_loop_call_later(loop, 1, trace_arg, "timer", NULL);
        cr_assert(eq(int, auv_loop_run_forever(loop), 0));
        cr_assert_trace("stop same");
        auv_loop_call_later(loop, 2, stop, loop, NULL);
        cr_assert(eq(int, auv_loop_run_forever(loop), 0));
        cr_assert_trace("stop same next timer");
}

/* rule 14: the flag does not outlive the run */
Test(loop, runs_on_after_a_stop_that_was_served)
{
        auv_loop_stop(loop);
        auv_loop_stop(loop);
        cr_assert(eq(int, auv_loop_run_forever(loop), 0));
        cr_assert(eq(int, loop_run(coro_sleep, &(double) { 1 }, NULL), 0));
}

/* Closed */

static void count(void *arg)
{
        ++*(int *)arg;
}

/* rule 20 */
Test(loop, drops_what_has_not_run_when_it_is_closed)
{
        auv_call *call = NULL;
        int n = 0;

        auv_loop_call_soon(loop, count, &n, NULL);
        auv_loop_call_soon(loop, count, &n, &call);
        auv_loop_call_later(loop, 0, count, &n, NULL);
        auv_loop_call_soon_threadsafe(loop, count, &n, NULL);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, n, 0));
        cr_assert(auv_loop_is_closed(loop));
        auv_call_cancel(call);
        auv_unref(call);
        cr_assert(eq(int, auv_loop_close(loop), 0));
}

/* rules 20 and 61 */
Test(loop, refuses_everything_when_it_is_closed)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_future *done = auv_loop_create_future(loop);
        auv_call *call = NULL;
        int n = 0;

        auv_future_set_result(done, NUMBER(1));
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, auv_loop_run_forever(loop), AUV_ECLOSED));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), AUV_ECLOSED));
        cr_assert(eq(int, auv_loop_call_soon(loop, count, &n, &call), AUV_ECLOSED));
        cr_assert(eq(int, auv_loop_call_later(loop, 1, count, &n, &call), AUV_ECLOSED));
        cr_assert(eq(int, auv_loop_call_at(loop, 1, count, &n, &call), AUV_ECLOSED));
        cr_assert(eq(int, auv_loop_call_soon_threadsafe(loop, count, &n, &call), AUV_ECLOSED));
        cr_assert(zero(ptr, call));
        cr_assert(zero(ptr, auv_loop_create_future(loop)));
        cr_assert(zero(ptr, auv_loop_create_task(loop, coro_nothing, NULL, 0, NULL)));
        cr_assert(zero(ptr, auv_task_new(loop, coro_nothing, NULL, 0, NULL)));
        cr_assert(zero(ptr, auv_loop_uv(loop)));
        cr_assert(eq(sz, auv_all_tasks(loop, NULL, 0), 0));
        cr_assert(zero(ptr, auv_current_task(loop)));
        cr_assert(eq(int, auv_future_add_done_callback(done, NULL, NULL), AUV_EINVAL));
        auv_loop_stop(loop);
        cr_assert(ge(dbl, auv_loop_time(loop), 0));
        cr_assert(not(auv_loop_is_running(loop)));
}

static void trace_done(auv_future *future, void *arg)
{
        trace("done");
}

Test(loop, leaves_futures_valid_when_it_is_closed)
{
        auv_future *pending = auv_loop_create_future(loop);
        auv_future *done = auv_loop_create_future(loop);
        auv_value result = { 0 };

        auv_future_set_result(done, NUMBER(7));
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, auv_future_result(done, &result), 0));
        cr_assert(eq(i64, result.i, 7));
        cr_assert(eq(int, auv_future_add_done_callback(done, trace_done, NULL), AUV_ECLOSED));
        cr_assert(not(auv_future_done(pending)));
        cr_assert(eq(int, auv_future_set_result(pending, NUMBER(8)), 0));
        cr_assert(eq(int, auv_future_result(pending, &result), 0));
        cr_assert(eq(i64, result.i, 8));
        cr_assert_trace("");
        auv_unref(done);
        auv_unref(pending);
}

Test(loop, may_go_before_its_futures)
{
        auv_future *future = auv_loop_create_future(loop);
        auv_future *gather = auv_gather(&future, 1, 0);
        auv_future *shield = auv_shield(future);

        loop = auv_unref(loop);
        cr_assert(auv_loop_is_closed(auv_future_get_loop(future)));
        cr_assert(eq(int, auv_future_cancel(future, NULL), 1));
        auv_unref(future);
        auv_unref(shield);
        auv_unref(gather);
}

static int cleans_up(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(NULL);
        int r;

        trace("+");
        r = auv_await(future, NULL);
        trace("%s", auv_error_name(r));
        trace("%s", auv_error_name(auv_await_sleep(1)));
        trace("%s", auv_error_name(auv_await_sleep(0)));
        trace("%s", auv_error_name(auv_await(future, NULL)));
        ret->i = 3;
        return r;
}

Test(loop, takes_pending_tasks_down_when_it_is_closed)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, cleans_up, NULL, 0, NULL);
        const struct report *report;

        loop_turn();
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_trace("+ ECLOSED ECLOSED ECLOSED ECLOSED");
        report = reports_take();
        cr_assert_text(report->message, "Task was destroyed but it is pending!");
        cr_assert(eq(ptr, (void *)report->future, task));
        cr_assert(eq(int, reports_pending(), 0));
        cr_assert(auv_future_done(task));
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_ECLOSED));
        cr_assert(eq(sz, auv_all_tasks(loop, NULL, 0), 0));
}

static int refuses_to_fail(void *arg, auv_value *ret)
{
        trace("%s", auv_error_name(auv_await_sleep(1)));
        ret->i = 3;
        return 0;
}

Test(loop, keeps_the_result_of_a_task_that_is_taken_down)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, refuses_to_fail, NULL, 0, NULL);
        auv_value result = { 0 };

        loop_turn();
        auv_loop_close(loop);
        cr_assert(eq(int, reports_drop(), 1));
        cr_assert_trace("ECLOSED");
        cr_assert(eq(int, auv_future_result(task, &result), 0));
        cr_assert(eq(i64, result.i, 3));
}

static int must_not_start(void *arg, auv_value *ret)
{
        trace("started");
        return 0;
}

Test(loop, does_not_start_a_task_to_take_it_down)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, must_not_start, NULL, 0, NULL);

        auv_loop_close(loop);
        cr_assert(eq(int, reports_drop(), 1));
        cr_assert_trace("");
        cr_assert(auv_future_done(task));
}

/* one task for each way of waiting */

static int waits_by_gather(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *child = start_sleep(NULL, 5);

        return auv_await_gather(&child, 1, 0, NULL);
}

static int waits_by_wait(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *child = start_sleep(NULL, 5);

        return auv_await_wait(&child, 1, 9, AUV_ALL_COMPLETED, NULL);
}

static int waits_by_as_completed(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *child = start_sleep(NULL, 5);
        AUV_AUTO auv_as_completed *iterator = auv_as_completed_new(&child, 1, 9);
        auv_future *future;

        return auv_await_as_completed(iterator, &future);
}

static int waits_by_wait_for(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *child = start_sleep(NULL, 5);

        return auv_await_wait_for(child, 9, NULL);
}

static int waits_by_wait_for_coro(void *arg, auv_value *ret)
{
        return auv_await_wait_for_coro(coro_sleep, &(double) { 5 }, 9, NULL);
}

static int waits_by_shield(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *child = start_sleep(NULL, 5);

        return auv_await_shield(child, NULL);
}

static int waits_in_timeout(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(9);

        AUV_TRY(auv_timeout_enter(limit));
        return auv_timeout_exit(limit, auv_await_sleep(5));
}

static int leaves_timeout_open(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(9);

        AUV_TRY(auv_timeout_enter(limit));
        return auv_await_sleep(5);
}

static int waits_in_group(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        AUV_TRY(auv_task_group_enter(group));
        auv_unref(auv_task_group_create_task(group, coro_sleep, &(double) { 5 }, sizeof(double), NULL));
        return auv_await_task_group_exit(group, auv_await_sleep(3));
}

static int waits_at_the_end_of_group(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        AUV_TRY(auv_task_group_enter(group));
        auv_unref(auv_task_group_create_task(group, coro_sleep, &(double) { 5 }, sizeof(double), NULL));
        return auv_await_task_group_exit(group, 0);
}

static int waits_for_one_that_waits(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *child = auv_create_task(waits_by_gather, NULL, 0);

        return auv_await(child, NULL);
}

Test(loop, takes_down_tasks_wherever_they_wait)
{
        static const auv_coro_fn bodies[] = {
                waits_by_gather, waits_by_wait, waits_by_as_completed, waits_by_wait_for,
                waits_by_wait_for_coro, waits_by_shield, waits_in_timeout, leaves_timeout_open,
                waits_in_group, waits_at_the_end_of_group, waits_for_one_that_waits,
        };
        enum { N = sizeof(bodies) / sizeof(bodies[0]) };
        auv_task *tasks[N];
        size_t n;

        for (int i = 0; i < N; i++)
                tasks[i] = auv_loop_create_task(loop, bodies[i], NULL, 0, NULL);
        for (int i = 0; i < 4; i++)
                loop_turn();
        n = auv_all_tasks(loop, NULL, 0);
        cr_assert(gt(sz, n, N));
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, reports_drop(), (int)n));
        for (int i = 0; i < N; i++) {
                cr_assert(auv_future_done(tasks[i]), "body %d", i);
                cr_assert(lt(int, auv_future_result(tasks[i], NULL), 0), "body %d", i);
                auv_unref(tasks[i]);
        }
}

static int makes_things_while_taken_down(void *arg, auv_value *ret)
{
        int n = 0;

        auv_await_sleep(1);
        cr_assert(zero(ptr, auv_create_task(coro_nothing, NULL, 0)));
        cr_assert(zero(ptr, auv_loop_create_task(arg, coro_nothing, NULL, 0, NULL)));
        cr_assert(zero(ptr, auv_loop_create_future(arg)));
        cr_assert(eq(int, auv_loop_call_soon(arg, count, &n, NULL), AUV_ECLOSED));
        cr_assert(eq(int, auv_loop_call_later(arg, 1, count, &n, NULL), AUV_ECLOSED));
        cr_assert(eq(int, auv_loop_call_soon_threadsafe(arg, count, &n, NULL), AUV_ECLOSED));
        cr_assert(lt(int, auv_loop_run_forever(arg), 0));
        trace("refused");
        return 0;
}

Test(loop, makes_nothing_new_while_it_takes_tasks_down)
{
        auv_unref(auv_loop_create_task(loop, makes_things_while_taken_down, loop, 0, NULL));
        loop_turn();
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, reports_drop(), 1));
        cr_assert_trace("refused");
}

static int closes_another_loop(void *arg, auv_value *ret)
{
        auv_task *self = auv_current_task(NULL);
        AUV_AUTO auv_task *task = auv_loop_create_task(arg, cleans_up, NULL, 0, NULL);

        auv_raise(AUV_EUSER, "of this task");
        cr_assert(eq(int, auv_loop_close(arg), 0));
        cr_assert(auv_future_done(task));
        cr_assert(eq(ptr, auv_current_task(NULL), self));
        cr_assert(eq(ptr, auv_get_running_loop(), loop));
        cr_assert_text(auv_error_message(auv_error_current()), "of this task");
        return auv_await_sleep(1);
}

Test(loop, may_be_closed_in_a_task_of_another)
{
        AUV_AUTO auv_loop *other = loop_new();
        AUV_AUTO auv_task *task = auv_loop_create_task(other, cleans_up, NULL, 0, NULL);

        auv_loop_stop(other);
        cr_assert(eq(int, auv_loop_run_forever(other), 0));
        cr_assert(eq(int, loop_run(closes_another_loop, other, NULL), 0));
        cr_assert(eq(int, reports_drop(), 2));
        cr_assert_trace("+ ECLOSED ECLOSED ECLOSED ECLOSED");
        cr_assert(auv_future_done(task));
}

static int awaits_on_and_on(void *arg, auv_value *ret)
{
        while (arg)
                auv_await_sleep(1);
        return 0;
}

/* Such a body cannot return; closing does not wait for it. */
Test(loop, leaves_a_task_that_refuses_to_be_taken_down)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, awaits_on_and_on, loop, 0, NULL);

        loop_turn();
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, reports_drop(), 1));
        cr_assert(auv_future_done(task));
}

static void closed(uv_handle_t *handle)
{
        trace("closed");
}

Test(loop, is_not_closed_before_the_programs_handles_are)
{
        uv_async_t async;

        uv_async_init(auv_loop_uv(loop), &async, NULL);
        cr_assert(lt(int, auv_loop_close(loop), 0));
        cr_assert(not(auv_loop_is_closed(loop)));
        uv_close((uv_handle_t *)&async, closed);
        loop_turn();
        cr_assert_trace("closed");
        cr_assert(eq(int, auv_loop_close(loop), 0));
}

/* Tasks that were detached, and have nobody who holds them. */
Test(loop, takes_many_detached_tasks_down)
{
        enum { MANY = 5000 };
        auv_future *never = auv_loop_create_future(loop);

        for (int i = 0; i < MANY; i++)
                auv_unref(start_await(never));
        loop_turn();
        auv_unref(never);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, reports_drop(), MANY));
}

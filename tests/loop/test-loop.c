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
        cr_assert(eq(int, auv_new_event_loop(AUV_LOOP_OPTIONS(.stack_size = (size_t)128 << 20), &untouched),
                     AUV_EINVAL));
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
        cr_assert(eq(int, auv_loop_run_until(arg, 1), AUV_ERUNTIME));
        trace("refused");
}

/* rule 19 */
Test(loop, does_not_run_inside_of_itself)
{
        auv_loop_call_soon(loop, run_again, loop, NULL);
        loop_turn();
        cr_assert_trace("refused");
}

/* The callback of such a run would stop the loop in the next turn. */
static int run_for_what_is_done(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *done = auv_loop_create_future(arg);

        auv_future_set_result(done, NUMBER(1));
        cr_assert(eq(int, auv_loop_run_until_complete(arg, done, NULL), AUV_ERUNTIME));
        return auv_await_sleep(1);
}

Test(loop, refused_to_run_is_not_stopped)
{
        AUV_AUTO auv_loop *other = loop_new();
        AUV_AUTO auv_task *task = start_sleep(other, 1);

        cr_assert(eq(int, loop_run(run_for_what_is_done, loop, NULL), 0));
        cr_assert(eq(int, loop_run(run_for_what_is_done, other, NULL), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(other, task, NULL), 0));
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

static void *run_for_what_is_done_elsewhere(void *arg)
{
        auv_future *done = arg;

        if (auv_loop_run_until_complete(auv_future_get_loop(done), done, NULL) != AUV_ETHREAD)
                return "ran until complete";
        return auv_loop_run_until(auv_future_get_loop(done), 5) == AUV_ETHREAD ? NULL : "ran until a time";
}

Test(loop, is_left_alone_by_who_may_not_run_it)
{
        AUV_AUTO auv_future *done = auv_loop_create_future(loop);
        pthread_t thread;
        void *wrong;

        auv_future_set_result(done, NUMBER(1));
        pthread_create(&thread, NULL, run_for_what_is_done_elsewhere, done);
        pthread_join(thread, &wrong);
        cr_assert(zero(ptr, wrong));
        cr_assert(eq(int, loop_run(coro_sleep, &(double) { 9 }, NULL), 0));
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

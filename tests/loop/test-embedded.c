/* SPDX-License-Identifier: MIT */

/*
 * A loop over a libuv loop that the program owns and runs itself.
 */

#include "support/coroutine.h"
#include "support/descriptors.h"
#include "support/failing_allocator.h"
#include "support/reports.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static uv_loop_t uv;
static auv_loop *over;
static int descriptors_at_start;

static void setup(void)
{
        failing_allocator_install();
        uv_loop_init(&uv);
        descriptors_at_start = descriptors_open();
        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.uv_loop = &uv, .deadlock = AUV_DEADLOCK_REPORT), &over) < 0)
                abort();
        reports_record(over);
}

/* An assertion would not count here. */
static void teardown(void)
{
        auv_unref(over);
        auv_error_clear();
        uv_run(&uv, UV_RUN_DEFAULT);
        if (failing_allocator_live() != 0 || reports_pending() != 0 || uv_loop_alive(&uv)
            || descriptors_open() != descriptors_at_start || uv_loop_close(&uv) != 0) {
                fputs("something is left\n", stderr);
                abort();
        }
}

TestSuite(embedded, .init = setup, .fini = teardown);

static void trace_arg(void *arg)
{
        trace("%s", (const char *)arg);
}

static auv_task *start(auv_coro_fn fn, void *arg)
{
        return auv_loop_create_task(over, fn, arg, 0, NULL);
}

Test(embedded, is_over_the_loop_given)
{
        cr_assert(eq(ptr, auv_loop_uv(over), &uv));
}

Test(embedded, keeps_nobody_waiting_when_there_is_nothing_to_do)
{
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
}

Test(embedded, runs_calls_inside_of_uv_run)
{
        auv_loop_call_soon(over, trace_arg, "a", NULL);
        auv_loop_call_later(over, 0, trace_arg, "c", NULL);
        auv_loop_call_soon(over, trace_arg, "b", NULL);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert_trace("a b c");
}

Test(embedded, runs_a_call_in_a_uv_run_that_does_not_wait)
{
        auv_loop_call_soon(over, trace_arg, "a", NULL);
        for (int i = 0; i < 3; i++)
                uv_run(&uv, UV_RUN_NOWAIT);
        cr_assert_trace("a");
}

Test(embedded, runs_a_call_in_a_uv_run_that_runs_once)
{
        auv_loop_call_soon(over, trace_arg, "a", NULL);
        for (int i = 0; i < 3 && uv_run(&uv, UV_RUN_ONCE); i++)
                continue;
        cr_assert_trace("a");
}

static int does_much(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *child = NULL;

        cr_assert(eq(ptr, auv_get_running_loop(), over));
        cr_assert(eq(ptr, auv_get_event_loop(), over));
        trace("+");
        AUV_TRY(auv_await_sleep(0));
        AUV_TRY(auv_await_sleep(0.001));
        child = auv_create_task(coro_return, &(intmax_t) { 9 }, sizeof(intmax_t));
        AUV_TRY(auv_await(child, ret));
        trace("-");
        return 0;
}

Test(embedded, runs_tasks_to_their_end_inside_of_uv_run)
{
        AUV_AUTO auv_task *task = start(does_much, NULL);
        auv_value result = { 0 };

        cr_assert(not(auv_future_done(task)));
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert_trace("+ -");
        cr_assert(eq(int, auv_future_result(task, &result), 0));
        cr_assert(eq(i64, result.i, 9));
        cr_assert(zero(ptr, auv_get_running_loop()));
}

Test(embedded, keeps_uv_run_going_until_its_timers_have_fired)
{
        const double start_time = auv_loop_time(over);

        auv_loop_call_at(over, start_time + 0.005, trace_arg, "late", NULL);
        auv_loop_call_at(over, start_time + 0.002, trace_arg, "early", NULL);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert_trace("early late");
        cr_assert(ge(dbl, auv_loop_time(over) - start_time, 0.005));
}

Test(embedded, does_not_keep_uv_run_going_for_a_timer_that_was_cancelled)
{
        AUV_AUTO auv_call *call = NULL;

        auv_loop_call_later(over, 3600, trace_arg, "never", &call);
        auv_call_cancel(call);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
}

/* what could wake it is not known here: uv_run() returns as it does for an idle program */
Test(embedded, does_not_keep_uv_run_going_for_a_task_that_nothing_will_wake)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(over);
        AUV_AUTO auv_task *task = start(coro_await, future);

        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert(not(auv_future_done(task)));
        auv_future_set_result(future, NUMBER(1));
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert(auv_future_done(task));
}

static void complete(uv_timer_t *timer)
{
        trace("uv");
        cr_assert(eq(int, auv_future_set_result(timer->data, NUMBER(4)), 0));
        uv_close((uv_handle_t *)timer, NULL);
}

Test(embedded, wakes_tasks_from_callbacks_of_libuv)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(over);
        AUV_AUTO auv_task *task = start(coro_await, future);
        uv_timer_t timer;
        auv_value result = { 0 };

        uv_timer_init(&uv, &timer);
        timer.data = future;
        uv_timer_start(&timer, complete, 1, 0);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert_trace("uv");
        cr_assert(eq(int, auv_future_result(task, &result), 0));
        cr_assert(eq(i64, result.i, 4));
}

static void spawn(uv_timer_t *timer)
{
        auv_unref(start(does_much, NULL));
        auv_loop_call_soon(over, trace_arg, "soon", NULL);
        uv_close((uv_handle_t *)timer, NULL);
}

Test(embedded, starts_tasks_from_callbacks_of_libuv)
{
        uv_timer_t timer;

        uv_timer_init(&uv, &timer);
        uv_timer_start(&timer, spawn, 0, 0);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert_trace("+ soon -");
}

static void call_later_from_uv(uv_timer_t *timer)
{
        auv_loop_call_later(over, 0.001, trace_arg, "later", NULL);
        uv_close((uv_handle_t *)timer, NULL);
}

Test(embedded, takes_timers_from_callbacks_of_libuv)
{
        uv_timer_t timer;

        uv_timer_init(&uv, &timer);
        uv_timer_start(&timer, call_later_from_uv, 1, 0);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert_trace("later");
}

static void cancel_call_from_uv(uv_timer_t *timer)
{
        auv_call_cancel(timer->data);
        uv_close((uv_handle_t *)timer, NULL);
}

/* What kept uv_run() going is gone: it returns, and not an hour later. */
Test(embedded, lets_timers_be_cancelled_from_callbacks_of_libuv)
{
        AUV_AUTO auv_call *call = NULL;
        uv_timer_t timer;

        auv_loop_call_later(over, 3600, trace_arg, "never", &call);
        uv_timer_init(&uv, &timer);
        timer.data = call;
        uv_timer_start(&timer, cancel_call_from_uv, 1, 0);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert_trace("");
}

static void cancel_task_from_uv(uv_timer_t *timer)
{
        cr_assert(eq(int, auv_task_cancel(timer->data, "from uv"), 1));
        uv_close((uv_handle_t *)timer, NULL);
}

Test(embedded, lets_tasks_be_cancelled_from_callbacks_of_libuv)
{
        AUV_AUTO auv_task *task = start_sleep(over, 3600);
        uv_timer_t timer;

        uv_timer_init(&uv, &timer);
        timer.data = task;
        uv_timer_start(&timer, cancel_task_from_uv, 1, 0);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert(auv_future_cancelled(task));
}

static void close_from_uv(uv_timer_t *timer)
{
        cr_assert(eq(int, auv_loop_close(over), 0));
        over = auv_unref(over);
        uv_close((uv_handle_t *)timer, NULL);
}

Test(embedded, may_be_closed_and_go_in_a_callback_of_libuv)
{
        AUV_AUTO auv_task *task = start_sleep(over, 3600);
        uv_timer_t timer;

        uv_timer_init(&uv, &timer);
        uv_timer_start(&timer, close_from_uv, 1, 0);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert(eq(int, reports_drop(), 1));
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_ECLOSED));
}

Test(embedded, may_have_a_virtual_clock)
{
        AUV_AUTO auv_loop *quick = NULL;
        AUV_AUTO auv_task *task = NULL;

        cr_assert(eq(int, auv_new_event_loop(AUV_LOOP_OPTIONS(.uv_loop = &uv, .clock = AUV_CLOCK_VIRTUAL),
                                             &quick), 0));
        task = start_sleep(quick, 3600);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert(auv_future_done(task));
        cr_assert(eq(dbl, auv_loop_time(quick), 3600));
}

Test(embedded, can_be_run_again_and_again)
{
        for (int i = 0; i < 5; i++) {
                AUV_AUTO auv_task *task = start(does_much, NULL);

                cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
                cr_assert(auv_future_done(task));
        }
        cr_assert_trace("+ - + - + - + - + -");
}

/* Turns of the tasks and those of the program's handles alternate. */

static bool seen;

static void see(uv_timer_t *timer)
{
        seen = true;
        uv_close((uv_handle_t *)timer, NULL);
}

static int spins_until_seen(void *arg, auv_value *ret)
{
        for (int i = 0; i < 20000; i++) {
                if (seen)
                        return 0;
                AUV_TRY(auv_await_sleep(0));
        }
        return AUV_ETIMEDOUT;
}

Test(embedded, does_not_starve_the_programs_handles)
{
        AUV_AUTO auv_task *task = start(spins_until_seen, NULL);
        uv_timer_t timer;

        uv_timer_init(&uv, &timer);
        uv_timer_start(&timer, see, 0, 0);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert(eq(int, auv_future_result(task, NULL), 0));
}

Test(embedded, runs_until_complete_over_the_programs_loop)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(over);
        AUV_AUTO auv_task *task = start(coro_await, future);
        uv_timer_t timer;
        auv_value result = { 0 };

        uv_timer_init(&uv, &timer);
        timer.data = future;
        uv_timer_start(&timer, complete, 1, 0);
        cr_assert(eq(int, auv_loop_run_until_complete(over, task, &result), 0));
        cr_assert(eq(i64, result.i, 4));
        cr_assert(eq(int, auv_loop_run_until_complete(over, task, NULL), 0));
        uv_run(&uv, UV_RUN_DEFAULT);
}

static void stop_when_done(auv_future *future, void *arg)
{
        auv_loop_stop(over);
}

Test(embedded, runs_for_ever_until_stopped)
{
        AUV_AUTO auv_task *task = start(does_much, NULL);

        auv_future_add_done_callback(task, stop_when_done, NULL);
        cr_assert(eq(int, auv_loop_run_forever(over), 0));
        cr_assert_trace("+ -");
        auv_loop_call_soon(over, trace_arg, "later", NULL);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert_trace("+ - later");
        cr_assert(auv_future_done(task));
}

static void run_inside(void *arg)
{
        cr_assert(eq(int, auv_loop_run_forever(over), AUV_ERUNTIME));
        cr_assert(eq(int, auv_loop_run_until_complete(over, arg, NULL), AUV_ERUNTIME));
        cr_assert(eq(int, auv_loop_close(over), AUV_ERUNTIME));
        trace("refused");
}

Test(embedded, does_not_run_inside_of_itself)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(over);

        auv_loop_call_soon(over, run_inside, future, NULL);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert_trace("refused");
}

Test(embedded, says_so_when_nothing_can_wake_it)
{
        AUV_AUTO auv_future *never = auv_loop_create_future(over);

        cr_assert(eq(int, auv_loop_run_until_complete(over, never, NULL), AUV_EDEADLK));
        cr_assert(eq(int, reports_drop(), 1));
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
}

static void nothing(uv_async_t *async)
{
}

static void close_async(void *arg)
{
        uv_close(arg, NULL);
}

static void *wake_from_thread(void *arg)
{
        auv_loop_call_soon_threadsafe(over, trace_arg, "thread", NULL);
        auv_loop_call_soon_threadsafe(over, close_async, arg, NULL);
        return NULL;
}

/* The program's own handle keeps uv_run() waiting. */
Test(embedded, is_woken_from_other_threads)
{
        uv_async_t async;
        pthread_t thread;

        uv_async_init(&uv, &async, nothing);
        pthread_create(&thread, NULL, wake_from_thread, &async);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        pthread_join(thread, NULL);
        cr_assert_trace("thread");
}

Test(embedded, takes_its_tasks_down_when_it_is_closed)
{
        AUV_AUTO auv_task *task = start_sleep(over, 3600);
        uv_timer_t timer;

        uv_timer_init(&uv, &timer);
        uv_run(&uv, UV_RUN_NOWAIT);
        uv_run(&uv, UV_RUN_NOWAIT);
        cr_assert(eq(int, auv_loop_close(over), 0));
        cr_assert(eq(int, reports_drop(), 1));
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_ECLOSED));
        cr_assert(not(uv_is_closing((uv_handle_t *)&timer)));
        cr_assert(zero(ptr, auv_loop_uv(over)));
        uv_close((uv_handle_t *)&timer, NULL);
        uv_run(&uv, UV_RUN_DEFAULT);
}

Test(embedded, leaves_a_libuv_loop_that_can_be_closed)
{
        cr_assert(eq(int, auv_loop_close(over), 0));
        uv_run(&uv, UV_RUN_DEFAULT);
        cr_assert(eq(int, uv_loop_close(&uv), 0));
        uv_loop_init(&uv);
}

Test(embedded, may_share_a_libuv_loop_with_another)
{
        auv_loop *second = NULL;

        cr_assert(eq(int, auv_new_event_loop(AUV_LOOP_OPTIONS(.uv_loop = &uv), &second), 0));
        auv_loop_call_soon(over, trace_arg, "a", NULL);
        auv_loop_call_later(over, 0.001, trace_arg, "a", NULL);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        auv_loop_call_soon(second, trace_arg, "b", NULL);
        auv_loop_call_later(second, 0.001, trace_arg, "b", NULL);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert_trace("a a b b");
        auv_unref(second);
}

/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

TestSuite(deadlock, .init = loop_setup, .fini = loop_teardown);

static auv_task *named_await(auv_future *future, const char *name)
{
        return auv_loop_create_task(loop, coro_await, future, 0, AUV_TASK_OPTIONS(.name = name));
}

Test(deadlock, is_reported_where_nothing_can_wake_the_loop)
{
        AUV_AUTO auv_future *never = auv_loop_create_future(loop);
        auv_value result = NUMBER(-1);

        cr_assert(eq(int, auv_loop_run_until_complete(loop, never, &result), AUV_EDEADLK));
        cr_assert(eq(i64, result.i, -1));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EDEADLK));
        cr_assert(not(auv_future_done(never)));
        cr_assert(eq(int, reports_drop(), 1));
}

Test(deadlock, report_names_the_tasks_and_what_each_awaits)
{
        AUV_AUTO auv_future *never = auv_loop_create_future(loop);
        AUV_AUTO auv_task *inner = named_await(never, "inner");
        AUV_AUTO auv_task *outer = named_await(inner, "outer");
        const struct report *report;

        cr_assert(eq(int, auv_loop_run_until_complete(loop, outer, NULL), AUV_EDEADLK));
        cr_assert_has(auv_error_message(auv_error_current()), "inner");
        cr_assert_has(auv_error_message(auv_error_current()), "outer");
        report = reports_take();
        cr_assert(strstr(report->message, "inner") || strstr(report->error_message, "inner"));
        cr_assert(strstr(report->message, "outer") || strstr(report->error_message, "outer"));
        cr_assert(eq(int, reports_pending(), 0));
        auv_future_cancel(never, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, outer, NULL), AUV_ECANCELED));
}

Test(deadlock, leaves_the_loop_fit_to_run_again)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = start_await(future);
        auv_value result = { 0 };

        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_EDEADLK));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_EDEADLK));
        cr_assert(eq(int, reports_drop(), 2));
        cr_assert(not(auv_loop_is_running(loop)));
        auv_future_set_result(future, NUMBER(6));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, &result), 0));
        cr_assert(eq(i64, result.i, 6));
}

Test(deadlock, comes_after_the_last_timer)
{
        AUV_AUTO auv_future *never = auv_loop_create_future(loop);
        AUV_AUTO auv_task *sleeper = start_sleep(loop, 5);

        cr_assert(eq(int, auv_loop_run_until_complete(loop, never, NULL), AUV_EDEADLK));
        cr_assert(auv_future_done(sleeper));
        cr_assert(eq(dbl, auv_loop_time(loop), 5));
        reports_drop();
}

static void ignore(void *arg)
{
}

/* Such a timer wakes nobody. */
Test(deadlock, is_not_averted_by_a_timer_that_never_comes)
{
        AUV_AUTO auv_task *sleeper = start_sleep(loop, INFINITY);

        auv_loop_call_later(loop, INFINITY, ignore, NULL, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, sleeper, NULL), AUV_EDEADLK));
        reports_drop();
        auv_task_cancel(sleeper, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, sleeper, NULL), AUV_ECANCELED));
}

static int awaits_next(void *arg, auv_value *ret)
{
        auv_task **next = arg;

        return auv_await(*next, ret);
}

Test(deadlock, is_reported_for_a_cycle_of_awaits)
{
        auv_task *tasks[3];

        for (int i = 0; i < 3; i++)
                tasks[i] = auv_loop_create_task(loop, awaits_next, &tasks[(i + 1) % 3], 0, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, tasks[0], NULL), AUV_EDEADLK));
        cr_assert(eq(int, reports_drop(), 1));
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, reports_drop(), 3));
        for (int i = 0; i < 3; i++)
                auv_unref(tasks[i]);
}

static void work(uv_work_t *request)
{
        usleep(2000);
}

static void complete(uv_work_t *request, int status)
{
        auv_future_set_result(request->data, NUMBER(1));
}

Test(deadlock, is_not_reported_while_a_request_is_pending)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        uv_work_t request = { .data = future };

        uv_queue_work(auv_loop_uv(loop), &request, work, complete);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), 0));
}

static void stop_and_complete(uv_timer_t *timer)
{
        auv_future_set_result(timer->data, NUMBER(1));
        uv_close((uv_handle_t *)timer, NULL);
}

Test(deadlock, is_not_reported_while_a_handle_is_active)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        uv_timer_t timer;

        uv_timer_init(auv_loop_uv(loop), &timer);
        timer.data = future;
        uv_timer_start(&timer, stop_and_complete, 2, 0);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), 0));
        loop_turn();
        loop_turn();
}

static void complete_call(void *arg)
{
        auv_future_set_result(arg, NUMBER(1));
}

static void *complete_from_thread(void *arg)
{
        usleep(2000);
        auv_loop_call_soon_threadsafe(auv_future_get_loop(arg), complete_call, arg, NULL);
        return NULL;
}

static void expect_wait(enum auv_deadlock deadlock, enum auv_clock clock)
{
        AUV_AUTO auv_loop *waiting = NULL;
        AUV_AUTO auv_future *future = NULL;
        pthread_t thread;

        auv_new_event_loop(AUV_LOOP_OPTIONS(.deadlock = deadlock, .clock = clock), &waiting);
        future = auv_loop_create_future(waiting);
        pthread_create(&thread, NULL, complete_from_thread, future);
        cr_assert(eq(int, auv_loop_run_until_complete(waiting, future, NULL), 0));
        pthread_join(thread, NULL);
}

Test(deadlock, is_waited_out_where_the_loop_is_told_to)
{
        expect_wait(AUV_DEADLOCK_WAIT, AUV_CLOCK_MONOTONIC);
        expect_wait(AUV_DEADLOCK_WAIT, AUV_CLOCK_VIRTUAL);
}

Test(deadlock, is_waited_out_by_default_while_there_are_other_threads)
{
        expect_wait(AUV_DEADLOCK_DEFAULT, AUV_CLOCK_MONOTONIC);
        expect_wait(AUV_DEADLOCK_DEFAULT, AUV_CLOCK_VIRTUAL);
}

Test(deadlock, is_reported_under_the_systems_clock_too)
{
        AUV_AUTO auv_loop *real = loop_new_monotonic();
        AUV_AUTO auv_future *never = auv_loop_create_future(real);

        cr_assert(eq(int, auv_loop_run_until_complete(real, never, NULL), AUV_EDEADLK));
        cr_assert(eq(int, reports_drop(), 1));
}

Test(deadlock, report_of_very_many_tasks_is_of_some_length)
{
        enum { MANY = 5000 };
        AUV_AUTO auv_future *never = auv_loop_create_future(loop);
        AUV_AUTO auv_task *first = named_await(never, "first");

        for (int i = 1; i < MANY; i++)
                auv_unref(start_await(never));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, first, NULL), AUV_EDEADLK));
        cr_assert_has(auv_error_message(auv_error_current()), "first");
        auv_future_set_result(never, NUMBER(1));
        reports_drop();
        cr_assert(eq(int, auv_loop_run_until_complete(loop, first, NULL), 0));
}

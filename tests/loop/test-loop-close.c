/* SPDX-License-Identifier: MIT */

/* What becomes of calls, futures and tasks when their loop is closed. */

#include "support/coroutine.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>
#include <uv.h>

TestSuite(loop_close, .init = loop_setup, .fini = loop_teardown);

static void count(void *arg)
{
        ++*(int *)arg;
}

/* rule 20 */
Test(loop_close, drops_what_has_not_run_when_it_is_closed)
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
Test(loop_close, refuses_everything_when_it_is_closed)
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

Test(loop_close, leaves_futures_valid_when_it_is_closed)
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

Test(loop_close, may_go_before_its_futures)
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

Test(loop_close, takes_pending_tasks_down_when_it_is_closed)
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

Test(loop_close, keeps_the_result_of_a_task_that_is_taken_down)
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

Test(loop_close, does_not_start_a_task_to_take_it_down)
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

Test(loop_close, takes_down_tasks_wherever_they_wait)
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

Test(loop_close, makes_nothing_new_while_it_takes_tasks_down)
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

Test(loop_close, may_be_closed_in_a_task_of_another)
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
Test(loop_close, leaves_a_task_that_refuses_to_be_taken_down)
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

Test(loop_close, is_not_closed_before_the_programs_handles_are)
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
Test(loop_close, takes_many_detached_tasks_down)
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

static int gives_up_its_loop(void *arg, auv_value *ret)
{
        const int r = auv_await_sleep(3600);

        auv_unref(arg);
        return r;
}

Test(loop_close, may_be_when_the_last_reference_goes)
{
        auv_loop *other = loop_new();

        auv_unref(auv_loop_create_task(other, gives_up_its_loop, other, 0, NULL));
        cr_assert(eq(int, auv_loop_run_until(other, 1), 0));
        cr_assert(eq(int, auv_loop_close(other), 0));
        cr_assert(eq(int, reports_drop(), 1)); /* the task was pending */
}

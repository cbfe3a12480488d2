/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>

TestSuite(sleep, .init = loop_setup, .fini = loop_teardown);

static void trace_arg(void *arg)
{
        trace("%s", (const char *)arg);
}

static int sleeps(void *arg, auv_value *ret)
{
        const int r = auv_await_sleep(*(double *)arg);

        trace("%s", r < 0 ? auv_error_name(r) : "slept");
        return r;
}

/* rule 40 */
Test(sleep, of_nothing_or_less_lets_one_turn_pass)
{
        static double delays[] = { 0, -0.0, -1, -INFINITY, -1e-300 };

        for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
                AUV_AUTO auv_task *task = start_sleep(loop, delays[i]);

                loop_turn();
                cr_assert(not(auv_future_done(task)));
                loop_turn();
                cr_assert(auv_future_done(task));
        }
        cr_assert(eq(dbl, auv_loop_time(loop), 0));
}

/* rule 40: a place in the line like any other */
Test(sleep, of_nothing_takes_its_place_in_the_line)
{
        AUV_AUTO auv_task *a = start_steps(.name = "a", .turns = 2);
        AUV_AUTO auv_task *b = start_steps(.name = "b", .turns = 1);

        loop_turns(1);
        auv_loop_call_soon(loop, trace_arg, "soon", NULL);
        loop_turns(2);
        cr_assert_trace("a+ b+ | b- soon | a- |");
        cr_assert(auv_future_done(a) && auv_future_done(b));
}

/* rule 41: the timer's turn, then the task's */
Test(sleep, of_some_time_wakes_a_turn_after_its_timer)
{
        AUV_AUTO auv_task *task = start_steps(.name = "t", .sleep = 1);

        auv_loop_call_soon(loop, trace_arg, "soon", NULL);
        loop_turn();
        auv_loop_call_at(loop, 1, trace_arg, "same", NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert_trace("t+ soon same t-");
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
}

Test(sleep, of_equal_times_wakes_in_the_order_of_sleeping)
{
        AUV_AUTO auv_task *a = start_steps(.name = "a", .sleep = 2);
        AUV_AUTO auv_task *b = start_steps(.name = "b", .sleep = 1);
        AUV_AUTO auv_task *c = start_steps(.name = "c", .sleep = 2);

        cr_assert(eq(int, auv_loop_run_until_complete(loop, c, NULL), 0));
        cr_assert_trace("a+ b+ c+ b- a- c-");
        cr_assert(auv_future_done(a) && auv_future_done(b));
}

/* rule 40 */
Test(sleep, must_have_a_number)
{
        cr_assert(eq(int, loop_run(sleeps, &(double) { NAN }, NULL), AUV_EINVAL));
        cr_assert_trace("EINVAL");
}

Test(sleep, without_end_ends_by_cancellation)
{
        AUV_AUTO auv_task *task = start_steps(.name = "t", .sleep = INFINITY);

        loop_turn();
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert_trace("t+ t!");
}

/* rule 41: the timer goes with the sleep */
Test(sleep, that_was_cancelled_leaves_no_timer)
{
        AUV_AUTO auv_task *task = start_steps(.sleep = 100);
        AUV_AUTO auv_future *never = auv_loop_create_future(loop);

        loop_turn();
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, never, NULL), AUV_EDEADLK));
        cr_assert(eq(dbl, auv_loop_time(loop), 0));
        cr_assert(auv_future_cancelled(task));
        reports_drop();
}

static void cancel_arg(void *arg)
{
        auv_task_cancel(arg, NULL);
}

/* rule 44: the timer has fired in this turn, and the task has not run yet */
Test(sleep, may_be_cancelled_after_its_timer_has_fired)
{
        AUV_AUTO auv_task *task = start_steps(.name = "t", .sleep = 1);

        loop_turn();
        auv_loop_call_at(loop, 1, cancel_arg, task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert_trace("t+ t!");
}

static int sleeps_without_memory(void *arg, auv_value *ret)
{
        int r;

        failing_allocator_arm_all();
        r = auv_await_sleep(0);
        failing_allocator_disarm();
        return r;
}

Test(sleep, of_nothing_needs_no_memory)
{
        cr_assert(eq(int, loop_run(sleeps_without_memory, NULL, NULL), 0));
}

static int sleeps_twice(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await_sleep(1));
        return auv_await_sleep(1);
}

static void sleep_sweep(void)
{
        AUV_AUTO auv_loop *made = NULL;
        auv_task *tasks[20];
        int failed = 0;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &made) < 0)
                return;
        reports_record(made);
        for (int i = 0; i < 20; i++)
                tasks[i] = auv_loop_create_task(made, sleeps_twice, NULL, 0, NULL);
        for (int i = 0; i < 20; i++) {
                const int r = tasks[i] ? auv_loop_run_until_complete(made, tasks[i], NULL) : AUV_ENOMEM;

                cr_assert(r == 0 || r == AUV_ENOMEM);
                failed += r < 0;
        }
        cr_assert(eq(int, failed > 0, failing_allocator_fired()));
        auv_loop_close(made);
        reports_drop();
        for (int i = 0; i < 20; i++)
                auv_unref(tasks[i]);
        auv_error_clear();
}

Test(sleep, without_memory_for_the_timer_fails)
{
        cr_assert(gt(long, failing_allocator_sweep(sleep_sweep), 1));
}

/* once the loop has room for its timer */
static int sleeps_again(void *arg, auv_value *ret)
{
        long before;

        AUV_TRY(auv_await_sleep(1));
        before = failing_allocator_total();
        for (int i = 0; i < 100; i++)
                AUV_TRY(auv_await_sleep(1));
        return failing_allocator_total() == before ? 0 : AUV_EUSER;
}

Test(sleep, allocates_nothing)
{
        cr_assert(eq(int, loop_run(sleeps_again, NULL, NULL), 0));
}

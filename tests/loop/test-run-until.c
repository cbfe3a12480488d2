/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/loop.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <uv.h>

TestSuite(run_until, .init = loop_setup, .fini = loop_teardown);

static void trace_time(void *arg)
{
        trace("%g:%s", auv_loop_time(loop), (const char *)arg);
}

Test(run_until, lets_all_happen_that_is_due_by_then)
{
        auv_loop_call_later(loop, 1, trace_time, "before", NULL);
        auv_loop_call_later(loop, 2, trace_time, "then", NULL);
        auv_loop_call_later(loop, 2.5, trace_time, "after", NULL);
        cr_assert(eq(int, auv_loop_run_until(loop, 2), 0));
        cr_assert_trace("1:before 2:then");
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
        cr_assert(eq(int, auv_loop_run_until(loop, 3), 0));
        cr_assert_trace("1:before 2:then 2.5:after");
        cr_assert(eq(dbl, auv_loop_time(loop), 3));
}

Test(run_until, follows_what_comes_of_what_is_due)
{
        AUV_AUTO auv_task *task = start_steps(.name = "t", .sleep = 1, .value = 5);

        cr_assert(eq(int, auv_loop_run_until(loop, 1), 0));
        cr_assert(auv_future_done(task));
        cr_assert_trace("t+ t-");
}

Test(run_until, moves_the_clock_where_nothing_happens)
{
        cr_assert(eq(int, auv_loop_run_until(loop, 1e6), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 1e6));
}

Test(run_until, a_time_in_the_past_runs_what_is_ready)
{
        cr_assert(eq(int, auv_loop_run_until(loop, 10), 0));
        auv_loop_call_soon(loop, trace_time, "soon", NULL);
        auv_loop_call_at(loop, 7, trace_time, "late", NULL);
        auv_loop_call_later(loop, 1, trace_time, "later", NULL);
        cr_assert(eq(int, auv_loop_run_until(loop, 5), 0));
        cr_assert_trace("10:soon 10:late");
        cr_assert(eq(dbl, auv_loop_time(loop), 10));
}

static void stop(void *arg)
{
        auv_loop_stop(loop);
}

Test(run_until, ends_early_when_the_loop_is_stopped)
{
        auv_loop_call_later(loop, 1, stop, NULL, NULL);
        cr_assert(eq(int, auv_loop_run_until(loop, 5), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
}

Test(run_until, leaves_no_bound_behind)
{
        cr_assert(eq(int, auv_loop_run_until(loop, 1), 0));
        cr_assert(eq(int, loop_run(coro_sleep, &(double) { 10 }, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 11));
}

Test(run_until, wants_a_finite_time_and_a_loop)
{
        cr_assert(eq(int, auv_loop_run_until(NULL, 1), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_run_until(loop, NAN), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_run_until(loop, INFINITY), AUV_EINVAL));
        auv_loop_close(loop);
        cr_assert(eq(int, auv_loop_run_until(loop, 1), AUV_ECLOSED));
}

static void run_within(void *arg)
{
        *(int *)arg = auv_loop_run_until(loop, 1);
}

Test(run_until, is_refused_within_a_run)
{
        int r = 0;

        auv_loop_call_soon(loop, run_within, &r, NULL);
        loop_turn();
        cr_assert(eq(int, r, AUV_ERUNTIME));
}

Test(run_until, with_the_systems_clock_waits_for_the_time)
{
        AUV_AUTO auv_loop *real = loop_new_monotonic();
        const double start = auv_loop_time(real);

        cr_assert(eq(int, auv_loop_run_until(real, start + 0.005), 0));
        cr_assert(ge(dbl, auv_loop_time(real), start + 0.005));
}

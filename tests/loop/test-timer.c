/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <time.h>

TestSuite(timer, .init = loop_setup, .fini = loop_teardown);

static void trace_arg(void *arg)
{
        trace("%g:%s", auv_loop_time(loop), (const char *)arg);
}

static void count(void *arg)
{
        ++*(int *)arg;
}

/* Runs to the end of a virtual time. */
static void run_until(double when)
{
        AUV_AUTO auv_task *sleeper = start_sleep(loop, when - auv_loop_time(loop));

        cr_assert(eq(int, auv_loop_run_until_complete(loop, sleeper, NULL), 0));
}

Test(timer, fires_at_its_time)
{
        auv_loop_call_later(loop, 2.5, trace_arg, "a", NULL);
        auv_loop_call_at(loop, 1.25, trace_arg, "b", NULL);
        run_until(10);
        cr_assert_trace("1.25:b 2.5:a");
}

Test(timer, fires_in_order_of_due_time)
{
        auv_loop_call_later(loop, 3, trace_arg, "c", NULL);
        auv_loop_call_later(loop, 1, trace_arg, "a", NULL);
        auv_loop_call_later(loop, 4, trace_arg, "d", NULL);
        auv_loop_call_later(loop, 2, trace_arg, "b", NULL);
        run_until(10);
        cr_assert_trace("1:a 2:b 3:c 4:d");
}

/* rule 7: where asyncio's heap gives 0 6 2 11 5 10 9 8 7 1 3 4 */
Test(timer, fires_equal_times_in_the_order_of_setting)
{
        static const char *const names[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11" };

        for (int i = 0; i < 12; i++)
                auv_loop_call_at(loop, 1, trace_arg, (void *)names[i], NULL);
        run_until(2);
        cr_assert_trace("1:0 1:1 1:2 1:3 1:4 1:5 1:6 1:7 1:8 1:9 1:10 1:11");
}

struct due {
        double when;
        int number;
};

static struct due last_due = { -1, -1 };
static int n_fired;

static void expect_order(void *arg)
{
        const struct due *due = arg;

        if (due->when == last_due.when)
                cr_assert(gt(int, due->number, last_due.number));
        else
                cr_assert(gt(dbl, due->when, last_due.when));
        cr_assert(le(dbl, due->when, auv_loop_time(loop) + 1e-9));
        last_due = *due;
        n_fired++;
}

Test(timer, fires_many_in_order_whatever_their_distance)
{
        enum { MANY = 20000 };
        static struct due dues[MANY];
        uint32_t state = 2463534242;

        for (int i = 0; i < MANY; i++) {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                /* microseconds, seconds and days, with ties among each */
                dues[i] = (struct due) { (double[]) { 1e-6, 1, 86400 }[state % 3] * (state / 3 % 1000), i };
                cr_assert(eq(int, auv_loop_call_at(loop, dues[i].when, expect_order, &dues[i], NULL), 0));
        }
        run_until(86400.0 * 1001);
        cr_assert(eq(int, n_fired, MANY));
}

/* rule 5 */
Test(timer, of_no_delay_comes_after_what_is_ready)
{
        auv_loop_call_later(loop, 0, trace_arg, "zero", NULL);
        auv_loop_call_later(loop, -5, trace_arg, "negative", NULL);
        auv_loop_call_at(loop, -INFINITY, trace_arg, "past", NULL);
        auv_loop_call_soon(loop, trace_arg, "soon", NULL);
        loop_turns(1);
        cr_assert_trace("0:soon 0:past 0:negative 0:zero |");
}

static void calls_later(void *arg)
{
        trace("first");
        auv_loop_call_later(NULL, 0, trace_arg, "timer", NULL);
        auv_loop_call_soon(NULL, trace_arg, "soon", NULL);
}

/* rules 1, 4 and 6 */
Test(timer, set_in_a_turn_waits_for_the_next)
{
        auv_loop_call_later(loop, 0, calls_later, NULL, NULL);
        auv_loop_call_later(loop, 0, trace_arg, "second", NULL);
        loop_turns(2);
        cr_assert_trace("first 0:second | 0:soon 0:timer |");
}

Test(timer, knows_when_it_is_due)
{
        AUV_AUTO auv_call *at = NULL;
        AUV_AUTO auv_call *later = NULL;
        AUV_AUTO auv_call *past = NULL;

        run_until(1.5);
        auv_loop_call_at(loop, 4.25, trace_arg, "a", &at);
        auv_loop_call_later(loop, 2, trace_arg, "b", &later);
        auv_loop_call_at(loop, 0.5, trace_arg, "c", &past);
        cr_assert(epsilon_eq(dbl, auv_call_when(at), 4.25, 1e-9));
        cr_assert(epsilon_eq(dbl, auv_call_when(later), 3.5, 1e-9));
        cr_assert(epsilon_eq(dbl, auv_call_when(past), 0.5, 1e-9));
        auv_call_cancel(at);
        cr_assert(epsilon_eq(dbl, auv_call_when(at), 4.25, 1e-9));
        run_until(5);
        cr_assert_trace("1.5:c 3.5:b");
        cr_assert(epsilon_eq(dbl, auv_call_when(later), 3.5, 1e-9));
}

Test(timer, of_an_infinite_delay_never_fires)
{
        AUV_AUTO auv_call *call = NULL;

        cr_assert(eq(int, auv_loop_call_later(loop, INFINITY, trace_arg, "never", &call), 0));
        cr_assert(eq(int, auv_loop_call_at(loop, INFINITY, trace_arg, "never", NULL), 0));
        cr_assert(isinf(auv_call_when(call)));
        run_until(1e9);
        cr_assert_trace("");
        auv_call_cancel(call);
        cr_assert(auv_call_cancelled(call));
}

Test(timer, of_a_huge_delay_does_not_wrap_round)
{
        auv_loop_call_later(loop, 1e300, trace_arg, "huge", NULL);
        auv_loop_call_later(loop, 1e10, trace_arg, "three centuries", NULL);
        auv_loop_call_at(loop, 9.3e9, trace_arg, "beyond 64 bits", NULL);
        auv_loop_call_later(loop, -1e300, trace_arg, "past", NULL);
        auv_loop_call_later(loop, 1, trace_arg, "near", NULL);
        run_until(2);
        cr_assert_trace("0:past 1:near");
}

Test(timer, must_have_a_number_for_a_time)
{
        auv_call *call = NULL;

        cr_assert(eq(int, auv_loop_call_later(loop, NAN, trace_arg, "a", &call), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_call_at(loop, -NAN, trace_arg, "a", &call), AUV_EINVAL));
        cr_assert(zero(ptr, call));
        run_until(1);
        cr_assert_trace("");
}

/* rule 11: nor does the clock go to its time */
Test(timer, that_was_cancelled_neither_fires_nor_wakes)
{
        AUV_AUTO auv_call *call = NULL;
        AUV_AUTO auv_future *never = auv_loop_create_future(loop);

        auv_loop_call_later(loop, 5, trace_arg, "a", &call);
        auv_loop_call_later(loop, 1, trace_arg, "b", NULL);
        auv_call_cancel(call);
        cr_assert(auv_call_cancelled(call));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, never, NULL), AUV_EDEADLK));
        cr_assert_trace("1:b");
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
        cr_assert(eq(int, reports_drop(), 1));
}

static void cancel_arg(void *arg)
{
        auv_call_cancel(*(auv_call **)arg);
        trace("cancel");
}

/* rule 8 */
Test(timer, is_cancelled_in_the_turn_in_which_it_is_due)
{
        AUV_AUTO auv_call *call = NULL;

        auv_loop_call_at(loop, 1, cancel_arg, &call, NULL);
        auv_loop_call_at(loop, 1, trace_arg, "a", &call);
        run_until(2);
        cr_assert_trace("cancel");
        cr_assert(auv_call_cancelled(call));
}

Test(timer, that_has_fired_is_not_cancelled_any_more)
{
        AUV_AUTO auv_call *call = NULL;

        auv_loop_call_at(loop, 1, trace_arg, "a", &call);
        run_until(2);
        auv_call_cancel(call);
        cr_assert(not(auv_call_cancelled(call)));
        cr_assert_trace("1:a");
}

/* rule 10: those that were cancelled do not pile up until they would have been due */
Test(timer, that_was_cancelled_gives_its_memory_back_soon)
{
        const long before = failing_allocator_live();

        for (int i = 0; i < 200; i++) {
                for (int j = 0; j < 100; j++) {
                        AUV_AUTO auv_call *call = NULL;

                        auv_loop_call_later(loop, 3600 + j, trace_arg, "never", &call);
                        auv_call_cancel(call);
                }
                loop_turn();
        }
        cr_assert(lt(long, failing_allocator_live(), before + 1000));
}

Test(timer, outlives_its_reference_and_its_loop)
{
        auv_call *call = NULL;

        auv_loop_call_later(loop, 1, trace_arg, "a", &call);
        loop = auv_unref(loop);
        auv_call_cancel(call);
        cr_assert(eq(dbl, auv_call_when(call), 1));
        auv_unref(call);
        cr_assert_trace("");
}

/* The system's clock */

struct early {
        auv_loop *loop;
        auv_call *call;
        int n_early;
};

static void expect_not_early(void *arg)
{
        struct early *early = arg;

        early->n_early += auv_loop_time(early->loop) < auv_call_when(early->call);
        auv_unref_at(&early->call);
}

Test(timer, is_never_early_by_the_systems_clock)
{
        enum { N = 40 };
        static struct early timers[N];
        AUV_AUTO auv_loop *real = loop_new_monotonic();
        AUV_AUTO auv_task *sleeper = NULL;
        const double start = auv_loop_time(real);

        for (int i = 0; i < N; i++) {
                timers[i].loop = real;
                auv_loop_call_later(real, 1e-4 * i + 1.7e-6 * (i % 7), expect_not_early, &timers[i],
                                    &timers[i].call);
        }
        sleeper = start_sleep(real, 0.005);
        cr_assert(eq(int, auv_loop_run_until_complete(real, sleeper, NULL), 0));
        cr_assert(ge(dbl, auv_loop_time(real) - start, 0.005));
        for (int i = 0; i < N; i++) {
                cr_assert(zero(ptr, timers[i].call));
                cr_assert(eq(int, timers[i].n_early, 0));
        }
}

Test(timer, counts_from_the_call_and_not_from_the_turn)
{
        AUV_AUTO auv_loop *real = loop_new_monotonic();
        AUV_AUTO auv_call *call = NULL;
        double before;

        loop_turn();
        for (const double start = auv_loop_time(real); auv_loop_time(real) < start + 0.002;)
                continue;
        before = auv_loop_time(real);
        auv_loop_call_later(real, 1, trace_arg, "a", &call);
        cr_assert(ge(dbl, auv_call_when(call), before + 1 - 1e-9));
        cr_assert(le(dbl, auv_call_when(call), auv_loop_time(real) + 1 + 1e-9));
}

static double processor_time(void)
{
        struct timespec now;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The wait for a timer is a sleep, not a spin: less than half of it is spent in the processor. */
Test(timer, is_waited_for_without_using_the_processor)
{
        AUV_AUTO auv_loop *real = loop_new_monotonic();
        AUV_AUTO auv_task *sleeper = start_sleep(real, 0.1);
        const double before = processor_time();

        cr_assert(eq(int, auv_loop_run_until_complete(real, sleeper, NULL), 0));
        cr_assert(lt(dbl, processor_time() - before, 0.05));
}

static void timer_sweep(void)
{
        AUV_AUTO auv_loop *made = NULL;
        auv_call *calls[50] = { NULL };
        int n = 0, expected = 0;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &made) < 0)
                return;
        for (int i = 0; i < 50; i++) {
                int err = auv_loop_call_at(made, -i, count, &n, &calls[i]);

                cr_assert(err == 0 || (err == AUV_ENOMEM && failing_allocator_fired()));
                cr_assert(err == 0 ? calls[i] != NULL : calls[i] == NULL);
                expected += err == 0;
        }
        auv_loop_stop(made);
        cr_assert(eq(int, auv_loop_run_forever(made), 0));
        cr_assert(eq(int, n, expected));
        for (int i = 0; i < 50; i++)
                auv_unref(calls[i]);
}

Test(timer, without_memory_is_not_set)
{
        cr_assert(gt(long, failing_allocator_sweep(timer_sweep), 1));
}

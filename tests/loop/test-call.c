/* SPDX-License-Identifier: MIT */
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <pthread.h>

TestSuite(call, .init = loop_setup, .fini = loop_teardown);

static void trace_arg(void *arg)
{
        trace("%s", (const char *)arg);
}

static void count(void *arg)
{
        ++*(int *)arg;
}

Test(call, runs_in_the_next_turn_and_never_at_once)
{
        cr_assert(eq(int, auv_loop_call_soon(loop, trace_arg, "a", NULL), 0));
        cr_assert_trace("");
        loop_turns(2);
        cr_assert_trace("a | |");
}

Test(call, runs_in_the_order_of_the_calls)
{
        auv_loop_call_soon(loop, trace_arg, "a", NULL);
        auv_loop_call_soon(loop, trace_arg, "b", NULL);
        auv_loop_call_soon(loop, trace_arg, "a", NULL);
        loop_turn();
        cr_assert_trace("a b a");
}

struct numbered {
        int number;
        int *last;
        bool wrong;
};

static void expect_next(void *arg)
{
        struct numbered *numbered = arg;

        numbered->wrong = numbered->number != *numbered->last + 1;
        *numbered->last = numbered->number;
}

Test(call, keeps_the_order_of_very_many)
{
        enum { MANY = 100000 };
        static struct numbered calls[MANY];
        int last = -1;

        for (int i = 0; i < MANY; i++) {
                calls[i] = (struct numbered) { i, &last, false };
                cr_assert(eq(int, auv_loop_call_soon(loop, expect_next, &calls[i], NULL), 0));
        }
        loop_turn();
        for (int i = 0; i < MANY; i++)
                cr_assert(not(calls[i].wrong), "call %d", i);
        cr_assert(eq(int, last, MANY - 1));
}

static void calls_next(void *arg)
{
        trace("first");
        auv_loop_call_soon(NULL, trace_arg, "next", NULL);
}

/* rules 1 and 2 */
Test(call, made_in_a_turn_waits_for_the_next)
{
        auv_loop_call_soon(loop, calls_next, NULL, NULL);
        auv_loop_call_soon(loop, trace_arg, "second", NULL);
        loop_turns(2);
        cr_assert_trace("first second | next |");
}

static void ping(void *arg);

static void pong(void *arg)
{
        trace("pong");
        auv_loop_call_soon(NULL, ping, NULL, NULL);
}

static void ping(void *arg)
{
        trace("ping");
        auv_loop_call_soon(NULL, pong, NULL, NULL);
}

/* rule 2 */
Test(call, that_calls_another_takes_turns_with_it)
{
        auv_loop_call_soon(loop, ping, NULL, NULL);
        loop_turns(4);
        cr_assert_trace("ping | pong | ping | pong |");
        cr_assert(eq(int, auv_loop_close(loop), 0));
}

Test(call, goes_to_the_running_loop_by_default)
{
        cr_assert(eq(int, auv_loop_call_soon(NULL, trace_arg, "a", NULL), AUV_ENOLOOP));
        cr_assert(eq(int, auv_loop_call_later(NULL, 0, trace_arg, "a", NULL), AUV_ENOLOOP));
        cr_assert(eq(int, auv_loop_call_at(NULL, 0, trace_arg, "a", NULL), AUV_ENOLOOP));
        cr_assert(eq(int, auv_loop_call_soon_threadsafe(NULL, trace_arg, "a", NULL), AUV_EINVAL));
        loop_turn();
        cr_assert_trace("");
}

Test(call, must_have_a_function)
{
        auv_call *call = NULL;

        cr_assert(eq(int, auv_loop_call_soon(loop, NULL, NULL, &call), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_call_later(loop, 1, NULL, NULL, &call), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_call_at(loop, 1, NULL, NULL, &call), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_call_soon_threadsafe(loop, NULL, NULL, &call), AUV_EINVAL));
        cr_assert(zero(ptr, call));
        loop_turn();
}

Test(call, of_null_is_asked_safely)
{
        auv_call_cancel(NULL);
        cr_assert(not(auv_call_cancelled(NULL)));
        cr_assert(isnan(auv_call_when(NULL)));
}

Test(call, that_was_given_up_runs_all_the_same)
{
        AUV_AUTO auv_call *call = NULL;

        auv_loop_call_soon(loop, trace_arg, "soon", &call);
        auv_unref_at(&call);
        auv_loop_call_later(loop, 0, trace_arg, "later", &call);
        auv_unref_at(&call);
        loop_turn();
        cr_assert_trace("soon later");
}

Test(call, that_was_cancelled_does_not_run)
{
        AUV_AUTO auv_call *call = NULL;

        auv_loop_call_soon(loop, trace_arg, "a", NULL);
        auv_loop_call_soon(loop, trace_arg, "b", &call);
        auv_loop_call_soon(loop, trace_arg, "c", NULL);
        cr_assert(not(auv_call_cancelled(call)));
        auv_call_cancel(call);
        cr_assert(auv_call_cancelled(call));
        auv_call_cancel(call);
        loop_turn();
        cr_assert_trace("a c");
        cr_assert(auv_call_cancelled(call));
}

static void cancel_arg(void *arg)
{
        trace("cancel");
        auv_call_cancel(*(auv_call **)arg);
}

/* rule 8 */
Test(call, is_cancelled_in_the_turn_in_which_it_would_run)
{
        AUV_AUTO auv_call *call = NULL;

        auv_loop_call_soon(loop, cancel_arg, &call, NULL);
        auv_loop_call_soon(loop, trace_arg, "late", &call);
        loop_turns(2);
        cr_assert_trace("cancel | |");
        cr_assert(auv_call_cancelled(call));
}

Test(call, that_has_run_is_not_cancelled_any_more)
{
        AUV_AUTO auv_call *call = NULL;

        auv_loop_call_soon(loop, trace_arg, "a", &call);
        loop_turn();
        auv_call_cancel(call);
        cr_assert(not(auv_call_cancelled(call)));
        loop_turn();
        cr_assert_trace("a");
}

Test(call, that_runs_is_not_cancelled_any_more)
{
        AUV_AUTO auv_call *call = NULL;

        auv_loop_call_soon(loop, cancel_arg, &call, &call);
        loop_turns(2);
        cr_assert_trace("cancel | |");
        cr_assert(not(auv_call_cancelled(call)));
}

static void unref_arg(void *arg)
{
        auv_unref_at(arg);
        trace("unref");
}

Test(call, may_be_given_up_while_it_runs)
{
        auv_call *call = NULL;

        auv_loop_call_soon(loop, unref_arg, &call, &call);
        loop_turn();
        cr_assert(zero(ptr, call));
        auv_loop_call_later(loop, 0, unref_arg, &call, &call);
        loop_turn();
        cr_assert_trace("unref unref");
}

Test(call, frees_its_memory_when_it_has_run)
{
        const long before = failing_allocator_live();
        int n = 0;

        for (int i = 0; i < 100; i++)
                auv_loop_call_soon(loop, count, &n, NULL);
        loop_turn();
        cr_assert(eq(int, n, 100));
        /* but for what the loop keeps to use again */
        for (int i = 0; i < 10000; i++) {
                auv_loop_call_soon(loop, count, &n, NULL);
                loop_turn();
        }
        cr_assert(lt(long, failing_allocator_live(), before + 200));
}

/* rule 9: what a cancelled call would have been given is free at once */
Test(call, does_not_touch_its_argument_after_it_was_cancelled)
{
        AUV_AUTO auv_call *call = NULL;

        {
                int n = 0;

                auv_loop_call_soon(loop, count, &n, &call);
                auv_call_cancel(call);
                cr_assert(eq(int, n, 0));
        }
        loop_turn();
}

Test(call, has_no_time_when_it_is_not_a_timer)
{
        AUV_AUTO auv_call *soon = NULL;
        AUV_AUTO auv_call *threadsafe = NULL;

        auv_loop_call_soon(loop, trace_arg, "a", &soon);
        auv_loop_call_soon_threadsafe(loop, trace_arg, "b", &threadsafe);
        cr_assert(isnan(auv_call_when(soon)));
        cr_assert(isnan(auv_call_when(threadsafe)));
        loop_turn();
        cr_assert_trace("a b");
}

static void *call_from_thread(void *arg)
{
        int n = 0;

        if (auv_loop_call_soon(arg, count, &n, NULL) != AUV_ETHREAD)
                return "call_soon";
        if (auv_loop_call_later(arg, 1, count, &n, NULL) != AUV_ETHREAD)
                return "call_later";
        if (auv_loop_call_at(arg, 1, count, &n, NULL) != AUV_ETHREAD)
                return "call_at";
        return NULL;
}

/* rule 22 */
Test(call, from_another_thread_is_refused_in_debug_mode)
{
        pthread_t thread;
        void *wrong;

        auv_loop_set_debug(loop, true);
        pthread_create(&thread, NULL, call_from_thread, loop);
        pthread_join(thread, &wrong);
        cr_assert(zero(ptr, wrong));
        loop_turn();
}

static void call_sweep(void)
{
        AUV_AUTO auv_loop *made = NULL;
        AUV_AUTO auv_call *soon = NULL;
        AUV_AUTO auv_call *later = NULL;
        AUV_AUTO auv_call *threadsafe = NULL;
        int n = 0, expected = 0, err;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &made) < 0)
                return;
        for (int i = 0; i < 100; i++) {
                err = auv_loop_call_soon(made, count, &n, i == 50 ? &soon : NULL);
                cr_assert(err == 0 || (err == AUV_ENOMEM && failing_allocator_fired()));
                expected += err == 0;
                err = auv_loop_call_later(made, -1, count, &n, i == 50 ? &later : NULL);
                cr_assert(err == 0 || (err == AUV_ENOMEM && failing_allocator_fired()));
                expected += err == 0;
                err = auv_loop_call_soon_threadsafe(made, count, &n, i == 50 ? &threadsafe : NULL);
                cr_assert(err == 0 || (err == AUV_ENOMEM && failing_allocator_fired()));
                expected += err == 0;
        }
        cr_assert(ge(int, expected, 299));
        auv_loop_stop(made);
        cr_assert(eq(int, auv_loop_run_forever(made), 0));
        cr_assert(eq(int, n, expected));
}

Test(call, without_memory_is_not_made)
{
        cr_assert(gt(long, failing_allocator_sweep(call_sweep), 1));
}

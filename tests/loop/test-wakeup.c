/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

TestSuite(wakeup, .init = loop_setup, .fini = loop_teardown);

static void trace_arg(void *arg)
{
        trace("%s", (const char *)arg);
}

static void count(void *arg)
{
        ++*(int *)arg;
}

static void stop(void *arg)
{
        auv_loop_stop(arg);
}

/* A loop that waits for other threads for as long as it takes. */
static auv_loop *waiting_loop(void)
{
        const auv_loop_options *options = AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_MONOTONIC,
                                                           .deadlock = AUV_DEADLOCK_WAIT);
        auv_loop *made = NULL;

        auv_new_event_loop(options, &made);
        return made;
}

/* rule 21 */
Test(wakeup, keeps_its_place_among_other_calls)
{
        auv_loop_call_soon(loop, trace_arg, "a", NULL);
        auv_loop_call_soon_threadsafe(loop, trace_arg, "b", NULL);
        auv_loop_call_soon(loop, trace_arg, "c", NULL);
        auv_loop_call_soon_threadsafe(loop, trace_arg, "d", NULL);
        loop_turns(1);
        cr_assert_trace("a b c d |");
}

static void calls_threadsafe(void *arg)
{
        trace("first");
        auv_loop_call_soon_threadsafe(arg, trace_arg, "next", NULL);
}

/* rule 2 */
Test(wakeup, made_in_a_turn_waits_for_the_next)
{
        auv_loop_call_soon_threadsafe(loop, calls_threadsafe, loop, NULL);
        auv_loop_call_soon(loop, trace_arg, "second", NULL);
        loop_turns(2);
        cr_assert_trace("first second | next |");
}

Test(wakeup, must_have_a_loop_and_a_function)
{
        cr_assert(eq(int, auv_loop_call_soon_threadsafe(NULL, trace_arg, NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_call_soon_threadsafe(loop, NULL, NULL, NULL), AUV_EINVAL));
}

static void *stop_from_thread(void *arg)
{
        return (void *)(intptr_t)auv_loop_call_soon_threadsafe(arg, stop, arg, NULL);
}

Test(wakeup, ends_the_wait_of_a_loop_that_runs_for_ever)
{
        AUV_AUTO auv_loop *waiting = waiting_loop();
        pthread_t thread;
        void *err;

        pthread_create(&thread, NULL, stop_from_thread, waiting);
        cr_assert(eq(int, auv_loop_run_forever(waiting), 0));
        pthread_join(thread, &err);
        cr_assert(zero(ptr, err));
}

static void complete(void *arg)
{
        auv_future_set_result(arg, NUMBER(8));
}

static void *complete_from_thread(void *arg)
{
        auv_loop *its = auv_future_get_loop(arg);

        return (void *)(intptr_t)auv_loop_call_soon_threadsafe(its, complete, arg, NULL);
}

Test(wakeup, completes_what_a_task_waits_for)
{
        AUV_AUTO auv_loop *waiting = waiting_loop();
        AUV_AUTO auv_future *future = auv_loop_create_future(waiting);
        AUV_AUTO auv_task *task = auv_loop_create_task(waiting, coro_await, future, 0, NULL);
        pthread_t thread;
        void *err;
        auv_value result = { 0 };

        pthread_create(&thread, NULL, complete_from_thread, future);
        cr_assert(eq(int, auv_loop_run_until_complete(waiting, task, &result), 0));
        cr_assert(eq(i64, result.i, 8));
        pthread_join(thread, &err);
        cr_assert(zero(ptr, err));
}

/* The wait is for a timer that lies far away. */
Test(wakeup, ends_the_wait_for_a_timer)
{
        AUV_AUTO auv_loop *waiting = waiting_loop();
        pthread_t thread;

        auv_loop_call_later(waiting, 3600, trace_arg, "timer", NULL);
        pthread_create(&thread, NULL, stop_from_thread, waiting);
        cr_assert(eq(int, auv_loop_run_forever(waiting), 0));
        pthread_join(thread, NULL);
        cr_assert_trace("");
}

struct calls {
        auv_loop *loop;
        int *n;
        int errors;
};

enum { MANY = 10000 };

static void *make_many(void *arg)
{
        struct calls *calls = arg;

        for (int i = 0; i < MANY; i++)
                calls->errors += auv_loop_call_soon_threadsafe(calls->loop, count, calls->n, NULL) != 0;
        return NULL;
}

Test(wakeup, loses_none_that_was_made_before_the_run)
{
        int n = 0;
        struct calls calls = { loop, &n, 0 };
        pthread_t thread;

        pthread_create(&thread, NULL, make_many, &calls);
        pthread_join(thread, NULL);
        loop_turn();
        cr_assert(eq(int, calls.errors, 0));
        cr_assert(eq(int, n, MANY));
}

static void *close_refused(void *arg)
{
        int n = 0;

        return (void *)(intptr_t)auv_loop_call_soon_threadsafe(arg, count, &n, NULL);
}

Test(wakeup, on_a_closed_loop_is_refused_in_any_thread)
{
        pthread_t thread;
        void *err;

        auv_loop_close(loop);
        pthread_create(&thread, NULL, close_refused, loop);
        pthread_join(thread, &err);
        cr_assert(eq(int, (int)(intptr_t)err, AUV_ECLOSED));
}

Test(wakeup, that_was_cancelled_does_not_run)
{
        AUV_AUTO auv_call *call = NULL;

        auv_loop_call_soon_threadsafe(loop, trace_arg, "a", &call);
        auv_loop_call_soon_threadsafe(loop, trace_arg, "b", NULL);
        auv_call_cancel(call);
        cr_assert(auv_call_cancelled(call));
        loop_turn();
        cr_assert_trace("b");
}

static void *cancel_from_thread(void *arg)
{
        auv_call_cancel(arg);
        return (void *)(intptr_t)auv_call_cancelled(arg);
}

Test(wakeup, is_cancelled_from_another_thread)
{
        AUV_AUTO auv_call *call = NULL;
        pthread_t thread;
        void *cancelled;

        auv_loop_call_soon_threadsafe(loop, trace_arg, "a", &call);
        pthread_create(&thread, NULL, cancel_from_thread, call);
        pthread_join(thread, &cancelled);
        cr_assert(not(zero(ptr, cancelled)));
        loop_turn();
        cr_assert_trace("");
}

static void cancel_itself(void *arg)
{
        auv_call_cancel(*(auv_call **)arg);
        trace("ran");
}

/* On its own thread a call that runs is not waited for: that would be for ever. */
Test(wakeup, may_cancel_itself_while_it_runs)
{
        AUV_AUTO auv_call *call = NULL;

        auv_loop_call_soon_threadsafe(loop, cancel_itself, &call, &call);
        loop_turn();
        cr_assert_trace("ran");
        cr_assert(not(auv_call_cancelled(call)));
}

struct slow {
        atomic_bool started;
        atomic_bool ended;
        auv_call *call;
        bool waited;
};

static void run_slowly(void *arg)
{
        struct slow *slow = arg;

        slow->started = true;
        for (int i = 0; i < 1000; i++)
                sched_yield();
        slow->ended = true;
}

static void *cancel_when_started(void *arg)
{
        struct slow *slow = arg;

        while (!slow->started)
                sched_yield();
        auv_call_cancel(slow->call);
        slow->waited = slow->ended;
        return NULL;
}

Test(wakeup, that_runs_is_waited_for_by_who_cancels_it_elsewhere)
{
        struct slow slow = { .started = false };
        pthread_t thread;

        auv_loop_call_soon_threadsafe(loop, run_slowly, &slow, &slow.call);
        pthread_create(&thread, NULL, cancel_when_started, &slow);
        loop_turn();
        pthread_join(thread, NULL);
        cr_assert(slow.waited);
        cr_assert(not(auv_call_cancelled(slow.call)));
        auv_unref(slow.call);
}

static void wakeup_sweep(void)
{
        AUV_AUTO auv_loop *made = NULL;
        int n = 0, expected = 0;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &made) < 0)
                return;
        for (int i = 0; i < 50; i++) {
                AUV_AUTO auv_call *call = NULL;
                int err = auv_loop_call_soon_threadsafe(made, count, &n, &call);

                cr_assert(err == 0 ? call != NULL : err == AUV_ENOMEM && call == NULL);
                expected += err == 0;
        }
        auv_loop_stop(made);
        cr_assert(eq(int, auv_loop_run_forever(made), 0));
        cr_assert(eq(int, n, expected));
}

Test(wakeup, without_memory_is_not_made)
{
        cr_assert(gt(long, failing_allocator_sweep(wakeup_sweep), 1));
}

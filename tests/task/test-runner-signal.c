/* SPDX-License-Identifier: MIT */

/* What SIGINT does to a run: rule 124. */

#include "support/coroutine.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static auv_runner *runner;

/* Its clock is virtual and never moves: whoever sleeps for ever is woken by SIGINT or not at all. */
static void setup(void)
{
        loop_setup();
        runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL,
                                                 .deadlock = AUV_DEADLOCK_REPORT));
        reports_record(auv_runner_get_loop(runner));
}

static void teardown(void)
{
        runner = auv_unref(runner);
        loop_teardown();
}

TestSuite(runner_signal, .init = setup, .fini = teardown);

static bool has_handler(void (*handler)(int signum))
{
        struct sigaction action;

        return sigaction(SIGINT, NULL, &action) == 0 && action.sa_handler == handler;
}

static void interrupt(void *arg)
{
        trace("interrupt");
        raise(SIGINT);
}

/* Has SIGINT come while main waits. */
static int interrupt_soon(void)
{
        return auv_loop_call_later(NULL, 1, interrupt, NULL, NULL);
}

static int cleans_up(void *arg, auv_value *ret)
{
        int r;

        AUV_TRY(interrupt_soon());
        r = auv_await_sleep(10);
        trace("%s", auv_error_name(r));
        AUV_TRY(auv_await_sleep(1));
        trace("clean");
        return r;
}

Test(runner_signal, the_first_cancels_main_which_cleans_up)
{
        cr_assert(eq(int, auv_runner_run(runner, cleans_up, NULL, NULL), AUV_EINTR));
        cr_assert_trace("interrupt ECANCELED clean");
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EINTR));
        cr_assert(has_handler(SIG_DFL));
}

static int cleans_up_and_records(void *arg, auv_value *ret)
{
        reports_record(auv_get_running_loop());
        return cleans_up(arg, ret);
}

Test(runner_signal, is_how_a_program_ends_and_no_failure_to_report)
{
        cr_assert(eq(int, auv_run(cleans_up_and_records, NULL), AUV_EINTR));
        cr_assert(zero(int, reports_pending()));
}

static int returns_eintr(void *arg, auv_value *ret)
{
        reports_record(auv_get_running_loop());
        return AUV_EINTR;
}

Test(runner_signal, is_not_mistaken_for_an_error_of_the_body)
{
        cr_assert(eq(int, auv_run(returns_eintr, NULL), AUV_EINTR));
        cr_assert(eq(int, reports_drop(), 1));
}

static int goes_on(void *arg, auv_value *ret)
{
        AUV_TRY(interrupt_soon());
        cr_assert(eq(int, auv_await_sleep(10), AUV_ECANCELED));
        ret->i = 7;
        return 0;
}

Test(runner_signal, may_be_refused_by_main)
{
        auv_value result = { 0 };

        cr_assert(eq(int, auv_runner_run(runner, goes_on, NULL, &result), 0));
        cr_assert(eq(i64, result.i, 7));
}

static int fails_in_cleanup(void *arg, auv_value *ret)
{
        AUV_TRY(interrupt_soon());
        return auv_await_sleep(10) == AUV_ECANCELED ? AUV_EUSER : 0;
}

Test(runner_signal, leaves_another_error_of_main)
{
        cr_assert(eq(int, auv_runner_run(runner, fails_in_cleanup, NULL, NULL), AUV_EUSER));
}

static int is_cancelled_twice(void *arg, auv_value *ret)
{
        AUV_TRY(interrupt_soon());
        auv_await_sleep(10);
        auv_task_cancel(auv_current_task(NULL), NULL);
        return auv_await_sleep(10);
}

Test(runner_signal, leaves_the_cancellation_by_somebody_else)
{
        cr_assert(eq(int, auv_runner_run(runner, is_cancelled_twice, NULL, NULL), AUV_ECANCELED));
}

static int interrupts_twice(void *arg, auv_value *ret)
{
        raise(SIGINT);
        raise(SIGINT);
        return 0;
}

Test(runner_signal, the_second_ends_the_process_where_the_loop_hangs, .signal = SIGINT)
{
        auv_runner_run(runner, interrupts_twice, NULL, NULL);
}

static int is_stubborn(void *arg, auv_value *ret)
{
        AUV_TRY(interrupt_soon());
        while (auv_await_sleep(10) == AUV_ECANCELED)
                AUV_TRY(interrupt_soon());
        return 0;
}

Test(runner_signal, the_second_ends_the_process_where_main_refuses, .signal = SIGINT)
{
        auv_runner_run(runner, is_stubborn, NULL, NULL);
}

static int looks_at_handler(void *arg, auv_value *ret)
{
        ret->i = has_handler(SIG_DFL) ? 1 : has_handler(SIG_IGN) ? 2 : 3;
        return 0;
}

static intmax_t handler_in_run(void)
{
        auv_value result = { 0 };

        cr_assert(eq(int, auv_runner_run(runner, looks_at_handler, NULL, &result), 0));
        return result.i;
}

Test(runner_signal, is_left_alone_where_the_program_has_a_say)
{
        cr_assert(eq(i64, handler_in_run(), 3));
        signal(SIGINT, SIG_IGN);
        cr_assert(eq(i64, handler_in_run(), 2));
        cr_assert(has_handler(SIG_IGN));
}

static void *run_in_thread(void *arg)
{
        AUV_AUTO auv_runner *other = auv_runner_new(NULL);
        auv_value result = { 0 };

        auv_runner_run(other, looks_at_handler, NULL, &result);
        return (void *)result.i;
}

Test(runner_signal, is_left_alone_in_other_threads)
{
        pthread_t thread;
        void *result;

        pthread_create(&thread, NULL, run_in_thread, NULL);
        pthread_join(thread, &result);
        cr_assert(eq(i64, (intmax_t)result, 1));
}

static void own_handler(int signum)
{
        trace("own");
}

static int takes_over(void *arg, auv_value *ret)
{
        signal(SIGINT, own_handler);
        raise(SIGINT);
        return auv_await_sleep(0);
}

Test(runner_signal, is_the_programs_once_it_has_a_handler)
{
        cr_assert(eq(int, auv_runner_run(runner, takes_over, NULL, NULL), 0));
        cr_assert_trace("own");
        cr_assert(has_handler(own_handler));
}

static void wake(void *arg)
{
        trace("handled");
        auv_loop_remove_signal_handler(NULL, SIGINT);
        auv_future_set_result(arg, NUMBER(1));
}

static int handles_it(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(NULL);

        AUV_TRY(auv_loop_add_signal_handler(NULL, SIGINT, wake, future));
        raise(SIGINT);
        return auv_await(future, ret);
}

Test(runner_signal, goes_to_the_handler_that_the_loop_has)
{
        cr_assert(eq(int, auv_runner_run(runner, handles_it, NULL, NULL), 0));
        cr_assert_trace("handled");
        cr_assert(has_handler(SIG_DFL));
}

static int sleeps_for_ever(void *arg, auv_value *ret)
{
        return auv_await_sleep(INFINITY);
}

Test(runner_signal, does_not_keep_a_deadlock_from_being_reported)
{
        cr_assert(eq(int, auv_runner_run(runner, sleeps_for_ever, NULL, NULL), AUV_EDEADLK));
        reports_drop();
}

static void interrupt_when_done(auv_future *main, void *arg)
{
        raise(SIGINT);
}

static int is_interrupted_at_its_end(void *arg, auv_value *ret)
{
        return auv_future_add_done_callback(auv_current_task(NULL), interrupt_when_done, NULL);
}

static int sleeps(void *arg, auv_value *ret)
{
        return auv_await_sleep(1);
}

Test(runner_signal, is_not_lost_at_the_end_of_main_nor_taken_for_the_next)
{
        cr_assert(eq(int, auv_runner_run(runner, is_interrupted_at_its_end, NULL, NULL), AUV_EINTR));
        cr_assert(eq(int, auv_runner_run(runner, sleeps, NULL, NULL), 0));
        cr_assert(eq(int, auv_runner_run(runner, is_interrupted_at_its_end, NULL, NULL), AUV_EINTR));
        cr_assert(eq(int, auv_runner_run(runner, cleans_up, NULL, NULL), AUV_EINTR));
        cr_assert(eq(int, auv_runner_run(runner, is_interrupted_at_its_end, NULL, NULL), AUV_EINTR));
}

static void *interrupt_from_thread(void *arg)
{
        kill(getpid(), SIGINT);
        return NULL;
}

static int waits_for_signal(void *arg, auv_value *ret)
{
        pthread_t thread;

        pthread_create(&thread, NULL, interrupt_from_thread, NULL);
        pthread_detach(thread);
        return auv_await_sleep(100);
}

Test(runner_signal, wakes_a_loop_that_waits)
{
        AUV_AUTO auv_runner *waiting = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_MONOTONIC));

        cr_assert(eq(int, auv_runner_run(waiting, waits_for_signal, NULL, NULL), AUV_EINTR));
}

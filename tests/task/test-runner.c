/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>
#include <string.h>

TestSuite(runner, .init = loop_setup, .fini = loop_teardown);

/* With a virtual clock, and with its reports recorded. */
static auv_runner *runner_new(void)
{
        auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL,
                                                             .deadlock = AUV_DEADLOCK_REPORT));

        reports_record(auv_runner_get_loop(runner));
        return runner;
}

/* auv_run() takes no options: a virtual clock comes from the environment. */
static void use_virtual_clock(void)
{
        setenv("AUV_CLOCK", "virtual", 1);
}

/* run */

static int looks_around(void *arg, auv_value *ret)
{
        cr_assert(not(zero(ptr, auv_get_running_loop())));
        cr_assert(not(zero(ptr, auv_current_task(NULL))));
        cr_assert_text(arg, "arg");
        AUV_TRY(auv_await_sleep(0));
        trace("ran");
        return 3;
}

Test(runner, runs_a_coroutine_on_a_loop_of_its_own)
{
        cr_assert(eq(int, auv_run(looks_around, "arg"), 0));
        cr_assert_trace("ran");
        cr_assert(zero(ptr, auv_get_running_loop()));
        cr_assert(zero(ptr, auv_get_event_loop()));
}

Test(runner, gives_the_error_of_a_coroutine)
{
        cr_assert(eq(int, auv_run(coro_fail, &(int) { AUV_EUSER }), AUV_EUSER));
}

Test(runner, must_have_a_coroutine)
{
        cr_assert(eq(int, auv_run(NULL, NULL), AUV_EINVAL));
}

static int runs_inside(void *arg, auv_value *ret)
{
        AUV_AUTO auv_runner *runner = runner_new();

        cr_assert(eq(int, auv_run(coro_nothing, NULL), AUV_ERUNTIME));
        cr_assert(eq(int, auv_runner_run(runner, coro_nothing, NULL, NULL), AUV_ERUNTIME));
        cr_assert(eq(int, auv_runner_close(runner), AUV_ERUNTIME));
        trace("refused");
        return 0;
}

/* rule 123 */
Test(runner, does_not_run_inside_of_a_running_loop)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, runs_inside, NULL, 0, NULL);

        loop_turn();
        cr_assert_trace("refused");
        cr_assert(auv_future_done(task));
}

static int leaves_tasks(void *arg, auv_value *ret)
{
        struct steps a = { .name = "a", .sleep = 9 }, b = { .name = "b", .sleep = 5 };

        auv_unref(auv_create_task(coro_steps, &a, sizeof(a)));
        auv_unref(auv_create_task(coro_stubborn, &b, sizeof(b)));
        return auv_await_sleep(1);
}

/* rule 125: waits for as long as they take */
Test(runner, cancels_what_is_left_and_waits_for_it)
{
        use_virtual_clock();
        cr_assert(eq(int, auv_run(leaves_tasks, NULL), 0));
        cr_assert_trace("a+ b+ a! b! b-");
}

/* Runner */

Test(runner, runs_one_after_the_other_on_one_loop)
{
        AUV_AUTO auv_runner *runner = runner_new();
        auv_loop *first = auv_runner_get_loop(runner);
        auv_value result = { 0 };
        intmax_t value = 5;

        cr_assert(not(zero(ptr, first)));
        cr_assert(eq(int, auv_runner_run(runner, coro_return, &value, &result), 0));
        cr_assert(eq(i64, result.i, 5));
        cr_assert(eq(int, auv_runner_run(runner, coro_sleep, &(double) { 2 }, NULL), 0));
        cr_assert(eq(int, auv_runner_run(runner, coro_sleep, &(double) { 3 }, NULL), 0));
        cr_assert(eq(ptr, auv_runner_get_loop(runner), first));
        cr_assert(eq(dbl, auv_loop_time(first), 5));
        cr_assert(eq(int, auv_runner_close(runner), 0));
}

static int tells_its_loop(void *arg, auv_value *ret)
{
        ret->p = auv_get_running_loop();
        return 0;
}

Test(runner, makes_its_loop_when_it_is_needed)
{
        AUV_AUTO auv_runner *runner = auv_runner_new(NULL);
        auv_value result = { 0 };

        cr_assert(eq(int, auv_runner_run(runner, tells_its_loop, NULL, &result), 0));
        cr_assert(eq(ptr, result.p, auv_runner_get_loop(runner)));
}

Test(runner, copies_its_options)
{
        auv_loop_options options = { .size = sizeof(options), .clock = AUV_CLOCK_VIRTUAL };
        AUV_AUTO auv_runner *runner = auv_runner_new(&options);

        memset(&options, 0xff, sizeof(options));
        cr_assert(eq(dbl, auv_loop_time(auv_runner_get_loop(runner)), 0));
}

Test(runner, is_not_made_of_options_without_meaning)
{
        cr_assert(zero(ptr, auv_runner_new(&(auv_loop_options) { 0 })));
        cr_assert(zero(ptr, auv_runner_new(AUV_LOOP_OPTIONS(.clock = 77))));
}

Test(runner, gives_errors)
{
        AUV_AUTO auv_runner *runner = runner_new();
        auv_value result = NUMBER(-1);

        cr_assert(eq(int, auv_runner_run(runner, coro_fail, &(int) { AUV_EUSER }, &result), AUV_EUSER));
        cr_assert_text(auv_error_message(auv_error_current()), "failed");
        cr_assert(eq(int, auv_runner_run(runner, NULL, NULL, &result), AUV_EINVAL));
        cr_assert(eq(int, auv_runner_run(NULL, coro_nothing, NULL, &result), AUV_ENOMEM));
        cr_assert(eq(i64, result.i, -1));
}

static int n_destroyed;

static void destroy(void *p)
{
        n_destroyed++;
}

static int gives_destroyable(void *arg, auv_value *ret)
{
        *ret = (auv_value) { .p = "value", .destroy = destroy };
        return 0;
}

Test(runner, keeps_a_result_until_its_next_run_or_its_close)
{
        AUV_AUTO auv_runner *runner = runner_new();
        auv_value result = { 0 };

        cr_assert(eq(int, auv_runner_run(runner, gives_destroyable, NULL, &result), 0));
        cr_assert_text(result.s, "value");
        cr_assert(eq(int, n_destroyed, 0));
        cr_assert(eq(int, auv_runner_run(runner, gives_destroyable, NULL, NULL), 0));
        cr_assert(eq(int, n_destroyed, 1));
        cr_assert(eq(int, auv_runner_close(runner), 0));
        cr_assert(eq(int, n_destroyed, 2));
}

Test(runner, that_is_closed_runs_nothing)
{
        AUV_AUTO auv_runner *runner = runner_new();
        AUV_AUTO auv_runner *unused = auv_runner_new(NULL);

        cr_assert(eq(int, auv_runner_run(runner, coro_nothing, NULL, NULL), 0));
        cr_assert(eq(int, auv_runner_close(runner), 0));
        cr_assert(eq(int, auv_runner_close(runner), 0));
        cr_assert(eq(int, auv_runner_run(runner, coro_nothing, NULL, NULL), AUV_ERUNTIME));
        cr_assert(zero(ptr, auv_runner_get_loop(runner)));
        cr_assert(eq(int, auv_runner_close(unused), 0));
        cr_assert(zero(ptr, auv_runner_get_loop(unused)));
}

Test(runner, of_null_is_harmless)
{
        cr_assert(eq(int, auv_runner_close(NULL), 0));
        cr_assert(zero(ptr, auv_runner_get_loop(NULL)));
}

Test(runner, is_closed_with_its_last_reference)
{
        auv_runner *runner = runner_new();

        cr_assert(eq(int, auv_runner_run(runner, leaves_tasks, NULL, NULL), 0));
        cr_assert_trace("a+ b+");
        auv_unref(runner);
        cr_assert_trace("a+ b+ a! b! b-");
}

Test(runner, keeps_tasks_between_runs)
{
        AUV_AUTO auv_runner *runner = runner_new();

        cr_assert(eq(int, auv_runner_run(runner, leaves_tasks, NULL, NULL), 0));
        cr_assert(eq(int, auv_runner_run(runner, coro_sleep, &(double) { 6 }, NULL), 0));
        cr_assert_trace("a+ b+ b-");
        cr_assert(eq(int, auv_runner_close(runner), 0));
        cr_assert_trace("a+ b+ b- a!");
}

/* rule 123 */
static int fails_when_cancelled(void *arg, auv_value *ret)
{
        const int r = auv_await_sleep(9);

        return r == AUV_ECANCELED ? auv_raise(AUV_EUSER, "in the clean-up") : r;
}

static int leaves_one_that_will_fail(void *arg, auv_value *ret)
{
        auv_unref(auv_create_task(fails_when_cancelled, NULL, 0));
        return auv_await_sleep(0);
}

Test(runner, reports_what_fails_while_it_is_closed)
{
        AUV_AUTO auv_runner *runner = runner_new();
        const struct report *report;

        cr_assert(eq(int, auv_runner_run(runner, leaves_one_that_will_fail, NULL, NULL), 0));
        cr_assert(eq(int, auv_runner_close(runner), 0));
        cr_assert(eq(int, reports_pending(), 1));
        report = reports_take();
        cr_assert_has(report->message, "unhandled exception during");
        cr_assert(eq(int, report->code, AUV_EUSER));
        cr_assert_text(report->error_message, "in the clean-up");
}

/* rule 125: what is made meanwhile is not cancelled, but taken down with the loop */
static int makes_another_when_cancelled(void *arg, auv_value *ret)
{
        const int r = auv_await_sleep(9);

        auv_unref(auv_create_task(coro_steps, &(struct steps) { .name = "late", .sleep = 9 },
                                  sizeof(struct steps)));
        AUV_TRY(auv_await_sleep(0));
        return r;
}

static int leaves_one_that_will_make_another(void *arg, auv_value *ret)
{
        auv_unref(auv_create_task(makes_another_when_cancelled, NULL, 0));
        return auv_await_sleep(0);
}

Test(runner, takes_down_what_is_made_while_it_is_closed)
{
        AUV_AUTO auv_runner *runner = runner_new();

        cr_assert(eq(int, auv_runner_run(runner, leaves_one_that_will_make_another, NULL, NULL), 0));
        cr_assert(eq(int, auv_runner_close(runner), 0));
        cr_assert_trace("late+ late!");
        cr_assert(eq(int, reports_pending(), 1));
        cr_assert_text(reports_take()->message, "Task was destroyed but it is pending!");
}

static int awaits_for_ever(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *never = auv_loop_create_future(NULL);
        const int r = auv_await(never, NULL);

        trace("%s", auv_error_name(r));
        return r;
}

Test(runner, says_so_when_its_coroutine_can_never_end)
{
        AUV_AUTO auv_runner *runner = runner_new();

        cr_assert(eq(int, auv_runner_run(runner, awaits_for_ever, NULL, NULL), AUV_EDEADLK));
        cr_assert(eq(int, reports_drop(), 1));
        cr_assert(eq(int, auv_runner_close(runner), 0));
        cr_assert_trace("ECANCELED");
        reports_drop();
}

static int refuses_for_ever(void *arg, auv_value *ret)
{
        int r;

        while ((r = awaits_for_ever(arg, ret)) == AUV_ECANCELED)
                continue;
        return r;
}

static int leaves_one_that_refuses(void *arg, auv_value *ret)
{
        auv_unref(auv_create_task(refuses_for_ever, NULL, 0));
        return auv_await_sleep(0);
}

Test(runner, says_so_when_a_task_does_not_end_as_it_is_closed)
{
        AUV_AUTO auv_runner *runner = runner_new();

        cr_assert(eq(int, auv_runner_run(runner, leaves_one_that_refuses, NULL, NULL), 0));
        cr_assert(eq(int, auv_runner_close(runner), AUV_EDEADLK));
        cr_assert_trace("ECANCELED ECLOSED");
        cr_assert(zero(ptr, auv_runner_get_loop(runner)));
        cr_assert(eq(int, auv_runner_run(runner, coro_nothing, NULL, NULL), AUV_ERUNTIME));
        reports_drop();
}

static int stops_its_loop(void *arg, auv_value *ret)
{
        auv_loop_stop(auv_get_running_loop());
        return auv_await_sleep(1);
}

Test(runner, says_so_when_its_loop_was_stopped)
{
        AUV_AUTO auv_runner *runner = runner_new();

        cr_assert(eq(int, auv_runner_run(runner, stops_its_loop, NULL, NULL), AUV_ESTOPPED));
        cr_assert(eq(int, auv_runner_close(runner), 0));
}

static void runner_sweep(void)
{
        AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL));
        const bool has_loop = auv_runner_get_loop(runner);
        int r;

        if (has_loop)
                reports_record(auv_runner_get_loop(runner));
        r = auv_runner_run(runner, leaves_tasks, NULL, NULL);
        cr_assert(r == 0 || (r == AUV_ENOMEM && failing_allocator_fired()));
        auv_runner_close(runner);
        reports_drop();
        trace_clear();
        auv_error_clear();
}

Test(runner, without_memory_fails_and_leaves_nothing)
{
        cr_assert(gt(long, failing_allocator_sweep(runner_sweep), 1));
}

static void run_sweep(void)
{
        const int r = auv_run(coro_nothing, NULL);

        cr_assert(r == 0 || (r == AUV_ENOMEM && failing_allocator_fired()));
        auv_error_clear();
}

Test(runner, without_memory_gives_an_error)
{
        cr_assert(gt(long, failing_allocator_sweep(run_sweep), 1));
}

static int gives_up(void *arg, auv_value *ret)
{
        auv_unref(arg);
        AUV_TRY(auv_await_sleep(1));
        ret->i = 5;
        return 0;
}

Test(runner, may_be_given_up_by_what_it_runs)
{
        auv_runner *runner = runner_new();
        auv_value five = { 0 };

        cr_assert(eq(int, auv_runner_run(runner, gives_up, runner, &five), 0));
        cr_assert(eq(int, five.i, 5));
}

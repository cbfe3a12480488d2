/* SPDX-License-Identifier: MIT */

/* Which context calls, tasks and callbacks have. */

#include "support/context.h"
#include "support/coroutine.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(context, .init = context_setup, .fini = context_teardown);

/* Calls; rule 13 */

TestInContext(call_has_a_copy_of_the_context_in_which_it_was_made)
{
        set(1);
        auv_loop_call_soon(loop, trace_and_set, "a", NULL);
        set(2);
        auv_loop_call_soon(loop, trace_and_set, "b", NULL);
        auv_loop_call_soon_threadsafe(loop, trace_and_set, "c", NULL);
        auv_loop_call_later(loop, 1, trace_and_set, "later", NULL);
        auv_loop_call_at(loop, 2, trace_and_set, "at", NULL);
        set(3);
        cr_assert(eq(int, auv_loop_run_until(loop, 3), 0));
        cr_assert_trace("a=1 b=2 c=2 later=2 at=2");
        cr_assert(eq(i64, get(), 3));
}

Test(context, call_made_where_nothing_is_set_begins_with_nothing)
{
        AUV_AUTO auv_task *task = start_sleep(loop, 1);

        auv_loop_call_soon(loop, trace_and_set, "a", NULL);
        auv_loop_call_soon(loop, trace_and_set, "b", NULL);
        auv_loop_run_until_complete(loop, task, NULL);
        cr_assert_trace("a=0 b=0");
        cr_assert(eq(i64, get(), 0));
}

static void makes_another(void *arg)
{
        set(get() + 1);
        auv_loop_call_soon(NULL, trace_and_set, "next", NULL);
}

TestInContext(call_hands_its_context_on)
{
        set(1);
        auv_loop_call_soon(loop, makes_another, NULL, NULL);
        loop_turns(2);
        cr_assert_trace("| next=2 |");
        cr_assert(eq(i64, get(), 1));
}

TestInContext(call_runs_in_a_given_context_itself)
{
        AUV_AUTO auv_context *context = auv_context_new();
        AUV_AUTO auv_task *task = start_sleep(loop, 2);

        set(1);
        auv_loop_call_soon_in_context(loop, context, trace_and_set, "soon", NULL);
        auv_loop_call_at_in_context(loop, context, 1, trace_and_set, "at", NULL);
        auv_loop_call_soon_in_context(loop, NULL, trace_and_set, "copy", NULL);
        auv_loop_run_until_complete(loop, task, NULL);
        cr_assert_trace("soon=0 copy=1 at=-1");
        cr_assert(eq(i64, get_in(context), -1));
}

TestInContext(call_gives_its_context)
{
        AUV_AUTO auv_context *given = auv_context_new();
        AUV_AUTO auv_call *call = NULL;
        AUV_AUTO auv_call *with_given = NULL;

        set(5);
        auv_loop_call_soon(loop, trace_and_set, "call", &call);
        auv_loop_call_soon_in_context(loop, given, trace_and_set, "given", &with_given);
        cr_assert(eq(i64, get_in(auv_call_get_context(call)), 5));
        cr_assert(auv_call_get_context(with_given) == given);
        loop_turn();
        cr_assert(eq(i64, get_in(auv_call_get_context(call)), -1));
        cr_assert(eq(i64, get(), 5));
}

/* Done callbacks; rule 37 */

TestInContext(done_callback_has_a_copy_of_the_context_in_which_it_was_added)
{
        AUV_AUTO auv_context *context = auv_context_new();
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        set(1);
        auv_future_add_done_callback(future, trace_and_set_when_done, "before");
        auv_future_add_done_callback_in_context(future, context, trace_and_set_when_done, "given");
        auv_future_add_done_callback_in_context(future, NULL, trace_and_set_when_done, "copy");
        set(2);
        auv_future_set_result(future, NUMBER(0));
        auv_future_add_done_callback(future, trace_and_set_when_done, "after");
        set(3);
        loop_turn();
        cr_assert_trace("before=1 given=0 copy=1 after=2");
        cr_assert(eq(i64, get(), 3));
        cr_assert(eq(i64, get_in(context), -1));
}

/* Tasks; rule 58 */

static int traces_and_sets(void *arg, auv_value *ret)
{
        const char *name = arg;

        for (int i = 0; i < 3; i++) {
                trace("%s=%jd", name, get());
                set(get() + 1);
                AUV_TRY(auv_await_sleep(0));
        }
        return 0;
}

TestInContext(task_has_a_copy_of_the_context_in_which_it_was_made)
{
        AUV_AUTO auv_task *a = NULL;
        AUV_AUTO auv_task *b = NULL;

        set(10);
        a = auv_loop_create_task(loop, traces_and_sets, "a", 0, NULL);
        set(20);
        b = auv_loop_create_task(loop, traces_and_sets, "b", 0, NULL);
        set(30);
        loop_turns(4);
        cr_assert_trace("a=10 b=20 | a=11 b=21 | a=12 b=22 | |");
        cr_assert(eq(i64, get(), 30));
        cr_assert(eq(i64, get_in(auv_task_get_context(a)), 13));
}

TestInContext(task_runs_in_a_given_context_itself)
{
        AUV_AUTO auv_context *context = auv_context_new();
        AUV_AUTO auv_task *a = auv_loop_create_task(loop, traces_and_sets, "a", 0,
                                                    AUV_TASK_OPTIONS(.context = context));
        AUV_AUTO auv_task *b = auv_loop_create_task(loop, traces_and_sets, "b", 0,
                                                    AUV_TASK_OPTIONS(.context = context));

        set(10);
        loop_turns(4);
        cr_assert_trace("a=0 b=1 | a=2 b=3 | a=4 b=5 | |");
        cr_assert(auv_task_get_context(a) == context);
        cr_assert(eq(i64, get_in(context), 6));
        cr_assert(eq(i64, get(), 10));
}

TestInContext(task_made_by_a_caller_who_knows_no_context_has_a_copy)
{
        auv_task_options old = { .size = offsetof(auv_task_options, context), .context = outside };
        AUV_AUTO auv_task *task = NULL;

        set(1);
        task = auv_loop_create_task(loop, traces_and_sets, "task", 0, &old);
        loop_turns(4);
        cr_assert_trace("task=1 | task=2 | task=3 | |");
        cr_assert(eq(i64, get(), 1));
}

static int starts_eagerly(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *eager = NULL;

        set(1);
        eager = auv_loop_create_task(NULL, traces_and_sets, "eager", 0,
                                     AUV_TASK_OPTIONS(.eager_start = true));
        trace("after=%jd", get());
        set(5);
        AUV_TRY(auv_await(eager, NULL));
        trace("end=%jd", get());
        return 0;
}

Test(context, eager_task_has_a_copy_too)
{
        cr_assert(eq(int, loop_run(starts_eagerly, NULL, NULL), 0));
        cr_assert_trace("eager=1 after=1 eager=2 eager=3 end=5");
}

static int starts_eagerly_in_its_own(void *arg, auv_value *ret)
{
        auv_context *context = auv_task_get_context(auv_current_task(NULL));
        AUV_AUTO auv_task *eager = NULL;

        set(1);
        cr_assert(eq(int, auv_context_run(context, trace_and_set, "refused"), AUV_ERUNTIME));
        eager = auv_loop_create_task(NULL, traces_and_sets, "eager", 0,
                                     AUV_TASK_OPTIONS(.eager_start = true, .context = context));
        trace("after=%jd", get());
        AUV_TRY(auv_await(eager, NULL));
        trace("end=%jd", get());
        return 0;
}

Test(context, may_be_shared_with_an_eager_task)
{
        cr_assert(eq(int, loop_run(starts_eagerly_in_its_own, NULL, NULL), 0));
        cr_assert_trace("eager=1 after=2 eager=2 eager=3 end=4");
}

static int wakes_in_its_own(void *arg, auv_value *ret)
{
        set(1);
        AUV_TRY(auv_await(arg, NULL));
        trace("awaited=%jd", get());
        AUV_TRY(auv_await_sleep(1));
        trace("slept=%jd", get());
        return 0;
}

static void completes(void *arg)
{
        set(2);
        auv_future_set_result(arg, NUMBER(0));
}

Test(context, task_is_woken_in_its_own_context)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, wakes_in_its_own, future, 0, NULL);

        auv_loop_call_soon(loop, completes, future, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert_trace("awaited=1 slept=1");
}

static void awaits_inside(void *arg)
{
        trace("inside=%jd", get());
        set(2);
        if (auv_await_sleep(1) < 0)
                trace("cancelled");
        trace("inside=%jd", get());
        set(3);
}

static int awaits_in_other_context(void *arg, auv_value *ret)
{
        set(1);
        AUV_TRY(auv_context_run(arg, awaits_inside, NULL));
        trace("outside=%jd", get());
        AUV_TRY(auv_await_sleep(1));
        trace("outside=%jd", get());
        return 0;
}

Test(context, may_be_entered_over_an_await)
{
        AUV_AUTO auv_context *context = auv_context_new();
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, awaits_in_other_context, context, 0, NULL);
        AUV_AUTO auv_task *beside = auv_loop_create_task(loop, traces_and_sets, "beside", 0, NULL);

        loop_turn();
        cr_assert(eq(int, auv_context_run(context, trace_and_set, "refused"), AUV_ERUNTIME));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert_trace("inside=0 beside=0 beside=1 beside=2 inside=2 outside=1 outside=1");
        cr_assert(eq(i64, get_in(context), 3));
        cr_assert(auv_future_done(beside));
}

Test(context, is_left_in_order_when_the_loop_is_closed_in_between)
{
        AUV_AUTO auv_context *context = auv_context_new();
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, awaits_in_other_context, context, 0, NULL);

        loop_turn();
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_trace("inside=0 cancelled inside=2 outside=1");
        cr_assert_text(reports_take()->message, "Task was destroyed but it is pending!");
        cr_assert(eq(int, auv_context_run(context, trace_and_set, "again"), 0));
        cr_assert(eq(i64, get(), 0));
}

static void sees_context(auv_loop *from, const auv_exception_context *report, void *arg)
{
        trace("%s=%jd", report->future ? "task" : "loop", get());
        set(50);
}

static int sets_and_fails(void *arg, auv_value *ret)
{
        set(40);
        return auv_raise(AUV_EUSER, NULL);
}

/* rule 23 */
TestInContext(exception_handler_runs_in_the_context_of_the_task)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, sets_and_fails, NULL, 0, NULL);

        set(1);
        auv_loop_set_exception_handler(loop, sees_context, NULL);
        loop_turn();
        task = auv_unref(task);
        cr_assert_trace("task=40");
        cr_assert(eq(i64, get(), 1));
        auv_loop_call_exception_handler(loop, &(auv_exception_context) { .message = "of none" });
        cr_assert_trace("task=40 loop=1");
        cr_assert(eq(i64, get(), 50));
}

/* rule 123 */
TestInContext(runner_has_one_for_all_its_runs)
{
        AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL));

        set(1);
        cr_assert(eq(int, auv_runner_run(runner, traces_and_sets, "run", NULL), 0));
        set(100);
        cr_assert(eq(int, auv_runner_run(runner, traces_and_sets, "run", NULL), 0));
        cr_assert_trace("run=1 run=2 run=3 run=4 run=5 run=6");
        cr_assert(eq(i64, get(), 100));
}

/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/small_stack.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(await, .init = loop_setup, .fini = loop_teardown);

static int traces_await(void *arg, auv_value *ret)
{
        auv_value result = { 0 };
        const int r = auv_await(arg, &result);

        trace(r < 0 ? "%s" : "ok", auv_error_name(r));
        *ret = result;
        ret->destroy = NULL;
        return r;
}

/* rule 30 */
Test(await, of_what_is_done_does_not_yield)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, traces_await, future, 0, NULL);

        auv_future_set_result(future, NUMBER(1));
        loop_turns(1);
        cr_assert_trace("ok |");
        cr_assert(auv_future_done(task));
}

/* rule 39 */
Test(await, of_a_task_ends_a_turn_after_it)
{
        AUV_AUTO auv_task *inner = start_steps(.name = "inner", .turns = 1, .value = 7);
        AUV_AUTO auv_task *outer = auv_loop_create_task(loop, traces_await, inner, 0, NULL);
        auv_value result = { 0 };

        loop_turns(3);
        cr_assert_trace("inner+ | inner- | ok |");
        cr_assert(eq(int, auv_future_result(outer, &result), 0));
        cr_assert(eq(i64, result.i, 7));
}

Test(await, wakes_in_the_order_of_waiting)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        static const char *const names[] = { "a", "b", "c" };
        auv_task *waiters[3];

        for (int i = 0; i < 3; i++)
                waiters[i] = auv_loop_create_task(loop, traces_await, future, 0,
                                                  AUV_TASK_OPTIONS(.name = names[i]));
        loop_turn();
        auv_future_fail(future, AUV_EUSER, "failed");
        loop_turns(1);
        cr_assert_trace("EUSER EUSER EUSER |");
        for (int i = 0; i < 3; i++) {
                cr_assert(eq(int, auv_future_result(waiters[i], NULL), AUV_EUSER));
                cr_assert_text(auv_error_message(auv_error_current()), "failed");
                auv_unref(waiters[i]);
        }
}

/* rule 50 */
Test(await, of_what_others_cancelled_cancels)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, traces_await, future, 0, NULL);

        loop_turn();
        auv_future_cancel(future, "by others");
        loop_turns(1);
        cr_assert_trace("ECANCELED |");
        cr_assert(auv_future_cancelled(task));
        cr_assert(eq(int, auv_task_cancelling(task), 0));
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "by others");
}

Test(await, outside_of_a_task_is_refused)
{
        AUV_AUTO auv_future *pending = auv_loop_create_future(loop);
        AUV_AUTO auv_future *done = auv_loop_create_future(loop);

        auv_future_set_result(done, NUMBER(1));
        cr_assert(eq(int, auv_await(pending, NULL), AUV_ENOTASK));
        cr_assert(eq(int, auv_await(done, NULL), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_sleep(0), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_sleep(1), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_shield(pending, NULL), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_gather(&pending, 1, 0, NULL), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_wait(&pending, 1, 1, AUV_ALL_COMPLETED, NULL), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_wait_for(pending, 1, NULL), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_wait_for_coro(coro_nothing, NULL, 1, NULL), AUV_ENOTASK));
}

static void awaits_in_callback(void *arg)
{
        cr_assert(eq(int, auv_await(arg, NULL), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_sleep(0), AUV_ENOTASK));
        trace("refused");
}

Test(await, in_a_callback_is_refused)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        auv_loop_call_soon(loop, awaits_in_callback, future, NULL);
        loop_turn();
        cr_assert_trace("refused");
}

static int awaits_itself(void *arg, auv_value *ret)
{
        const int r = auv_await(auv_current_task(NULL), NULL);

        trace("%s", auv_error_name(r));
        return 0;
}

/* rule 54 */
Test(await, of_oneself_is_refused)
{
        cr_assert(eq(int, loop_run(awaits_itself, NULL, NULL), 0));
        cr_assert_trace("ERUNTIME");
}

/* rule 54 */
Test(await, of_a_future_of_another_loop_is_refused)
{
        AUV_AUTO auv_loop *other = loop_new();
        AUV_AUTO auv_future *foreign = auv_loop_create_future(other);

        cr_assert(eq(int, loop_run(coro_await, foreign, NULL), AUV_ERUNTIME));
}

/* NULL */

static int awaits_null(void *arg, auv_value *ret)
{
        auv_error_clear();
        return auv_await(NULL, NULL);
}

Test(await, of_null_is_an_error)
{
        cr_assert(lt(int, loop_run(awaits_null, NULL, NULL), 0));
}

static int awaits_what_could_not_be_made(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *task = NULL;
        AUV_AUTO auv_future *future = NULL;

        failing_allocator_arm_all();
        task = auv_create_task(coro_nothing, NULL, 0);
        failing_allocator_disarm();
        cr_assert(zero(ptr, task));
        cr_assert(eq(int, auv_await(task, NULL), AUV_ENOMEM));
        failing_allocator_arm_all();
        future = auv_loop_create_future(NULL);
        failing_allocator_disarm();
        cr_assert(zero(ptr, future));
        cr_assert(eq(int, auv_await_shield(auv_shield(future), NULL), AUV_ENOMEM));
        return 0;
}

Test(await, of_null_gives_the_error_for_which_there_is_no_future)
{
        cr_assert(eq(int, loop_run(awaits_what_could_not_be_made, NULL, NULL), 0));
}

static int awaits_a_task_without_body(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *task = auv_create_task(NULL, NULL, 0);

        return auv_await(task, NULL);
}

static int awaits_a_future_of_a_closed_loop(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(arg);

        return auv_await(future, NULL);
}

Test(await, of_null_gives_what_was_wrong_with_the_arguments)
{
        AUV_AUTO auv_loop *closed = loop_new();

        auv_loop_close(closed);
        cr_assert(eq(int, loop_run(awaits_a_task_without_body, NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, loop_run(awaits_a_future_of_a_closed_loop, closed, NULL), AUV_ECLOSED));
}

/* The result is untouched on failure. */
static int keeps_result_untouched(void *arg, auv_value *ret)
{
        auv_value result = NUMBER(-1);

        cr_assert(eq(int, auv_await(arg, &result), AUV_EUSER));
        cr_assert(eq(i64, result.i, -1));
        return 0;
}

Test(await, leaves_the_result_alone_on_failure)
{
        AUV_AUTO auv_task *task = start_steps(.turns = 1, .error = AUV_EUSER);

        cr_assert(eq(int, loop_run(keeps_result_untouched, task, NULL), 0));
}

/* The one who awaits need not hold what it awaits until it wakes: its loop does, or its creator. */
static int unrefs_what_it_awaits(void *arg, auv_value *ret)
{
        auv_future *future = arg;

        return auv_await(future, ret);
}

static void set_and_unref(void *arg)
{
        auv_future_set_result(arg, NUMBER(6));
        auv_unref(arg);
}

Test(await, outlives_the_references_of_others)
{
        auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, unrefs_what_it_awaits, future, 0, NULL);
        auv_value result = { 0 };

        auv_loop_call_later(loop, 1, set_and_unref, future, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, &result), 0));
        cr_assert(eq(i64, result.i, 6));
}

/* Very long chains */

static int awaits_arg(void *arg, auv_value *ret)
{
        return auv_await(*(auv_task **)arg, ret);
}

static char *chain_that_completes(void)
{
        static auv_task *tasks[SMALL_STACK_TASKS];
        auv_loop *own = loop_new();
        auv_future *future = auv_loop_create_future(own);
        auv_value result = { 0 };

        tasks[0] = auv_loop_create_task(own, coro_await, future, 0, NULL);
        for (int i = 1; i < SMALL_STACK_TASKS; i++) {
                tasks[i] = auv_loop_create_task(own, awaits_arg, &tasks[i - 1], 0, NULL);
                REQUIRE(tasks[i]);
        }
        auv_loop_stop(own);
        REQUIRE(auv_loop_run_forever(own) == 0);
        auv_future_set_result(future, NUMBER(11));
        REQUIRE(auv_loop_run_until_complete(own, tasks[SMALL_STACK_TASKS - 1], &result) == 0);
        REQUIRE(result.i == 11);
        for (int i = 0; i < SMALL_STACK_TASKS; i++)
                auv_unref(tasks[i]);
        auv_unref(future);
        auv_unref(own);
        auv_error_clear();
        return NULL;
}

Test(await, chain_of_100000_tasks_completes)
{
        const long before = failing_allocator_live();

        cr_assert_text(on_small_stack(chain_that_completes), NULL);
        cr_assert(eq(long, failing_allocator_live(), before));
}

static char *chain_that_nobody_holds(void)
{
        static auv_task *tasks[SMALL_STACK_TASKS];
        auv_loop *own = loop_new();
        auv_future *future = auv_loop_create_future(own);

        tasks[0] = auv_loop_create_task(own, coro_await, future, 0, NULL);
        for (int i = 1; i < SMALL_STACK_TASKS; i++)
                tasks[i] = auv_loop_create_task(own, awaits_arg, &tasks[i - 1], 0, NULL);
        auv_loop_stop(own);
        REQUIRE(auv_loop_run_forever(own) == 0);
        for (int i = 0; i < SMALL_STACK_TASKS; i++)
                auv_unref(tasks[i]);
        auv_future_fail(future, AUV_EUSER, "goes all the way");
        for (int i = 0; i < SMALL_STACK_TASKS + 2; i++) {
                auv_loop_stop(own);
                REQUIRE(auv_loop_run_forever(own) == 0);
        }
        REQUIRE(auv_all_tasks(own, NULL, 0) == 0);
        REQUIRE(reports_drop() == 1);
        auv_unref(future);
        auv_unref(own);
        auv_error_clear();
        return NULL;
}

Test(await, chain_of_100000_detached_tasks_hands_an_error_on)
{
        const long before = failing_allocator_live();

        cr_assert_text(on_small_stack(chain_that_nobody_holds), NULL);
        cr_assert(eq(long, failing_allocator_live(), before));
}

static char *chain_that_is_taken_down(void)
{
        static auv_task *tasks[SMALL_STACK_TASKS];
        auv_loop *own = loop_new();
        auv_future *future = auv_loop_create_future(own);

        tasks[0] = auv_loop_create_task(own, coro_await, future, 0, NULL);
        for (int i = 1; i < SMALL_STACK_TASKS; i++)
                tasks[i] = auv_loop_create_task(own, awaits_arg, &tasks[i - 1], 0, NULL);
        auv_loop_stop(own);
        REQUIRE(auv_loop_run_forever(own) == 0);
        for (int i = 0; i < SMALL_STACK_TASKS; i++)
                auv_unref(tasks[i]);
        auv_unref(future);
        REQUIRE(auv_loop_close(own) == 0);
        REQUIRE(reports_drop() == SMALL_STACK_TASKS);
        auv_unref(own);
        auv_error_clear();
        return NULL;
}

Test(await, chain_of_100000_tasks_is_taken_down_with_its_loop)
{
        const long before = failing_allocator_live();

        cr_assert_text(on_small_stack(chain_that_is_taken_down), NULL);
        cr_assert(eq(long, failing_allocator_live(), before));
}

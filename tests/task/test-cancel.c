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

TestSuite(cancel, .init = loop_setup, .fini = loop_teardown);

static void expect_cancelled(auv_future *future, const char *message)
{
        cr_assert(auv_future_cancelled(future));
        cr_assert(eq(int, auv_future_result(future, NULL), AUV_ECANCELED));
        if (message)
                cr_assert_text(auv_error_message(auv_error_current()), message);
        else
                cr_assert(zero(ptr, (void *)auv_error_message(auv_error_current())));
}

/* rule 42 */
Test(cancel, reaches_the_task_in_the_next_turn)
{
        AUV_AUTO auv_task *task = start_steps(.name = "t", .sleep = 5);

        loop_turn();
        cr_assert(eq(int, auv_task_cancel(task, "enough"), 1));
        cr_assert(eq(int, auv_task_cancelling(task), 1));
        cr_assert(not(auv_future_done(task)));
        cr_assert_trace("t+");
        loop_turns(1);
        cr_assert_trace("t+ t! |");
        expect_cancelled(task, "enough");
        cr_assert(eq(int, auv_task_cancelling(task), 1));
}

Test(cancel, of_a_task_that_has_ended_is_none)
{
        AUV_AUTO auv_task *task = start_steps(.value = 1);

        loop_turn();
        cr_assert(eq(int, auv_task_cancel(task, NULL), 0));
        cr_assert(eq(int, auv_task_cancelling(task), 0));
        cr_assert(eq(int, auv_future_cancel(task, NULL), 0));
        cr_assert(eq(int, auv_future_result(task, NULL), 0));
}

Test(cancel, by_the_name_of_the_future_is_the_same)
{
        AUV_AUTO auv_task *task = start_steps(.name = "t", .sleep = 5);

        loop_turn();
        cr_assert(eq(int, auv_future_cancel(task, "enough"), 1));
        cr_assert(not(auv_future_done(task)));
        cr_assert(eq(int, auv_task_cancelling(task), 1));
        loop_turn();
        expect_cancelled(task, "enough");
}

/* rule 45 */
Test(cancel, before_the_start_keeps_the_body_from_running)
{
        AUV_AUTO auv_task *task = start_steps(.name = "t");

        cr_assert(eq(int, auv_task_cancel(task, "early"), 1));
        cr_assert(not(auv_future_done(task)));
        loop_turns(1);
        cr_assert_trace("|");
        expect_cancelled(task, "early");
}

static int cleans_up(void *arg, auv_value *ret)
{
        const int r = auv_await_sleep(5);

        trace("%s", auv_error_name(r));
        AUV_TRY(auv_await_sleep(1));
        trace("cleaned");
        return r;
}

Test(cancel, lets_the_task_await_while_it_cleans_up)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, cleans_up, NULL, 0, NULL);

        loop_turn();
        auv_task_cancel(task, "enough");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert_trace("ECANCELED cleaned");
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
}

Test(cancel, may_be_refused)
{
        AUV_AUTO auv_task *task = start_stubborn(.name = "t", .sleep = 2, .value = 9);
        auv_value result = { 0 };

        loop_turn();
        auv_task_cancel(task, NULL);
        loop_turn();
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, &result), 0));
        cr_assert_trace("t+ t! t! t-");
        cr_assert(eq(i64, result.i, 9));
        cr_assert(not(auv_future_cancelled(task)));
        cr_assert(eq(int, auv_task_cancelling(task), 2));
}

/* rule 43 */
Test(cancel, walks_to_what_the_task_awaits_first)
{
        AUV_AUTO auv_task *inner = start_steps(.name = "inner", .sleep = 5);
        AUV_AUTO auv_task *outer = start_await(inner);

        loop_turn();
        cr_assert(eq(int, auv_task_cancel(outer, "message"), 1));
        cr_assert(eq(int, auv_task_cancelling(outer), 1));
        cr_assert(eq(int, auv_task_cancelling(inner), 1));
        loop_turn();
        cr_assert(auv_future_cancelled(inner));
        cr_assert(not(auv_future_done(outer)));
        loop_turn();
        expect_cancelled(outer, "message");
}

/* rule 36: the error that the task ended with goes to the first who asks; later ones get a new one */
Test(cancel, of_a_task_gives_its_message_to_the_first_who_asks)
{
        AUV_AUTO auv_task *task = start_steps(.sleep = 5);

        loop_turn();
        auv_task_cancel(task, "message");
        loop_turn();
        expect_cancelled(task, "message");
        expect_cancelled(task, NULL);
}

/* rule 43 */
Test(cancel, that_the_inner_task_refuses_does_not_reach_the_outer)
{
        AUV_AUTO auv_task *inner = start_stubborn(.sleep = 1, .value = 3);
        AUV_AUTO auv_task *outer = start_await(inner);
        auv_value result = { 0 };

        loop_turn();
        auv_task_cancel(outer, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, outer, &result), 0));
        cr_assert(eq(i64, result.i, 3));
        cr_assert(eq(int, auv_task_cancelling(outer), 1));
}

/* rule 44 */
Test(cancel, comes_before_a_result_that_has_not_been_taken)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = start_await(future);

        loop_turn();
        auv_future_set_result(future, NUMBER(1));
        cr_assert(eq(int, auv_task_cancel(task, "late"), 1));
        loop_turn();
        expect_cancelled(task, "late");
        cr_assert(not(auv_future_cancelled(future)));
}

/* rule 46 */
Test(cancel, made_twice_has_the_first_message_where_a_future_was_cancelled)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = start_await(future);

        loop_turn();
        cr_assert(eq(int, auv_task_cancel(task, "first"), 1));
        cr_assert(eq(int, auv_task_cancel(task, "second"), 1));
        cr_assert(eq(int, auv_task_cancelling(task), 2));
        loop_turn();
        expect_cancelled(task, "first");
}

/* rule 46: one throw only */
Test(cancel, made_twice_is_thrown_once)
{
        AUV_AUTO auv_task *task = start_stubborn(.name = "t", .sleep = 1);

        loop_turn();
        auv_task_cancel(task, NULL);
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert_trace("t+ t! t-");
}

Test(cancel, made_twice_before_the_start_has_the_last_message)
{
        AUV_AUTO auv_task *task = start_steps(.name = "t");

        auv_task_cancel(task, "first");
        auv_task_cancel(task, "second");
        loop_turn();
        expect_cancelled(task, "second");
        cr_assert_trace("");
}

/* Of oneself */

static int cancels_itself_then_awaits(void *arg, auv_value *ret)
{
        cr_assert(eq(int, auv_task_cancel(auv_current_task(NULL), "self"), 1));
        trace("%s", auv_error_name(auv_await(arg, NULL)));
        return AUV_ECANCELED;
}

/* rule 47 */
Test(cancel, of_oneself_cancels_the_next_future_at_once)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, cancels_itself_then_awaits, future, 0, NULL);

        loop_turn();
        cr_assert(auv_future_cancelled(future));
        cr_assert(not(auv_future_done(task)));
        loop_turn();
        cr_assert_trace("ECANCELED");
        expect_cancelled(task, "self");
}

static int cancels_itself_then_awaits_done(void *arg, auv_value *ret)
{
        auv_task_cancel(auv_current_task(NULL), "self");
        trace("%d", auv_await(arg, NULL));
        return auv_await_sleep(0);
}

/* rule 47 */
Test(cancel, of_oneself_passes_what_is_done)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = NULL;

        task = auv_loop_create_task(loop, cancels_itself_then_awaits_done, future, 0, NULL);
        auv_future_set_result(future, NUMBER(1));
        loop_turn();
        cr_assert_trace("0");
        cr_assert(not(auv_future_done(task)));
        loop_turn();
        expect_cancelled(task, "self");
}

static int cancels_itself_then_sleeps(void *arg, auv_value *ret)
{
        auv_task_cancel(auv_current_task(NULL), NULL);
        trace("%s", auv_error_name(auv_await_sleep(*(double *)arg)));
        trace("%d", auv_await_sleep(0));
        return 0;
}

/* rule 47 */
Test(cancel, of_oneself_ends_the_next_sleep)
{
        AUV_AUTO auv_task *none = auv_loop_create_task(loop, cancels_itself_then_sleeps, &(double) { 0 },
                                                       sizeof(double), NULL);
        AUV_AUTO auv_task *some = auv_loop_create_task(loop, cancels_itself_then_sleeps, &(double) { 3 },
                                                       sizeof(double), NULL);

        loop_turns(3);
        cr_assert_trace("| ECANCELED ECANCELED | 0 0 |");
        cr_assert(eq(int, auv_future_result(none, NULL), 0));
        cr_assert(eq(int, auv_future_result(some, NULL), 0));
}

static int cancels_itself_then_returns(void *arg, auv_value *ret)
{
        auv_task_cancel(auv_current_task(NULL), "self");
        ret->i = 5;
        return 0;
}

/* rule 48 */
Test(cancel, of_oneself_before_the_return_ends_the_task_cancelled)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, cancels_itself_then_returns, NULL, 0, NULL);

        loop_turn();
        expect_cancelled(task, "self");
}

static int cancels_itself_then_fails(void *arg, auv_value *ret)
{
        auv_task_cancel(auv_current_task(NULL), "self");
        return auv_raise(AUV_EUSER, "failed");
}

/* an error is not a return: it goes before the request */
Test(cancel, of_oneself_before_an_error_leaves_the_error)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, cancels_itself_then_fails, NULL, 0, NULL);

        loop_turn();
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_EUSER));
        cr_assert(not(auv_future_cancelled(task)));
}

/* Counting */

/* rule 51 */
Test(cancel, counts_up_and_down_to_zero)
{
        AUV_AUTO auv_task *task = start_stubborn(.sleep = 1);

        loop_turn();
        cr_assert(eq(int, auv_task_cancelling(task), 0));
        cr_assert(eq(int, auv_task_uncancel(task), 0));
        auv_task_cancel(task, NULL);
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, auv_task_cancelling(task), 2));
        cr_assert(eq(int, auv_task_uncancel(task), 1));
        cr_assert(eq(int, auv_task_uncancel(task), 0));
        cr_assert(eq(int, auv_task_uncancel(task), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
}

/* rule 51 */
Test(cancel, taken_back_before_it_was_delivered_is_not_delivered)
{
        AUV_AUTO auv_task *task = start_steps(.name = "t", .value = 1);

        auv_task_cancel(task, NULL);
        cr_assert(eq(int, auv_task_uncancel(task), 0));
        loop_turn();
        cr_assert_trace("t+ t-");
        cr_assert(eq(int, auv_future_result(task, NULL), 0));
}

/* rule 51 */
Test(cancel, not_wholly_taken_back_is_delivered)
{
        AUV_AUTO auv_task *task = start_steps(.name = "t");

        auv_task_cancel(task, NULL);
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, auv_task_uncancel(task), 1));
        loop_turn();
        cr_assert_trace("");
        cr_assert(auv_future_cancelled(task));
}

/* What has reached the future that is awaited cannot be taken back. */
Test(cancel, taken_back_after_it_was_delivered_is_delivered)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = start_await(future);

        loop_turn();
        auv_task_cancel(task, NULL);
        auv_task_uncancel(task);
        loop_turn();
        cr_assert(auv_future_cancelled(task));
        cr_assert(eq(int, auv_task_cancelling(task), 0));
}

/* Errors */

static int turns_cancel_into_error(void *arg, auv_value *ret)
{
        const int r = auv_await_sleep(1);

        return r == AUV_ECANCELED ? auv_raise(AUV_EUSER, "instead") : r;
}

Test(cancel, may_be_answered_with_an_error)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, turns_cancel_into_error, NULL, 0, NULL);

        loop_turn();
        auv_task_cancel(task, "message");
        loop_turn();
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_EUSER));
        cr_assert_text(auv_error_message(auv_error_current()), "instead");
}

/* The message reaches the task through what it awaits, whatever that is. */
static int message_reaches(auv_coro_fn fn)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, fn, future, 0, NULL);

        loop_turn();
        auv_task_cancel(task, "the message");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "the message");
        return auv_future_cancelled(future);
}

static int by_sleep(void *arg, auv_value *ret)
{
        return auv_await_sleep(9);
}

static int by_sleep_zero(void *arg, auv_value *ret)
{
        return auv_await_sleep(0);
}

static int by_gather(void *arg, auv_value *ret)
{
        return auv_await_gather((auv_future *[]) { arg }, 1, 0, NULL);
}

static int by_wait(void *arg, auv_value *ret)
{
        return auv_await_wait((auv_future *[]) { arg }, 1, 9, AUV_ALL_COMPLETED, NULL);
}

static int by_as_completed(void *arg, auv_value *ret)
{
        AUV_AUTO auv_as_completed *iterator = auv_as_completed_new((auv_future *[]) { arg }, 1, 9);
        auv_future *future;

        return auv_await_as_completed(iterator, &future);
}

static int by_wait_for(void *arg, auv_value *ret)
{
        return auv_await_wait_for(arg, 9, NULL);
}

static int by_shield(void *arg, auv_value *ret)
{
        return auv_await_shield(arg, NULL);
}

static int by_group(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        AUV_TRY(auv_task_group_enter(group));
        return auv_await_task_group_exit(group, auv_await(arg, NULL));
}

Test(cancel, brings_its_message_through_every_kind_of_await)
{
        cr_assert(eq(int, message_reaches(coro_await), 1));
        cr_assert(eq(int, message_reaches(by_sleep), 0));
        cr_assert(eq(int, message_reaches(by_sleep_zero), 0));
        cr_assert(eq(int, message_reaches(by_gather), 1));
        cr_assert(eq(int, message_reaches(by_wait), 0));
        cr_assert(eq(int, message_reaches(by_as_completed), 0));
        cr_assert(eq(int, message_reaches(by_wait_for), 1));
        cr_assert(eq(int, message_reaches(by_shield), 0));
        cr_assert(eq(int, message_reaches(by_group), 1));
}

Test(cancel, without_memory_is_made_without_a_message)
{
        AUV_AUTO auv_task *waits = start_steps(.sleep = 1);
        AUV_AUTO auv_task *new = NULL;

        loop_turn();
        new = start_steps(.name = "new");
        failing_allocator_arm_all();
        cr_assert(eq(int, auv_task_cancel(waits, "message"), 1));
        cr_assert(eq(int, auv_task_cancel(new, "message"), 1));
        loop_turn();
        failing_allocator_disarm();
        expect_cancelled(waits, NULL);
        expect_cancelled(new, NULL);
}

/* Very long chains and cycles */

static auv_task *tasks[SMALL_STACK_TASKS];

static int awaits_arg(void *arg, auv_value *ret)
{
        return auv_await(*(auv_task **)arg, ret);
}

/* Task i awaits task i - 1, and the first one what @first is. */
static char *start_chain(auv_loop *own, auv_task **first)
{
        for (int i = 0; i < SMALL_STACK_TASKS; i++) {
                tasks[i] = auv_loop_create_task(own, awaits_arg, i == 0 ? first : &tasks[i - 1], 0, NULL);
                REQUIRE(tasks[i]);
        }
        auv_loop_stop(own);
        REQUIRE(auv_loop_run_forever(own) == 0);
        return NULL;
}

static char *end_chain(auv_loop *own)
{
        for (int i = 0; i < SMALL_STACK_TASKS; i++)
                auv_unref(tasks[i]);
        auv_unref(own);
        auv_error_clear();
        REQUIRE(reports_drop() == 0);
        return NULL;
}

static char *chain_is_cancelled(void)
{
        auv_loop *own = loop_new();
        auv_future *future = auv_loop_create_future(own);
        char *wrong = start_chain(own, &future);

        if (wrong)
                return wrong;
        REQUIRE(auv_task_cancel(tasks[SMALL_STACK_TASKS - 1], "all the way") == 1);
        REQUIRE(auv_future_cancelled(future));
        for (int i = 0; i < SMALL_STACK_TASKS; i++)
                REQUIRE(auv_task_cancelling(tasks[i]) == 1);
        REQUIRE(auv_loop_run_until_complete(own, tasks[SMALL_STACK_TASKS - 1], NULL) == AUV_ECANCELED);
        for (int i = 0; i < SMALL_STACK_TASKS; i++)
                REQUIRE(auv_future_cancelled(tasks[i]));
        auv_unref(future);
        return end_chain(own);
}

Test(cancel, of_a_chain_of_100000_tasks_does_not_recurse)
{
        const long before = failing_allocator_live();

        cr_assert_text(on_small_stack(chain_is_cancelled), NULL);
        cr_assert(eq(long, failing_allocator_live(), before));
}

/* Each of the cancels ends at the same future; all but the first find it done. */
static char *chain_is_cancelled_at_each_link(void)
{
        auv_loop *own = loop_new();
        auv_future *future = auv_loop_create_future(own);
        char *wrong = start_chain(own, &future);

        if (wrong)
                return wrong;
        for (int i = 0; i < SMALL_STACK_TASKS; i += SMALL_STACK_TASKS / 20)
                REQUIRE(auv_task_cancel(tasks[i], NULL) == 1);
        REQUIRE(auv_loop_run_until_complete(own, tasks[SMALL_STACK_TASKS - 1], NULL) == AUV_ECANCELED);
        auv_unref(future);
        return end_chain(own);
}

Test(cancel, of_many_links_of_a_long_chain_does_not_recurse)
{
        cr_assert_text(on_small_stack(chain_is_cancelled_at_each_link), NULL);
}

static char *cycle_is_cancelled_and_taken_down(void)
{
        auv_loop *own = loop_new();
        char *wrong = start_chain(own, &tasks[SMALL_STACK_TASKS - 1]);

        if (wrong)
                return wrong;
        REQUIRE(auv_task_cancel(tasks[SMALL_STACK_TASKS / 2], "round") == AUV_ERUNTIME);
        auv_loop_stop(own);
        REQUIRE(auv_loop_run_forever(own) == 0);
        REQUIRE(auv_all_tasks(own, NULL, 0) == SMALL_STACK_TASKS);
        for (int i = 0; i < SMALL_STACK_TASKS; i++)
                auv_unref(tasks[i]);
        REQUIRE(auv_loop_close(own) == 0);
        REQUIRE(reports_drop() == SMALL_STACK_TASKS);
        auv_unref(own);
        auv_error_clear();
        return NULL;
}

/* where CPython recurses until its stack is full */
Test(cancel, of_a_cycle_of_100000_tasks_is_refused)
{
        const long before = failing_allocator_live();

        cr_assert_text(on_small_stack(cycle_is_cancelled_and_taken_down), NULL);
        cr_assert(eq(long, failing_allocator_live(), before));
}

/* a cycle has a way in: the tail awaits it, and has nowhere else to hand its request on to */
Test(cancel, of_what_awaits_a_cycle_is_refused)
{
        auv_task *links[4] = { NULL };

        for (int i = 0; i < 4; i++)
                links[i] = auv_loop_create_task(loop, awaits_arg, &links[(i + 1) % 3], 0, NULL);
        loop_turn();
        for (int i = 0; i < 4; i++)
                cr_assert(eq(int, auv_task_cancel(links[i], NULL), AUV_ERUNTIME));
        loop_turn();
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, reports_drop(), 4));
        for (int i = 0; i < 4; i++)
                auv_unref(links[i]);
}

static int awaits_gather_of_arg(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *gather = auv_gather(arg, 2, 0);

        return auv_await(gather, ret);
}

/* a cycle through a gather, one of whose children is free to be cancelled */
Test(cancel, of_a_cycle_through_a_gather_is_refused)
{
        auv_future *children[2] = { auv_loop_create_future(loop), NULL };
        auv_task *task;

        children[1] = task = auv_loop_create_task(loop, awaits_gather_of_arg, children, 0, NULL);
        loop_turn();
        cr_assert(eq(int, auv_task_cancel(task, NULL), AUV_ERUNTIME));
        loop_turn();
        auv_loop_close(loop);
        reports_drop();
        auv_unref(children[0]);
        auv_unref(task);
}

/* A task cancels a long chain from its own stack, which is as small. */
static int cancels_chain(void *arg, auv_value *ret)
{
        const int r = auv_task_cancel(tasks[SMALL_STACK_TASKS - 1], NULL);

        return r == 1 ? 0 : AUV_EUSER;
}

static char *chain_is_cancelled_from_a_task(void)
{
        auv_loop *own = loop_new();
        auv_future *future = auv_loop_create_future(own);
        char *wrong = start_chain(own, &future);
        auv_task *canceller;

        if (wrong)
                return wrong;
        canceller = auv_loop_create_task(own, cancels_chain, NULL, 0, AUV_TASK_OPTIONS(.stack_size = 16384));
        REQUIRE(auv_loop_run_until_complete(own, canceller, NULL) == 0);
        REQUIRE(auv_loop_run_until_complete(own, tasks[SMALL_STACK_TASKS - 1], NULL) == AUV_ECANCELED);
        auv_unref(canceller);
        auv_unref(future);
        return end_chain(own);
}

Test(cancel, of_a_long_chain_fits_a_small_coroutine)
{
        cr_assert_text(on_small_stack(chain_is_cancelled_from_a_task), NULL);
}

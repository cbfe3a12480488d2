/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/small_stack.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>


TestSuite(future, .init = loop_setup, .fini = loop_teardown);

static void trace_done(auv_future *future, void *arg)
{
        cr_assert(auv_future_done(future));
        trace("%s", (const char *)arg);
}

static void other_done(auv_future *future, void *arg)
{
        trace("other-%s", (const char *)arg);
}

Test(future, is_pending_at_first)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        auv_value result = NUMBER(-1);
        auv_error *error = NULL;

        cr_assert(not(auv_future_done(future)));
        cr_assert(not(auv_future_cancelled(future)));
        cr_assert(eq(ptr, auv_future_get_loop(future), loop));
        cr_assert(eq(int, auv_future_result(future, &result), AUV_EINVALIDSTATE));
        cr_assert(eq(int, auv_future_exception(future, &error), AUV_EINVALIDSTATE));
        cr_assert(eq(i64, result.i, -1));
        cr_assert(zero(ptr, error));
}

Test(future, is_not_made_without_a_loop)
{
        cr_assert(zero(ptr, auv_loop_create_future(NULL)));
        cr_assert(lt(int, auv_await(NULL, NULL), 0));
}

static int makes_one_by_default(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(NULL);

        cr_assert(eq(ptr, auv_future_get_loop(future), loop));
        return 0;
}

Test(future, belongs_to_the_running_loop_by_default)
{
        cr_assert(eq(int, loop_run(makes_one_by_default, NULL, NULL), 0));
}

Test(future, of_null_is_asked_safely)
{
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, NULL);
        auv_value result = NUMBER(-1);

        cr_assert(not(auv_future_done(NULL)));
        cr_assert(not(auv_future_cancelled(NULL)));
        cr_assert(zero(ptr, auv_future_get_loop(NULL)));
        cr_assert(eq(int, auv_future_set_result(NULL, NUMBER(1)), AUV_EINVAL));
        cr_assert(eq(int, auv_future_set_exception(NULL, error), AUV_EINVAL));
        cr_assert(eq(int, auv_future_fail(NULL, AUV_EUSER, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_future_cancel(NULL, "message"), AUV_EINVAL));
        cr_assert(eq(int, auv_future_result(NULL, &result), AUV_EINVAL));
        cr_assert(eq(int, auv_future_exception(NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_future_add_done_callback(NULL, trace_done, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_future_remove_done_callback(NULL, trace_done, NULL), AUV_EINVAL));
        cr_assert(eq(i64, result.i, -1));
}

/* Ends */

Test(future, has_the_result_that_was_set)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        auv_value result = { 0 };
        auv_error *error = (auv_error *)&result;

        cr_assert(eq(int, auv_future_set_result(future, NUMBER(42)), 0));
        cr_assert(auv_future_done(future));
        cr_assert(not(auv_future_cancelled(future)));
        cr_assert(eq(int, auv_future_result(future, &result), 0));
        cr_assert(eq(i64, result.i, 42));
        cr_assert(eq(int, auv_future_result(future, NULL), 0));
        cr_assert(eq(int, auv_future_exception(future, &error), 0));
        cr_assert(zero(ptr, error));
}

Test(future, has_the_error_that_was_set)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        auv_error *error = auv_error_new(AUV_EUSER, "mine");
        auv_error *got = NULL;
        auv_value result = NUMBER(-1);

        cr_assert(eq(int, auv_future_set_exception(future, error), 0));
        auv_unref(error);
        cr_assert(auv_future_done(future));
        cr_assert(not(auv_future_cancelled(future)));
        cr_assert(eq(int, auv_future_exception(future, &got), 0));
        cr_assert(eq(ptr, got, error));
        cr_assert(eq(int, auv_future_result(future, &result), AUV_EUSER));
        cr_assert(eq(i64, result.i, -1));
        cr_assert(eq(ptr, auv_error_current(), error));
}

Test(future, fails_with_a_code_and_a_message)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_future *bare = auv_loop_create_future(loop);
        auv_error *error = NULL;

        cr_assert(eq(int, auv_future_fail(future, AUV_ENOENT, "no %s", "room"), 0));
        cr_assert(eq(int, auv_future_exception(future, &error), 0));
        cr_assert(eq(int, auv_error_code(error), AUV_ENOENT));
        cr_assert_text(auv_error_message(error), "no room");
        cr_assert(eq(int, auv_future_fail(bare, AUV_EUSER - 1, NULL), 0));
        cr_assert(eq(int, auv_future_exception(bare, &error), 0));
        cr_assert(eq(int, auv_error_code(error), AUV_EUSER - 1));
        cr_assert(zero(ptr, (void *)auv_error_message(error)));
}

Test(future, does_not_fail_with_what_is_no_error)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        cr_assert(eq(int, auv_future_fail(future, 0, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_future_fail(future, 5, "five"), AUV_EINVAL));
        cr_assert(eq(int, auv_future_set_exception(future, NULL), AUV_EINVAL));
        cr_assert(not(auv_future_done(future)));
}

/* rules 25 and 36 */
Test(future, is_cancelled_with_its_message)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        auv_error *error = NULL;
        auv_value result = NUMBER(-1);

        cr_assert(eq(int, auv_future_cancel(future, "enough"), 1));
        cr_assert(auv_future_done(future));
        cr_assert(auv_future_cancelled(future));
        cr_assert(eq(int, auv_future_result(future, &result), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "enough");
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ECANCELED));
        auv_error_clear();
        cr_assert(eq(int, auv_future_exception(future, &error), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "enough");
        cr_assert(zero(ptr, error));
        cr_assert(eq(i64, result.i, -1));
}

Test(future, copies_the_message_of_its_cancellation)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        char message[] = "enough";

        auv_future_cancel(future, message);
        message[0] = 'X';
        auv_future_result(future, NULL);
        cr_assert_text(auv_error_message(auv_error_current()), "enough");
}

/* rule 25 */
Test(future, ends_once)
{
        for (int end = 0; end < 3; end++) {
                AUV_AUTO auv_future *future = auv_loop_create_future(loop);
                AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, NULL);

                if (end == 0)
                        auv_future_set_result(future, NUMBER(1));
                else if (end == 1)
                        auv_future_set_exception(future, error);
                else
                        auv_future_cancel(future, NULL);
                cr_assert(eq(int, auv_future_set_result(future, NUMBER(2)), AUV_EINVALIDSTATE));
                cr_assert(eq(int, auv_future_set_exception(future, error), AUV_EINVALIDSTATE));
                cr_assert(eq(int, auv_future_fail(future, AUV_EUSER, "again"), AUV_EINVALIDSTATE));
                cr_assert(eq(int, auv_future_cancel(future, "again"), 0));
                cr_assert(eq(int, auv_future_result(future, NULL),
                             ((int[]) { 0, AUV_EUSER, AUV_ECANCELED })[end]));
        }
}

/* rule 34 */
Test(future, that_failed_as_cancelled_is_not_cancelled)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *waiter = start_await(future);
        auv_error *error = NULL;

        auv_future_fail(future, AUV_ECANCELED, "odd");
        cr_assert(auv_future_done(future));
        cr_assert(not(auv_future_cancelled(future)));
        cr_assert(eq(int, auv_future_exception(future, &error), 0));
        cr_assert(eq(int, auv_error_code(error), AUV_ECANCELED));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, waiter, NULL), AUV_ECANCELED));
        cr_assert(auv_future_cancelled(waiter));
}

/* rule 53 */
Test(future, that_is_a_task_is_ended_by_its_body_alone)
{
        AUV_AUTO auv_task *task = start_steps(.value = 3);
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, NULL);
        auv_value result = { 0 };

        cr_assert(eq(int, auv_future_set_result(task, NUMBER(1)), AUV_ERUNTIME));
        cr_assert(eq(int, auv_future_set_exception(task, error), AUV_ERUNTIME));
        cr_assert(eq(int, auv_future_fail(task, AUV_EUSER, NULL), AUV_ERUNTIME));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, &result), 0));
        cr_assert(eq(i64, result.i, 3));
}

/* Results with a destructor */

static int n_destroyed;

static void destroy(void *p)
{
        n_destroyed++;
        cr_assert_text(p, "value");
}

static auv_value destroyable(void)
{
        return (auv_value) { .p = "value", .destroy = destroy };
}

Test(future, destroys_its_result_once_when_it_goes)
{
        auv_future *future = auv_loop_create_future(loop);
        auv_value result = { 0 };

        cr_assert(eq(int, auv_future_set_result(future, destroyable()), 0));
        cr_assert(eq(int, auv_future_result(future, &result), 0));
        cr_assert_text(result.s, "value");
        cr_assert(zero(ptr, result.destroy));
        auv_ref(future);
        auv_unref(future);
        cr_assert(eq(int, n_destroyed, 0));
        auv_unref(future);
        cr_assert(eq(int, n_destroyed, 1));
}

Test(future, leaves_a_result_that_it_refuses_to_the_caller)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = start_steps(.turns = 0);

        auv_future_set_result(future, NUMBER(1));
        cr_assert(eq(int, auv_future_set_result(future, destroyable()), AUV_EINVALIDSTATE));
        cr_assert(eq(int, auv_future_set_result(task, destroyable()), AUV_ERUNTIME));
        cr_assert(eq(int, auv_future_set_result(NULL, destroyable()), AUV_EINVAL));
        cr_assert(eq(int, n_destroyed, 0));
        loop_turn();
}

static int keep_result(void *arg, auv_value *ret)
{
        *ret = destroyable();
        return 0;
}

static int fail_with_result(void *arg, auv_value *ret)
{
        *ret = destroyable();
        return AUV_EUSER;
}

Test(future, that_is_a_task_owns_what_its_body_gave)
{
        auv_task *task = auv_loop_create_task(loop, keep_result, NULL, 0, NULL);
        auv_value result = { 0 };

        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, &result), 0));
        cr_assert_text(result.s, "value");
        cr_assert(eq(int, n_destroyed, 0));
        auv_unref(task);
        cr_assert(eq(int, n_destroyed, 1));
        auv_unref(auv_loop_create_task(loop, keep_result, NULL, 0, NULL));
        loop_turn();
        cr_assert(eq(int, n_destroyed, 2));
}

/* "with ret->destroy set, the future owns the result": also where the body fails, or is cancelled. */
Test(future, that_is_a_task_destroys_the_result_of_a_body_that_fails)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, fail_with_result, NULL, 0, NULL);

        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_EUSER));
        auv_unref_at(&task);
        cr_assert(eq(int, n_destroyed, 1));
}

static int cancels_itself_and_returns(void *arg, auv_value *ret)
{
        *ret = destroyable();
        cr_assert(eq(int, auv_task_cancel(auv_current_task(NULL), NULL), 1));
        return 0;
}

/* rule 48 */
Test(future, that_is_a_task_destroys_a_result_that_was_cancelled_away)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, cancels_itself_and_returns, NULL, 0, NULL);

        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        auv_unref_at(&task);
        cr_assert(eq(int, n_destroyed, 1));
}

Test(future, destroys_its_result_when_its_loop_is_gone)
{
        auv_future *future = auv_loop_create_future(loop);

        auv_future_set_result(future, destroyable());
        loop = auv_unref(loop);
        cr_assert(eq(int, n_destroyed, 0));
        auv_unref(future);
        cr_assert(eq(int, n_destroyed, 1));
}

static int passes_on(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *inner = auv_create_task(keep_result, NULL, 0);

        AUV_TRY(auv_await(inner, ret));
        ret->destroy = NULL;
        return 0;
}

Test(future, lends_its_result)
{
        cr_assert(eq(int, loop_run(passes_on, NULL, NULL), 0));
        cr_assert(eq(int, n_destroyed, 1));
}

/* A result may hold a future, which has a result that holds a future ... */

static void unref_next(void *p)
{
        n_destroyed++;
        auv_unref(p);
}

static char *results_that_hold_futures(void)
{
        auv_loop *own = loop_new();
        auv_future *future = auv_loop_create_future(own);

        for (int i = 0; i < SMALL_STACK_DEPTH; i++) {
                auv_future *next = auv_loop_create_future(own);

                auv_future_set_result(next, (auv_value) { .p = future, .destroy = unref_next });
                future = next;
        }
        auv_unref(future);
        REQUIRE(n_destroyed == SMALL_STACK_DEPTH);
        auv_unref(own);
        return NULL;
}

Test(future, chain_of_100000_results_is_destroyed_without_recursion)
{
        cr_assert_text(on_small_stack(results_that_hold_futures), NULL);
}

/* Done callbacks */

/* rule 26 */
Test(future, calls_back_in_the_next_turn_in_order)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        cr_assert(eq(int, auv_future_add_done_callback(future, trace_done, "a"), 0));
        cr_assert(eq(int, auv_future_add_done_callback(future, other_done, "b"), 0));
        cr_assert(eq(int, auv_future_add_done_callback(future, trace_done, "c"), 0));
        auv_future_set_result(future, NUMBER(1));
        cr_assert_trace("");
        loop_turns(2);
        cr_assert_trace("a other-b c | |");
}

/* rule 27 */
Test(future, calls_back_at_once_when_it_is_done)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        auv_future_set_result(future, NUMBER(1));
        cr_assert(eq(int, auv_future_add_done_callback(future, trace_done, "a"), 0));
        cr_assert_trace("");
        loop_turns(1);
        cr_assert_trace("a |");
}

/* rule 29 */
Test(future, calls_back_twice_what_was_added_twice)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        auv_future_add_done_callback(future, trace_done, "a");
        auv_future_add_done_callback(future, trace_done, "a");
        auv_future_cancel(future, NULL);
        loop_turns(1);
        cr_assert_trace("a a |");
}

/* rule 28 */
Test(future, does_not_call_back_what_was_removed)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        static char a[] = "a", b[] = "b";

        auv_future_add_done_callback(future, trace_done, a);
        auv_future_add_done_callback(future, trace_done, b);
        auv_future_add_done_callback(future, other_done, a);
        auv_future_add_done_callback(future, trace_done, a);
        cr_assert(eq(int, auv_future_remove_done_callback(future, trace_done, a), 2));
        cr_assert(eq(int, auv_future_remove_done_callback(future, trace_done, a), 0));
        cr_assert(eq(int, auv_future_remove_done_callback(future, other_done, b), 0));
        auv_future_set_result(future, NUMBER(1));
        loop_turns(1);
        cr_assert_trace("b other-a |");
}

Test(future, forgets_a_callback_that_stood_alone)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        auv_future_add_done_callback(future, trace_done, NULL);
        cr_assert(eq(int, auv_future_remove_done_callback(future, trace_done, NULL), 1));
        auv_future_add_done_callback(future, trace_done, "again");
        auv_future_set_result(future, NUMBER(1));
        loop_turns(1);
        cr_assert_trace("again |");
}

/* rule 28 */
Test(future, cannot_recall_a_callback_once_it_is_done)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        auv_future_add_done_callback(future, trace_done, NULL);
        auv_future_set_result(future, NUMBER(1));
        cr_assert(eq(int, auv_future_remove_done_callback(future, trace_done, NULL), 0));
        loop_turns(1);
        cr_assert_trace("(null) |");
}

Test(future, must_have_a_function_to_call_back)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        cr_assert(eq(int, auv_future_add_done_callback(future, NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_future_remove_done_callback(future, NULL, NULL), AUV_EINVAL));
}

Test(future, stays_until_its_callbacks_have_run)
{
        auv_future *future = auv_loop_create_future(loop);

        auv_future_add_done_callback(future, trace_done, "a");
        auv_future_add_done_callback(future, trace_done, "b");
        auv_future_set_result(future, NUMBER(1));
        auv_unref(future);
        loop_turns(1);
        cr_assert_trace("a b |");
}

Test(future, drops_its_callbacks_when_it_goes_pending)
{
        auv_future *future = auv_loop_create_future(loop);

        for (int i = 0; i < 10; i++)
                auv_future_add_done_callback(future, trace_done, "a");
        auv_unref(future);
        loop_turns(2);
        cr_assert_trace("| |");
}

static void add_more(auv_future *future, void *arg)
{
        trace("more");
        cr_assert(eq(int, auv_future_add_done_callback(future, trace_done, "late"), 0));
}

Test(future, takes_callbacks_inside_of_a_callback)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        auv_future_add_done_callback(future, add_more, NULL);
        auv_future_add_done_callback(future, trace_done, "b");
        auv_future_set_result(future, NUMBER(1));
        loop_turns(2);
        cr_assert_trace("more b | late |");
}

static int n_called;

static void count_call(auv_future *future, void *arg)
{
        cr_assert(eq(int, (int)(intptr_t)arg, n_called));
        n_called++;
}

Test(future, calls_back_very_many_in_order)
{
        enum { MANY = 10000 };
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        for (int i = 0; i < MANY; i++)
                cr_assert(eq(int, auv_future_add_done_callback(future, count_call, (void *)(intptr_t)i), 0));
        auv_future_set_result(future, NUMBER(1));
        loop_turn();
        cr_assert(eq(int, n_called, MANY));
}

/* callbacks and waiting tasks stand in one line */
Test(future, wakes_tasks_and_calls_back_in_one_order)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *first = NULL;
        AUV_AUTO auv_task *second = NULL;

        auv_future_add_done_callback(future, trace_done, "a");
        first = start_await(future);
        loop_turn();
        auv_future_add_done_callback(future, trace_done, "b");
        second = start_await(future);
        loop_turn();
        auv_future_add_done_callback(first, trace_done, "first");
        auv_future_add_done_callback(second, trace_done, "second");
        auv_future_add_done_callback(future, trace_done, "c");
        auv_future_set_result(future, NUMBER(1));
        loop_turns(2);
        cr_assert_trace("a b c | first second |");
}

/* Memory */

static void future_sweep(void)
{
        AUV_AUTO auv_loop *made = NULL;
        AUV_AUTO auv_future *future = NULL;
        int expected = 0;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &made) < 0)
                return;
        future = auv_loop_create_future(made);
        if (!future) {
                cr_assert(failing_allocator_fired());
                return;
        }
        n_called = 0;
        for (int i = 0; i < 20; i++) {
                const int err = auv_future_add_done_callback(future, count_call, (void *)(intptr_t)expected);

                cr_assert(err == 0 || (err == AUV_ENOMEM && failing_allocator_fired()));
                expected += err == 0;
        }
        cr_assert(eq(int, auv_future_set_result(future, NUMBER(1)), 0));
        auv_loop_stop(made);
        cr_assert(eq(int, auv_loop_run_forever(made), 0));
        cr_assert(eq(int, n_called, expected));
        if (auv_future_add_done_callback(future, count_call, (void *)(intptr_t)expected) < 0)
                cr_assert(failing_allocator_fired());
}

Test(future, without_memory_takes_no_callback_and_loses_none)
{
        cr_assert(gt(long, failing_allocator_sweep(future_sweep), 1));
}

Test(future, without_memory_fails_with_the_code_alone)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        auv_error *error = NULL;

        failing_allocator_arm_all();
        cr_assert(eq(int, auv_future_fail(future, AUV_ENOENT, "no room"), 0));
        failing_allocator_disarm();
        cr_assert(eq(int, auv_future_exception(future, &error), 0));
        cr_assert(eq(int, auv_error_code(error), AUV_ENOENT));
        cr_assert(zero(ptr, (void *)auv_error_message(error)));
}

/* such a code has no error of its own that needs no memory */
Test(future, without_memory_fails_with_that_for_a_code_of_the_program)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        failing_allocator_arm_all();
        cr_assert(eq(int, auv_future_fail(future, AUV_EUSER, NULL), 0));
        failing_allocator_disarm();
        cr_assert(eq(int, auv_future_result(future, NULL), AUV_ENOMEM));
}

Test(future, without_memory_is_cancelled_without_a_message)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        failing_allocator_arm_all();
        cr_assert(eq(int, auv_future_cancel(future, "message"), 1));
        failing_allocator_disarm();
        cr_assert(auv_future_cancelled(future));
        cr_assert(eq(int, auv_future_result(future, NULL), AUV_ECANCELED));
}

/* What ends a future must not need memory: else it could not be ended. */
Test(future, ends_without_memory)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *waiter = start_await(future);

        auv_future_add_done_callback(future, trace_done, "a");
        auv_future_add_done_callback(future, trace_done, "b");
        loop_turn();
        failing_allocator_arm_all();
        cr_assert(eq(int, auv_future_set_result(future, NUMBER(1)), 0));
        loop_turn();
        failing_allocator_disarm();
        cr_assert_trace("a b");
        cr_assert(auv_future_done(waiter));
}

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

TestSuite(shield, .init = loop_setup, .fini = loop_teardown);

Test(shield, ends_as_the_future_does)
{
        AUV_AUTO auv_future *good = auv_loop_create_future(loop);
        AUV_AUTO auv_future *bad = auv_loop_create_future(loop);
        AUV_AUTO auv_future *good_shield = auv_shield(good);
        AUV_AUTO auv_future *bad_shield = auv_shield(bad);
        auv_value result = { 0 };

        cr_assert(ne(ptr, good_shield, good));
        auv_future_set_result(good, NUMBER(3));
        auv_future_fail(bad, AUV_EUSER, "failed");
        cr_assert(not(auv_future_done(good_shield)));
        loop_turn();
        cr_assert(eq(int, auv_future_result(good_shield, &result), 0));
        cr_assert(eq(i64, result.i, 3));
        cr_assert(eq(int, auv_future_result(bad_shield, NULL), AUV_EUSER));
        cr_assert_text(auv_error_message(auv_error_current()), "failed");
}

/* rule 79 */
Test(shield, of_what_is_done_is_that_itself)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_future *shield = NULL;

        auv_future_set_result(future, NUMBER(1));
        shield = auv_shield(future);
        cr_assert(eq(ptr, shield, future));
}

/* rule 79 */
Test(shield, that_is_cancelled_leaves_the_future_alone)
{
        AUV_AUTO auv_task *task = start_steps(.name = "t", .sleep = 1, .value = 2);
        AUV_AUTO auv_future *shield = auv_shield(task);

        loop_turn();
        cr_assert(eq(int, auv_future_cancel(shield, "message"), 1));
        cr_assert(auv_future_cancelled(shield));
        cr_assert(eq(int, auv_task_cancelling(task), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert_trace("t+ t-");
}

/* rule 79 */
Test(shield, is_cancelled_without_a_message_when_the_future_is)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_future *shield = auv_shield(future);

        auv_future_cancel(future, "message");
        loop_turn();
        cr_assert(auv_future_cancelled(shield));
        cr_assert(eq(int, auv_future_result(shield, NULL), AUV_ECANCELED));
        cr_assert(zero(ptr, (void *)auv_error_message(auv_error_current())));
}

/* rule 80 */
Test(shield, that_was_cancelled_reports_what_fails_behind_it)
{
        AUV_AUTO auv_task *task = start_steps(.sleep = 1, .error = AUV_EUSER);
        AUV_AUTO auv_future *shield = auv_shield(task);
        AUV_AUTO auv_future *second = auv_shield(task);
        const struct report *report;

        loop_turn();
        auv_future_cancel(shield, NULL);
        auv_future_cancel(second, NULL);
        loop_turn();
        cr_assert(eq(int, reports_pending(), 0));
        auv_loop_run_until_complete(loop, task, NULL);
        loop_turn();
        cr_assert(eq(int, reports_pending(), 1));
        report = reports_take();
        cr_assert_has(report->message, "exception in shielded future");
        cr_assert(eq(int, report->code, AUV_EUSER));
}

/* rule 80: reported, and so not a second time when the task goes */
Test(shield, that_was_cancelled_reports_once)
{
        auv_task *task = start_steps(.sleep = 1, .error = AUV_EUSER);
        AUV_AUTO auv_future *shield = auv_shield(task);
        AUV_AUTO auv_task *sleeper = start_sleep(loop, 5);

        loop_turn();
        auv_future_cancel(shield, NULL);
        auv_unref(task);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, sleeper, NULL), 0));
        cr_assert(eq(int, reports_pending(), 1));
        cr_assert_has(reports_take()->message, "exception in shielded future");
}

Test(shield, that_was_cancelled_does_not_report_a_cancellation_behind_it)
{
        AUV_AUTO auv_task *task = start_steps(.sleep = 1);
        AUV_AUTO auv_future *shield = auv_shield(task);

        loop_turn();
        auv_future_cancel(shield, NULL);
        auv_task_cancel(task, NULL);
        for (int i = 0; i < 3; i++)
                loop_turn();
        cr_assert(auv_future_cancelled(task));
}

Test(shield, of_null_could_not_be_made)
{
        cr_assert(zero(ptr, auv_shield(NULL)));
}

/* Two promises of a shield: a waiting one holds the future, and one that is dropped does no harm. */
Test(shield, holds_the_future)
{
        auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_future *shield = auv_shield(future);
        auv_value result = { 0 };

        auv_future_set_result(future, NUMBER(5));
        auv_unref(future);
        loop_turn();
        cr_assert(eq(int, auv_future_result(shield, &result), 0));
        cr_assert(eq(i64, result.i, 5));
}

Test(shield, may_go_before_the_future)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        auv_unref(auv_shield(future));
        auv_unref(auv_shield(future));
        auv_future_set_result(future, NUMBER(5));
        loop_turn();
        loop_turn();
}

Test(shield, may_go_before_what_fails_behind_it)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        auv_unref(auv_shield(future));
        auv_future_fail(future, AUV_EUSER, "failed");
        for (int i = 0; i < 3; i++)
                loop_turn();
        cr_assert(eq(int, auv_future_result(future, NULL), AUV_EUSER));
        reports_drop();
}

Test(shield, awaited_where_no_task_is_leaves_the_future_alone)
{
        auv_future *future = auv_loop_create_future(loop);

        cr_assert(eq(int, auv_await_shield(future, NULL), AUV_ENOTASK));
        auv_future_fail(future, AUV_EUSER, "failed");
        loop_turn();
        auv_unref(future);
        cr_assert(eq(int, reports_take()->code, AUV_EUSER));
        cr_assert(eq(int, reports_pending(), 0));
}

static int n_destroyed;

static void destroy(void *p)
{
        n_destroyed++;
}

Test(shield, does_not_destroy_the_result_twice)
{
        auv_future *future = auv_loop_create_future(loop);
        auv_future *shield = auv_shield(future);

        auv_future_set_result(future, (auv_value) { .p = "value", .destroy = destroy });
        loop_turn();
        loop_turn();
        auv_unref(future);
        cr_assert(eq(int, n_destroyed, 0));
        auv_unref(shield);
        cr_assert(eq(int, n_destroyed, 1));
}

/* "Borrowed from its future": the value that a shield gives lives as long as the shield. */
Test(shield, keeps_the_result_valid)
{
        auv_future *future = auv_loop_create_future(loop);
        auv_future *shield = auv_shield(future);
        auv_value result = { 0 };

        auv_future_set_result(future, (auv_value) { .p = "value", .destroy = destroy });
        auv_unref(future);
        loop_turn();
        loop_turn();
        cr_assert(eq(int, auv_future_result(shield, &result), 0));
        cr_assert(eq(int, n_destroyed, 0));
        cr_assert_text(result.s, "value");
        auv_unref(shield);
        cr_assert(eq(int, n_destroyed, 1));
}

/* await_shield */

static int shields(void *arg, auv_value *ret)
{
        const int r = auv_await_shield(arg, ret);

        trace("%s", r < 0 ? auv_error_name(r) : "ok");
        return r;
}

Test(shield, awaited_gives_the_result)
{
        AUV_AUTO auv_task *task = start_steps(.sleep = 1, .value = 4);
        auv_value result = { 0 };

        cr_assert(eq(int, loop_run(shields, task, &result), 0));
        cr_assert(eq(i64, result.i, 4));
        cr_assert(eq(int, loop_run(shields, task, &result), 0));
        cr_assert_trace("ok ok");
}

Test(shield, awaited_and_cancelled_leaves_the_future_alone)
{
        AUV_AUTO auv_task *inner = start_steps(.name = "inner", .sleep = 3, .value = 4);
        AUV_AUTO auv_task *outer = auv_loop_create_task(loop, shields, inner, 0, NULL);

        loop_turn();
        auv_task_cancel(outer, "message");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, outer, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "message");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, inner, NULL), 0));
        cr_assert_trace("inner+ ECANCELED inner-");
}

static int shields_null(void *arg, auv_value *ret)
{
        auv_error_clear();
        return auv_await_shield(NULL, NULL);
}

Test(shield, awaited_of_null_is_an_error)
{
        cr_assert(lt(int, loop_run(shields_null, NULL, NULL), 0));
}

Test(shield, of_a_gather_protects_all_its_children)
{
        AUV_AUTO auv_task *task = start_steps(.name = "t", .sleep = 1);
        AUV_AUTO auv_future *gather = auv_gather(&task, 1, 0);
        AUV_AUTO auv_future *shield = auv_shield(gather);

        loop_turn();
        auv_future_cancel(shield, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, gather, NULL), 0));
        cr_assert_trace("t+ t-");
}

/* Very deep */

static char *nest_of_shields(void)
{
        auv_loop *own = loop_new();
        auv_future *innermost = auv_loop_create_future(own);

        for (int round = 0; round < 2; round++) {
                auv_future *shield = auv_ref(innermost);

                for (int i = 0; i < SMALL_STACK_DEPTH; i++) {
                        auv_future *next = auv_shield(shield);

                        REQUIRE(next);
                        auv_unref(shield);
                        shield = next;
                }
                if (round == 1) {
                        auv_future_set_result(innermost, NUMBER(1));
                        REQUIRE(auv_loop_run_until_complete(own, shield, NULL) == 0);
                }
                auv_unref(shield);
        }
        auv_unref(innermost);
        auv_unref(own);
        return NULL;
}

Test(shield, of_shields_100000_deep_is_freed_without_recursion)
{
        const long before = failing_allocator_live();

        cr_assert_text(on_small_stack(nest_of_shields), NULL);
        cr_assert(eq(long, failing_allocator_live(), before));
}

static void shield_sweep(void)
{
        AUV_AUTO auv_loop *made = NULL;
        AUV_AUTO auv_task *sleeper = NULL;
        AUV_AUTO auv_future *shield = NULL;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &made) < 0)
                return;
        reports_record(made);
        sleeper = start_sleep(made, 1);
        shield = auv_shield(sleeper);
        cr_assert(shield || failing_allocator_fired());
        if (shield) {
                const int r = auv_loop_run_until_complete(made, shield, NULL);

                cr_assert(r == 0 || (r == AUV_ENOMEM && failing_allocator_fired()));
        }
        auv_loop_close(made);
        reports_drop();
        auv_error_clear();
}

Test(shield, without_memory_is_not_made)
{
        cr_assert(gt(long, failing_allocator_sweep(shield_sweep), 1));
}

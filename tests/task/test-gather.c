/* SPDX-License-Identifier: MIT */
#include "coro/sanitizer.h"
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/memory.h"
#include "support/reports.h"
#include "support/small_stack.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>

TestSuite(gather, .init = loop_setup, .fini = loop_teardown);

static void trace_done(auv_future *future, void *arg)
{
        trace("%s", (const char *)arg);
}

static const auv_value *list_of(auv_future *gather, size_t *ret_n)
{
        auv_value result = { 0 };

        cr_assert(eq(int, auv_future_result(gather, &result), 0));
        return auv_value_list(&result, ret_n);
}

/* Three plain futures, for children that the test ends by hand. */
static auv_future *child[3];

static void make_children(void)
{
        for (int i = 0; i < 3; i++)
                child[i] = auv_loop_create_future(loop);
}

static void unref_children(void)
{
        for (int i = 0; i < 3; i++)
                auv_unref_at(&child[i]);
}

Test(gather, has_results_in_the_order_of_its_children)
{
        AUV_AUTO auv_future *gather = NULL;
        const auv_value *list;
        size_t n = 0;

        make_children();
        gather = auv_gather(child, 3, 0);
        for (int i = 2; i >= 0; i--) {
                cr_assert(not(auv_future_done(gather)));
                auv_future_set_result(child[i], NUMBER(i * 10));
                loop_turn();
        }
        list = list_of(gather, &n);
        cr_assert(eq(sz, n, 3));
        for (int i = 0; i < 3; i++)
                cr_assert(eq(i64, list[i].i, i * 10));
        unref_children();
}

/* rule 71 */
Test(gather, takes_one_turn_for_its_callback_and_one_to_wake)
{
        AUV_AUTO auv_task *task = start_steps(.name = "t");
        AUV_AUTO auv_future *gather = auv_gather(&task, 1, 0);

        auv_future_add_done_callback(task, trace_done, "child");
        auv_future_add_done_callback(gather, trace_done, "gather");
        loop_turns(3);
        cr_assert_trace("t+ t- | child | gather |");
}

/* rule 62 */
Test(gather, of_the_same_child_twice_has_its_result_twice)
{
        AUV_AUTO auv_future *gather = NULL;
        const auv_value *list;
        size_t n = 0;

        make_children();
        gather = auv_gather((auv_future *[]) { child[0], child[1], child[0] }, 3, 0);
        auv_future_set_result(child[1], NUMBER(1));
        auv_future_set_result(child[0], NUMBER(2));
        loop_turn();
        list = list_of(gather, &n);
        cr_assert(eq(sz, n, 3));
        cr_assert(eq(i64, list[0].i, 2));
        cr_assert(eq(i64, list[1].i, 1));
        cr_assert(eq(i64, list[2].i, 2));
        unref_children();
}

/* rule 63 */
Test(gather, of_none_is_done_and_empty)
{
        AUV_AUTO auv_future *gather = NULL;
        size_t n = 7;

        cr_assert(zero(ptr, auv_gather(NULL, 0, 0)));
        auv_set_event_loop(loop);
        gather = auv_gather(NULL, 0, 0);
        auv_set_event_loop(NULL);
        cr_assert(auv_future_done(gather));
        cr_assert(not(zero(ptr, (void *)list_of(gather, &n))));
        cr_assert(eq(sz, n, 0));
}

static int awaits_none(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *gather = auv_gather(NULL, 0, AUV_RETURN_EXCEPTIONS);

        cr_assert(auv_future_done(gather));
        AUV_TRY(auv_await_gather(NULL, 0, 0, NULL));
        trace("no turn");
        return 0;
}

Test(gather, of_none_does_not_suspend)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, awaits_none, NULL, 0, NULL);

        loop_turns(1);
        cr_assert_trace("no turn |");
        cr_assert(auv_future_done(task));
}

Test(gather, must_have_children_and_flags_with_meaning)
{
        AUV_AUTO auv_loop *other = loop_new();
        AUV_AUTO auv_future *foreign = auv_loop_create_future(other);

        make_children();
        cr_assert(zero(ptr, auv_gather((auv_future *[]) { child[0], NULL }, 2, 0)));
        cr_assert(zero(ptr, auv_gather(NULL, 1, 0)));
        cr_assert(zero(ptr, auv_gather(child, 3, 1 << 10)));
        cr_assert(zero(ptr, auv_gather(child, 3, -1)));
        cr_assert(zero(ptr, auv_gather((auv_future *[]) { child[0], foreign }, 2, 0)));
        unref_children();
}

/* rule 70 */
Test(gather, of_what_is_done_is_done)
{
        AUV_AUTO auv_future *gather = NULL;
        size_t n = 0;

        make_children();
        for (int i = 0; i < 3; i++)
                auv_future_set_result(child[i], NUMBER(i));
        gather = auv_gather(child, 3, 0);
        cr_assert(auv_future_done(gather));
        cr_assert(eq(i64, list_of(gather, &n)[2].i, 2));
        unref_children();
}

/* rule 70 */
Test(gather, of_one_that_has_failed_has_failed)
{
        AUV_AUTO auv_future *gather = NULL;

        make_children();
        auv_future_fail(child[1], AUV_EUSER, "failed");
        gather = auv_gather(child, 3, 0);
        cr_assert(auv_future_done(gather));
        cr_assert(eq(int, auv_future_result(gather, NULL), AUV_EUSER));
        cr_assert(not(auv_future_done(child[0])));
        unref_children();
}

/* rule 64 */
Test(gather, fails_with_its_first_child_while_the_others_run_on)
{
        AUV_AUTO auv_task *bad = start_steps(.name = "bad", .sleep = 1, .error = AUV_EUSER);
        AUV_AUTO auv_task *worse = start_steps(.name = "worse", .sleep = 2, .error = AUV_EUSER - 1);
        AUV_AUTO auv_task *good = start_steps(.name = "good", .sleep = 3, .value = 1);
        AUV_AUTO auv_future *gather = auv_gather((auv_future *[]) { good, bad, worse }, 3, 0);

        cr_assert(eq(int, auv_loop_run_until_complete(loop, gather, NULL), AUV_EUSER));
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, good, NULL), 0));
        cr_assert_trace("bad+ worse+ good+ bad- worse- good-");
        cr_assert(eq(int, auv_future_result(gather, NULL), AUV_EUSER));
}

/* rule 65 */
Test(gather, fails_with_cancelled_when_a_child_was_cancelled)
{
        AUV_AUTO auv_future *gather = NULL;
        auv_error *error = NULL;

        make_children();
        gather = auv_gather(child, 3, 0);
        auv_future_cancel(child[1], "one");
        loop_turn();
        cr_assert(auv_future_done(gather));
        cr_assert(not(auv_future_cancelled(gather)));
        cr_assert(eq(int, auv_future_exception(gather, &error), 0));
        cr_assert(eq(int, auv_error_code(error), AUV_ECANCELED));
        cr_assert(not(auv_future_done(child[0])));
        unref_children();
}

/* rule 66 */
Test(gather, that_is_cancelled_cancels_its_children_and_waits_for_them)
{
        AUV_AUTO auv_task *slow = start_stubborn(.name = "slow", .sleep = 2, .value = 1);
        AUV_AUTO auv_task *quick = start_steps(.name = "quick", .sleep = 2);
        AUV_AUTO auv_future *gather = auv_gather((auv_future *[]) { slow, quick }, 2, AUV_RETURN_EXCEPTIONS);

        loop_turn();
        cr_assert(eq(int, auv_future_cancel(gather, "all"), 1));
        cr_assert(not(auv_future_done(gather)));
        cr_assert(eq(int, auv_task_cancelling(slow), 1));
        cr_assert(eq(int, auv_task_cancelling(quick), 1));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, gather, NULL), AUV_ECANCELED));
        cr_assert_trace("slow+ quick+ slow! quick! slow-");
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
        cr_assert(not(auv_future_cancelled(slow)));
}

/* rule 66: though all of them refuse */
Test(gather, that_is_cancelled_ends_so_whatever_its_children_do)
{
        AUV_AUTO auv_task *task = start_stubborn(.sleep = 1, .value = 1);
        AUV_AUTO auv_future *gather = auv_gather(&task, 1, 0);

        loop_turn();
        auv_future_cancel(gather, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, gather, NULL), AUV_ECANCELED));
        cr_assert(eq(int, auv_future_result(task, NULL), 0));
}

/* rule 67 */
Test(gather, that_is_cancelled_ends_with_the_first_child_that_does)
{
        AUV_AUTO auv_task *slow = start_stubborn(.name = "slow", .sleep = 2);
        AUV_AUTO auv_task *quick = start_steps(.name = "quick", .sleep = 2);
        AUV_AUTO auv_future *gather = auv_gather((auv_future *[]) { slow, quick }, 2, 0);

        loop_turn();
        auv_future_cancel(gather, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, gather, NULL), AUV_ECANCELED));
        cr_assert(eq(dbl, auv_loop_time(loop), 0));
        cr_assert(not(auv_future_done(slow)));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, slow, NULL), 0));
}

/* rule 68 */
Test(gather, that_is_done_cancels_no_child)
{
        AUV_AUTO auv_future *gather = NULL;

        make_children();
        gather = auv_gather(child, 3, 0);
        auv_future_fail(child[1], AUV_EUSER, NULL);
        loop_turn();
        cr_assert(eq(int, auv_future_cancel(gather, NULL), 0));
        cr_assert(not(auv_future_done(child[0])));
        cr_assert(eq(int, auv_future_result(gather, NULL), AUV_EUSER));
        unref_children();
}

/* rule 66: nobody takes the request: all children are done, and the gather's callback is due */
Test(gather, with_children_that_are_all_done_is_not_cancelled)
{
        AUV_AUTO auv_future *gather = NULL;

        make_children();
        gather = auv_gather(child, 3, 0);
        for (int i = 0; i < 3; i++)
                auv_future_set_result(child[i], NUMBER(i));
        cr_assert(eq(int, auv_future_cancel(gather, NULL), 0));
        loop_turn();
        cr_assert(eq(int, auv_future_result(gather, NULL), 0));
        unref_children();
}

/* rule 69 */
Test(gather, may_have_errors_among_its_results)
{
        AUV_AUTO auv_future *gather = NULL;
        const auv_value *list;
        size_t n = 0;

        make_children();
        gather = auv_gather(child, 3, AUV_RETURN_EXCEPTIONS);
        auv_future_fail(child[0], AUV_EUSER, "failed");
        auv_future_cancel(child[1], "cancelled");
        loop_turn();
        cr_assert(not(auv_future_done(gather)));
        auv_future_set_result(child[2], NUMBER(5));
        loop_turn();
        list = list_of(gather, &n);
        cr_assert(eq(int, auv_error_code(auv_value_error(&list[0])), AUV_EUSER));
        cr_assert(eq(int, auv_error_code(auv_value_error(&list[1])), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_value_error(&list[1])), "cancelled");
        cr_assert(zero(ptr, auv_value_error(&list[2])));
        cr_assert(eq(i64, list[2].i, 5));
        unref_children();
}

/* Whose errors have been seen */

static void expect_report(int code)
{
        cr_assert(eq(int, reports_take()->code, code));
        cr_assert(eq(int, reports_pending(), 0));
}

Test(gather, that_has_failed_and_is_cancelled_thereafter_says_so_when_it_goes)
{
        auv_future *gather;

        make_children();
        gather = auv_gather(child, 3, 0);
        auv_future_fail(child[0], AUV_EUSER, "failed");
        loop_turn();
        cr_assert(eq(int, auv_future_cancel(gather, NULL), 0));
        auv_unref(gather);
        unref_children();
        cr_assert(eq(int, auv_loop_close(loop), 0));
        expect_report(AUV_EUSER);
}

Test(gather, has_seen_no_error_before_it_has_all_results)
{
        make_children();
        auv_unref(auv_gather(child, 3, AUV_RETURN_EXCEPTIONS));
        auv_future_fail(child[0], AUV_EUSER, "failed");
        loop_turn();
        unref_children();
        cr_assert(eq(int, auv_loop_close(loop), 0));
        expect_report(AUV_EUSER);
}

Test(gather, that_was_cancelled_has_seen_the_errors_of_its_children)
{
        AUV_AUTO auv_future *gather = NULL;

        make_children();
        gather = auv_gather(child, 3, AUV_RETURN_EXCEPTIONS);
        auv_future_fail(child[0], AUV_EUSER, "failed");
        loop_turn();
        cr_assert(eq(int, auv_future_cancel(gather, NULL), 1));
        loop_turn();
        cr_assert(eq(int, auv_future_result(gather, NULL), AUV_ECANCELED));
        unref_children();
}

/* await_gather */

static int awaits_children(void *arg, auv_value *ret)
{
        auv_value results[3] = { NUMBER(-1), NUMBER(-1), NUMBER(-1) };
        const int r = auv_await_gather(child, 3, *(int *)arg, results);

        for (int i = 0; i < 3; i++)
                trace("%jd", auv_value_error(&results[i]) ? -2 : results[i].i);
        return r;
}

Test(gather, awaited_gives_its_results)
{
        for (int i = 0; i < 3; i++)
                child[i] = start_steps(.sleep = 3 - i, .value = i);
        cr_assert(eq(int, loop_run(awaits_children, &(int) { 0 }, NULL), 0));
        cr_assert_trace("0 1 2");
        cr_assert(eq(dbl, auv_loop_time(loop), 3));
        unref_children();
}

Test(gather, awaited_gives_errors_as_results)
{
        make_children();
        auv_future_fail(child[0], AUV_EUSER, "failed");
        auv_future_set_result(child[1], NUMBER(1));
        auv_future_cancel(child[2], NULL);
        cr_assert(eq(int, loop_run(awaits_children, &(int) { AUV_RETURN_EXCEPTIONS }, NULL), 0));
        cr_assert_trace("-2 1 -2");
        unref_children();
}

Test(gather, awaited_leaves_the_results_alone_when_it_fails)
{
        make_children();
        auv_future_set_result(child[0], NUMBER(1));
        auv_future_fail(child[1], AUV_EUSER, "failed");
        cr_assert(eq(int, loop_run(awaits_children, &(int) { 0 }, NULL), AUV_EUSER));
        cr_assert_trace("-1 -1 -1");
        cr_assert_text(auv_error_message(auv_error_current()), "failed");
        cr_assert(eq(int, loop_run(awaits_children, &(int) { 77 }, NULL), AUV_EINVAL));
        unref_children();
}

static int awaits_null_child(void *arg, auv_value *ret)
{
        auv_future *children[2] = { child[0], NULL };

        auv_error_clear();
        return auv_await_gather(children, 2, 0, NULL);
}

Test(gather, awaited_with_a_child_that_could_not_be_made_is_an_error)
{
        make_children();
        cr_assert(lt(int, loop_run(awaits_null_child, NULL, NULL), 0));
        unref_children();
}

Test(gather, awaited_and_cancelled_cancels_its_children)
{
        AUV_AUTO auv_task *task = NULL;

        make_children();
        task = auv_loop_create_task(loop, awaits_children, &(int) { 0 }, sizeof(int), NULL);
        loop_turn();
        cr_assert(eq(int, auv_task_cancel(task, "stop"), 1));
        for (int i = 0; i < 3; i++)
                cr_assert(auv_future_cancelled(child[i]));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "stop");
        unref_children();
}

/* What fails later has been seen by nobody. */
Test(gather, awaited_where_no_task_is_leaves_its_children_alone)
{
        make_children();
        cr_assert(eq(int, auv_await_gather(child, 3, 0, NULL), AUV_ENOTASK));
        auv_future_fail(child[0], AUV_EUSER, "failed");
        loop_turn();
        unref_children();
        cr_assert(eq(int, reports_take()->code, AUV_EUSER));
}

/* References */

Test(gather, holds_its_children)
{
        AUV_AUTO auv_future *gather = NULL;
        auv_future *future = auv_loop_create_future(loop);
        size_t n = 0;

        gather = auv_gather(&future, 1, 0);
        auv_future_set_result(future, NUMBER(4));
        auv_unref(future);
        loop_turn();
        cr_assert(eq(i64, list_of(gather, &n)[0].i, 4));
}

Test(gather, may_go_before_its_children)
{
        make_children();
        auv_unref(auv_gather(child, 3, 0));
        auv_future_set_result(child[0], NUMBER(1));
        auv_unref(auv_gather(child, 3, 0));
        loop_turn();
        unref_children();
        loop_turn();
}

/* Very deep */

static auv_future *gather_of(auv_future *inner)
{
        auv_future *gather = auv_gather(&inner, 1, 0);

        auv_unref(inner);
        return gather;
}

static char *nest_is_dropped(void)
{
        auv_loop *own = loop_new();
        auv_future *gather = auv_loop_create_future(own);

        for (int i = 0; i < SMALL_STACK_DEPTH; i++) {
                gather = gather_of(gather);
                REQUIRE(gather);
        }
        auv_unref(gather);
        auv_unref(own);
        auv_error_clear();
        return NULL;
}

Test(gather, of_gathers_100000_deep_is_freed_without_recursion)
{
        const long before = failing_allocator_live();

        cr_assert_text(on_small_stack(nest_is_dropped), NULL);
        cr_assert(eq(long, failing_allocator_live(), before));
}

static char *nest_is_cancelled(void)
{
        auv_loop *own = loop_new();
        auv_future *innermost = auv_loop_create_future(own);
        auv_future *gather = auv_ref(innermost);

        for (int i = 0; i < SMALL_STACK_DEPTH; i++)
                gather = gather_of(gather);
        REQUIRE(auv_future_cancel(gather, "all the way") == 1);
        REQUIRE(auv_future_cancelled(innermost));
        REQUIRE(auv_loop_run_until_complete(own, gather, NULL) == AUV_ECANCELED);
        auv_unref(gather);
        auv_unref(innermost);
        auv_unref(own);
        auv_error_clear();
        return NULL;
}

Test(gather, of_gathers_100000_deep_is_cancelled_without_recursion)
{
        const long before = failing_allocator_live();

        cr_assert_text(on_small_stack(nest_is_cancelled), NULL);
        cr_assert(eq(long, failing_allocator_live(), before));
}

static char *nest_completes(void)
{
        auv_loop *own = loop_new();
        auv_future *innermost = auv_loop_create_future(own);
        auv_future *gather = auv_ref(innermost);
        auv_value value;
        size_t n;

        for (int i = 0; i < SMALL_STACK_DEPTH; i++)
                gather = gather_of(gather);
        auv_future_set_result(innermost, NUMBER(3));
        auv_unref(innermost);
        REQUIRE(auv_loop_run_until_complete(own, gather, &value) == 0);
        for (int i = 0; i < SMALL_STACK_DEPTH; i++) {
                const auv_value *list = auv_value_list(&value, &n);

                REQUIRE(list && n == 1);
                value = list[0];
        }
        REQUIRE(value.i == 3);
        auv_unref(gather);
        auv_unref(own);
        auv_error_clear();
        return NULL;
}

Test(gather, of_gathers_100000_deep_completes)
{
        const long before = failing_allocator_live();

        cr_assert_text(on_small_stack(nest_completes), NULL);
        cr_assert(eq(long, failing_allocator_live(), before));
}

Test(gather, of_very_many_children_completes)
{
        enum { MANY = 20000 };
        static auv_future *many[MANY];
        AUV_AUTO auv_future *gather = NULL;
        size_t n = 0;

        for (int i = 0; i < MANY; i++)
                many[i] = start_steps(.sleep = i % 7 * 0.001, .value = i);
        gather = auv_gather(many, MANY, 0);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, gather, NULL), 0));
        cr_assert(eq(i64, list_of(gather, &n)[MANY - 1].i, MANY - 1));
        for (int i = 0; i < MANY; i++)
                auv_unref(many[i]);
}

/* For each number of children, from where there are few on to where there are many. */
Test(gather, of_any_number_has_the_result_of_each_also_of_one_that_is_there_twice)
{
        enum { MOST = 300 };
        static auv_future *children[MOST];

        for (size_t n = 60; n <= MOST; n += n < 70 ? 1 : 23) {
                AUV_AUTO auv_future *gather = NULL;
                const auv_value *list;
                size_t n_results = 0;

                for (size_t i = 0; i < n; i++)
                        children[i] = i % 5 == 4 ? auv_ref(children[i / 2]) : auv_loop_create_future(loop);
                auv_future_set_result(children[3], NUMBER(3));
                gather = auv_gather(children, n, 0);
                for (size_t i = n; i-- > 0;)
                        if (!auv_future_done(children[i]))
                                auv_future_set_result(children[i], NUMBER((intmax_t)i));
                loop_turn();
                list = list_of(gather, &n_results);
                cr_assert(eq(sz, n_results, n));
                for (size_t i = 0; i < n; i++) {
                        auv_value own;

                        cr_assert(eq(int, auv_future_result(children[i], &own), 0));
                        cr_assert(eq(i64, list[i].i, own.i));
                        auv_unref(children[i]);
                }
        }
}

Test(gather, of_many_fails_with_its_first_child_and_goes_when_all_are_done)
{
        enum { N = 200 };
        auv_future *children[N], *gather;
        auv_error *error = NULL;
        long before;

        auv_loop_set_task_factory(loop, NULL, NULL); /* has the loop make what it has for tasks */
        before = failing_allocator_live();
        for (int i = 0; i < N; i++)
                children[i] = auv_loop_create_future(loop);
        gather = auv_gather(children, N, 0);
        auv_future_fail(children[150], AUV_EINVAL, NULL);
        loop_turn();
        cr_assert(eq(int, auv_future_exception(gather, &error), 0));
        cr_assert(eq(int, auv_error_code(error), AUV_EINVAL));
        auv_unref(gather);
        for (int i = 0; i < N; i++) {
                if (i != 150)
                        auv_future_set_result(children[i], NUMBER(i));
                auv_unref(children[i]);
        }
        loop_turn();
        cr_assert(eq(long, failing_allocator_live(), before));
}

/* Some have been told when the loop is closed, and some will never be done. */
Test(gather, of_many_goes_with_its_loop)
{
        enum { N = 200 };
        const long before = failing_allocator_live();
        auv_loop *own = loop_new();
        auv_future *children[N], *gather;

        for (int i = 0; i < N; i++)
                children[i] = auv_loop_create_future(own);
        gather = auv_gather(children, N, 0);
        for (int i = 0; i < N; i += 3)
                auv_future_set_result(children[i], NUMBER(i));
        for (int i = 0; i < N; i += 2)
                auv_unref_at(&children[i]);
        auv_loop_close(own);
        for (int i = 1; i < N; i += 4)
                if (!auv_future_done(children[i]))
                        auv_future_set_result(children[i], NUMBER(i));
        cr_assert(not(auv_future_done(gather)));
        auv_unref(gather);
        for (int i = 0; i < N; i++)
                auv_unref(children[i]);
        auv_unref(own);
        auv_error_clear();
        cr_assert(eq(long, failing_allocator_live(), before));
}

/* Memory */

static int gathers_three(void *arg, auv_value *ret)
{
        auv_task *tasks[3];
        auv_value results[3] = { NUMBER(-1), NUMBER(-1), NUMBER(-1) };
        int r;

        for (intmax_t i = 0; i < 3; i++)
                tasks[i] = auv_create_task(coro_return, &i, sizeof(i));
        r = auv_await_gather(tasks, 3, 0, results);
        cr_assert(r == AUV_ENOMEM || (r == 0 && results[2].i == 2));
        for (int i = 0; i < 3; i++)
                auv_unref(tasks[i]);
        return r;
}

static void gather_sweep(void)
{
        AUV_AUTO auv_loop *made = NULL;
        AUV_AUTO auv_task *task = NULL;
        AUV_AUTO auv_future *gather = NULL;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &made) < 0)
                return;
        reports_record(made);
        task = auv_loop_create_task(made, gathers_three, NULL, 0, NULL);
        if (task) {
                const int r = auv_loop_run_until_complete(made, task, NULL);

                cr_assert(r == (failing_allocator_fired() ? AUV_ENOMEM : 0));
                gather = auv_gather(&task, 1, AUV_RETURN_EXCEPTIONS);
                cr_assert(gather || failing_allocator_fired());
        }
        auv_loop_close(made);
        reports_drop();
        auv_error_clear();
}

Test(gather, without_memory_fails_and_leaves_nothing)
{
        cr_assert(gt(long, failing_allocator_sweep(gather_sweep), 1));
}

/* With the allocator that programs have; it would keep the pages of the second one's block. */
Test(very_large_gather, leaves_nothing_behind)
{
        enum { N = 100000, SIZE = 32 * N };

        auv_future **futures = calloc(N, sizeof(*futures));
        auv_future *gather;
        const auv_value *results;
        size_t before, n;

        loop = loop_new();
        for (size_t i = 0; i < N; i++)
                futures[i] = auv_loop_create_future(loop);
        before = memory_in_use().resident;
        for (int i = 0; i < 2; i++) {
                gather = auv_gather(futures, N, 0);
                if (i == 0)
                        for (size_t k = 0; k < N; k++)
                                auv_future_set_result(futures[k], NUMBER((int64_t)k));
                loop_turns(2);
                results = list_of(gather, &n);
                cr_assert(eq(sz, n, N));
                for (size_t k = 0; k < N; k++)
                        cr_assert(eq(i64, results[k].i, (int64_t)k));
                auv_unref(gather);
        }
        if (!auv__sanitizer_finds_leaks() && !auv__sanitizer_is_valgrind())
                cr_assert(lt(sz, memory_in_use().resident, before + SIZE / 4));
        for (size_t i = 0; i < N; i++)
                auv_unref(futures[i]);
        free(futures);
        loop = auv_unref(loop);
}

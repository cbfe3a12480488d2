/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(task_group, .init = loop_setup, .fini = loop_teardown);

static int cancelling(void)
{
        return auv_task_cancelling(auv_current_task(NULL));
}

#define spawn(group, ...)                                                                       \
        auv_unref(auv_task_group_create_task(group, coro_steps, &(struct steps) { __VA_ARGS__ }, \
                                             sizeof(struct steps), NULL))
#define spawn_stubborn(group, ...)                                                                 \
        auv_unref(auv_task_group_create_task(group, coro_stubborn, &(struct steps) { __VA_ARGS__ }, \
                                             sizeof(struct steps), NULL))

/* Codes and messages of a group of errors, as "EGROUP[EUSER/a ENOENT/b]". */
static void trace_group(const auv_error *error)
{
        size_t n = 0;
        auv_error *const *members = auv_error_members(error, &n);

        trace("%s:%zu", auv_error_name(auv_error_code(error)), n);
        for (size_t i = 0; i < n; i++)
                trace("%s/%s", auv_error_name(auv_error_code(members[i])),
                      auv_error_message(members[i]) ? auv_error_message(members[i]) : "");
}

static int waits_for_all(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        AUV_TRY(auv_task_group_enter(group));
        spawn(group, .name = "a", .sleep = 2);
        spawn(group, .name = "b", .sleep = 1);
        AUV_TRY(auv_await_task_group_exit(group, 0));
        trace("end");
        return 0;
}

Test(task_group, waits_for_all_its_tasks)
{
        cr_assert(eq(int, loop_run(waits_for_all, NULL, NULL), 0));
        cr_assert_trace("a+ b+ b- a- end");
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
}

static int hands_on(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        AUV_TRY(auv_task_group_enter(group));
        cr_assert(eq(int, auv_await_task_group_exit(group, 42), 42));
        trace("no turn");
        return 0;
}

Test(task_group, of_none_hands_on_what_its_body_returned_at_once)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, hands_on, NULL, 0, NULL);

        loop_turns(1);
        cr_assert_trace("no turn |");
        cr_assert(auv_future_done(task));
}

static int keeps_its_tasks(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        AUV_AUTO auv_task *task = NULL;

        AUV_TRY(auv_task_group_enter(group));
        task = auv_task_group_create_task(group, coro_return, &(intmax_t) { 7 }, sizeof(intmax_t),
                                          AUV_TASK_OPTIONS(.name = "named"));
        cr_assert_text(auv_task_get_name(task), "named");
        AUV_TRY(auv_await_task_group_exit(group, 0));
        return auv_future_result(task, ret);
}

Test(task_group, gives_its_tasks_to_who_made_them)
{
        auv_value result = { 0 };

        cr_assert(eq(int, loop_run(keeps_its_tasks, NULL, &result), 0));
        cr_assert(eq(i64, result.i, 7));
}

/* rules 94 and 96 */
static int one_fails(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        int r;

        AUV_TRY(auv_task_group_enter(group));
        spawn(group, .name = "good", .sleep = 5);
        spawn(group, .name = "bad", .sleep = 1, .error = AUV_EUSER);
        r = auv_await_sleep(9);
        trace("body:%s", auv_error_name(r));
        r = auv_await_task_group_exit(group, r);
        cr_assert(eq(int, r, AUV_EGROUP));
        cr_assert(eq(int, cancelling(), 0));
        trace_group(auv_error_current());
        return r;
}

Test(task_group, in_which_one_fails_cancels_the_others_and_the_body)
{
        cr_assert(eq(int, loop_run(one_fails, NULL, NULL), AUV_EGROUP));
        cr_assert_trace("good+ bad+ bad- good! body:ECANCELED EGROUP:1 EUSER/bad");
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EGROUP));
}

/* rule 94: while the scope is being left */
static int one_fails_at_the_end(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        int r;

        AUV_TRY(auv_task_group_enter(group));
        spawn(group, .name = "good", .sleep = 5);
        spawn(group, .name = "bad", .sleep = 1, .error = AUV_EUSER);
        r = auv_await_task_group_exit(group, 0);
        cr_assert(eq(int, cancelling(), 0));
        trace_group(auv_error_current());
        AUV_TRY(auv_await_sleep(1));
        return r;
}

Test(task_group, that_fails_while_it_is_left_cancels_nothing_afterwards)
{
        cr_assert(eq(int, loop_run(one_fails_at_the_end, NULL, NULL), AUV_EGROUP));
        cr_assert_trace("good+ bad+ bad- good! EGROUP:1 EUSER/bad");
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
}

/* rule 96: completion order, the body's last */
static int many_fail(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        int r;

        AUV_TRY(auv_task_group_enter(group));
        spawn_stubborn(group, .name = "slow", .sleep = 3, .error = AUV_EUSER);
        spawn(group, .name = "quick", .sleep = 1, .error = AUV_EUSER - 1);
        r = auv_await_sleep(9) == AUV_ECANCELED ? auv_raise(AUV_ENOENT, "body") : 0;
        r = auv_await_task_group_exit(group, r);
        trace_group(auv_error_current());
        return r;
}

Test(task_group, has_all_errors_in_the_order_in_which_they_came)
{
        cr_assert(eq(int, loop_run(many_fail, NULL, NULL), AUV_EGROUP));
        cr_assert_trace("slow+ quick+ quick- slow! slow- EGROUP:3 EUSER/quick EUSER/slow ENOENT/body");
}

static int body_fails(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        int r;

        AUV_TRY(auv_task_group_enter(group));
        spawn(group, .name = "a", .sleep = 5);
        AUV_TRY(auv_await_sleep(1));
        r = auv_await_task_group_exit(group, auv_raise(AUV_EUSER, "body"));
        trace_group(auv_error_current());
        cr_assert(eq(int, cancelling(), 0));
        return r;
}

Test(task_group, whose_body_fails_cancels_its_tasks)
{
        cr_assert(eq(int, loop_run(body_fails, NULL, NULL), AUV_EGROUP));
        cr_assert_trace("a+ a! EGROUP:1 EUSER/body");
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
}

/* rule 95 */
static int one_is_cancelled(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        AUV_AUTO auv_task *victim = NULL;

        AUV_TRY(auv_task_group_enter(group));
        spawn(group, .name = "a", .sleep = 5);
        victim = auv_task_group_create_task(group, coro_sleep, &(double) { 9 }, sizeof(double), NULL);
        AUV_TRY(auv_await_sleep(1));
        cr_assert(eq(int, auv_task_cancel(victim, NULL), 1));
        return auv_await_task_group_exit(group, auv_await_sleep(1));
}

Test(task_group, does_not_care_that_a_task_was_cancelled)
{
        cr_assert(eq(int, loop_run(one_is_cancelled, NULL, NULL), 0));
        cr_assert_trace("a+ a-");
        cr_assert(eq(dbl, auv_loop_time(loop), 5));
}

/* Cancelled from outside */

static int waits_at_its_end(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        int r;

        AUV_TRY(auv_task_group_enter(group));
        spawn(group, .name = "a", .sleep = 5);
        spawn_stubborn(group, .name = "b", .sleep = 2);
        r = auv_await_task_group_exit(group, 0);
        trace("%s:%d", auv_error_name(r), cancelling());
        return r;
}

/* rule 98 */
Test(task_group, that_is_cancelled_cancels_its_tasks_and_waits_for_them)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, waits_at_its_end, NULL, 0, NULL);

        loop_turn();
        loop_turn();
        auv_task_cancel(task, "outer");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "outer");
        cr_assert_trace("a+ b+ a! b! b- ECANCELED:1");
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
}

static int waits_in_its_body(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        AUV_TRY(auv_task_group_enter(group));
        spawn(group, .name = "a", .sleep = 5);
        return auv_await_task_group_exit(group, auv_await_sleep(9));
}

Test(task_group, whose_body_is_cancelled_cancels_its_tasks)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, waits_in_its_body, NULL, 0, NULL);

        loop_turn();
        loop_turn();
        auv_task_cancel(task, "outer");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "outer");
        cr_assert_trace("a+ a!");
}

/* rule 98: errors go first, and the cancel comes at the next await */
static int errors_and_cancel(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        int r;

        AUV_TRY(auv_task_group_enter(group));
        spawn_stubborn(group, .name = "a", .sleep = 2, .error = AUV_EUSER);
        r = auv_await_task_group_exit(group, 0);
        trace_group(auv_error_current());
        trace("%s:%d", auv_error_name(auv_await_sleep(0)), cancelling());
        return r;
}

Test(task_group, that_was_cancelled_and_has_errors_is_cancelled_at_the_next_await)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, errors_and_cancel, NULL, 0, NULL);

        loop_turn();
        loop_turn();
        auv_task_cancel(task, "outer");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_EGROUP));
        cr_assert_trace("a+ a! a- EGROUP:1 EUSER/a ECANCELED:1");
}

/* rule 99 */
Test(task_group, that_is_cancelled_again_goes_on_waiting)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, waits_at_its_end, NULL, 0, NULL);

        loop_turn();
        loop_turn();
        for (int i = 0; i < 4; i++) {
                auv_task_cancel(task, "outer");
                loop_turn();
                cr_assert(not(auv_future_done(task)));
        }
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
}

/* Tasks that wait for each other in a cycle cannot be cancelled, and neither can one that awaits them. */

static auv_task *cycle[2];

static int awaits_cycle(void *arg, auv_value *ret)
{
        return auv_await(*(auv_task **)arg, NULL);
}

static void make_cycle(void)
{
        for (int i = 0; i < 2; i++)
                cycle[i] = auv_loop_create_task(loop, awaits_cycle, &cycle[1 - i], 0, NULL);
}

static void end_cycle(void)
{
        loop_turns(2);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        for (int i = 0; i < 2; i++)
                auv_unref_at(&cycle[i]);
        reports_drop();
}

static int waits_for_cycle(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        int r;

        AUV_TRY(auv_task_group_enter(group));
        auv_unref(auv_task_group_create_task(group, awaits_cycle, &cycle[0], 0, NULL));
        AUV_TRY(auv_await_sleep(0));
        r = auv_await_task_group_exit(group, arg ? auv_raise(AUV_EUSER, NULL) : 0);
        trace("%s", auv_error_message(auv_error_current()));
        return r;
}

/* CPython: RecursionError, out of __aexit__() */
Test(task_group, that_is_cancelled_and_cannot_cancel_its_tasks_fails)
{
        auv_task *task = auv_loop_create_task(loop, waits_for_cycle, NULL, 0, NULL);

        make_cycle();
        loop_turns(3);
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ERUNTIME));
        cr_assert_trace("| | | the futures wait for each other in a cycle");
        auv_unref(task);
        end_cycle();
}

Test(task_group, whose_body_fails_and_cannot_cancel_its_tasks_fails_for_that)
{
        make_cycle();
        cr_assert(eq(int, loop_run(waits_for_cycle, loop, NULL), AUV_ERUNTIME));
        cr_assert_trace("the futures wait for each other in a cycle");
        end_cycle();
}

static int waits_for_cycle_and_failure(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        AUV_TRY(auv_task_group_enter(group));
        auv_unref(auv_task_group_create_task(group, awaits_cycle, &cycle[0], 0, NULL));
        spawn(group, .turns = 2, .error = AUV_EUSER);
        return auv_await_task_group_exit(group, 0);
}

Test(task_group, in_which_one_fails_says_so_where_it_cannot_cancel_the_others)
{
        auv_task *task = auv_loop_create_task(loop, waits_for_cycle_and_failure, NULL, 0, NULL);
        const struct report *report;

        make_cycle();
        loop_turns(6);
        report = reports_take();
        cr_assert_text(report->message, "Exception in callback of a task group");
        cr_assert(eq(int, report->code, AUV_ERUNTIME));
        cr_assert(zero(ptr, auv_error_current()));
        cr_assert(not(auv_future_done(task)));
        auv_unref(task);
        end_cycle();
}

/* Wrong use */

/* rule 100 */
static int spawns_out_of_place(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        cr_assert(zero(ptr, auv_task_group_create_task(NULL, coro_nothing, NULL, 0, NULL)));
        cr_assert(zero(ptr, auv_task_group_create_task(group, coro_nothing, NULL, 0, NULL)));
        cr_assert(eq(int, auv_await(auv_task_group_create_task(group, coro_nothing, NULL, 0, NULL), NULL),
                     AUV_ERUNTIME));
        AUV_TRY(auv_task_group_enter(group));
        cr_assert(zero(ptr, auv_task_group_create_task(group, NULL, NULL, 0, NULL)));
        AUV_TRY(auv_await_task_group_exit(group, 0));
        cr_assert(zero(ptr, auv_task_group_create_task(group, coro_nothing, NULL, 0, NULL)));
        return 0;
}

Test(task_group, makes_tasks_within_its_scope_only)
{
        cr_assert(eq(int, loop_run(spawns_out_of_place, NULL, NULL), 0));
}

/* rule 100: while it is shutting down */
static int spawns_while_shutting_down(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        AUV_TRY(auv_task_group_enter(group));
        spawn(group, .name = "bad", .error = AUV_EUSER);
        cr_assert(eq(int, auv_await_sleep(9), AUV_ECANCELED));
        cr_assert(zero(ptr, auv_task_group_create_task(group, coro_nothing, NULL, 0, NULL)));
        trace("refused");
        return auv_await_task_group_exit(group, 0);
}

Test(task_group, makes_no_tasks_while_it_shuts_down)
{
        cr_assert(eq(int, loop_run(spawns_while_shutting_down, NULL, NULL), AUV_EGROUP));
        cr_assert_trace("bad+ bad- refused");
}

/* rule 100: while it is being left */
static auv_task_group *shared_group;

static int spawns_another(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await_sleep(1));
        spawn(shared_group, .name = "late", .sleep = 3);
        return 0;
}

static int is_left_while_tasks_make_more(void *arg, auv_value *ret)
{
        int r;

        shared_group = auv_task_group_new();
        AUV_TRY(auv_task_group_enter(shared_group));
        auv_unref(auv_task_group_create_task(shared_group, spawns_another, NULL, 0, NULL));
        r = auv_await_task_group_exit(shared_group, 0);
        auv_unref_at(&shared_group);
        return r;
}

Test(task_group, makes_tasks_for_its_tasks_while_it_is_being_left)
{
        cr_assert(eq(int, loop_run(is_left_while_tasks_make_more, NULL, NULL), 0));
        cr_assert_trace("late+ late-");
        cr_assert(eq(dbl, auv_loop_time(loop), 4));
}

/* rule 101 */
static int enters_twice(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        cr_assert(eq(int, auv_await_task_group_exit(group, 0), AUV_ERUNTIME));
        AUV_TRY(auv_task_group_enter(group));
        cr_assert(eq(int, auv_task_group_enter(group), AUV_ERUNTIME));
        AUV_TRY(auv_await_task_group_exit(group, 0));
        cr_assert(eq(int, auv_task_group_enter(group), AUV_ERUNTIME));
        cr_assert(eq(int, auv_await_task_group_exit(group, 0), AUV_ERUNTIME));
        cr_assert(eq(int, auv_await_task_group_exit(NULL, 0), AUV_EINVAL));
        cr_assert(eq(int, auv_task_group_enter(NULL), AUV_ENOMEM));
        return 0;
}

Test(task_group, is_for_one_use)
{
        cr_assert(eq(int, loop_run(enters_twice, NULL, NULL), 0));
}

Test(task_group, needs_a_task)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        cr_assert(eq(int, auv_task_group_enter(group), AUV_ENOTASK));
        cr_assert(lt(int, auv_await_task_group_exit(group, 0), 0));
}

/* Groups in groups */

static int has_inner_group(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *outer = auv_task_group_new();
        AUV_AUTO auv_task_group *inner = auv_task_group_new();
        int r;

        AUV_TRY(auv_task_group_enter(outer));
        spawn(outer, .name = "outer", .sleep = 9);
        AUV_TRY(auv_task_group_enter(inner));
        spawn(inner, .name = "inner", .sleep = 1, .error = AUV_EUSER);
        r = auv_await_task_group_exit(inner, auv_await_sleep(5));
        cr_assert(eq(int, r, AUV_EGROUP));
        r = auv_await_task_group_exit(outer, r);
        trace_group(auv_error_current());
        cr_assert(eq(int, cancelling(), 0));
        return r;
}

Test(task_group, in_another_fails_as_a_group_in_a_group)
{
        cr_assert(eq(int, loop_run(has_inner_group, NULL, NULL), AUV_EGROUP));
        cr_assert_has(trace_text(), "outer+ inner+ inner- outer! EGROUP:1 EGROUP/");
}

static int in_timeout(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(2);
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        AUV_TRY(auv_timeout_enter(limit));
        AUV_TRY(auv_task_group_enter(group));
        spawn(group, .name = "a", .sleep = 9);
        return auv_timeout_exit(limit, auv_await_task_group_exit(group, 0));
}

Test(task_group, in_a_timeout_times_out)
{
        cr_assert(eq(int, loop_run(in_timeout, NULL, NULL), AUV_ETIMEDOUT));
        cr_assert_trace("a+ a!");
}

static int spawns_eagerly(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        const auv_task_options *options = AUV_TASK_OPTIONS(.eager_start = true);
        struct steps quick = { .name = "quick" }, slow = { .name = "slow", .turns = 1 };

        AUV_TRY(auv_task_group_enter(group));
        auv_unref(auv_task_group_create_task(group, coro_steps, &quick, sizeof(quick), options));
        auv_unref(auv_task_group_create_task(group, coro_steps, &slow, sizeof(slow), options));
        trace("body");
        return auv_await_task_group_exit(group, 0);
}

Test(task_group, has_eager_tasks_too)
{
        cr_assert(eq(int, loop_run(spawns_eagerly, NULL, NULL), 0));
        cr_assert_trace("quick+ quick- slow+ body slow-");
}

/* an eager task that fails before it has been in the group's care */
static int spawns_eager_failure(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        int r;

        AUV_TRY(auv_task_group_enter(group));
        auv_unref(auv_task_group_create_task(group, coro_fail, &(int) { AUV_EUSER }, sizeof(int),
                                             AUV_TASK_OPTIONS(.eager_start = true)));
        r = auv_await_task_group_exit(group, auv_await_sleep(5));
        trace_group(auv_error_current());
        return r;
}

Test(task_group, has_the_error_of_an_eager_task)
{
        cr_assert(eq(int, loop_run(spawns_eager_failure, NULL, NULL), AUV_EGROUP));
        cr_assert_trace("EGROUP:1 EUSER/failed");
}

/* Against the rule, but to be survived: the scope is never ended. */
static int leaves_its_scope_open(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        AUV_TRY(auv_task_group_enter(group));
        spawn(group, .name = "a", .sleep = 1);
        spawn(group, .name = "b", .sleep = 1, .error = AUV_EUSER);
        return 0;
}

Test(task_group, that_is_left_without_an_end_does_no_harm)
{
        AUV_AUTO auv_task *sleeper = start_sleep(loop, 5);

        cr_assert(eq(int, loop_run(leaves_its_scope_open, NULL, NULL), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, sleeper, NULL), 0));
        reports_drop();
}

static int has_many(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        AUV_TRY(auv_task_group_enter(group));
        for (int i = 0; i < 5000; i++)
                spawn(group, .turns = i % 3);
        spawn(group, .turns = 1, .error = AUV_EUSER);
        for (int i = 0; i < 5000; i++)
                spawn(group, .sleep = 1);
        return auv_await_task_group_exit(group, auv_await_sleep(9));
}

Test(task_group, ends_very_many_tasks)
{
        cr_assert(eq(int, loop_run(has_many, NULL, NULL), AUV_EGROUP));
        cr_assert(eq(sz, auv_all_tasks(loop, NULL, 0), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 0));
}

static int group_in_sweep(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        int made = 0;

        AUV_TRY(auv_task_group_enter(group));
        for (int i = 0; i < 3; i++) {
                AUV_AUTO auv_task *task = auv_task_group_create_task(group, coro_fail, &(int) { AUV_EUSER },
                                                                     sizeof(int), NULL);

                made += task != NULL;
        }
        cr_assert(made == 3 || failing_allocator_fired());
        return auv_await_task_group_exit(group, auv_await_sleep(1));
}

static void group_sweep(void)
{
        AUV_AUTO auv_loop *made = NULL;
        AUV_AUTO auv_task *task = NULL;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &made) < 0)
                return;
        reports_record(made);
        task = auv_loop_create_task(made, group_in_sweep, NULL, 0, NULL);
        if (task) {
                const int r = auv_loop_run_until_complete(made, task, NULL);

                cr_assert(r == AUV_EGROUP || (r == AUV_ENOMEM && failing_allocator_fired()));
        }
        auv_loop_close(made);
        reports_drop();
        auv_error_clear();
}

Test(task_group, without_memory_fails_and_leaves_nothing)
{
        cr_assert(gt(long, failing_allocator_sweep(group_sweep), 1));
}

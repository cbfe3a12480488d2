/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(task, .init = loop_setup, .fini = loop_teardown);

static void trace_arg(void *arg)
{
        trace("%s", (const char *)arg);
}

/* Starting and ending */

/* rule 38 */
Test(task, starts_in_the_next_turn_in_the_order_of_creation)
{
        AUV_AUTO auv_task *a = start_steps(.name = "a", .turns = 1);
        AUV_AUTO auv_task *b = NULL;

        auv_loop_call_soon(loop, trace_arg, "soon", NULL);
        b = start_steps(.name = "b", .turns = 1);
        cr_assert_trace("");
        loop_turns(2);
        cr_assert_trace("a+ soon b+ | a- b- |");
        cr_assert(auv_future_done(a) && auv_future_done(b));
}

Test(task, has_the_result_of_its_body)
{
        AUV_AUTO auv_task *task = start_steps(.turns = 2, .value = 42);
        auv_value result = { 0 };

        loop_turn();
        cr_assert(eq(int, auv_future_result(task, &result), AUV_EINVALIDSTATE));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert(eq(int, auv_future_result(task, &result), 0));
        cr_assert(eq(i64, result.i, 42));
}

static int returns_one(void *arg, auv_value *ret)
{
        ret->i = 8;
        return 1;
}

Test(task, takes_what_is_above_zero_for_success)
{
        auv_value result = { 0 };

        cr_assert(eq(int, loop_run(returns_one, NULL, &result), 0));
        cr_assert(eq(i64, result.i, 8));
}

static int expects_zeros(void *arg, auv_value *ret)
{
        return ret && ret->u == 0 && !ret->destroy ? 0 : AUV_EUSER;
}

Test(task, begins_with_an_empty_result)
{
        cr_assert(eq(int, loop_run(expects_zeros, NULL, NULL), 0));
}

Test(task, fails_with_what_its_body_returns)
{
        AUV_AUTO auv_task *task = start_steps(.error = AUV_EUSER - 2);
        auv_error *error = NULL;

        loop_turn();
        cr_assert(eq(int, auv_future_exception(task, &error), 0));
        cr_assert(eq(int, auv_error_code(error), AUV_EUSER - 2));
        cr_assert(not(auv_future_cancelled(task)));
}

static int returns_code(void *arg, auv_value *ret)
{
        return AUV_EPIPE;
}

Test(task, fails_with_a_bare_code_too)
{
        cr_assert(eq(int, loop_run(returns_code, NULL, NULL), AUV_EPIPE));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EPIPE));
}

static int cancels_by_return(void *arg, auv_value *ret)
{
        return auv_raise(AUV_ECANCELED, "by myself");
}

/* rule 49 */
Test(task, that_returns_cancelled_ends_cancelled)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, cancels_by_return, NULL, 0, NULL);

        loop_turn();
        cr_assert(auv_future_cancelled(task));
        cr_assert(eq(int, auv_task_cancelling(task), 0));
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "by myself");
}

/* Argument */

struct big {
        char bytes[3000];
};

static int sums(void *arg, auv_value *ret)
{
        const struct big *big = arg;

        AUV_TRY(auv_await_sleep(0));
        for (size_t i = 0; i < sizeof(big->bytes); i++)
                ret->i += big->bytes[i];
        return 0;
}

Test(task, copies_its_argument)
{
        AUV_AUTO auv_task *task = NULL;
        struct big big;
        auv_value result = { 0 };

        memset(&big, 1, sizeof(big));
        task = auv_loop_create_task(loop, sums, &big, sizeof(big), NULL);
        memset(&big, 2, sizeof(big));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, &result), 0));
        cr_assert(eq(i64, result.i, 3000));
}

static int is_aligned(void *arg, auv_value *ret)
{
        return (uintptr_t)arg % _Alignof(max_align_t) == 0 ? 0 : AUV_EUSER;
}

Test(task, aligns_its_copy_of_the_argument_for_any_type)
{
        static const char bytes[64];

        for (size_t size = 1; size < sizeof(bytes); size++) {
                AUV_AUTO auv_task *task = auv_loop_create_task(loop, is_aligned, bytes, size, NULL);

                cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        }
}

static int expects_pointer(void *arg, auv_value *ret)
{
        ret->p = arg;
        return 0;
}

Test(task, hands_over_a_pointer_of_size_zero_as_it_is)
{
        int object;
        auv_value result = { 0 };

        cr_assert(eq(int, loop_run(expects_pointer, &object, &result), 0));
        cr_assert(eq(ptr, result.p, &object));
        cr_assert(eq(int, loop_run(expects_pointer, NULL, &result), 0));
        cr_assert(zero(ptr, result.p));
}

/* Bad input */

Test(task, is_not_made_without_a_body_or_a_loop)
{
        cr_assert(zero(ptr, auv_create_task(coro_nothing, NULL, 0)));
        cr_assert(zero(ptr, auv_loop_create_task(NULL, coro_nothing, NULL, 0, NULL)));
        cr_assert(zero(ptr, auv_task_new(NULL, coro_nothing, NULL, 0, NULL)));
        cr_assert(zero(ptr, auv_loop_create_task(loop, NULL, NULL, 0, NULL)));
        cr_assert(zero(ptr, auv_task_new(loop, NULL, NULL, 0, NULL)));
        cr_assert(zero(ptr, auv_loop_create_task(loop, coro_nothing, NULL, 8, NULL)));
        cr_assert(eq(sz, auv_all_tasks(loop, NULL, 0), 0));
}

Test(task, is_not_made_of_options_without_meaning)
{
        cr_assert(zero(ptr, auv_loop_create_task(loop, coro_nothing, NULL, 0, &(auv_task_options) { 0 })));
        cr_assert(zero(ptr, auv_loop_create_task(loop, coro_nothing, NULL, 0,
                                                 AUV_TASK_OPTIONS(.stack_size = SIZE_MAX))));
        cr_assert(eq(sz, auv_all_tasks(loop, NULL, 0), 0));
}

Test(task, functions_take_no_null_and_no_plain_future)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_future *gather = auv_gather(&future, 1, 0);
        AUV_AUTO auv_future *shield = auv_shield(future);
        auv_future *const plain[] = { future, gather, shield };

        cr_assert(eq(int, auv_task_cancel(NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_task_cancelling(NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_task_uncancel(NULL), AUV_EINVAL));
        cr_assert(zero(ptr, (void *)auv_task_get_name(NULL)));
        cr_assert(eq(int, auv_task_set_name(NULL, "name"), AUV_EINVAL));
        for (int i = 0; i < 3; i++) {
                cr_assert(eq(int, auv_task_cancel(plain[i], NULL), AUV_ENOTATASK));
                cr_assert(eq(int, auv_task_cancelling(plain[i]), AUV_ENOTATASK));
                cr_assert(eq(int, auv_task_uncancel(plain[i]), AUV_ENOTATASK));
                cr_assert(zero(ptr, (void *)auv_task_get_name(plain[i])));
                cr_assert(eq(int, auv_task_set_name(plain[i], "name"), AUV_ENOTATASK));
        }
        cr_assert(not(auv_future_done(future)));
}

/* Names */

/* rule 59 */
Test(task, has_a_name_with_a_number)
{
        AUV_AUTO auv_task *first = start_steps(.turns = 0);
        AUV_AUTO auv_task *second = start_steps(.turns = 0);
        const long number = strtol(auv_task_get_name(first) + strlen("Task-"), NULL, 10);
        char expected[32];

        snprintf(expected, sizeof(expected), "Task-%ld", number);
        cr_assert_text(auv_task_get_name(first), expected);
        snprintf(expected, sizeof(expected), "Task-%ld", number + 1);
        cr_assert_text(auv_task_get_name(second), expected);
        loop_turn();
        cr_assert_text(auv_task_get_name(second), expected);
}

Test(task, has_the_name_that_it_was_given)
{
        char name[] = "worker";
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, coro_nothing, NULL, 0,
                                                       AUV_TASK_OPTIONS(.name = name));

        name[0] = 'W';
        cr_assert_text(auv_task_get_name(task), "worker");
        cr_assert(eq(int, auv_task_set_name(task, name), 0));
        name[0] = '?';
        cr_assert_text(auv_task_get_name(task), "Worker");
        cr_assert(eq(int, auv_task_set_name(task, NULL), AUV_EINVAL));
        cr_assert_text(auv_task_get_name(task), "Worker");
        cr_assert(eq(int, auv_task_set_name(task, ""), 0));
        cr_assert_text(auv_task_get_name(task), "");
        loop_turn();
}

Test(task, may_be_given_its_own_name)
{
        AUV_AUTO auv_task *task = start_steps(.turns = 0);

        cr_assert(eq(int, auv_task_set_name(task, "a name"), 0));
        cr_assert(eq(int, auv_task_set_name(task, auv_task_get_name(task)), 0));
        cr_assert_text(auv_task_get_name(task), "a name");
        cr_assert(eq(int, auv_task_set_name(task, auv_task_get_name(task) + 2), 0));
        cr_assert_text(auv_task_get_name(task), "name");
        loop_turn();
}

Test(task, keeps_its_name_without_memory_for_another)
{
        AUV_AUTO auv_task *task = start_steps(.turns = 0);

        auv_task_set_name(task, "name");
        failing_allocator_arm_all();
        cr_assert(eq(int, auv_task_set_name(task, "a rather longer name than the one before"), AUV_ENOMEM));
        failing_allocator_disarm();
        cr_assert_text(auv_task_get_name(task), "name");
        loop_turn();
}

/* Current task and all tasks */

static void expect_no_task(void *arg)
{
        cr_assert(zero(ptr, auv_current_task(NULL)));
        cr_assert(zero(ptr, auv_current_task(loop)));
        trace("callback");
}

static void expect_no_task_done(auv_future *future, void *arg)
{
        expect_no_task(NULL);
}

static int expects_itself(void *arg, auv_value *ret)
{
        auv_task **self = arg;

        for (int i = 0; i < 3; i++) {
                cr_assert(eq(ptr, auv_current_task(NULL), *self));
                cr_assert(eq(ptr, auv_current_task(loop), *self));
                AUV_TRY(auv_await_sleep(0));
        }
        return 0;
}

/* rule 56 */
Test(task, is_current_in_its_own_steps_alone)
{
        auv_task *tasks[2];

        cr_assert(zero(ptr, auv_current_task(NULL)));
        for (int i = 0; i < 2; i++)
                tasks[i] = auv_loop_create_task(loop, expects_itself, &tasks[i], 0, NULL);
        auv_loop_call_soon(loop, expect_no_task, NULL, NULL);
        auv_future_add_done_callback(tasks[0], expect_no_task_done, NULL);
        for (int i = 0; i < 5; i++)
                loop_turn();
        cr_assert_trace("callback callback");
        cr_assert(zero(ptr, auv_current_task(loop)));
        auv_unref(tasks[0]);
        auv_unref(tasks[1]);
}

/* rule 57 */
Test(task, is_among_all_tasks_until_it_has_ended)
{
        AUV_AUTO auv_task *a = start_steps(.turns = 1);
        AUV_AUTO auv_task *b = start_steps(.turns = 0);
        AUV_AUTO auv_task *c = start_steps(.sleep = 5);
        auv_task *all[3] = { NULL };

        cr_assert(eq(sz, auv_all_tasks(loop, NULL, 0), 3));
        cr_assert(eq(sz, auv_all_tasks(loop, all, 3), 3));
        cr_assert(eq(ptr, all[0], a));
        cr_assert(eq(ptr, all[1], b));
        cr_assert(eq(ptr, all[2], c));
        loop_turn();
        cr_assert(eq(sz, auv_all_tasks(loop, all, 1), 2));
        cr_assert(eq(ptr, all[0], a));
        cr_assert(eq(ptr, all[1], b));
        loop_turn();
        cr_assert(eq(sz, auv_all_tasks(loop, all, 3), 1));
        cr_assert(eq(ptr, all[0], c));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, c, NULL), 0));
        cr_assert(eq(sz, auv_all_tasks(loop, all, 3), 0));
        cr_assert(eq(sz, auv_all_tasks(NULL, all, 3), 0));
}

static int counts_tasks(void *arg, auv_value *ret)
{
        ret->u = auv_all_tasks(NULL, NULL, 0);
        return 0;
}

Test(task, is_among_all_tasks_while_it_runs)
{
        auv_value result = { 0 };

        cr_assert(eq(int, loop_run(counts_tasks, NULL, &result), 0));
        cr_assert(eq(i64, result.i, 1));
}

/* References */

Test(task, runs_on_when_its_last_reference_is_gone)
{
        auv_unref(start_steps(.name = "t", .sleep = 3));
        loop_turn();
        cr_assert_trace("t+");
        cr_assert(eq(int, loop_run(coro_sleep, &(double) { 5 }, NULL), 0));
        cr_assert_trace("t+ t-");
}

Test(task, runs_on_without_a_reference_while_it_awaits_what_is_let_go)
{
        auv_future *future = auv_loop_create_future(loop);

        auv_unref(auv_loop_create_task(loop, coro_await, future, 0, NULL));
        loop_turn();
        auv_future_set_result(future, NUMBER(1));
        auv_unref(future);
        loop_turn();
        cr_assert(eq(sz, auv_all_tasks(loop, NULL, 0), 0));
}

Test(task, is_freed_when_it_has_ended_and_nobody_holds_it)
{
        const long before = failing_allocator_live();

        for (int i = 0; i < 1000; i++) {
                auv_unref(start_steps(.turns = 1));
                loop_turn();
                loop_turn();
        }
        cr_assert(lt(long, failing_allocator_live(), before + 200));
}

static int unrefs_itself(void *arg, auv_value *ret)
{
        auv_unref_at(arg);
        AUV_TRY(auv_await_sleep(0));
        trace("still here");
        return 0;
}

Test(task, may_give_up_the_last_reference_to_itself)
{
        auv_task *task = NULL;

        task = auv_loop_create_task(loop, unrefs_itself, &task, 0, NULL);
        loop_turn();
        loop_turn();
        cr_assert_trace("still here");
}

/* Task factory */

static int n_made;

static auv_task *counting_factory(auv_loop *on, auv_coro_fn fn, const void *arg, size_t size,
                                  const auv_task_options *options, void *user)
{
        n_made++;
        cr_assert_text(user, "user");
        return auv_task_new(on, fn, arg, size, options);
}

static auv_task *failing_factory(auv_loop *on, auv_coro_fn fn, const void *arg, size_t size,
                                 const auv_task_options *options, void *user)
{
        return NULL;
}

static int makes_tasks(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *task = auv_create_task(coro_nothing, NULL, 0);
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        AUV_TRY(auv_await(task, NULL));
        AUV_TRY(auv_task_group_enter(group));
        auv_unref(auv_task_group_create_task(group, coro_nothing, NULL, 0, NULL));
        return auv_await_task_group_exit(group, 0);
}

Test(task, is_made_by_the_loops_factory)
{
        void *user = NULL;

        cr_assert(auv_loop_get_task_factory(loop, NULL) == NULL);
        auv_loop_set_task_factory(loop, counting_factory, "user");
        cr_assert(auv_loop_get_task_factory(loop, &user) == counting_factory);
        cr_assert_text(user, "user");
        cr_assert(eq(int, loop_run(makes_tasks, NULL, NULL), 0));
        cr_assert(eq(int, n_made, 3));
        auv_unref(auv_task_new(loop, coro_nothing, NULL, 0, NULL));
        cr_assert(eq(int, n_made, 3));
        auv_loop_set_task_factory(loop, NULL, NULL);
        cr_assert(eq(int, loop_run(makes_tasks, NULL, NULL), 0));
        cr_assert(eq(int, n_made, 3));
        cr_assert(auv_loop_get_task_factory(NULL, NULL) == NULL);
}

static int sets_the_factory(void *arg, auv_value *ret)
{
        return auv_loop_set_task_factory(/* loop= */ NULL, counting_factory, /* user= */ NULL);
}

Test(task, has_its_factory_set_or_an_error)
{
        AUV_AUTO auv_loop *other = loop_new();

        cr_assert(eq(int, auv_loop_set_task_factory(NULL, counting_factory, NULL), AUV_ENOLOOP));
        failing_allocator_arm_all();
        cr_assert(eq(int, auv_loop_set_task_factory(other, counting_factory, NULL), AUV_ENOMEM));
        failing_allocator_disarm();
        cr_assert(auv_loop_get_task_factory(other, NULL) == NULL);
        cr_assert(eq(int, auv_loop_set_task_factory(other, counting_factory, NULL), 0));
        cr_assert(auv_loop_get_task_factory(other, NULL) == counting_factory);
        auv_loop_close(other);
        cr_assert(eq(int, auv_loop_set_task_factory(other, counting_factory, NULL), AUV_ECLOSED));
        cr_assert(eq(int, loop_run(sets_the_factory, NULL, NULL), 0));
        cr_assert(auv_loop_get_task_factory(loop, NULL) == counting_factory);
}

Test(task, is_not_made_when_the_factory_fails)
{
        auv_loop_set_task_factory(loop, failing_factory, NULL);
        cr_assert(zero(ptr, auv_loop_create_task(loop, coro_nothing, NULL, 0, NULL)));
}

/* Stack */

static int uses_stack(void *arg, auv_value *ret)
{
        volatile char bytes[200 * 1024];

        for (size_t i = 0; i < sizeof(bytes); i += 512)
                bytes[i] = 1;
        AUV_TRY(auv_await_sleep(0));
        for (size_t i = 0; i < sizeof(bytes); i += 512)
                ret->i += bytes[i];
        return 0;
}

Test(task, has_the_stack_that_was_asked_for)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, uses_stack, NULL, 0,
                                                       AUV_TASK_OPTIONS(.stack_size = 256 * 1024));
        auv_value result = { 0 };

        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, &result), 0));
        cr_assert(eq(i64, result.i, 400));
}

Test(task, has_the_stack_that_was_asked_for_its_loop)
{
        AUV_AUTO auv_loop *made = NULL;
        AUV_AUTO auv_task *task = NULL;

        cr_assert(eq(int, auv_new_event_loop(AUV_LOOP_OPTIONS(.stack_size = 512 * 1024), &made), 0));
        task = auv_loop_create_task(made, uses_stack, NULL, 0, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(made, task, NULL), 0));
}

static int awaits_deep_down(int depth)
{
        volatile char frame[64];

        frame[0] = (char)depth;
        if (depth == 0)
                return auv_await_sleep(1);
        return awaits_deep_down(depth - 1) + frame[0] * 0;
}

static int calls_deeply(void *arg, auv_value *ret)
{
        return awaits_deep_down(100);
}

Test(task, suspends_at_any_depth_of_calls)
{
        cr_assert(eq(int, loop_run(calls_deeply, NULL, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
}

/* Memory */

static void task_sweep(void)
{
        AUV_AUTO auv_loop *made = NULL;
        intmax_t value = 1;
        int n = 0;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &made) < 0)
                return;
        reports_record(made);
        for (int i = 0; i < 5; i++) {
                const auv_task_options *options = i == 3 ? AUV_TASK_OPTIONS(.name = "a") : NULL;
                AUV_AUTO auv_task *task = NULL;

                task = auv_loop_create_task(made, coro_return, &value, sizeof(value), options);
                n += task != NULL;
        }
        cr_assert(n == 5 || (n == 4 && failing_allocator_fired()));
        cr_assert(eq(sz, auv_all_tasks(made, NULL, 0), (size_t)n));
        for (int i = 0; i < 3; i++) {
                auv_loop_stop(made);
                cr_assert(eq(int, auv_loop_run_forever(made), 0));
        }
        cr_assert(eq(sz, auv_all_tasks(made, NULL, 0), 0));
        while (reports_pending() > 0)
                cr_assert(eq(int, reports_take()->code, AUV_ENOMEM));
        auv_error_clear();
}

Test(task, without_memory_is_not_made)
{
        cr_assert(gt(long, failing_allocator_sweep(task_sweep), 1));
}

/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(eager, .init = loop_setup, .fini = loop_teardown);

#define EAGER AUV_TASK_OPTIONS(.eager_start = true)

static auv_task *start_eager(auv_coro_fn fn, const void *arg, size_t size)
{
        return auv_loop_create_task(NULL, fn, arg, size, EAGER);
}

#define eager_steps(...) start_eager(coro_steps, &(struct steps) { __VA_ARGS__ }, sizeof(struct steps))

/* rule 59 */
static int starts_one_that_waits(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *task = NULL;

        trace("before");
        task = eager_steps(.name = "t", .turns = 1, .value = 5);
        trace("after");
        cr_assert(not(auv_future_done(task)));
        cr_assert(eq(sz, auv_all_tasks(NULL, NULL, 0), 2));
        return auv_await(task, ret);
}

Test(eager, runs_up_to_the_first_suspension_at_once)
{
        auv_value result = { 0 };

        cr_assert(eq(int, loop_run(starts_one_that_waits, NULL, &result), 0));
        cr_assert_trace("before t+ after t-");
        cr_assert(eq(i64, result.i, 5));
}

/* rules 59 and 60 */
static int starts_one_that_ends(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *task = eager_steps(.name = "t", .value = 5);

        cr_assert(auv_future_done(task));
        cr_assert(eq(sz, auv_all_tasks(NULL, NULL, 0), 1));
        AUV_TRY(auv_await(task, ret));
        trace("no turn");
        return 0;
}

Test(eager, is_done_at_once_where_it_does_not_suspend)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, starts_one_that_ends, NULL, 0, NULL);

        loop_turns(1);
        cr_assert_trace("t+ t- no turn |");
        cr_assert(auv_future_done(task));
}

/* rule 60 */
static int gathers_two_that_end(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *a = eager_steps(.name = "a");
        AUV_AUTO auv_task *b = eager_steps(.name = "b");
        AUV_AUTO auv_future *gather = auv_gather((auv_future *[]) { a, b }, 2, 0);

        cr_assert(auv_future_done(gather));
        return 0;
}

Test(eager, makes_a_gather_that_is_done_at_once)
{
        cr_assert(eq(int, loop_run(gathers_two_that_end, NULL, NULL), 0));
        cr_assert_trace("a+ a- b+ b-");
}

/* rule 59: only where the loop is running */
Test(eager, starts_in_the_next_turn_where_no_loop_runs)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, coro_steps, &(struct steps) { .name = "t" },
                                                       sizeof(struct steps), EAGER);

        cr_assert_trace("");
        loop_turns(1);
        cr_assert_trace("t+ t- |");
        cr_assert(auv_future_done(task));
}

static int knows_itself(void *arg, auv_value *ret)
{
        auv_task *self = auv_current_task(NULL);

        cr_assert(not(zero(ptr, self)));
        cr_assert(ne(ptr, self, arg));
        AUV_TRY(auv_await_sleep(0));
        cr_assert(eq(ptr, auv_current_task(NULL), self));
        return 0;
}

static int starts_one_that_knows_itself(void *arg, auv_value *ret)
{
        auv_task *self = auv_current_task(NULL);
        AUV_AUTO auv_task *task = start_eager(knows_itself, self, 0);

        cr_assert(eq(ptr, auv_current_task(NULL), self));
        AUV_TRY(auv_await(task, NULL));
        cr_assert(eq(ptr, auv_current_task(NULL), self));
        return 0;
}

/* rule 59 */
Test(eager, is_the_current_task_while_it_runs)
{
        cr_assert(eq(int, loop_run(starts_one_that_knows_itself, NULL, NULL), 0));
}

static void starts_in_callback(void *arg)
{
        AUV_AUTO auv_task *task = start_eager(knows_itself, NULL, 0);

        cr_assert(zero(ptr, auv_current_task(NULL)));
        cr_assert(not(auv_future_done(task)));
        trace("callback");
}

Test(eager, may_be_started_in_a_callback)
{
        auv_loop_call_soon(loop, starts_in_callback, NULL, NULL);
        for (int i = 0; i < 3; i++)
                loop_turn();
        cr_assert_trace("callback");
        cr_assert(eq(sz, auv_all_tasks(loop, NULL, 0), 0));
}

static int starts_one_that_fails(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *task = NULL;

        auv_raise(AUV_EIO, "of the parent");
        task = start_eager(coro_fail, &(int) { AUV_EUSER }, sizeof(int));
        cr_assert(auv_future_done(task));
        cr_assert_text(auv_error_message(auv_error_current()), "of the parent");
        return auv_await(task, ret);
}

Test(eager, keeps_its_error_to_itself_until_it_is_awaited)
{
        cr_assert(eq(int, loop_run(starts_one_that_fails, NULL, NULL), AUV_EUSER));
        cr_assert_text(auv_error_message(auv_error_current()), "failed");
}

static int drops_one_that_fails(void *arg, auv_value *ret)
{
        auv_unref(start_eager(coro_fail, &(int) { AUV_EUSER }, sizeof(int)));
        return 0;
}

Test(eager, that_failed_and_was_not_asked_is_reported)
{
        cr_assert(eq(int, loop_run(drops_one_that_fails, NULL, NULL), 0));
        cr_assert(eq(int, reports_pending(), 1));
        cr_assert_text(reports_take()->message, "Task exception was never retrieved");
}

static int cancels_its_parent(void *arg, auv_value *ret)
{
        cr_assert(eq(int, auv_task_cancel(arg, "by a child"), 1));
        return 0;
}

static int is_cancelled_by_its_child(void *arg, auv_value *ret)
{
        auv_unref(start_eager(cancels_its_parent, auv_current_task(NULL), 0));
        trace("child done");
        return auv_await_sleep(1);
}

Test(eager, may_cancel_the_task_that_starts_it)
{
        cr_assert(eq(int, loop_run(is_cancelled_by_its_child, NULL, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "by a child");
        cr_assert_trace("child done");
}

/* a task cannot be waited for by itself: the parent waits for the child that awaits the parent */
static int awaits_arg(void *arg, auv_value *ret)
{
        return auv_await(arg, NULL);
}

static int is_awaited_by_its_child(void *arg, auv_value *ret)
{
        auv_task **child = arg;

        *child = start_eager(awaits_arg, auv_current_task(NULL), 0);
        return 0;
}

Test(eager, may_await_the_task_that_starts_it)
{
        auv_task *child = NULL;

        cr_assert(eq(int, loop_run(is_awaited_by_its_child, &child, NULL), 0));
        cr_assert(ge(int, loop_turns_until_done(child, 5), 0));
        cr_assert(eq(int, auv_future_result(child, NULL), 0));
        auv_unref(child);
}

static int starts_deeper(void *arg, auv_value *ret)
{
        const int depth = *(int *)arg;
        AUV_AUTO auv_task *task = NULL;

        if (depth == 0)
                return auv_await_sleep(1);
        task = start_eager(starts_deeper, &(int) { depth - 1 }, sizeof(int));
        return auv_await(task, ret);
}

Test(eager, may_start_eager_tasks_itself)
{
        cr_assert(eq(int, loop_run(starts_deeper, &(int) { 1000 }, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
}

static int makes_by_factory(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *task = auv_create_task(coro_steps, &(struct steps) { .name = "t" },
                                                  sizeof(struct steps));

        trace("after");
        cr_assert(auv_future_done(task));
        return 0;
}

Test(eager, is_what_the_eager_factory_makes)
{
        auv_loop_set_task_factory(loop, auv_eager_task_factory, NULL);
        cr_assert(eq(int, loop_run(makes_by_factory, NULL, NULL), 0));
        cr_assert_trace("t+ t- after");
}

Test(eager, factory_keeps_the_other_options)
{
        AUV_AUTO auv_task *task = auv_eager_task_factory(loop, coro_nothing, NULL, 0,
                                                         AUV_TASK_OPTIONS(.name = "named"), NULL);

        cr_assert_text(auv_task_get_name(task), "named");
        loop_turn();
        cr_assert(auv_future_done(task));
        cr_assert(zero(ptr, auv_eager_task_factory(NULL, coro_nothing, NULL, 0, NULL, NULL)));
        cr_assert(zero(ptr, auv_eager_task_factory(loop, NULL, NULL, 0, NULL, NULL)));
}

/* rule 59: counted as made when it suspends */
static int lists_tasks(void *arg, auv_value *ret)
{
        auv_task *all[4] = { NULL };
        AUV_AUTO auv_task *normal = auv_create_task(coro_nothing, NULL, 0);
        AUV_AUTO auv_task *eager = eager_steps(.turns = 3);

        cr_assert(eq(sz, auv_all_tasks(NULL, all, 4), 3));
        cr_assert(eq(ptr, all[1], normal));
        cr_assert(eq(ptr, all[2], eager));
        return auv_await(eager, ret);
}

Test(eager, is_among_all_tasks_once_it_has_suspended)
{
        cr_assert(eq(int, loop_run(lists_tasks, NULL, NULL), 0));
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

static int starts_one_with_a_result(void *arg, auv_value *ret)
{
        auv_task *task = start_eager(gives_destroyable, NULL, 0);

        cr_assert(eq(int, n_destroyed, 0));
        auv_unref(task);
        cr_assert(eq(int, n_destroyed, 1));
        return 0;
}

Test(eager, destroys_its_result_when_it_goes)
{
        cr_assert(eq(int, loop_run(starts_one_with_a_result, NULL, NULL), 0));
}

static int makes_some(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *quick = eager_steps(.value = 1);
        AUV_AUTO auv_task *slow = eager_steps(.sleep = 1);

        AUV_TRY(auv_await(quick, NULL));
        return auv_await(slow, NULL);
}

static void eager_sweep(void)
{
        AUV_AUTO auv_loop *made = NULL;
        AUV_AUTO auv_task *task = NULL;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &made) < 0)
                return;
        reports_record(made);
        task = auv_loop_create_task(made, makes_some, NULL, 0, NULL);
        if (task) {
                const int r = auv_loop_run_until_complete(made, task, NULL);

                cr_assert(r == 0 || (r == AUV_ENOMEM && failing_allocator_fired()));
        }
        auv_loop_close(made);
        reports_drop();
        auv_error_clear();
}

Test(eager, without_memory_is_not_made)
{
        cr_assert(gt(long, failing_allocator_sweep(eager_sweep), 1));
}

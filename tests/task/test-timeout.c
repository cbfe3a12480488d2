/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>

TestSuite(timeout, .init = loop_setup, .fini = loop_teardown);

static int cancelling(void)
{
        return auv_task_cancelling(auv_current_task(NULL));
}

/* A scope with a sleep in it; traces how it ended. */
static int scope(double delay, double sleep)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(delay);
        int r;

        AUV_TRY(auv_timeout_enter(limit));
        r = auv_timeout_exit(limit, auv_await_sleep(sleep));
        trace("%g:%s:%s", auv_loop_time(loop), r < 0 ? auv_error_name(r) : "ok",
              auv_timeout_expired(limit) ? "expired" : "in-time");
        cr_assert(eq(int, cancelling(), 0));
        return r;
}

static int too_slow(void *arg, auv_value *ret)
{
        return scope(1, 2);
}

/* rule 87 */
Test(timeout, ends_what_takes_too_long)
{
        cr_assert(eq(int, loop_run(too_slow, NULL, NULL), AUV_ETIMEDOUT));
        cr_assert_trace("1:ETIMEDOUT:expired");
}

static int in_time(void *arg, auv_value *ret)
{
        AUV_TRY(scope(2, 1));
        AUV_TRY(scope(AUV_NO_TIMEOUT, 5));
        return auv_await_sleep(10);
}

Test(timeout, leaves_alone_what_is_in_time)
{
        cr_assert(eq(int, loop_run(in_time, NULL, NULL), 0));
        cr_assert_trace("1:ok:in-time 6:ok:in-time");
        cr_assert(eq(dbl, auv_loop_time(loop), 16));
}

static int keeps_result(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(5);

        AUV_TRY(auv_timeout_enter(limit));
        cr_assert(eq(int, auv_timeout_exit(limit, 42), 42));
        return 0;
}

Test(timeout, hands_on_what_its_body_returns)
{
        cr_assert(eq(int, loop_run(keeps_result, NULL, NULL), 0));
}

/* rule 93 */
static int fails_after_expiry(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(1);
        int r;

        AUV_TRY(auv_timeout_enter(limit));
        r = auv_await_sleep(2);
        cr_assert(eq(int, r, AUV_ECANCELED));
        r = auv_timeout_exit(limit, auv_raise(AUV_EUSER, "instead"));
        cr_assert(auv_timeout_expired(limit));
        cr_assert(eq(int, cancelling(), 0));
        return r;
}

Test(timeout, hands_another_error_on)
{
        cr_assert(eq(int, loop_run(fails_after_expiry, NULL, NULL), AUV_EUSER));
        cr_assert_text(auv_error_message(auv_error_current()), "instead");
}

/* rule 89 */
static int swallows(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(1);
        int r;

        AUV_TRY(auv_timeout_enter(limit));
        cr_assert(eq(int, auv_await_sleep(2), AUV_ECANCELED));
        cr_assert(eq(int, cancelling(), 1));
        cr_assert(auv_timeout_expired(limit));
        r = auv_timeout_exit(limit, auv_await_sleep(7));
        cr_assert(auv_timeout_expired(limit));
        cr_assert(eq(int, cancelling(), 0));
        return r;
}

Test(timeout, that_is_swallowed_goes_on_without_deadline)
{
        cr_assert(eq(int, loop_run(swallows, NULL, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 8));
}

/* rule 90 */
static int no_time_no_await(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(0);

        AUV_TRY(auv_timeout_enter(limit));
        AUV_TRY(auv_timeout_exit(limit, 0));
        cr_assert(not(auv_timeout_expired(limit)));
        return auv_await_sleep(0);
}

Test(timeout, of_no_time_does_nothing_to_what_does_not_await)
{
        cr_assert(eq(int, loop_run(no_time_no_await, NULL, NULL), 0));
}

/* rule 90 */
static int no_time(void *arg, auv_value *ret)
{
        const double *delay = arg;

        return scope(*delay, 0);
}

Test(timeout, of_no_time_ends_the_first_await)
{
        cr_assert(eq(int, loop_run(no_time, &(double) { 0 }, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(int, loop_run(no_time, &(double) { -1 }, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(int, loop_run(no_time, &(double) { -INFINITY }, NULL), AUV_ETIMEDOUT));
        cr_assert_trace("0:ETIMEDOUT:expired 0:ETIMEDOUT:expired 0:ETIMEDOUT:expired");
}

/* rule 90 */
static int awaits_done(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(0);

        AUV_TRY(auv_timeout_enter(limit));
        return auv_timeout_exit(limit, auv_await(arg, NULL));
}

Test(timeout, of_no_time_lets_what_is_done_pass)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        auv_future_set_result(future, NUMBER(1));
        cr_assert(eq(int, loop_run(awaits_done, future, NULL), 0));
}

/* Cancellation from outside */

static int scope_and_outer_cancel(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(5);
        int r;

        AUV_TRY(auv_timeout_enter(limit));
        r = auv_timeout_exit(limit, auv_await_sleep(9));
        trace("%s:%d:%d", auv_error_name(r), auv_timeout_expired(limit), cancelling());
        return r;
}

Test(timeout, does_not_swallow_an_outer_cancel)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, scope_and_outer_cancel, NULL, 0, NULL);

        loop_turn();
        auv_task_cancel(task, "outer");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "outer");
        cr_assert_trace("ECANCELED:0:1");
        cr_assert(eq(dbl, auv_loop_time(loop), 0));
}

static void cancel_arg(void *arg)
{
        auv_task_cancel(arg, "outer");
}

/* rule 88: both in the same turn, in either order */
Test(timeout, gives_way_to_an_outer_cancel_of_the_same_turn)
{
        for (int first = 0; first < 2; first++) {
                AUV_AUTO auv_task *task = auv_loop_create_task(loop, scope_and_outer_cancel, NULL, 0, NULL);
                const double when = auv_loop_time(loop) + 5;

                if (first)
                        auv_loop_call_at(loop, when, cancel_arg, task, NULL);
                loop_turn();
                if (!first)
                        auv_loop_call_at(loop, when, cancel_arg, task, NULL);
                cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        }
        cr_assert_trace("ECANCELED:1:1 ECANCELED:1:1");
}

/* rule 87: counted from how it was at the beginning of the scope */
static int scope_while_cancelling(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = NULL;
        int r;

        cr_assert(eq(int, auv_await_sleep(9), AUV_ECANCELED));
        cr_assert(eq(int, cancelling(), 1));
        limit = auv_timeout_new(1);
        AUV_TRY(auv_timeout_enter(limit));
        r = auv_timeout_exit(limit, auv_await_sleep(9));
        cr_assert(eq(int, cancelling(), 1));
        return r;
}

Test(timeout, works_in_a_task_that_has_refused_a_cancel)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, scope_while_cancelling, NULL, 0, NULL);

        loop_turn();
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ETIMEDOUT));
}

/* Nested */

static int nested(double outer_delay, double inner_delay, double sleep)
{
        AUV_AUTO auv_timeout *outer = auv_timeout_new(outer_delay);
        AUV_AUTO auv_timeout *inner = auv_timeout_new(inner_delay);
        int r;

        AUV_TRY(auv_timeout_enter(outer));
        AUV_TRY(auv_timeout_enter(inner));
        r = auv_timeout_exit(inner, auv_await_sleep(sleep));
        trace("%s", r < 0 ? auv_error_name(r) : "ok");
        r = auv_timeout_exit(outer, r);
        trace("%s:%d%d", r < 0 ? auv_error_name(r) : "ok", auv_timeout_expired(outer),
              auv_timeout_expired(inner));
        cr_assert(eq(int, cancelling(), 0));
        return 0;
}

/* rule 91 */
static int nests(void *arg, auv_value *ret)
{
        AUV_TRY(nested(1, 1, 9));
        AUV_TRY(nested(1, 2, 9));
        AUV_TRY(nested(2, 1, 9));
        return nested(3, 2, 1);
}

Test(timeout, is_that_of_the_scope_whose_time_is_over)
{
        cr_assert(eq(int, loop_run(nests, NULL, NULL), 0));
        cr_assert_trace("ECANCELED ETIMEDOUT:11 ECANCELED ETIMEDOUT:10 ETIMEDOUT ETIMEDOUT:01 ok ok:00");
}

/* Reschedule */

static int reschedules(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(1);

        cr_assert(eq(dbl, auv_timeout_when(limit), 1));
        AUV_TRY(auv_timeout_enter(limit));
        AUV_TRY(auv_timeout_reschedule(limit, 5));
        cr_assert(eq(dbl, auv_timeout_when(limit), 5));
        AUV_TRY(auv_await_sleep(2));
        AUV_TRY(auv_timeout_reschedule(limit, AUV_NO_TIMEOUT));
        cr_assert(isinf(auv_timeout_when(limit)));
        AUV_TRY(auv_await_sleep(10));
        AUV_TRY(auv_timeout_reschedule(limit, 13));
        return auv_timeout_exit(limit, auv_await_sleep(10));
}

/* rule 92 */
Test(timeout, can_be_moved)
{
        cr_assert(eq(int, loop_run(reschedules, NULL, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(dbl, auv_loop_time(loop), 13));
}

static int reschedules_to_the_past(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(AUV_NO_TIMEOUT);

        AUV_TRY(auv_timeout_enter(limit));
        AUV_TRY(auv_await_sleep(3));
        AUV_TRY(auv_timeout_reschedule(limit, 1));
        return auv_timeout_exit(limit, auv_await_sleep(10));
}

Test(timeout, moved_to_the_past_ends_the_next_await)
{
        cr_assert(eq(int, loop_run(reschedules_to_the_past, NULL, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(dbl, auv_loop_time(loop), 3));
}

static int reschedules_out_of_place(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(1);

        cr_assert(eq(int, auv_timeout_reschedule(NULL, 1), AUV_EINVAL));
        cr_assert(eq(int, auv_timeout_reschedule(limit, 2), AUV_ERUNTIME));
        AUV_TRY(auv_timeout_enter(limit));
        cr_assert(eq(int, auv_timeout_reschedule(limit, NAN), AUV_EINVAL));
        cr_assert(eq(dbl, auv_timeout_when(limit), 1));
        cr_assert(eq(int, auv_await_sleep(5), AUV_ECANCELED));
        cr_assert(eq(int, auv_timeout_reschedule(limit, 2), AUV_ERUNTIME));
        cr_assert(eq(int, auv_timeout_exit(limit, AUV_ECANCELED), AUV_ETIMEDOUT));
        cr_assert(eq(int, auv_timeout_reschedule(limit, 2), AUV_ERUNTIME));
        cr_assert(eq(dbl, auv_timeout_when(limit), 1));
        return 0;
}

/* rule 92 */
Test(timeout, can_be_moved_within_its_scope_only)
{
        cr_assert(eq(int, loop_run(reschedules_out_of_place, NULL, NULL), 0));
}

static int deadline(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_at_new(4);

        cr_assert(eq(dbl, auv_timeout_when(limit), 4));
        AUV_TRY(auv_await_sleep(3));
        AUV_TRY(auv_timeout_enter(limit));
        return auv_timeout_exit(limit, auv_await_sleep(10));
}

Test(timeout, may_be_a_deadline)
{
        cr_assert(eq(int, loop_run(deadline, NULL, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(dbl, auv_loop_time(loop), 4));
}

/* Wrong use */

static int makes_bad_ones(void *arg, auv_value *ret)
{
        cr_assert(zero(ptr, auv_timeout_new(NAN)));
        cr_assert(zero(ptr, auv_timeout_at_new(NAN)));
        cr_assert(lt(int, auv_timeout_enter(NULL), 0));
        cr_assert(isinf(auv_timeout_when(NULL)));
        cr_assert(not(auv_timeout_expired(NULL)));
        cr_assert(lt(int, auv_timeout_exit(NULL, 0), 0));
        cr_assert(eq(int, auv_timeout_exit(NULL, AUV_EUSER), AUV_EUSER));
        return 0;
}

Test(timeout, must_be_a_number)
{
        cr_assert(zero(ptr, auv_timeout_new(1)));
        cr_assert(zero(ptr, auv_timeout_at_new(1)));
        cr_assert(eq(int, loop_run(makes_bad_ones, NULL, NULL), 0));
}

/* rule 86 */
static int enters_twice(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(1);

        cr_assert(eq(int, auv_timeout_exit(limit, 0), AUV_ERUNTIME));
        cr_assert(eq(int, auv_timeout_exit(limit, AUV_EUSER), AUV_EUSER));
        AUV_TRY(auv_timeout_enter(limit));
        cr_assert(eq(int, auv_timeout_enter(limit), AUV_ERUNTIME));
        AUV_TRY(auv_timeout_exit(limit, 0));
        cr_assert(eq(int, auv_timeout_enter(limit), AUV_ERUNTIME));
        cr_assert(eq(int, auv_timeout_exit(limit, 0), AUV_ERUNTIME));
        return auv_await_sleep(3);
}

Test(timeout, is_for_one_use)
{
        cr_assert(eq(int, loop_run(enters_twice, NULL, NULL), 0));
}

static auv_timeout *shared_limit;

static void enters_in_callback(void *arg)
{
        shared_limit = auv_timeout_new(1);
        cr_assert(eq(int, auv_timeout_enter(shared_limit), AUV_ENOTASK));
        trace("refused");
        auv_unref(shared_limit);
}

/* rule 86 */
Test(timeout, needs_a_task)
{
        auv_loop_call_soon(loop, enters_in_callback, NULL, NULL);
        loop_turn();
        cr_assert_trace("refused");
}

static int exits_anothers(void *arg, auv_value *ret)
{
        cr_assert(eq(int, auv_timeout_exit(shared_limit, 0), AUV_ERUNTIME));
        return 0;
}

static int has_it_exited_by_another(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *other = NULL;

        shared_limit = auv_timeout_new(1);
        AUV_TRY(auv_timeout_enter(shared_limit));
        other = auv_create_task(exits_anothers, NULL, 0);
        AUV_TRY(auv_await(other, NULL));
        cr_assert(eq(int, auv_timeout_exit(shared_limit, auv_await_sleep(5)), AUV_ETIMEDOUT));
        auv_unref(shared_limit);
        return 0;
}

Test(timeout, is_left_by_the_task_that_entered_it)
{
        cr_assert(eq(int, loop_run(has_it_exited_by_another, NULL, NULL), 0));
}

/* A scope that is left by a return */

static int leaves_without_exit(double sleep)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(2);

        AUV_TRY(auv_timeout_enter(limit));
        return auv_await_sleep(sleep);
}

static int leaves_scopes(void *arg, auv_value *ret)
{
        cr_assert(eq(int, leaves_without_exit(1), 0));
        AUV_TRY(auv_await_sleep(9));
        cr_assert(eq(int, leaves_without_exit(5), AUV_ECANCELED));
        cr_assert(eq(int, cancelling(), 0));
        return auv_await_sleep(9);
}

Test(timeout, is_closed_when_its_scope_is_left_by_a_return)
{
        cr_assert(eq(int, loop_run(leaves_scopes, NULL, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 21));
}

/* The request to cancel has been made, but has not reached the task yet. */
static int leaves_when_due(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(1);

        AUV_TRY(auv_timeout_enter(limit));
        AUV_TRY(auv_await(arg, NULL));
        return 0;
}

static int calls_leaves_when_due(void *arg, auv_value *ret)
{
        const int r = leaves_when_due(arg, ret);

        trace("%s:%d", r < 0 ? auv_error_name(r) : "ok", cancelling());
        return auv_await_sleep(5);
}

static void set_result(void *arg)
{
        auv_future_set_result(arg, NUMBER(1));
}

Test(timeout, that_is_due_with_the_result_reaches_the_task)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, calls_leaves_when_due, future, 0, NULL);

        auv_loop_call_at(loop, 1, set_result, future, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert_trace("ECANCELED:0");
}

/* A scope that its task has left open, by a timeout that somebody else holds. */
static int leaves_it_open(void *arg, auv_value *ret)
{
        AUV_TRY(auv_timeout_enter(shared_limit));
        return 0;
}

static void make_shared_limit(void *arg)
{
        shared_limit = auv_timeout_new(2);
}

Test(timeout, that_outlives_its_task_does_nothing)
{
        AUV_AUTO auv_task *sleeper = start_sleep(loop, 5);

        auv_loop_call_soon(loop, make_shared_limit, NULL, NULL);
        loop_turn();
        cr_assert(eq(int, loop_run(leaves_it_open, NULL, NULL), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, sleeper, NULL), 0));
        auv_unref_at(&shared_limit);
}

static int makes_and_drops(void *arg, auv_value *ret)
{
        auv_unref(auv_timeout_new(1));
        return auv_await_sleep(5);
}

Test(timeout, that_was_not_entered_does_nothing)
{
        cr_assert(eq(int, loop_run(makes_and_drops, NULL, NULL), 0));
}

static int has_error_object(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(1);
        int r;

        AUV_TRY(auv_timeout_enter(limit));
        r = auv_timeout_exit(limit, auv_await_sleep(5));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ETIMEDOUT));
        return r;
}

Test(timeout, is_the_current_error)
{
        cr_assert(eq(int, loop_run(has_error_object, NULL, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ETIMEDOUT));
}

static int scope_in_sweep(void *arg, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(1);

        AUV_TRY(auv_timeout_enter(limit));
        AUV_TRY(auv_timeout_reschedule(limit, 2));
        return auv_timeout_exit(limit, auv_await_sleep(5));
}

static void timeout_sweep(void)
{
        AUV_AUTO auv_loop *made = NULL;
        AUV_AUTO auv_task *task = NULL;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &made) < 0)
                return;
        reports_record(made);
        task = auv_loop_create_task(made, scope_in_sweep, NULL, 0, NULL);
        if (task) {
                const int r = auv_loop_run_until_complete(made, task, NULL);

                cr_assert(r == AUV_ETIMEDOUT || (r == AUV_ENOMEM && failing_allocator_fired()));
        }
        auv_loop_close(made);
        reports_drop();
        auv_error_clear();
}

Test(timeout, without_memory_fails_and_leaves_nothing)
{
        cr_assert(gt(long, failing_allocator_sweep(timeout_sweep), 1));
}

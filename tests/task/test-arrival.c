/* SPDX-License-Identifier: MIT */

/* What a callback brings to a task, without libuv: the test brings it. */

#include "support/coroutine.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/trace.h"

#include "task/arrival.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

TestSuite(arrival, .init = loop_setup, .fini = loop_teardown);

/* Where a task waits. */
static struct auv__task *place;

/* What has become of each wait. */
static int expect(void)
{
        struct auv__task *task;
        bool arrived;
        int r;

        AUV_TRY(auv__await_begin(&task));
        r = auv__await_arrival(task, &place, &arrived);
        trace("%s%s", arrived ? "arrived" : "gone", place ? " and left behind" : "");
        return r;
}

static int expects(void *arg, auv_value *ret)
{
        ret->i = expect();
        return ret->i < 0 ? (int)ret->i : 0;
}

static auv_task *start_expecting(void)
{
        auv_task *task = auv_loop_create_task(loop, expects, NULL, 0, NULL);

        place = NULL;
        loop_turn();
        cr_assert(auv__is_expected(&place));
        return task;
}

static intmax_t result_of(auv_task *task)
{
        auv_value value = { .i = 0 };

        cr_assert(eq(int, auv_future_result(task, &value), 0));
        return value.i;
}

Test(arrival, wakes_the_task_in_the_turn_that_follows_with_what_was_brought)
{
        AUV_AUTO auv_task *task = start_expecting();

        loop_turns(2);
        auv__arrive(&place, 42);
        cr_assert(zero(ptr, place));
        loop_turns(1);
        cr_assert_trace("| | arrived |");
        cr_assert(eq(sz, (size_t)result_of(task), 42));
}

Test(arrival, of_an_error_is_returned_and_none_is_raised)
{
        AUV_AUTO auv_task *task = start_expecting();

        auv__arrive(&place, AUV_EPIPE);
        loop_turn();
        cr_assert_trace("arrived");
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_EPIPE));
}

Test(arrival, takes_its_place_in_the_line)
{
        AUV_AUTO auv_task *task = start_expecting();
        AUV_AUTO auv_task *before = start_steps(.name = "before"), *after = NULL;

        auv__arrive(&place, 0);
        after = start_steps(.name = "after");
        loop_turns(1);
        cr_assert_trace("before+ before- arrived after+ after- |");
        cr_assert(auv_future_done(task));
}

Test(arrival, where_nobody_waits_is_nothing)
{
        place = NULL;
        cr_assert(not(auv__is_expected(&place)));
        auv__arrive(&place, 42);
        cr_assert(zero(ptr, place));
}

Test(arrival, that_comes_after_a_cancel_is_dropped)
{
        AUV_AUTO auv_task *task = start_expecting();

        cr_assert(eq(int, auv_task_cancel(task, "enough"), 1));
        cr_assert(not(auv__is_expected(&place)));
        auv__arrive(&place, 42);
        loop_turn();
        cr_assert_trace("gone");
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_ECANCELED));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()), "enough"));
}

Test(arrival, that_does_not_come_leaves_no_trace_of_a_cancelled_task)
{
        AUV_AUTO auv_task *task = start_expecting();

        auv_task_cancel(task, NULL);
        cr_assert(not(zero(ptr, place)));
        loop_turn();
        cr_assert_trace("gone");
        cr_assert(zero(ptr, place));
        cr_assert(auv_future_cancelled(task));
}

/* asyncio: the future is done, so the task is cancelled in its next step. */
Test(arrival, that_comes_before_a_cancel_is_lost_with_it)
{
        AUV_AUTO auv_task *task = start_expecting();

        auv__arrive(&place, 42);
        cr_assert(eq(int, auv_task_cancel(task, NULL), 1));
        loop_turn();
        cr_assert_trace("gone");
        cr_assert(auv_future_cancelled(task));
}

static int cancels_itself_and_expects(void *arg, auv_value *ret)
{
        auv_task_cancel(auv_current_task(NULL), "myself");
        return expects(arg, ret);
}

Test(arrival, is_not_waited_for_by_a_task_that_is_to_be_cancelled)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, cancels_itself_and_expects, NULL, 0, NULL);

        loop_turns(2);
        cr_assert_trace("| gone |");
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_ECANCELED));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()), "myself"));
}

static int expects_twice(void *arg, auv_value *ret)
{
        const int r = expect();

        trace("%s", r < 0 ? auv_error_name(r) : "0");
        return expects(arg, ret);
}

Test(arrival, can_be_waited_for_again_after_a_cancel)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, expects_twice, NULL, 0, NULL);

        loop_turn();
        auv_task_cancel(task, NULL);
        loop_turn();
        auv__arrive(&place, 7);
        loop_turn();
        cr_assert_trace("gone ECANCELED arrived");
        cr_assert(eq(sz, (size_t)result_of(task), 7));
}

static int cancels(void *arg, auv_value *ret)
{
        return auv_task_cancel(arg, NULL) < 0;
}

/* The request goes down the chain of tasks, to the one that expects something. */
Test(arrival, is_given_up_through_a_task_that_awaits_the_task)
{
        AUV_AUTO auv_task *task = start_expecting();
        AUV_AUTO auv_task *outer = start_await(task);

        loop_turn();
        cr_assert(eq(int, loop_run(cancels, outer, NULL), 0));
        loop_turns(2);
        cr_assert(auv_future_cancelled(task) && auv_future_cancelled(outer));
        cr_assert_trace("gone | |");
}

Test(arrival, that_never_comes_ends_with_the_loop)
{
        AUV_AUTO auv_task *task = start_expecting();

        auv_loop_close(loop);
        cr_assert_trace("gone");
        cr_assert(zero(ptr, place));
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_ECLOSED));
        cr_assert(eq(str, (char *)reports_take()->message, (char *)"Task was destroyed but it is pending!"));
}

Test(arrival, that_has_come_ends_with_the_loop_all_the_same)
{
        AUV_AUTO auv_task *task = start_expecting();

        auv__arrive(&place, 42);
        auv_loop_close(loop);
        cr_assert_trace("gone");
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_ECLOSED));
        cr_assert(eq(str, (char *)reports_take()->message, (char *)"Task was destroyed but it is pending!"));
}

static int brings_when_it_is_closed(void *arg, auv_value *ret)
{
        const int r = auv_await_sleep(1000);

        auv__arrive(&place, 42);
        return r;
}

/* The first task is made to return, and brings what the second one, which has not returned yet, waits for. */
Test(arrival, that_comes_while_the_loop_is_closed_is_dropped)
{
        AUV_AUTO auv_task *first = auv_loop_create_task(loop, brings_when_it_is_closed, NULL, 0, NULL);
        AUV_AUTO auv_task *second = start_expecting();

        auv_loop_close(loop);
        cr_assert_trace("gone");
        cr_assert(zero(ptr, place));
        cr_assert(auv__ready_is_empty(&loop->ready)); /* which nobody runs any more */
        cr_assert(eq(int, auv_future_result(first, NULL), AUV_ECLOSED));
        cr_assert(eq(int, auv_future_result(second, NULL), AUV_ECLOSED));
        cr_assert(eq(int, reports_drop(), 2)); /* both were pending */
}

Test(arrival, that_nobody_brings_is_named_where_the_loop_can_never_wake)
{
        AUV_AUTO auv_task *task = start_expecting();

        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_EDEADLK));
        cr_assert(strstr(auv_error_message(auv_error_current()), "awaits what nobody brings") != NULL);
        cr_assert(eq(str, (char *)reports_take()->message,
                     (char *)"run_until_complete() of a future that can never be done"));
        auv_task_cancel(task, NULL);
        loop_turn();
        cr_assert_trace("gone");
}

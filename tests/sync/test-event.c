/* SPDX-License-Identifier: MIT */
#include "elsewhere.h"
#include "held.h"
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(event, .init = loop_setup, .fini = loop_teardown);

struct waiting {
        const char *name;
        auv_event *event;
};

/* Waits once: NAME+, or NAME:ERROR. */
static int waits(void *arg, auv_value *ret)
{
        const struct waiting *waiting = arg;
        const int r = auv_await_event_wait(waiting->event);

        if (r < 0)
                trace("%s:%s", waiting->name, auv_error_name(r));
        else
                trace("%s+", waiting->name);
        return r;
}

static auv_task *start_waiting(const char *name, auv_event *event)
{
        return auv_loop_create_task(loop, waits, &(struct waiting) { name, event },
                                    sizeof(struct waiting), NULL);
}

static int waits_quietly(void *arg, auv_value *ret)
{
        return auv_await_event_wait(arg);
}

Test(event, is_not_set_when_it_is_new)
{
        AUV_AUTO auv_event *event = auv_event_new();

        cr_assert(not(auv_event_is_set(event)));
}

Test(event, is_set_until_it_is_cleared)
{
        AUV_AUTO auv_event *event = auv_event_new();

        for (int i = 0; i < 2; i++) {
                auv_event_set(event);
                auv_event_set(event);
                cr_assert(auv_event_is_set(event));
                auv_event_clear(event);
                auv_event_clear(event);
                cr_assert(not(auv_event_is_set(event)));
        }
}

Test(event, that_is_null_is_nothing)
{
        auv_event_set(NULL);
        auv_event_clear(NULL);
        cr_assert(not(auv_event_is_set(NULL)));
}

Test(event, that_is_set_is_not_waited_for)
{
        AUV_AUTO auv_event *event = auv_event_new();
        HELD task = start_waiting("a", event);

        auv_event_set(event);
        loop_turns(1);
        cr_assert_trace("a+ |");
        cr_assert(auv_event_is_set(event));
}

Test(event, wakes_all_that_wait_in_their_order)
{
        AUV_AUTO auv_event *event = auv_event_new();
        HELD a = start_waiting("a", event);
        HELD b = start_waiting("b", event);
        HELD c = start_waiting("c", event);

        loop_turns(2);
        auv_event_set(event);
        loop_turns(1);
        cr_assert_trace("| | a+ b+ c+ |");
        cr_assert(auv_event_is_set(event));
}

/* rule 110 */
Test(event, wakes_those_that_wait_though_it_is_cleared_right_after)
{
        AUV_AUTO auv_event *event = auv_event_new();
        HELD a = start_waiting("a", event);
        AUV_AUTO auv_task *late = NULL;

        loop_turn();
        auv_event_set(event);
        auv_event_clear(event);
        late = start_waiting("late", event);
        loop_turns(2);
        cr_assert_trace("a+ | |");
        cr_assert(not(auv_future_done(late)));
        auv_event_set(event);
        loop_turns(1);
        cr_assert_trace("a+ | | late+ |");
}

Test(event, set_twice_wakes_once)
{
        AUV_AUTO auv_event *event = auv_event_new();
        HELD a = start_waiting("a", event);

        loop_turn();
        for (int i = 0; i < 3; i++) {
                auv_event_set(event);
                auv_event_clear(event);
        }
        loop_turns(2);
        cr_assert_trace("a+ | |");
}

static int clears_and_waits_again(void *arg, auv_value *ret)
{
        for (int i = 0; i < 3; i++) {
                AUV_TRY(auv_await_event_wait(arg));
                auv_event_clear(arg);
                trace("again");
        }
        return 0;
}

Test(event, may_be_waited_for_again_by_one_that_was_just_woken)
{
        AUV_AUTO auv_event *event = auv_event_new();
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, clears_and_waits_again, event, 0, NULL);

        loop_turn();
        for (int i = 0; i < 3; i++) {
                auv_event_set(event);
                loop_turns(1);
        }
        cr_assert_trace("again | again | again |");
        cr_assert(auv_future_done(task));
}

static void set(void *arg)
{
        auv_event_set(arg);
}

Test(event, may_be_set_by_a_callback)
{
        AUV_AUTO auv_event *event = auv_event_new();
        AUV_AUTO auv_task *task = start_waiting("a", event);

        auv_loop_call_later(loop, 3, set, event, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 3));
}

Test(event, is_waited_for_in_tasks)
{
        AUV_AUTO auv_event *event = auv_event_new();

        cr_assert(eq(int, auv_await_event_wait(event), AUV_ENOTASK));
        auv_event_set(event);
        cr_assert(eq(int, auv_await_event_wait(event), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_event_wait(NULL), AUV_ENOTASK));
}

Test(event, that_could_not_be_made_is_not_waited_for)
{
        cr_assert(eq(int, loop_run(waits_quietly, NULL, NULL), AUV_ENOMEM));
}

/* Cancellation */

Test(event, does_not_wake_one_that_is_cancelled)
{
        AUV_AUTO auv_event *event = auv_event_new();
        AUV_AUTO auv_task *a = start_waiting("a", event);
        HELD b = start_waiting("b", event);

        loop_turn();
        auv_task_cancel(a, NULL);
        auv_event_set(event);
        loop_turns(1);
        cr_assert_trace("a:ECANCELED b+ |");
}

Test(event, that_was_set_is_overtaken_by_a_cancellation)
{
        AUV_AUTO auv_event *event = auv_event_new();
        AUV_AUTO auv_task *a = start_waiting("a", event);
        HELD b = start_waiting("b", event);

        loop_turn();
        auv_event_set(event);
        auv_task_cancel(a, "enough");
        auv_task_cancel(a, "more than enough");
        loop_turns(1);
        cr_assert_trace("a:ECANCELED b+ |");
        cr_assert(eq(int, auv_future_result(a, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "more than enough");
}

static int waits_despite_cancellation(void *arg, auv_value *ret)
{
        int r;

        while ((r = auv_await_event_wait(arg)) == AUV_ECANCELED)
                trace("!");
        return r;
}

Test(event, may_be_waited_for_again_after_a_cancellation)
{
        AUV_AUTO auv_event *event = auv_event_new();
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, waits_despite_cancellation, event, 0, NULL);

        loop_turn();
        for (int i = 0; i < 2; i++) {
                auv_task_cancel(task, NULL);
                loop_turns(1);
        }
        auv_event_set(event);
        loop_turn();
        cr_assert_trace("! | ! |");
        cr_assert(eq(int, auv_future_result(task, NULL), 0));
}

static int is_cancelled_already(void *arg, auv_value *ret)
{
        auv_task_cancel(auv_current_task(NULL), NULL);
        return auv_await_event_wait(arg);
}

Test(event, is_not_waited_for_by_a_task_that_is_about_to_be_cancelled)
{
        AUV_AUTO auv_event *event = auv_event_new();

        cr_assert(eq(int, loop_run(is_cancelled_already, event, NULL), AUV_ECANCELED));
        auv_event_set(event);
}

static int waits_in_time(void *arg, auv_value *ret)
{
        return auv_await_wait_for_coro(waits_quietly, arg, 2, NULL);
}

Test(event, may_be_waited_for_with_a_timeout)
{
        AUV_AUTO auv_event *event = auv_event_new();

        cr_assert(eq(int, loop_run(waits_in_time, event, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
}

/* Life */

/* rule 115 */
Test(event, belongs_to_the_loop_on_which_it_was_first_waited_for)
{
        AUV_AUTO auv_event *event = auv_event_new();
        HELD task = start_waiting("a", event);

        loop_turn();
        cr_assert(eq(int, run_elsewhere(waits_quietly, event), AUV_ERUNTIME));
        auv_event_set(event);
        cr_assert(eq(int, run_elsewhere(waits_quietly, event), 0));
        loop_turn();
        cr_assert_trace("a+");
}

Test(event, without_memory_cannot_be_made)
{
        failing_allocator_arm(1);
        cr_assert(zero(ptr, auv_event_new()));
        cr_assert(failing_allocator_disarm());
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOMEM));
}

Test(event, needs_no_memory_to_be_waited_for)
{
        AUV_AUTO auv_event *event = auv_event_new();
        AUV_AUTO auv_task *a = start_waiting("a", event);
        HELD b = start_waiting("b", event);

        failing_allocator_arm_all();
        loop_turn();
        auv_task_cancel(a, NULL);
        auv_event_set(event);
        loop_turn();
        cr_assert(not(failing_allocator_disarm()));
        cr_assert_trace("a:ECANCELED b+");
}

Test(event, is_held_by_the_tasks_that_wait)
{
        auv_event *event = auv_event_new();
        AUV_AUTO auv_task *a = start_waiting("a", event);
        HELD b = start_waiting("b", event);
        long live;

        loop_turn();
        live = failing_allocator_live();
        auv_unref(event);
        auv_task_cancel(a, NULL);
        loop_turn();
        cr_assert(eq(long, failing_allocator_live(), live));
        auv_event_set(event);
        loop_turn();
        cr_assert(eq(long, failing_allocator_live(), live - 1));
        cr_assert_trace("a:ECANCELED b+");
}

Test(event, is_left_by_those_that_wait_when_the_loop_is_closed)
{
        AUV_AUTO auv_event *event = auv_event_new();
        HELD a = start_waiting("a", event);
        HELD b = start_waiting("b", event);

        loop_turn();
        auv_loop_close(loop);
        cr_assert_trace("a:ECLOSED b:ECLOSED");
        cr_assert(eq(int, reports_drop(), 2));
        auv_event_set(event);
        cr_assert(auv_event_is_set(event));
}

Test(event, is_left_by_those_that_were_woken_when_the_loop_is_closed)
{
        AUV_AUTO auv_event *event = auv_event_new();
        HELD a = start_waiting("a", event);
        HELD b = start_waiting("b", event);

        loop_turn();
        auv_event_set(event);
        auv_loop_close(loop);
        cr_assert_trace("a:ECLOSED b:ECLOSED");
        cr_assert(eq(int, reports_drop(), 2));
}

static int sets_on_its_way_out(void *arg, auv_value *ret)
{
        const int r = auv_await_sleep(10);

        auv_event_set(arg);
        trace("set");
        return r;
}

Test(event, may_be_set_by_a_task_that_a_closed_loop_makes_return)
{
        AUV_AUTO auv_event *event = auv_event_new();
        HELD setter = auv_loop_create_task(loop, sets_on_its_way_out, event, 0, NULL);
        HELD a = start_waiting("a", event);

        loop_turn();
        auv_loop_close(loop);
        cr_assert_trace("set a:ECLOSED");
        cr_assert(eq(int, reports_drop(), 2));
}

Test(event, outlives_its_loop)
{
        AUV_AUTO auv_event *event = auv_event_new();
        auv_task *task = start_waiting("a", event);

        loop_turn();
        auv_unref(task);
        loop = auv_unref(loop);
        cr_assert_trace("a:ECLOSED");
        cr_assert(eq(int, reports_drop(), 1));
        auv_event_set(event);
        cr_assert(eq(int, run_elsewhere(waits_quietly, event), 0));
}

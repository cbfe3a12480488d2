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

TestSuite(condition, .init = loop_setup, .fini = loop_teardown);

struct waiting {
        const char *name;
        auv_condition *condition;
        int turns; /* for which it keeps the lock after the wait */
};

/*
 * Waits once with the lock taken: NAME? before, NAME+ after; or NAME:ERROR. It has the lock in either
 * case, and gives it back.
 */
static int waits(void *arg, auv_value *ret)
{
        const struct waiting *waiting = arg;
        int r;

        AUV_TRY(auv_await_condition_acquire(waiting->condition));
        trace("%s?", waiting->name);
        r = auv_await_condition_wait(waiting->condition);
        if (r < 0)
                trace("%s:%s", waiting->name, auv_error_name(r));
        else
                trace("%s+", waiting->name);
        cr_assert(auv_condition_locked(waiting->condition));
        for (int i = 0; i < waiting->turns; i++)
                cr_assert(eq(int, auv_await_sleep(0), 0));
        cr_assert(eq(int, auv_condition_release(waiting->condition), 0));
        return r;
}

static auv_task *start_waiting_for(const char *name, auv_condition *condition, int turns)
{
        return auv_loop_create_task(loop, waits, &(struct waiting) { name, condition, turns },
                                    sizeof(struct waiting), NULL);
}

static auv_task *start_waiting(const char *name, auv_condition *condition)
{
        return start_waiting_for(name, condition, 0);
}

static int acquires(void *arg, auv_value *ret)
{
        return auv_await_condition_acquire(arg);
}

static int waits_quietly(void *arg, auv_value *ret)
{
        return auv_await_condition_wait(arg);
}

/* Takes the lock outside of any task of the test. */
static void take(auv_condition *condition)
{
        cr_assert(eq(int, loop_run(acquires, condition, NULL), 0));
}

/* One notification, with the lock taken for it. */
static void notify(auv_condition *condition, size_t n)
{
        take(condition);
        cr_assert(eq(int, auv_condition_notify(condition, n), 0));
        cr_assert(eq(int, auv_condition_release(condition), 0));
}

/* Its lock */

Test(condition, has_a_lock_of_its_own)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        AUV_AUTO auv_condition *other = auv_condition_new(NULL);

        cr_assert(not(auv_condition_locked(condition)));
        take(condition);
        cr_assert(auv_condition_locked(condition));
        cr_assert(not(auv_condition_locked(other)));
        cr_assert(eq(int, auv_condition_release(condition), 0));
        cr_assert(not(auv_condition_locked(condition)));
        cr_assert(eq(int, auv_condition_release(condition), AUV_ERUNTIME));
}

Test(condition, may_share_its_lock)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        AUV_AUTO auv_condition *full = auv_condition_new(lock);
        AUV_AUTO auv_condition *empty = auv_condition_new(lock);

        take(full);
        cr_assert(auv_lock_locked(lock));
        cr_assert(auv_condition_locked(empty));
        cr_assert(eq(int, auv_condition_release(empty), 0));
        cr_assert(not(auv_condition_locked(full)));
}

Test(condition, holds_its_lock)
{
        auv_lock *lock = auv_lock_new();
        AUV_AUTO auv_condition *condition = auv_condition_new(lock);

        auv_unref(lock);
        take(condition);
        cr_assert(auv_condition_locked(condition));
}

Test(condition, that_shares_its_lock_wakes_only_its_own)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        AUV_AUTO auv_condition *full = auv_condition_new(lock);
        AUV_AUTO auv_condition *empty = auv_condition_new(lock);
        HELD a = start_waiting("full", full);
        HELD b = start_waiting("empty", empty);

        loop_turn();
        notify(empty, 5);
        loop_turns(2);
        cr_assert_trace("full? empty? empty+ | |");
        notify(full, 5);
        loop_turn();
        cr_assert_trace("full? empty? empty+ | | full+");
}

/* Waiting */

Test(condition, gives_the_lock_back_while_it_waits)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        HELD a = start_waiting("a", condition);
        HELD b = start_waiting("b", condition);

        loop_turns(1);
        cr_assert_trace("a? b? |");
        cr_assert(not(auv_condition_locked(condition)));
        notify(condition, 2);
        loop_turn();
}

/* rule 112 */
Test(condition, is_left_when_the_lock_has_been_given_back)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        HELD a = start_waiting("a", condition);

        loop_turn();
        take(condition);
        auv_condition_notify(condition, 1);
        loop_turns(2);
        cr_assert_trace("a? | |");
        auv_condition_release(condition);
        loop_turns(1);
        cr_assert_trace("a? | | a+ |");
}

/* rule 112 */
Test(condition, wakes_as_many_as_it_is_told_in_their_order)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        HELD a = start_waiting("a", condition);
        HELD b = start_waiting("b", condition);
        HELD c = start_waiting("c", condition);
        HELD d = start_waiting("d", condition);

        loop_turn();
        trace_clear();
        notify(condition, 0);
        loop_turns(1);
        notify(condition, 1);
        loop_turns(1);
        notify(condition, 2);
        loop_turns(2);
        notify(condition, 100);
        loop_turns(1);
        cr_assert_trace("| a+ | b+ c+ | | d+ |");
}

Test(condition, wakes_all)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        HELD a = start_waiting_for("a", condition, 1);
        HELD b = start_waiting_for("b", condition, 1);
        HELD c = start_waiting_for("c", condition, 0);

        loop_turn();
        trace_clear();
        take(condition);
        cr_assert(eq(int, auv_condition_notify_all(condition), 0));
        auv_condition_release(condition);
        loop_turns(6);
        cr_assert_trace("a+ | | b+ | | c+ | |");
        cr_assert(not(auv_condition_locked(condition)));
}

Test(condition, notified_twice_in_a_turn_wakes_two)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        HELD a = start_waiting("a", condition);
        HELD b = start_waiting("b", condition);
        HELD c = start_waiting("c", condition);

        loop_turn();
        trace_clear();
        take(condition);
        auv_condition_notify(condition, 1);
        auv_condition_notify(condition, 1);
        auv_condition_release(condition);
        loop_turns(2);
        cr_assert_trace("a+ b+ | |");
        notify(condition, 1);
        loop_turn();
}

Test(condition, forgets_a_notification_that_nobody_waits_for)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        AUV_AUTO auv_task *a = NULL;

        notify(condition, 3);
        a = start_waiting("a", condition);
        loop_turns(3);
        cr_assert_trace("a? | | |");
        notify(condition, 1);
        loop_turn();
}

/* rule 112 */
Test(condition, must_be_locked_to_be_used)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);

        cr_assert(eq(int, auv_condition_notify(condition, 1), AUV_ERUNTIME));
        cr_assert(eq(int, auv_condition_notify_all(condition), AUV_ERUNTIME));
        cr_assert(eq(int, loop_run(waits_quietly, condition, NULL), AUV_ERUNTIME));
        cr_assert(not(auv_condition_locked(condition)));
}

Test(condition, that_is_null_is_nothing)
{
        cr_assert(eq(int, auv_condition_notify(NULL, 1), AUV_EINVAL));
        cr_assert(eq(int, auv_condition_notify_all(NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_condition_release(NULL), AUV_EINVAL));
        cr_assert(not(auv_condition_locked(NULL)));
        cr_assert(eq(int, loop_run(acquires, NULL, NULL), AUV_ENOMEM));
        cr_assert(eq(int, loop_run(waits_quietly, NULL, NULL), AUV_ENOMEM));
}

static bool is_positive(void *arg)
{
        const int *number = arg;

        trace("%d", *number);
        return *number > 0;
}

Test(condition, is_waited_for_in_tasks)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        int number = 1;

        take(condition);
        cr_assert(eq(int, auv_await_condition_acquire(condition), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_condition_wait(condition), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_condition_wait_for(condition, is_positive, &number), AUV_ENOTASK));
        cr_assert_trace("");
        cr_assert(auv_condition_locked(condition));
}

/* Waiting for something to be so */

struct predicted {
        auv_condition *condition;
        auv_predicate_fn predicate;
        int *number;
};

static int waits_for(void *arg, auv_value *ret)
{
        const struct predicted *predicted = arg;
        int r;

        if (predicted->condition)
                AUV_TRY(auv_await_condition_acquire(predicted->condition));
        r = auv_await_condition_wait_for(predicted->condition, predicted->predicate, predicted->number);
        if (predicted->condition) {
                cr_assert(auv_condition_locked(predicted->condition));
                auv_condition_release(predicted->condition);
        }
        return r;
}

static int run_waiting_for(auv_condition *condition, auv_predicate_fn predicate, int *number)
{
        return loop_run(waits_for, &(struct predicted) { condition, predicate, number }, NULL);
}

Test(condition, is_not_waited_for_where_it_is_so_already)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        int number = 3;

        cr_assert(eq(int, run_waiting_for(condition, is_positive, &number), 0));
        cr_assert_trace("3");
}

Test(condition, looks_after_each_notification_whether_it_is_so)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        int number = -2;
        AUV_AUTO auv_task *task = auv_loop_create_task(
                loop, waits_for, &(struct predicted) { condition, is_positive, &number },
                sizeof(struct predicted), NULL);

        for (; number < 1; number++) {
                loop_turns(1);
                notify(condition, 1);
        }
        loop_turns(1);
        cr_assert_trace("-2 | -1 | 0 | 1 |");
        cr_assert(auv_future_done(task));
        cr_assert(not(auv_condition_locked(condition)));
}

Test(condition, is_no_more_waited_for_when_the_task_is_cancelled)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        int number = 0;
        AUV_AUTO auv_task *task = auv_loop_create_task(
                loop, waits_for, &(struct predicted) { condition, is_positive, &number },
                sizeof(struct predicted), NULL);

        loop_turn();
        auv_task_cancel(task, "enough");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "enough");
        cr_assert_trace("0");
}

Test(condition, waits_for_nothing_without_a_predicate)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);

        cr_assert(eq(int, run_waiting_for(condition, NULL, NULL), AUV_EINVAL));
}

Test(condition, that_could_not_be_made_is_never_so)
{
        int number = 1;

        cr_assert(eq(int, run_waiting_for(NULL, is_positive, &number), AUV_ENOMEM));
        cr_assert_trace("");
}

/* Cancellation */

/* rule 111 */
Test(condition, takes_the_lock_again_when_the_task_is_cancelled)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        AUV_AUTO auv_task *a = start_waiting("a", condition);

        loop_turn();
        take(condition);
        auv_task_cancel(a, "enough");
        loop_turns(2);
        cr_assert_trace("a? | |");
        auv_condition_release(condition);
        loop_turns(1);
        cr_assert_trace("a? | | a:ECANCELED |");
        cr_assert(eq(int, auv_future_result(a, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "enough");
        cr_assert(not(auv_condition_locked(condition)));
}

/* rule 111 */
Test(condition, takes_the_lock_again_however_often_the_task_is_cancelled)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        AUV_AUTO auv_task *a = start_waiting("a", condition);

        loop_turn();
        take(condition);
        for (int i = 1; i <= 4; i++) {
                char message[8];

                snprintf(message, sizeof(message), "m%d", i);
                auv_task_cancel(a, message);
                loop_turn();
        }
        cr_assert_trace("a?");
        auv_condition_release(condition);
        loop_turn();
        cr_assert_trace("a? a:ECANCELED");
        cr_assert(eq(int, auv_future_result(a, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "m4");
}

/* rule 111 */
Test(condition, puts_off_a_cancellation_that_comes_while_it_waits_for_the_lock)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        AUV_AUTO auv_task *a = start_waiting("a", condition);

        loop_turn();
        take(condition);
        auv_condition_notify(condition, 1);
        loop_turn(); /* now it is for the lock that it waits */
        auv_task_cancel(a, "late");
        loop_turns(2);
        cr_assert_trace("a? | |");
        auv_condition_release(condition);
        loop_turns(1);
        cr_assert_trace("a? | | a:ECANCELED |");
        cr_assert(eq(int, auv_future_result(a, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "late");
}

/* The cancellation comes between the release of the lock and the step of the one that was woken for it. */
Test(condition, takes_the_lock_again_though_it_was_cancelled_when_it_could_have_it)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        AUV_AUTO auv_task *a = start_waiting("a", condition);
        AUV_AUTO auv_task *b = NULL;

        loop_turn();
        take(condition);
        auv_condition_notify(condition, 1);
        loop_turn();
        b = start_waiting("b", condition);
        loop_turn(); /* a and b wait for the lock */
        auv_condition_release(condition);
        auv_task_cancel(a, NULL);
        loop_turns(4);
        /* b was quicker; and it has the notification that a had no use for */
        cr_assert_trace("a? | b? | a:ECANCELED | b+ |");
}

/* rule 111 */
Test(condition, notifies_the_next_where_one_is_cancelled_that_was_notified)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        AUV_AUTO auv_task *a = start_waiting("a", condition);
        HELD b = start_waiting("b", condition);

        loop_turn();
        take(condition);
        auv_condition_notify(condition, 1);
        auv_task_cancel(a, NULL);
        auv_condition_release(condition);
        loop_turns(2);
        cr_assert_trace("a? b? a:ECANCELED | b+ |");
}

/* rule 111 */
Test(condition, notifies_the_next_where_one_is_cancelled_while_it_waits_for_the_lock)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        AUV_AUTO auv_task *a = start_waiting("a", condition);
        HELD b = start_waiting("b", condition);

        loop_turn();
        take(condition);
        auv_condition_notify(condition, 1);
        loop_turn();
        auv_task_cancel(a, NULL);
        loop_turn();
        auv_condition_release(condition);
        loop_turns(2);
        cr_assert_trace("a? b? a:ECANCELED | b+ |");
}

Test(condition, notifies_one_that_is_not_cancelled)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        AUV_AUTO auv_task *a = start_waiting("a", condition);
        HELD b = start_waiting("b", condition);

        loop_turn();
        take(condition);
        auv_task_cancel(a, NULL);
        auv_condition_notify(condition, 1);
        auv_condition_release(condition);
        loop_turns(2);
        cr_assert_trace("a? b? a:ECANCELED b+ | |");
}

static int waits_in_time(void *arg, auv_value *ret)
{
        int r;

        AUV_TRY(auv_await_condition_acquire(arg));
        r = auv_await_wait_for_coro(waits_quietly, arg, 2, NULL);
        cr_assert(auv_condition_locked(arg));
        auv_condition_release(arg);
        return r;
}

Test(condition, may_be_waited_for_with_a_timeout)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);

        cr_assert(eq(int, loop_run(waits_in_time, condition, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
        cr_assert(not(auv_condition_locked(condition)));
}

static int is_cancelled_already(void *arg, auv_value *ret)
{
        int r;

        AUV_TRY(auv_await_condition_acquire(arg));
        auv_task_cancel(auv_current_task(NULL), "own");
        r = auv_await_condition_wait(arg);
        cr_assert(auv_condition_locked(arg));
        return r;
}

Test(condition, is_not_waited_for_by_a_task_that_is_about_to_be_cancelled)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);

        cr_assert(eq(int, loop_run(is_cancelled_already, condition, NULL), AUV_ECANCELED));
        cr_assert(auv_condition_locked(condition));
}

/* Life */

/* rule 115 */
Test(condition, belongs_to_the_loop_on_which_it_was_first_waited_for)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        HELD a = start_waiting("a", condition);

        loop_turn();
        take(condition);
        cr_assert(eq(int, run_elsewhere(waits_quietly, condition), AUV_ERUNTIME));
        cr_assert(auv_condition_locked(condition));
        cr_assert(eq(int, auv_condition_notify(condition, 1), 0));
        auv_condition_release(condition);
        loop_turn();
        cr_assert_trace("a? a+");
}

static void make_and_unref(void)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);

        if (!condition)
                cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOMEM));
        cr_assert(condition || failing_allocator_fired());
}

Test(condition, without_memory_cannot_be_made)
{
        cr_assert(eq(long, failing_allocator_sweep(make_and_unref), 2));
}

Test(condition, needs_no_memory_to_be_waited_for)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        AUV_AUTO auv_task *a = start_waiting("a", condition);
        HELD b = start_waiting("b", condition);

        take(condition);
        failing_allocator_arm_all();
        auv_condition_release(condition);
        loop_turns(2);
        auv_task_cancel(a, NULL);
        loop_turns(2);
        cr_assert(not(failing_allocator_disarm()));
        cr_assert_trace("a? b? | | a:ECANCELED | b+ |");
}

Test(condition, is_held_by_the_tasks_that_wait)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        auv_condition *condition = auv_condition_new(lock);
        AUV_AUTO auv_task *a = NULL;
        long live;

        take(condition);
        a = auv_loop_create_task(loop, waits_quietly, condition, 0, NULL);
        loop_turn();
        live = failing_allocator_live();
        take(condition);
        cr_assert(eq(int, auv_condition_notify_all(condition), 0));
        auv_unref(condition);
        auv_lock_release(lock);
        loop_turn();
        cr_assert(auv_future_done(a));
        cr_assert(auv_lock_locked(lock));
        cr_assert(eq(long, failing_allocator_live(), live - 1));
}

static int waits_without_lock_at_last(void *arg, auv_value *ret)
{
        const struct waiting *waiting = arg;
        int r;

        AUV_TRY(auv_await_condition_acquire(waiting->condition));
        r = auv_await_condition_wait(waiting->condition);
        trace("%s:%s:%s", waiting->name, auv_error_name(r),
              auv_condition_locked(waiting->condition) ? "locked" : "free");
        return r;
}

static auv_task *start_waiting_in_vain(const char *name, auv_condition *condition)
{
        const struct waiting waiting = { name, condition, 0 };

        return auv_loop_create_task(loop, waits_without_lock_at_last, &waiting, sizeof(waiting), NULL);
}

Test(condition, does_not_take_the_lock_again_when_the_loop_is_closed)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        HELD a = start_waiting_in_vain("a", condition);
        HELD b = start_waiting_in_vain("b", condition);

        loop_turn();
        auv_loop_close(loop);
        cr_assert_trace("a:ECLOSED:free b:ECLOSED:free");
        cr_assert(eq(int, reports_drop(), 2));
}

Test(condition, is_left_by_those_that_wait_for_the_lock_when_the_loop_is_closed)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        HELD a = start_waiting_in_vain("a", condition);
        AUV_AUTO auv_task *b = start_waiting_in_vain("b", condition);

        loop_turn();
        take(condition);
        auv_condition_notify(condition, 1);
        auv_task_cancel(b, NULL);
        loop_turn();
        auv_loop_close(loop);
        cr_assert_trace("a:ECLOSED:locked b:ECLOSED:locked");
        cr_assert(eq(int, reports_drop(), 2));
}

Test(condition, outlives_its_loop)
{
        AUV_AUTO auv_condition *condition = auv_condition_new(NULL);
        auv_task *task = start_waiting_in_vain("a", condition);

        loop_turn();
        auv_unref(task);
        loop = auv_unref(loop);
        cr_assert_trace("a:ECLOSED:free");
        cr_assert(eq(int, reports_drop(), 1));
        cr_assert(eq(int, run_elsewhere(acquires, condition), 0));
}

static bool never(void *arg)
{
        return false;
}

static int waits_for_ever(void *arg, auv_value *ret)
{
        auv_condition *condition = arg;

        AUV_TRY(auv_await_condition_acquire(condition));
        return auv_await_condition_wait_for(condition, never, NULL);
}

Test(condition, is_held_by_who_waits_for_a_predicate_through_all_rounds)
{
        auv_condition *condition = auv_condition_new(NULL);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, waits_for_ever, condition, 0, NULL);

        loop_turn();
        take(condition);
        auv_condition_notify_all(condition);
        auv_condition_release(condition);
        auv_unref(condition);
        for (int i = 0; i < 3; i++)
                loop_turn();
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
}

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

TestSuite(lock, .init = loop_setup, .fini = loop_teardown);

struct user {
        const char *name;
        auv_lock *lock;
        int turns; /* for which it holds the lock */
};

/* Takes the lock, holds it, gives it back: NAME+ NAME-; or NAME:ERROR where it does not get it. */
static int uses(void *arg, auv_value *ret)
{
        const struct user *user = arg;
        const int r = auv_await_lock_acquire(user->lock);

        if (r < 0) {
                trace("%s:%s", user->name, auv_error_name(r));
                return r;
        }
        trace("%s+", user->name);
        for (int i = 0; i < user->turns; i++)
                AUV_TRY(auv_await_sleep(0));
        trace("%s-", user->name);
        return auv_lock_release(user->lock);
}

static auv_task *start_user(const char *name, auv_lock *lock, int turns)
{
        return auv_loop_create_task(loop, uses, &(struct user) { name, lock, turns },
                                    sizeof(struct user), NULL);
}

static int acquires(void *arg, auv_value *ret)
{
        return auv_await_lock_acquire(arg);
}

static auv_lock *new_taken_lock(void)
{
        auv_lock *lock = auv_lock_new();

        cr_assert(eq(int, loop_run(acquires, lock, NULL), 0));
        cr_assert(auv_lock_locked(lock));
        return lock;
}

Test(lock, is_free_when_it_is_new)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();

        cr_assert(not(auv_lock_locked(lock)));
}

Test(lock, that_is_free_is_taken_without_suspending)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        AUV_AUTO auv_task *task = start_user("a", lock, 0);

        loop_turns(1);
        cr_assert_trace("a+ a- |");
        cr_assert(auv_future_done(task));
        cr_assert(not(auv_lock_locked(lock)));
}

Test(lock, is_given_to_those_that_wait_in_their_order)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        HELD a = start_user("a", lock, 2);
        HELD b = start_user("b", lock, 0);
        AUV_AUTO auv_task *c = start_user("c", lock, 1);

        loop_turns(7);
        cr_assert_trace("a+ | | a- | b+ b- | c+ | c- | |");
        cr_assert(auv_future_done(c));
        cr_assert(not(auv_lock_locked(lock)));
}

/* rule 104 */
Test(lock, is_free_between_release_and_the_step_of_who_is_next)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        HELD a = start_user("a", lock, 1);

        loop_turn();
        cr_assert(eq(int, auv_lock_release(lock), 0));
        cr_assert(not(auv_lock_locked(lock)));
        loop_turn();
        cr_assert(auv_lock_locked(lock));
        cr_assert_trace("a+");
        loop_turn();
}

/* rule 103 */
Test(lock, that_is_free_is_not_taken_past_those_that_wait)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        HELD first = start_user("first", lock, 1);
        AUV_AUTO auv_task *second = NULL;

        loop_turn();
        auv_lock_release(lock);
        second = start_user("second", lock, 0);
        loop_turns(4);
        cr_assert_trace("first+ | first- | second+ second- | |");
}

static int takes_it_again(void *arg, auv_value *ret)
{
        auv_lock *lock = arg;

        AUV_TRY(auv_await_lock_acquire(lock));
        trace("once");
        AUV_TRY(auv_await_sleep(0));
        AUV_TRY(auv_lock_release(lock));
        AUV_TRY(auv_await_lock_acquire(lock));
        trace("twice");
        return auv_lock_release(lock);
}

/* rule 103 */
Test(lock, is_not_kept_by_one_that_gives_it_back_and_wants_it_again)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        HELD greedy = auv_loop_create_task(loop, takes_it_again, lock, 0, NULL);
        HELD other = start_user("other", lock, 0);

        loop_turns(4);
        cr_assert_trace("once | | other+ other- | twice |");
}

/* rule 106 */
Test(lock, may_be_given_back_by_anybody)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        HELD task = start_user("a", lock, 0);

        loop_turn();
        cr_assert(eq(int, auv_lock_release(lock), 0));
        loop_turn();
        cr_assert_trace("a+ a-");
}

/* rule 106 */
Test(lock, that_is_free_cannot_be_given_back)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();

        cr_assert(eq(int, auv_lock_release(lock), AUV_ERUNTIME));
        cr_assert(eq(int, auv_lock_release(NULL), AUV_EINVAL));
        cr_assert(not(auv_lock_locked(lock)));
}

Test(lock, that_was_woken_for_cannot_be_given_back_again)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        HELD task = start_user("a", lock, 0);

        loop_turn();
        cr_assert(eq(int, auv_lock_release(lock), 0));
        cr_assert(eq(int, auv_lock_release(lock), AUV_ERUNTIME));
        loop_turn();
        cr_assert_trace("a+ a-");
}

Test(lock, that_is_null_is_not_locked)
{
        cr_assert(not(auv_lock_locked(NULL)));
}

Test(lock, is_for_tasks)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();

        cr_assert(eq(int, auv_await_lock_acquire(lock), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_lock_acquire(NULL), AUV_ENOTASK));
        cr_assert(not(auv_lock_locked(lock)));
}

Test(lock, that_could_not_be_made_is_not_taken)
{
        cr_assert(eq(int, loop_run(acquires, NULL, NULL), AUV_ENOMEM));
}

static int takes_twice(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await_lock_acquire(arg));
        return auv_await_lock_acquire(arg);
}

Test(lock, makes_a_task_that_has_it_wait_for_itself)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, takes_twice, lock, 0, NULL);

        loop_turns(5);
        cr_assert(not(auv_future_done(task)));
        auv_lock_release(lock);
        loop_turn();
        cr_assert(auv_future_done(task));
        cr_assert(auv_lock_locked(lock));
}

/* Cancellation */

Test(lock, is_not_given_to_one_that_is_cancelled)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        AUV_AUTO auv_task *a = start_user("a", lock, 0);
        HELD b = start_user("b", lock, 0);

        loop_turn();
        auv_task_cancel(a, NULL);
        loop_turns(1);
        auv_lock_release(lock);
        loop_turns(1);
        cr_assert_trace("a:ECANCELED | b+ b- |");
}

Test(lock, hands_the_message_of_a_cancellation_on)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        AUV_AUTO auv_task *a = start_user("a", lock, 0);

        loop_turn();
        auv_task_cancel(a, "enough");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, a, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "enough");
        cr_assert(auv_lock_locked(lock));
}

/* rule 105 */
Test(lock, goes_to_the_next_where_one_is_cancelled_that_was_woken)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        AUV_AUTO auv_task *a = start_user("a", lock, 0);
        HELD b = start_user("b", lock, 0);

        loop_turn();
        auv_lock_release(lock);
        auv_task_cancel(a, NULL);
        loop_turns(2);
        cr_assert_trace("a:ECANCELED | b+ b- |");
        cr_assert(not(auv_lock_locked(lock)));
}

Test(lock, stays_free_where_the_only_one_that_was_woken_is_cancelled)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        AUV_AUTO auv_task *a = start_user("a", lock, 0);

        loop_turn();
        auv_lock_release(lock);
        auv_task_cancel(a, NULL);
        auv_task_cancel(a, "again");
        loop_turns(1);
        cr_assert_trace("a:ECANCELED |");
        cr_assert(not(auv_lock_locked(lock)));
        cr_assert(eq(int, loop_run(acquires, lock, NULL), 0));
}

/* A release wakes nobody here: the first has been cancelled. That one wakes the next on its way out. */
Test(lock, is_handed_on_by_one_that_was_cancelled_before_the_release)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        AUV_AUTO auv_task *a = start_user("a", lock, 0);
        HELD b = start_user("b", lock, 0);

        loop_turn();
        auv_task_cancel(a, NULL);
        auv_lock_release(lock);
        loop_turns(2);
        cr_assert_trace("a:ECANCELED | b+ b- |");
}

Test(lock, is_handed_on_past_several_that_are_cancelled)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        AUV_AUTO auv_task *a = start_user("a", lock, 0);
        AUV_AUTO auv_task *b = start_user("b", lock, 0);
        HELD c = start_user("c", lock, 0);

        loop_turn();
        auv_lock_release(lock);
        auv_task_cancel(b, NULL);
        auv_task_cancel(a, NULL);
        loop_turns(2);
        cr_assert_trace("a:ECANCELED b:ECANCELED | c+ c- |");
}

struct theft {
        auv_lock *lock;
        auv_task *waiting[2];
};

static int cancels_and_takes(void *arg, auv_value *ret)
{
        const struct theft *theft = arg;

        auv_task_cancel(theft->waiting[0], NULL);
        auv_task_cancel(theft->waiting[1], NULL);
        AUV_TRY(auv_lock_release(theft->lock));
        AUV_TRY(auv_await_lock_acquire(theft->lock));
        trace("took");
        return 0;
}

/* rule 103: of those that wait none can still get it */
Test(lock, is_taken_at_once_where_all_that_wait_are_cancelled)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        AUV_AUTO auv_task *a = start_user("a", lock, 0);
        AUV_AUTO auv_task *b = start_user("b", lock, 0);

        loop_turn();
        cr_assert(eq(int, loop_run(cancels_and_takes, &(struct theft) { lock, { a, b } }, NULL), 0));
        loop_turn();
        cr_assert_trace("took a:ECANCELED b:ECANCELED");
        cr_assert(auv_lock_locked(lock));
}

static int takes_despite_cancellation(void *arg, auv_value *ret)
{
        int r;

        while ((r = auv_await_lock_acquire(arg)) == AUV_ECANCELED)
                trace("!");
        trace("took");
        return r;
}

Test(lock, is_waited_for_at_the_end_of_the_line_after_a_cancellation)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        AUV_AUTO auv_task *stubborn = auv_loop_create_task(loop, takes_despite_cancellation, lock, 0, NULL);
        HELD b = start_user("b", lock, 0);

        loop_turn();
        auv_task_cancel(stubborn, NULL);
        loop_turn();
        auv_task_cancel(stubborn, NULL);
        loop_turn();
        auv_lock_release(lock);
        loop_turns(2);
        cr_assert_trace("! ! b+ b- | took |");
}

static int is_cancelled_already(void *arg, auv_value *ret)
{
        auv_task_cancel(auv_current_task(NULL), "own");
        return auv_await_lock_acquire(arg);
}

Test(lock, that_is_free_is_taken_by_a_task_that_is_about_to_be_cancelled)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();

        cr_assert(eq(int, loop_run(is_cancelled_already, lock, NULL), AUV_ECANCELED));
        cr_assert(auv_lock_locked(lock));
}

Test(lock, that_is_taken_is_not_waited_for_by_a_task_that_is_about_to_be_cancelled)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();

        cr_assert(eq(int, loop_run(is_cancelled_already, lock, NULL), AUV_ECANCELED));
        cr_assert(eq(int, auv_lock_release(lock), 0));
        cr_assert(not(auv_lock_locked(lock)));
}

static int takes_in_time(void *arg, auv_value *ret)
{
        return auv_await_wait_for_coro(acquires, arg, 2, NULL);
}

Test(lock, may_be_waited_for_with_a_timeout)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();

        cr_assert(eq(int, loop_run(takes_in_time, lock, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
        auv_lock_release(lock);
        cr_assert(eq(int, loop_run(takes_in_time, lock, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
}

Test(lock, is_lost_by_nobody_in_a_crowd_of_which_a_third_is_cancelled)
{
        enum { N = 300 };
        AUV_AUTO auv_lock *lock = new_taken_lock();
        auv_task *users[N];
        int n = 0;

        for (int i = 0; i < N; i++)
                users[i] = start_user("", lock, i % 2);
        loop_turn();
        auv_lock_release(lock);
        for (int i = 0; i < N; i += 3)
                auv_task_cancel(users[i], NULL);
        for (int i = 0; i < N; i++) {
                const int r = auv_loop_run_until_complete(loop, users[i], NULL);

                cr_assert(eq(int, r, i % 3 == 0 ? AUV_ECANCELED : 0));
                n += r == 0;
                auv_unref(users[i]);
        }
        cr_assert(eq(int, n, N - N / 3));
        cr_assert(not(auv_lock_locked(lock)));
}

/* Life */

/* rule 115 */
Test(lock, belongs_to_the_loop_on_which_it_was_first_waited_for)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        HELD task = start_user("a", lock, 0);

        loop_turn();
        cr_assert(eq(int, run_elsewhere(acquires, lock), AUV_ERUNTIME));
        auv_lock_release(lock);
        loop_turn();
        cr_assert_trace("a+ a-");
}

/* rule 115 */
Test(lock, that_is_free_is_taken_on_any_loop)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();

        for (int i = 0; i < 2; i++) {
                cr_assert(eq(int, run_elsewhere(acquires, lock), 0));
                auv_lock_release(lock);
        }
        cr_assert(eq(int, loop_run(acquires, lock, NULL), 0));
}

static void release(void *arg)
{
        auv_lock_release(arg);
}

static int has_another_loop_release(void *arg, auv_value *ret)
{
        release(arg);
        return 0;
}

Test(lock, may_be_given_back_on_another_loop)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        HELD task = start_user("a", lock, 0);

        loop_turn();
        cr_assert(eq(int, run_elsewhere(has_another_loop_release, lock), 0));
        cr_assert_trace("");
        loop_turn();
        cr_assert_trace("a+ a-");
}

Test(lock, may_be_given_back_by_a_callback)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        AUV_AUTO auv_task *task = start_user("a", lock, 0);

        auv_loop_call_later(loop, 3, release, lock, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 3));
}

Test(lock, without_memory_cannot_be_made)
{
        failing_allocator_arm(1);
        cr_assert(zero(ptr, auv_lock_new()));
        cr_assert(failing_allocator_disarm());
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOMEM));
}

Test(lock, needs_no_memory_to_be_waited_for)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        AUV_AUTO auv_task *a = start_user("a", lock, 0);
        HELD b = start_user("b", lock, 0);
        HELD c = start_user("c", lock, 0);

        failing_allocator_arm_all();
        loop_turn();
        auv_lock_release(lock);
        auv_task_cancel(a, NULL);
        loop_turns(2);
        cr_assert(not(failing_allocator_disarm()));
        cr_assert_trace("a:ECANCELED | b+ b- |");
        loop_turn();
}

static auv_task *start_acquiring(auv_lock *lock)
{
        return auv_loop_create_task(loop, acquires, lock, 0, NULL);
}

Test(lock, is_held_by_the_tasks_that_wait)
{
        auv_lock *lock = new_taken_lock();
        AUV_AUTO auv_task *a = start_acquiring(lock);
        AUV_AUTO auv_task *b = start_acquiring(lock);
        long live;

        loop_turn();
        live = failing_allocator_live();
        auv_unref(lock);
        auv_lock_release(lock);
        loop_turn();
        cr_assert(auv_future_done(a));
        cr_assert(not(auv_future_done(b)));
        cr_assert(eq(long, failing_allocator_live(), live));
        auv_task_cancel(b, NULL);
        loop_turn();
        cr_assert(auv_future_cancelled(b));
        cr_assert(eq(long, failing_allocator_live(), live - 1));
}

Test(lock, is_not_got_when_the_loop_is_closed)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        HELD a = start_user("a", lock, 0);
        HELD b = start_user("b", lock, 0);

        loop_turn();
        auv_loop_close(loop);
        cr_assert_trace("a:ECLOSED b:ECLOSED");
        cr_assert(eq(int, reports_drop(), 2));
        cr_assert(eq(int, auv_lock_release(lock), 0));
        cr_assert(not(auv_lock_locked(lock)));
}

Test(lock, is_not_got_by_one_that_was_woken_when_the_loop_is_closed)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        HELD a = start_user("a", lock, 0);
        HELD b = start_user("b", lock, 0);

        loop_turn();
        auv_lock_release(lock);
        auv_loop_close(loop);
        cr_assert_trace("a:ECLOSED b:ECLOSED");
        cr_assert(eq(int, reports_drop(), 2));
        cr_assert(not(auv_lock_locked(lock)));
        cr_assert(eq(int, run_elsewhere(acquires, lock), 0));
}

Test(lock, that_is_free_is_not_taken_when_the_loop_is_closed)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        HELD task = auv_loop_create_task(loop, takes_despite_cancellation, lock, 0, NULL);
        AUV_AUTO auv_lock *other = auv_lock_new();
        HELD holder = start_user("holder", other, 5);

        loop_turn();
        trace_clear();
        auv_loop_close(loop);
        cr_assert_trace("took");
        cr_assert(eq(int, reports_drop(), 2));
        cr_assert(auv_lock_locked(other));
}

Test(lock, outlives_its_loop)
{
        AUV_AUTO auv_lock *lock = new_taken_lock();
        AUV_AUTO auv_task *task = start_user("a", lock, 0);

        loop_turn();
        task = auv_unref(task);
        loop = auv_unref(loop);
        cr_assert_trace("a:ECLOSED");
        cr_assert(eq(int, reports_drop(), 1));
        cr_assert(eq(int, auv_lock_release(lock), 0));
        cr_assert(eq(int, run_elsewhere(acquires, lock), 0));
}

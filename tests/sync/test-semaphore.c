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

#include <limits.h>

TestSuite(semaphore, .init = loop_setup, .fini = loop_teardown);

struct user {
        const char *name;
        auv_semaphore *semaphore;
        int turns; /* for which it keeps the unit; -1 for ever */
};

/* Takes a unit, keeps it, gives it back: NAME+ NAME-; or NAME:ERROR where it does not get one. */
static int uses(void *arg, auv_value *ret)
{
        const struct user *user = arg;
        const int r = auv_await_semaphore_acquire(user->semaphore);

        if (r < 0) {
                trace("%s:%s", user->name, auv_error_name(r));
                return r;
        }
        trace("%s+", user->name);
        if (user->turns < 0)
                return 0;
        for (int i = 0; i < user->turns; i++)
                AUV_TRY(auv_await_sleep(0));
        trace("%s-", user->name);
        return auv_semaphore_release(user->semaphore);
}

static auv_task *start_user(const char *name, auv_semaphore *semaphore, int turns)
{
        return auv_loop_create_task(loop, uses, &(struct user) { name, semaphore, turns },
                                    sizeof(struct user), NULL);
}

/* One that takes a unit for ever. */
static auv_task *start_taker(const char *name, auv_semaphore *semaphore)
{
        return start_user(name, semaphore, -1);
}

static int acquires(void *arg, auv_value *ret)
{
        return auv_await_semaphore_acquire(arg);
}

/* How many units can be had; takes them. */
static int count_units(auv_semaphore *semaphore)
{
        int n = 0;

        while (!auv_semaphore_locked(semaphore)) {
                cr_assert(eq(int, loop_run(acquires, semaphore, NULL), 0));
                n++;
        }
        return n;
}

Test(semaphore, has_as_many_units_as_it_was_made_with)
{
        for (long value = 0; value < 4; value++) {
                AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(value);
                AUV_AUTO auv_semaphore *bounded = auv_bounded_semaphore_new(value);

                cr_assert(eq(int, count_units(semaphore), (int)value));
                cr_assert(eq(int, count_units(bounded), (int)value));
        }
}

Test(semaphore, has_no_less_units_than_none)
{
        cr_assert(zero(ptr, auv_semaphore_new(-1)));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EINVAL));
        cr_assert(zero(ptr, auv_bounded_semaphore_new(-1)));
        cr_assert(zero(ptr, auv_semaphore_new(LONG_MIN)));
}

Test(semaphore, gives_units_without_suspending_while_there_are_some)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(2);
        HELD a = start_taker("a", semaphore);
        HELD b = start_taker("b", semaphore);
        HELD c = start_taker("c", semaphore);

        loop_turns(2);
        cr_assert_trace("a+ b+ | |");
        cr_assert(auv_semaphore_locked(semaphore));
        auv_semaphore_release(semaphore);
        loop_turns(1);
        cr_assert_trace("a+ b+ | | c+ |");
}

Test(semaphore, lets_that_many_in_at_a_time)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(2);
        HELD a = start_user("a", semaphore, 2);
        HELD b = start_user("b", semaphore, 1);
        HELD c = start_user("c", semaphore, 1);
        HELD d = start_user("d", semaphore, 0);

        loop_turns(6);
        cr_assert_trace("a+ b+ | b- | a- c+ | d+ d- c- | | |");
        cr_assert(eq(int, count_units(semaphore), 2));
}

/* rule 107 */
Test(semaphore, has_given_the_unit_away_when_it_wakes_a_task)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(0);
        HELD first = start_taker("first", semaphore);
        AUV_AUTO auv_task *second = NULL;

        loop_turn();
        auv_semaphore_release(semaphore);
        cr_assert(auv_semaphore_locked(semaphore));
        second = start_taker("second", semaphore);
        loop_turns(2);
        cr_assert_trace("first+ | |");
        auv_semaphore_release(semaphore);
        loop_turns(1);
        cr_assert_trace("first+ | | second+ |");
}

/* rule 107: who comes then stands in line, and is woken by the one before it */
Test(semaphore, is_locked_while_somebody_waits_though_there_are_units)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(0);
        HELD first = start_taker("first", semaphore);
        AUV_AUTO auv_task *second = NULL;

        loop_turn();
        second = start_taker("second", semaphore);
        auv_semaphore_release(semaphore);
        auv_semaphore_release(semaphore);
        cr_assert(auv_semaphore_locked(semaphore));
        loop_turns(2);
        cr_assert_trace("first+ | second+ |");
        cr_assert(auv_semaphore_locked(semaphore));
}

Test(semaphore, is_not_locked_any_more_when_the_line_has_been_left)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(0);
        HELD first = start_taker("first", semaphore);
        AUV_AUTO auv_task *second = NULL;

        loop_turn();
        auv_semaphore_release(semaphore);
        auv_semaphore_release(semaphore);
        second = start_taker("second", semaphore);
        loop_turns(1);
        cr_assert_trace("first+ second+ |");
        cr_assert(auv_semaphore_locked(semaphore));
}

static int gives_and_takes(void *arg, auv_value *ret)
{
        AUV_TRY(auv_semaphore_release(arg));
        AUV_TRY(auv_await_semaphore_acquire(arg));
        trace("greedy+");
        return 0;
}

Test(semaphore, does_not_let_one_pass_that_has_just_given_a_unit_back)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(0);
        HELD a = start_taker("a", semaphore);
        AUV_AUTO auv_task *greedy = NULL;

        loop_turn();
        greedy = auv_loop_create_task(loop, gives_and_takes, semaphore, 0, NULL);
        loop_turns(2);
        cr_assert_trace("| a+ |");
        auv_semaphore_release(semaphore);
        loop_turns(1);
        cr_assert_trace("| a+ | greedy+ |");
}

Test(semaphore, wakes_as_many_as_units_are_given)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(0);
        auv_task *tasks[4];

        for (int i = 0; i < 4; i++)
                tasks[i] = start_taker((const char *[]) { "a", "b", "c", "d" }[i], semaphore);
        loop_turn();
        for (int i = 0; i < 3; i++)
                auv_semaphore_release(semaphore);
        loop_turns(2);
        cr_assert_trace("a+ b+ c+ | |");
        auv_semaphore_release(semaphore);
        loop_turns(1);
        cr_assert_trace("a+ b+ c+ | | d+ |");
        for (int i = 0; i < 4; i++)
                auv_unref(tasks[i]);
}

Test(semaphore, may_get_more_units_than_it_had)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(1);

        for (int i = 0; i < 4; i++)
                cr_assert(eq(int, auv_semaphore_release(semaphore), 0));
        cr_assert(eq(int, count_units(semaphore), 5));
}

/* rule 109 */
Test(semaphore, that_is_bounded_gets_no_more_units_than_it_had)
{
        AUV_AUTO auv_semaphore *semaphore = auv_bounded_semaphore_new(2);
        AUV_AUTO auv_semaphore *empty = auv_bounded_semaphore_new(0);

        cr_assert(eq(int, auv_semaphore_release(semaphore), AUV_ERUNTIME));
        cr_assert(eq(int, loop_run(acquires, semaphore, NULL), 0));
        cr_assert(eq(int, auv_semaphore_release(semaphore), 0));
        cr_assert(eq(int, auv_semaphore_release(semaphore), AUV_ERUNTIME));
        cr_assert(eq(int, auv_semaphore_release(empty), AUV_ERUNTIME));
        cr_assert(eq(int, count_units(semaphore), 2));
}

Test(semaphore, that_is_bounded_gives_a_unit_to_one_that_waits)
{
        AUV_AUTO auv_semaphore *semaphore = auv_bounded_semaphore_new(1);
        HELD a = start_user("a", semaphore, 1);
        HELD b = start_user("b", semaphore, 0);

        loop_turns(4);
        cr_assert_trace("a+ | a- | b+ b- | |");
        cr_assert(eq(int, auv_semaphore_release(semaphore), AUV_ERUNTIME));
}

Test(semaphore, does_not_count_past_the_end_of_numbers)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(LONG_MAX);
        AUV_AUTO auv_semaphore *bounded = auv_bounded_semaphore_new(LONG_MAX);

        cr_assert(eq(int, auv_semaphore_release(semaphore), AUV_EOVERFLOW));
        cr_assert(lt(int, auv_semaphore_release(bounded), 0));
        cr_assert(eq(int, loop_run(acquires, semaphore, NULL), 0));
        cr_assert(eq(int, auv_semaphore_release(semaphore), 0));
}

Test(semaphore, that_is_null_is_nothing)
{
        cr_assert(eq(int, auv_semaphore_release(NULL), AUV_EINVAL));
        cr_assert(not(auv_semaphore_locked(NULL)));
        cr_assert(eq(int, loop_run(acquires, NULL, NULL), AUV_ENOMEM));
}

Test(semaphore, gives_units_to_tasks)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(1);

        cr_assert(eq(int, auv_await_semaphore_acquire(semaphore), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_semaphore_acquire(NULL), AUV_ENOTASK));
        cr_assert(eq(int, count_units(semaphore), 1));
}

/* Cancellation */

Test(semaphore, gives_nothing_to_one_that_is_cancelled)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(0);
        AUV_AUTO auv_task *a = start_taker("a", semaphore);
        HELD b = start_taker("b", semaphore);

        loop_turn();
        auv_task_cancel(a, NULL);
        auv_semaphore_release(semaphore);
        loop_turns(1);
        cr_assert_trace("a:ECANCELED b+ |");
        cr_assert(eq(int, count_units(semaphore), 0));
}

/* rule 108 */
Test(semaphore, gives_the_unit_to_the_next_where_one_is_cancelled_that_was_woken)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(0);
        AUV_AUTO auv_task *a = start_taker("a", semaphore);
        HELD b = start_taker("b", semaphore);

        loop_turn();
        auv_semaphore_release(semaphore);
        auv_task_cancel(a, "enough");
        loop_turns(2);
        cr_assert_trace("a:ECANCELED | b+ |");
        cr_assert(eq(int, auv_future_result(a, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "enough");
        cr_assert(eq(int, count_units(semaphore), 0));
}

/* rule 108 */
Test(semaphore, takes_the_unit_back_where_the_only_one_that_was_woken_is_cancelled)
{
        AUV_AUTO auv_semaphore *semaphore = auv_bounded_semaphore_new(1);
        AUV_AUTO auv_task *a = NULL;

        cr_assert(eq(int, count_units(semaphore), 1));
        a = start_taker("a", semaphore);
        loop_turn();
        auv_semaphore_release(semaphore);
        auv_task_cancel(a, NULL);
        auv_task_cancel(a, NULL);
        loop_turn();
        cr_assert_trace("a:ECANCELED");
        cr_assert(eq(int, auv_semaphore_release(semaphore), AUV_ERUNTIME));
        cr_assert(eq(int, count_units(semaphore), 1));
}

Test(semaphore, hands_units_on_past_several_that_are_cancelled)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(0);
        AUV_AUTO auv_task *a = start_taker("a", semaphore);
        AUV_AUTO auv_task *b = start_taker("b", semaphore);
        AUV_AUTO auv_task *c = start_taker("c", semaphore);
        HELD d = start_taker("d", semaphore);

        loop_turn();
        auv_semaphore_release(semaphore);
        auv_semaphore_release(semaphore);
        auv_task_cancel(a, NULL);
        auv_task_cancel(b, NULL);
        auv_task_cancel(c, NULL);
        loop_turns(2);
        cr_assert_trace("a:ECANCELED b:ECANCELED c:ECANCELED | d+ |");
        cr_assert(eq(int, count_units(semaphore), 1));
}

static int takes_despite_cancellation(void *arg, auv_value *ret)
{
        int r;

        while ((r = auv_await_semaphore_acquire(arg)) == AUV_ECANCELED)
                trace("!");
        trace("took");
        return r;
}

Test(semaphore, is_waited_for_at_the_end_of_the_line_after_a_cancellation)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(0);
        AUV_AUTO auv_task *stubborn = auv_loop_create_task(loop, takes_despite_cancellation, semaphore, 0,
                                                           NULL);
        HELD b = start_taker("b", semaphore);

        loop_turn();
        for (int i = 0; i < 2; i++) {
                auv_task_cancel(stubborn, NULL);
                loop_turn();
        }
        auv_semaphore_release(semaphore);
        loop_turns(1);
        auv_semaphore_release(semaphore);
        loop_turns(1);
        cr_assert_trace("! ! b+ | took |");
}

static int is_cancelled_already(void *arg, auv_value *ret)
{
        auv_task_cancel(auv_current_task(NULL), NULL);
        return auv_await_semaphore_acquire(arg);
}

Test(semaphore, is_not_waited_for_by_a_task_that_is_about_to_be_cancelled)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(0);

        cr_assert(eq(int, loop_run(is_cancelled_already, semaphore, NULL), AUV_ECANCELED));
        auv_semaphore_release(semaphore);
        cr_assert(eq(int, count_units(semaphore), 1));
}

static int takes_in_time(void *arg, auv_value *ret)
{
        return auv_await_wait_for_coro(acquires, arg, 2, NULL);
}

Test(semaphore, may_be_waited_for_with_a_timeout)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(0);

        cr_assert(eq(int, loop_run(takes_in_time, semaphore, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
        auv_semaphore_release(semaphore);
        cr_assert(eq(int, count_units(semaphore), 1));
}

Test(semaphore, loses_no_unit_in_a_crowd_of_which_a_third_is_cancelled)
{
        enum { N = 300, UNITS = 7 };
        AUV_AUTO auv_semaphore *semaphore = auv_bounded_semaphore_new(UNITS);
        auv_task *users[N];

        for (int i = 0; i < N; i++)
                users[i] = start_user("", semaphore, i % 3);
        for (int i = 0; i < N; i++) {
                if (i % 3 == 0)
                        auv_task_cancel(users[i], NULL);
                if (i % 5 == 0)
                        loop_turn();
        }
        for (int i = 0; i < N; i++) {
                const int r = auv_loop_run_until_complete(loop, users[i], NULL);

                cr_assert(r == 0 || (r == AUV_ECANCELED && i % 3 == 0));
                auv_unref(users[i]);
        }
        cr_assert(eq(int, count_units(semaphore), UNITS));
}

/* Life */

/* rule 115 */
Test(semaphore, belongs_to_the_loop_on_which_it_was_first_waited_for)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(0);
        HELD task = start_taker("a", semaphore);

        loop_turn();
        cr_assert(eq(int, run_elsewhere(acquires, semaphore), AUV_ERUNTIME));
        auv_semaphore_release(semaphore);
        auv_semaphore_release(semaphore);
        loop_turn();
        cr_assert_trace("a+");
        cr_assert(eq(int, run_elsewhere(acquires, semaphore), 0));
}

Test(semaphore, without_memory_cannot_be_made)
{
        failing_allocator_arm(1);
        cr_assert(zero(ptr, auv_semaphore_new(1)));
        cr_assert(failing_allocator_disarm());
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOMEM));
        failing_allocator_arm(1);
        cr_assert(zero(ptr, auv_bounded_semaphore_new(1)));
        cr_assert(failing_allocator_disarm());
}

Test(semaphore, needs_no_memory_to_be_waited_for)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(0);
        AUV_AUTO auv_task *a = start_taker("a", semaphore);
        HELD b = start_taker("b", semaphore);

        failing_allocator_arm_all();
        loop_turn();
        auv_semaphore_release(semaphore);
        auv_task_cancel(a, NULL);
        loop_turns(2);
        cr_assert(not(failing_allocator_disarm()));
        cr_assert_trace("a:ECANCELED | b+ |");
}

Test(semaphore, is_held_by_the_tasks_that_wait)
{
        auv_semaphore *semaphore = auv_semaphore_new(0);
        HELD a = start_taker("a", semaphore);
        AUV_AUTO auv_task *b = start_taker("b", semaphore);
        long live;

        loop_turn();
        live = failing_allocator_live();
        auv_unref(semaphore);
        auv_semaphore_release(semaphore);
        loop_turn();
        cr_assert(eq(long, failing_allocator_live(), live));
        auv_task_cancel(b, NULL);
        loop_turn();
        cr_assert(eq(long, failing_allocator_live(), live - 1));
        cr_assert_trace("a+ b:ECANCELED");
}

Test(semaphore, gives_nothing_when_the_loop_is_closed)
{
        AUV_AUTO auv_semaphore *semaphore = auv_bounded_semaphore_new(1);
        AUV_AUTO auv_task *a = NULL, *b = NULL;

        count_units(semaphore);
        a = start_taker("a", semaphore);
        b = start_taker("b", semaphore);
        loop_turn();
        auv_loop_close(loop);
        cr_assert_trace("a:ECLOSED b:ECLOSED");
        cr_assert(eq(int, reports_drop(), 2));
        cr_assert(eq(int, auv_semaphore_release(semaphore), 0));
        cr_assert(eq(int, auv_semaphore_release(semaphore), AUV_ERUNTIME));
}

Test(semaphore, takes_back_what_it_had_given_when_the_loop_is_closed)
{
        AUV_AUTO auv_semaphore *semaphore = auv_bounded_semaphore_new(1);
        AUV_AUTO auv_task *a = NULL, *b = NULL;

        count_units(semaphore);
        a = start_taker("a", semaphore);
        b = start_taker("b", semaphore);
        loop_turn();
        auv_semaphore_release(semaphore);
        auv_loop_close(loop);
        cr_assert_trace("a:ECLOSED b:ECLOSED");
        cr_assert(eq(int, reports_drop(), 2));
        cr_assert(not(auv_semaphore_locked(semaphore)));
        cr_assert(eq(int, auv_semaphore_release(semaphore), AUV_ERUNTIME));
}

Test(semaphore, outlives_its_loop)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(0);
        auv_task *task = start_taker("a", semaphore);

        loop_turn();
        auv_unref(task);
        loop = auv_unref(loop);
        cr_assert_trace("a:ECLOSED");
        cr_assert(eq(int, reports_drop(), 1));
        cr_assert(eq(int, auv_semaphore_release(semaphore), 0));
        cr_assert(eq(int, run_elsewhere(acquires, semaphore), 0));
}

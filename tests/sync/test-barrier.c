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

TestSuite(barrier, .init = loop_setup, .fini = loop_teardown);

struct party {
        const char *name;
        auv_barrier *barrier;
        int times; /* to come */
};

/* Comes some times: NAME with the number that it is given; or NAME:ERROR, and then no more. */
static int comes(void *arg, auv_value *ret)
{
        const struct party *party = arg;

        for (int i = 0; i < party->times; i++) {
                const int r = auv_await_barrier_wait(party->barrier);

                if (r < 0) {
                        trace("%s:%s", party->name, auv_error_name(r));
                        return r == AUV_EBROKENBARRIER ? 0 : r;
                }
                trace("%s%d", party->name, r);
        }
        return 0;
}

static auv_task *start_coming(const char *name, auv_barrier *barrier, int times)
{
        return auv_loop_create_task(loop, comes, &(struct party) { name, barrier, times },
                                    sizeof(struct party), NULL);
}

static auv_task *start_party(const char *name, auv_barrier *barrier)
{
        return start_coming(name, barrier, 1);
}

static int waits(void *arg, auv_value *ret)
{
        return auv_await_barrier_wait(arg);
}

static int resets(void *arg, auv_value *ret)
{
        const int r = auv_await_barrier_reset(arg);

        trace("reset%s", r < 0 ? auv_error_name(r) : "");
        return r;
}

static int aborts(void *arg, auv_value *ret)
{
        const int r = auv_await_barrier_abort(arg);

        trace("abort%s", r < 0 ? auv_error_name(r) : "");
        return r;
}

static auv_task *start(auv_coro_fn fn, auv_barrier *barrier)
{
        return auv_loop_create_task(loop, fn, barrier, 0, NULL);
}

/* That it is as new: one less than all can wait, and the last lets all go. */
static void cr_assert_as_new(auv_barrier *barrier)
{
        const int n = auv_barrier_parties(barrier);
        auv_task *tasks[8];

        cr_assert(le(int, n, 8));
        cr_assert(eq(int, auv_barrier_n_waiting(barrier), 0));
        cr_assert(not(auv_barrier_broken(barrier)));
        trace_clear();
        for (int i = 0; i < n; i++) {
                cr_assert(eq(int, auv_barrier_n_waiting(barrier), i));
                tasks[i] = start(waits, barrier);
                loop_turn();
                cr_assert(eq(int, auv_future_done(tasks[i]), i == n - 1));
        }
        for (int i = 0; i < n; i++) {
                cr_assert(eq(int, auv_loop_run_until_complete(loop, tasks[i], NULL), 0));
                auv_unref(tasks[i]);
        }
        cr_assert(eq(int, auv_barrier_n_waiting(barrier), 0));
}

Test(barrier, is_for_as_many_as_it_was_made_for)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(3);

        cr_assert(eq(int, auv_barrier_parties(barrier), 3));
        cr_assert(eq(int, auv_barrier_n_waiting(barrier), 0));
        cr_assert(not(auv_barrier_broken(barrier)));
}

Test(barrier, is_for_one_at_least)
{
        cr_assert(zero(ptr, auv_barrier_new(0)));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EINVAL));
        cr_assert(zero(ptr, auv_barrier_new(-1)));
}

Test(barrier, for_one_lets_it_pass_without_suspending)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(1);
        AUV_AUTO auv_task *a = start_coming("a", barrier, 3);

        loop_turns(1);
        cr_assert_trace("a0 a0 a0 |");
        cr_assert(auv_future_done(a));
}

/* rule 113 */
Test(barrier, numbers_tasks_as_they_come_and_does_not_keep_the_last)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(3);
        HELD a = start_party("a", barrier);
        HELD b = start_party("b", barrier);
        AUV_AUTO auv_task *c = NULL;

        loop_turns(2);
        cr_assert(eq(int, auv_barrier_n_waiting(barrier), 2));
        c = start_party("c", barrier);
        loop_turns(1);
        cr_assert_trace("| | c2 |");
        cr_assert(eq(int, auv_barrier_n_waiting(barrier), 0));
        loop_turns(2);
        cr_assert_trace("| | c2 | a0 b1 | |");
        cr_assert_as_new(barrier);
}

/* rule 113 */
Test(barrier, keeps_those_that_come_until_the_others_have_gone)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(2);
        HELD a = start_party("a", barrier);
        HELD b = start_coming("b", barrier, 2);
        HELD c = start_party("c", barrier);

        loop_turns(1);
        cr_assert_trace("b1 |");
        cr_assert(eq(int, auv_barrier_n_waiting(barrier), 0));
        loop_turns(4);
        cr_assert_trace("b1 | a0 | c1 | b0 | |");
        cr_assert_as_new(barrier);
}

Test(barrier, may_be_passed_again_and_again)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(3);
        AUV_AUTO auv_task *a = start_coming("a", barrier, 3);
        AUV_AUTO auv_task *b = start_coming("b", barrier, 3);
        AUV_AUTO auv_task *c = start_coming("c", barrier, 3);

        cr_assert(eq(int, auv_loop_run_until_complete(loop, a, NULL), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, b, NULL), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, c, NULL), 0));
        cr_assert_as_new(barrier);
}

/* rule 114 */
Test(barrier, that_is_reset_sends_those_away_that_wait)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(3);
        HELD a = start_party("a", barrier);
        HELD b = start_party("b", barrier);
        AUV_AUTO auv_task *reset = NULL;

        loop_turn();
        reset = start(resets, barrier);
        loop_turns(1);
        cr_assert(eq(int, auv_barrier_n_waiting(barrier), 0));
        cr_assert(not(auv_barrier_broken(barrier)));
        loop_turns(1);
        cr_assert_trace("reset | a:EBROKENBARRIER b:EBROKENBARRIER |");
        cr_assert_as_new(barrier);
}

/* rule 114 */
Test(barrier, that_is_being_reset_keeps_those_that_come_until_the_others_have_gone)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(3);
        HELD a = start_party("a", barrier);
        AUV_AUTO auv_task *reset = NULL, *again = NULL, *late = NULL;

        loop_turn();
        reset = start(resets, barrier);
        again = start(resets, barrier);
        late = start_party("late", barrier);
        loop_turns(4);
        cr_assert_trace("reset reset | a:EBROKENBARRIER | | |");
        cr_assert(eq(int, auv_barrier_n_waiting(barrier), 1));
        auv_task_cancel(late, NULL);
        loop_turn();
        cr_assert_as_new(barrier);
}

Test(barrier, at_which_nobody_waits_may_be_reset)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(2);

        cr_assert(eq(int, loop_run(resets, barrier, NULL), 0));
        cr_assert_as_new(barrier);
}

Test(barrier, that_is_reset_while_it_lets_tasks_go_sends_them_away)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(2);
        HELD a = start_party("a", barrier);
        HELD b = start_party("b", barrier);
        HELD reset = start(resets, barrier);

        loop_turns(2);
        cr_assert_trace("b1 reset | a:EBROKENBARRIER |");
        cr_assert_as_new(barrier);
}

/* rule 114 */
Test(barrier, that_is_aborted_is_broken_until_it_is_reset)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(3);
        HELD a = start_party("a", barrier);
        HELD b = start_party("b", barrier);
        AUV_AUTO auv_task *abort = NULL, *late = NULL;

        loop_turn();
        abort = start(aborts, barrier);
        loop_turns(1);
        cr_assert(auv_barrier_broken(barrier));
        cr_assert(eq(int, auv_barrier_n_waiting(barrier), 0));
        loop_turns(1);
        late = start_party("late", barrier);
        loop_turns(1);
        cr_assert_trace("abort | a:EBROKENBARRIER b:EBROKENBARRIER | late:EBROKENBARRIER |");
        cr_assert(auv_barrier_broken(barrier));
        cr_assert(eq(int, loop_run(resets, barrier, NULL), 0));
        cr_assert_as_new(barrier);
}

Test(barrier, that_is_aborted_while_it_lets_tasks_go_sends_them_away)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(3);
        HELD a = start_party("a", barrier);
        HELD b = start_party("b", barrier);
        HELD c = start_party("c", barrier);
        HELD abort = start(aborts, barrier);

        loop_turns(2);
        cr_assert_trace("c2 abort | a:EBROKENBARRIER b:EBROKENBARRIER |");
        cr_assert(auv_barrier_broken(barrier));
}

Test(barrier, that_is_aborted_sends_those_away_that_wait_for_the_others_to_go)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(2);
        HELD a = start_party("a", barrier);
        HELD b = start_party("b", barrier);
        HELD late = start_party("late", barrier);
        HELD abort = start(aborts, barrier);

        loop_turns(3);
        cr_assert_trace("b1 abort | a:EBROKENBARRIER late:EBROKENBARRIER | |");
        cr_assert(eq(int, loop_run(resets, barrier, NULL), 0));
        cr_assert_as_new(barrier);
}

Test(barrier, that_is_null_is_nothing)
{
        cr_assert(eq(int, auv_barrier_parties(NULL), 0));
        cr_assert(eq(int, auv_barrier_n_waiting(NULL), 0));
        cr_assert(not(auv_barrier_broken(NULL)));
        cr_assert(eq(int, loop_run(waits, NULL, NULL), AUV_ENOMEM));
        cr_assert(eq(int, loop_run(resets, NULL, NULL), AUV_ENOMEM));
        cr_assert(eq(int, loop_run(aborts, NULL, NULL), AUV_ENOMEM));
}

Test(barrier, is_for_tasks)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(1);

        cr_assert(eq(int, auv_await_barrier_wait(barrier), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_barrier_reset(barrier), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_barrier_abort(barrier), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_barrier_wait(NULL), AUV_ENOTASK));
        cr_assert_as_new(barrier);
}

/* Cancellation */

/* rule 113 */
Test(barrier, is_left_by_one_that_is_cancelled)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(3);
        AUV_AUTO auv_task *a = start_party("a", barrier);
        AUV_AUTO auv_task *b = start_party("b", barrier);

        loop_turn();
        auv_task_cancel(a, "enough");
        loop_turns(1);
        cr_assert_trace("a:ECANCELED |");
        cr_assert(eq(int, auv_future_result(a, NULL), AUV_ECANCELED));
        cr_assert_text(auv_error_message(auv_error_current()), "enough");
        cr_assert(eq(int, auv_barrier_n_waiting(barrier), 1));
        cr_assert(not(auv_barrier_broken(barrier)));
        auv_task_cancel(b, NULL);
        loop_turns(1);
        cr_assert_as_new(barrier);
}

/* As asyncio does: the number of who comes next is how many there are. */
Test(barrier, gives_a_number_twice_where_one_of_those_that_came_was_cancelled)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(3);
        AUV_AUTO auv_task *a = start_party("a", barrier);
        HELD b = start_party("b", barrier);
        AUV_AUTO auv_task *c = NULL, *d = NULL;

        loop_turn();
        auv_task_cancel(a, NULL);
        loop_turn();
        c = start_party("c", barrier);
        d = start_party("d", barrier);
        loop_turns(2);
        cr_assert_trace("a:ECANCELED d2 | b1 c1 |");
        cr_assert_as_new(barrier);
}

Test(barrier, lets_the_others_go_though_one_is_cancelled_that_was_let_go)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(3);
        AUV_AUTO auv_task *a = start_party("a", barrier);
        HELD b = start_party("b", barrier);
        HELD c = start_party("c", barrier);

        loop_turns(1);
        auv_task_cancel(a, NULL);
        auv_task_cancel(a, NULL);
        loop_turns(2);
        cr_assert_trace("c2 | a:ECANCELED b1 | |");
        cr_assert_as_new(barrier);
}

Test(barrier, is_no_more_waited_for_by_one_that_is_cancelled_while_others_are_let_go)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(2);
        HELD a = start_party("a", barrier);
        HELD b = start_party("b", barrier);
        AUV_AUTO auv_task *late = start_party("late", barrier);

        loop_turns(1);
        auv_task_cancel(late, NULL);
        loop_turns(2);
        cr_assert_trace("b1 | a0 late:ECANCELED | |");
        cr_assert_as_new(barrier);
}

static int cancelled_already(void *arg, auv_value *ret)
{
        auv_task_cancel(auv_current_task(NULL), NULL);
        return auv_await_barrier_wait(arg);
}

Test(barrier, is_not_waited_at_by_a_task_that_is_about_to_be_cancelled)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(2);

        cr_assert(eq(int, loop_run(cancelled_already, barrier, NULL), AUV_ECANCELED));
        cr_assert_as_new(barrier);
}

static int comes_in_time(void *arg, auv_value *ret)
{
        return auv_await_wait_for_coro(waits, arg, 2, NULL);
}

Test(barrier, may_be_waited_at_with_a_timeout)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(2);

        cr_assert(eq(int, loop_run(comes_in_time, barrier, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
        cr_assert_as_new(barrier);
}

/* Life */

/* rule 115 */
Test(barrier, belongs_to_the_loop_on_which_it_was_first_waited_at)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(3);
        AUV_AUTO auv_task *a = start_party("a", barrier);

        loop_turn();
        cr_assert(eq(int, run_elsewhere(waits, barrier), AUV_ERUNTIME));
        cr_assert(eq(int, auv_barrier_n_waiting(barrier), 1));
        auv_task_cancel(a, NULL);
        loop_turn();
        cr_assert_as_new(barrier);
}

static void make_and_unref(void)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(2);

        if (!barrier)
                cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOMEM));
        cr_assert(barrier || failing_allocator_fired());
}

Test(barrier, without_memory_cannot_be_made)
{
        cr_assert(eq(long, failing_allocator_sweep(make_and_unref), 3));
}

Test(barrier, needs_no_memory_but_for_the_message_that_it_is_broken)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(2);
        HELD a = start_party("a", barrier);
        HELD b = start_party("b", barrier);
        HELD c = start_party("c", barrier);
        HELD abort = start(aborts, barrier);

        failing_allocator_arm_all();
        loop_turns(3);
        cr_assert(failing_allocator_disarm());
        cr_assert_trace("b1 abort | a:EBROKENBARRIER c:EBROKENBARRIER | |");
}

Test(barrier, is_held_by_the_tasks_that_wait)
{
        auv_barrier *barrier = auv_barrier_new(2);
        AUV_AUTO auv_task *a = start_party("a", barrier);
        long live;

        loop_turn();
        live = failing_allocator_live();
        auv_unref(barrier);
        auv_task_cancel(a, NULL);
        loop_turn();
        cr_assert(eq(long, failing_allocator_live(), live - 3));
        cr_assert_trace("a:ECANCELED");
}

Test(barrier, is_left_by_those_that_wait_when_the_loop_is_closed)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(3);
        HELD a = start_party("a", barrier);
        HELD b = start_party("b", barrier);

        loop_turn();
        auv_loop_close(loop);
        cr_assert_trace("a:ECLOSED b:ECLOSED");
        cr_assert(eq(int, auv_barrier_n_waiting(barrier), 0));
        cr_assert(eq(int, reports_drop(), 2));
        cr_assert(eq(int, run_elsewhere(aborts, barrier), 0));
        cr_assert(auv_barrier_broken(barrier));
}

Test(barrier, is_left_by_those_that_were_let_go_when_the_loop_is_closed)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(3);
        HELD a = start_party("a", barrier);
        HELD b = start_party("b", barrier);
        HELD c = start_party("c", barrier);
        HELD late = start_party("late", barrier);

        loop_turns(1);
        auv_loop_close(loop);
        cr_assert_trace("c2 | a:ECLOSED b:ECLOSED late:ECLOSED");
        cr_assert(eq(int, reports_drop(), 3));
}

Test(barrier, outlives_its_loop)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(2);
        auv_task *task = start_party("a", barrier);

        loop_turn();
        auv_unref(task);
        loop = auv_unref(loop);
        cr_assert_trace("a:ECLOSED");
        cr_assert(eq(int, reports_drop(), 1));
        cr_assert(eq(int, auv_barrier_parties(barrier), 2));
}

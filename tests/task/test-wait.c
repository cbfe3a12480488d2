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

TestSuite(wait, .init = loop_setup, .fini = loop_teardown);

/* What the waiting task waits for, and what it has found. */
static struct {
        auv_future *futures[4];
        size_t n;
        double timeout;
        enum auv_return_when when;
        auv_future *sorted[4];
        int n_done;
} w;

static int waits(void *arg, auv_value *ret)
{
        w.n_done = auv_await_wait(w.futures, w.n, w.timeout, w.when, w.sorted);
        trace("woken");
        return w.n_done;
}

static auv_task *start_waiting(size_t n, double timeout, enum auv_return_when when)
{
        w.n = n;
        w.timeout = timeout;
        w.when = when;
        return auv_loop_create_task(loop, waits, NULL, 0, NULL);
}

static int run_waiting(size_t n, double timeout, enum auv_return_when when)
{
        AUV_AUTO auv_task *task = start_waiting(n, timeout, when);

        auv_loop_run_until_complete(loop, task, NULL);
        return w.n_done;
}

static void make_futures(void)
{
        for (int i = 0; i < 3; i++)
                w.futures[i] = auv_loop_create_future(loop);
}

static void unref_futures(void)
{
        for (int i = 0; i < 4; i++)
                auv_unref_at(&w.futures[i]);
}

/* As digits, the places among the futures of what was found: done first. */
static char *sorted(void)
{
        static char text[8];

        for (size_t i = 0; i < w.n; i++) {
                text[i] = '-';
                for (int j = 0; j < 4; j++)
                        if (w.sorted[i] && w.sorted[i] == w.futures[j])
                                text[i] = (char)('0' + j);
        }
        return text;
}

Test(wait, waits_for_all)
{
        for (int i = 0; i < 3; i++)
                w.futures[i] = start_steps(.sleep = 3 - i, .error = i == 1 ? AUV_EUSER : 0);
        cr_assert(eq(int, run_waiting(3, AUV_NO_TIMEOUT, AUV_ALL_COMPLETED), 3));
        cr_assert_text(sorted(), "012");
        cr_assert(eq(dbl, auv_loop_time(loop), 3));
        cr_assert(eq(int, auv_future_result(w.futures[1], NULL), AUV_EUSER));
        unref_futures();
}

Test(wait, waits_for_the_first)
{
        for (int i = 0; i < 3; i++)
                w.futures[i] = start_steps(.sleep = 3 - i);
        cr_assert(eq(int, run_waiting(3, AUV_NO_TIMEOUT, AUV_FIRST_COMPLETED), 1));
        cr_assert_text(sorted(), "201");
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
        cr_assert(eq(int, run_waiting(3, AUV_NO_TIMEOUT, AUV_ALL_COMPLETED), 3));
        unref_futures();
}

Test(wait, waits_for_the_first_that_fails)
{
        for (int i = 0; i < 3; i++)
                w.futures[i] = start_steps(.sleep = 3 - i, .error = i == 1 ? AUV_EUSER : 0);
        cr_assert(eq(int, run_waiting(3, AUV_NO_TIMEOUT, AUV_FIRST_EXCEPTION), 2));
        cr_assert_text(sorted(), "120");
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
        cr_assert(eq(int, auv_future_result(w.futures[1], NULL), AUV_EUSER));
        cr_assert(eq(int, run_waiting(3, AUV_NO_TIMEOUT, AUV_ALL_COMPLETED), 3));
        unref_futures();
}

/* rule 73 */
Test(wait, does_not_take_being_cancelled_for_failing)
{
        AUV_AUTO auv_task *task = NULL;

        make_futures();
        task = start_waiting(3, AUV_NO_TIMEOUT, AUV_FIRST_EXCEPTION);
        loop_turn();
        auv_future_cancel(w.futures[0], NULL);
        cr_assert(eq(int, loop_turns_until_done(task, 5), -1));
        auv_future_fail(w.futures[1], AUV_EUSER, NULL);
        auv_future_exception(w.futures[1], NULL);
        cr_assert(eq(int, loop_turns_until_done(task, 5), 2));
        cr_assert(eq(int, w.n_done, 2));
        cr_assert_text(sorted(), "012");
        unref_futures();
}

Test(wait, for_the_first_that_fails_ends_when_all_are_done)
{
        AUV_AUTO auv_task *task = NULL;

        make_futures();
        task = start_waiting(3, AUV_NO_TIMEOUT, AUV_FIRST_EXCEPTION);
        loop_turn();
        for (int i = 0; i < 3; i++)
                auv_future_set_result(w.futures[i], NUMBER(1));
        cr_assert(eq(int, loop_turns_until_done(task, 5), 2));
        cr_assert(eq(int, w.n_done, 3));
        unref_futures();
}

/* rule 72: what is done when it wakes counts, also what was done after the one that woke it */
Test(wait, counts_what_is_done_when_it_wakes)
{
        AUV_AUTO auv_task *task = NULL;

        make_futures();
        task = start_waiting(3, AUV_NO_TIMEOUT, AUV_FIRST_COMPLETED);
        loop_turn();
        auv_future_set_result(w.futures[2], NUMBER(1));
        loop_turn();
        auv_future_set_result(w.futures[0], NUMBER(1));
        loop_turn();
        cr_assert(auv_future_done(task));
        cr_assert(eq(int, w.n_done, 2));
        cr_assert_text(sorted(), "021");
        unref_futures();
}

/* rule 74 */
Test(wait, takes_two_turns_though_all_are_done)
{
        AUV_AUTO auv_task *task = NULL;

        make_futures();
        for (int i = 0; i < 3; i++)
                auv_future_set_result(w.futures[i], NUMBER(1));
        task = start_waiting(3, AUV_NO_TIMEOUT, AUV_ALL_COMPLETED);
        loop_turns(3);
        cr_assert_trace("| | woken |");
        cr_assert(auv_future_done(task));
        unref_futures();
}

Test(wait, ends_at_the_timeout_and_cancels_nothing)
{
        for (int i = 0; i < 3; i++)
                w.futures[i] = start_steps(.sleep = 2 * i + 1);
        cr_assert(eq(int, run_waiting(3, 2, AUV_ALL_COMPLETED), 1));
        cr_assert_text(sorted(), "012");
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
        for (int i = 1; i < 3; i++)
                cr_assert(eq(int, auv_task_cancelling(w.futures[i]), 0));
        cr_assert(eq(int, run_waiting(3, 100, AUV_ALL_COMPLETED), 3));
        cr_assert(eq(dbl, auv_loop_time(loop), 5));
        unref_futures();
}

/* rule 75 */
Test(wait, of_no_time_ends_soon)
{
        make_futures();
        cr_assert(eq(int, run_waiting(3, 0, AUV_ALL_COMPLETED), 0));
        cr_assert_text(sorted(), "012");
        auv_future_set_result(w.futures[1], NUMBER(1));
        cr_assert(eq(int, run_waiting(3, 0, AUV_ALL_COMPLETED), 1));
        cr_assert_text(sorted(), "102");
        cr_assert(eq(int, run_waiting(3, -1, AUV_ALL_COMPLETED), 1));
        cr_assert(eq(dbl, auv_loop_time(loop), 0));
        unref_futures();
}

Test(wait, leaves_no_timer_behind)
{
        AUV_AUTO auv_future *never = auv_loop_create_future(loop);

        w.futures[0] = start_steps(.sleep = 1);
        cr_assert(eq(int, run_waiting(1, 1000, AUV_ALL_COMPLETED), 1));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, never, NULL), AUV_EDEADLK));
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
        reports_drop();
        unref_futures();
}

/* rule 75 */
Test(wait, that_is_cancelled_cancels_nothing)
{
        AUV_AUTO auv_task *task = NULL;

        make_futures();
        for (int i = 0; i < 4; i++)
                w.sorted[i] = (auv_future *)&w;
        task = start_waiting(3, 10, AUV_ALL_COMPLETED);
        loop_turn();
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        for (int i = 0; i < 3; i++) {
                cr_assert(not(auv_future_done(w.futures[i])));
                cr_assert(eq(ptr, w.sorted[i], (void *)&w));
                auv_future_set_result(w.futures[i], NUMBER(1));
        }
        loop_turn();
        unref_futures();
}

Test(wait, counts_once_what_was_given_twice)
{
        make_futures();
        w.futures[3] = auv_ref(w.futures[0]);
        auv_future_set_result(w.futures[2], NUMBER(1));
        cr_assert(eq(int, run_waiting(4, AUV_NO_TIMEOUT, AUV_FIRST_COMPLETED), 1));
        cr_assert_text(sorted(), "231-");
        cr_assert(zero(ptr, w.sorted[3]));
        unref_futures();
}

static int waits_in_place(void *arg, auv_value *ret)
{
        return auv_await_wait(w.futures, 3, AUV_NO_TIMEOUT, AUV_FIRST_COMPLETED, w.futures);
}

Test(wait, may_sort_in_place)
{
        auv_future *futures[3];

        make_futures();
        for (int i = 0; i < 3; i++)
                futures[i] = w.futures[i];
        auv_future_set_result(futures[1], NUMBER(1));
        cr_assert(eq(int, loop_run(waits_in_place, NULL, NULL), 0));
        cr_assert(eq(ptr, w.futures[0], futures[1]));
        cr_assert(eq(ptr, w.futures[1], futures[0]));
        cr_assert(eq(ptr, w.futures[2], futures[2]));
        unref_futures();
}

static int waits_without_asking_for_which(void *arg, auv_value *ret)
{
        return auv_await_wait(w.futures, 3, 1, AUV_ALL_COMPLETED, NULL);
}

Test(wait, need_not_say_which_are_done)
{
        make_futures();
        cr_assert(eq(int, loop_run(waits_without_asking_for_which, NULL, NULL), 0));
        unref_futures();
}

Test(wait, must_have_futures_and_arguments_with_meaning)
{
        AUV_AUTO auv_loop *other = loop_new();

        make_futures();
        cr_assert(eq(int, run_waiting(0, 1, AUV_ALL_COMPLETED), AUV_EINVAL));
        cr_assert(eq(int, run_waiting(4, 1, AUV_ALL_COMPLETED), AUV_EINVAL));
        cr_assert(eq(int, run_waiting(3, NAN, AUV_ALL_COMPLETED), AUV_EINVAL));
        cr_assert(eq(int, run_waiting(3, 1, (enum auv_return_when)9), AUV_EINVAL));
        w.futures[3] = auv_loop_create_future(other);
        cr_assert(eq(int, run_waiting(4, 1, AUV_ALL_COMPLETED), AUV_EINVAL));
        unref_futures();
}

static void wait_sweep(void)
{
        AUV_AUTO auv_loop *made = NULL;
        AUV_AUTO auv_task *task = NULL;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &made) < 0)
                return;
        reports_record(made);
        w.n = 3;
        w.timeout = 2.5;
        w.when = AUV_ALL_COMPLETED;
        for (int i = 0; i < 3; i++)
                w.futures[i] = start_sleep(made, i + 1);
        task = auv_loop_create_task(made, waits, NULL, 0, NULL);
        if (task) {
                const int r = auv_loop_run_until_complete(made, task, NULL);

                cr_assert(r == 0 || failing_allocator_fired());
                if (r == 0)
                        cr_assert(w.n_done == 2 || (w.n_done == 3 && failing_allocator_fired()));
        }
        unref_futures();
        auv_loop_close(made);
        reports_drop();
        auv_error_clear();
        trace_clear();
}

Test(wait, without_memory_fails_and_leaves_nothing)
{
        cr_assert(gt(long, failing_allocator_sweep(wait_sweep), 1));
}

/* SPDX-License-Identifier: MIT */

/* How bodies without a stack await and sleep, are cancelled, clean up, and are left. */

#include "support/coroutine.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/stackless.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>

TestSuite(frame, .init = loop_setup, .fini = loop_teardown);

/* ---- bodies */

/* Awaits into its own result. */
static int passes_on(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        AUV_AWAIT(self->future, ret);
        AUV_END;
}

static int catches(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        int r;

        AUV_AWAIT_CATCH(r, self->future, &self->value);
        trace("%s", r < 0 ? auv_error_name(r) : "fine");
        AUV_RETURN(.i = r);
        AUV_END;
}

static int cleans_up(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        trace("body");
        AUV_AWAIT(self->future, NULL);
        AUV_RETURN(.i = 7);
        AUV_FINALLY;
        trace("cleanup");
        AUV_END;
}

static int cleans_up_slowly(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        AUV_AWAIT(self->future, NULL);
        AUV_RETURN(.i = 7);
        AUV_FINALLY_AWAIT(self->left);
        trace("cleanup");
        AUV_AWAIT_SLEEP(1);
        AUV_AWAIT_CATCH(self->r, NULL, NULL);
        trace("cleaned");
        AUV_END;
}

static int fails_in_cleanup(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        AUV_AWAIT(self->future, NULL);
        AUV_FINALLY_AWAIT(self->left);
        AUV_AWAIT_SLEEP(0);
        AUV_RAISE(AUV_EUSER, "from the cleanup");
        AUV_END;
}

/* ---- await */

Test(frame, awaits_the_value_of_a_future)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(stackless_await, struct stackless, .future = future);
        auv_value value;

        loop_turns(2);
        auv_future_set_result(future, NUMBER(41));
        loop_turns(1);
        cr_assert_trace("+ | | - |");
        cr_assert(eq(int, auv_future_result(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 42));
}

Test(frame, does_not_suspend_for_a_future_that_is_done)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(stackless_await, struct stackless, .future = future);

        auv_future_set_result(future, NUMBER(41));
        loop_turns(1);
        cr_assert_trace("+ - |");
        cr_assert(auv_future_done(task));
}

Test(frame, gets_the_error_object_of_what_it_awaits)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(stackless_await, struct stackless, .future = future);
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, "broken");
        auv_error *got;

        loop_turns(1);
        auv_future_set_exception(future, error);
        loop_turns(1);
        cr_assert_trace("+ | |");
        cr_assert(eq(int, auv_future_exception(task, &got), 0));
        cr_assert(eq(ptr, got, error));
}

Test(frame, goes_on_where_it_catches_the_error)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *waits = start_stackless(catches, struct stackless, .future = future);
        AUV_AUTO auv_task *late = NULL;

        loop_turns(1);
        auv_future_fail(future, AUV_EUSER, "broken");
        loop_turns(1);
        late = start_stackless(catches, struct stackless, .future = future);
        loop_turns(1);
        cr_assert_trace("| EUSER | EUSER |");
        cr_assert(auv_future_done(waits) && auv_future_done(late));
}

/* Nobody but the task holds it. */
Test(frame, holds_what_it_awaits)
{
        auv_future *future = start_steps(.value = 3);
        AUV_AUTO auv_task *task = start_stackless(stackless_await, struct stackless, .future = future);
        auv_value value;

        loop_turns(1);
        auv_unref(future);
        loop_turns(3);
        cr_assert(eq(int, auv_future_result(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 4));
}

Test(frame, ends_with_a_result_that_it_has_borrowed)
{
        auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(passes_on, struct stackless, .future = future);
        auv_value value;

        loop_turns(1);
        auv_future_set_result(future, (auv_value) { .p = strdup("text"), .destroy = free });
        auv_unref(future);
        loop_turns(1);
        cr_assert(eq(int, auv_future_result(task, &value), 0));
        cr_assert(eq(str, (char *)value.p, "text"));
}

Test(frame, fails_for_a_future_that_could_not_be_made)
{
        AUV_AUTO auv_task *task = start_stackless(stackless_await, struct stackless);

        cr_assert(eq(int, run_stackless(task, NULL), AUV_EINVAL));
        cr_assert_trace("+");
}

static int awaits_itself(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        AUV_AWAIT_CATCH(self->r, auv_current_task(NULL), NULL);
        AUV_RETURN(.i = self->r);
        AUV_END;
}

/* rule 24: as of a stackful one, in the turn after */
Test(frame, cannot_await_itself)
{
        AUV_AUTO auv_task *task = start_stackless(awaits_itself, struct stackless);
        auv_value value;

        loop_turn();
        cr_assert(not(auv_future_done(task)));
        loop_turn();
        cr_assert(eq(int, auv_future_result(task, &value), 0));
        cr_assert(eq(int, (int)value.i, AUV_ERUNTIME));
}

Test(frame, cannot_await_a_future_of_another_loop)
{
        auv_loop *other = loop_new();
        AUV_AUTO auv_future *future = auv_loop_create_future(other);
        AUV_AUTO auv_task *task = start_stackless(stackless_await, struct stackless, .future = future);

        loop_turns(2);
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_ERUNTIME));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()),
                     "the future belongs to another loop"));
        cr_assert_trace("+ | |");
        auv_unref(other);
}

Test(frame, that_awaits_itself_can_be_cancelled)
{
        AUV_AUTO auv_task *task = start_stackless(awaits_itself, struct stackless);
        auv_value value;

        loop_turn();
        auv_task_cancel(task, NULL);
        loop_turn();
        cr_assert(eq(int, auv_future_result(task, &value), 0));
        cr_assert(eq(int, (int)value.i, AUV_ECANCELED));
}

/* ---- sleep */

Test(frame, sleeps_twice_on_one_line)
{
        AUV_AUTO auv_task *task = start_stackless(stackless_sleep, struct stackless, .n = 2);

        cr_assert(eq(int, run_stackless(task, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 4));
        cr_assert_trace("+ -");
}

Test(frame, sleeps_for_a_turn_at_least)
{
        AUV_AUTO auv_task *task = start_stackless(stackless_sleep, struct stackless, .n = -1);

        loop_turns(3);
        cr_assert_trace("+ | | - |");
        cr_assert(auv_future_done(task));
}

static int sleeps_oddly(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        AUV_AWAIT_SLEEP_CATCH(self->r, (double)NAN);
        AUV_RETURN(.i = self->r);
        AUV_END;
}

Test(frame, cannot_sleep_for_what_is_no_number)
{
        AUV_AUTO auv_task *task = start_stackless(sleeps_oddly, struct stackless);
        auv_value value;

        cr_assert(eq(int, run_stackless(task, &value), 0));
        cr_assert(eq(int, (int)value.i, AUV_EINVAL));
}

/* ---- cancellation */

Test(frame, never_starts_where_it_is_cancelled_before)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(cleans_up, struct stackless, .future = future);

        auv_task_cancel(task, "no");
        cr_assert(eq(int, run_stackless(task, NULL), AUV_ECANCELED));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()), "no"));
        cr_assert_trace("");
}

Test(frame, is_cancelled_where_it_awaits)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(cleans_up, struct stackless, .future = future);

        loop_turn();
        cr_assert(eq(int, auv_task_cancel(task, "enough"), 1));
        cr_assert(auv_future_cancelled(future));
        cr_assert(eq(int, run_stackless(task, NULL), AUV_ECANCELED));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()), "enough"));
        cr_assert_trace("body cleanup");
}

Test(frame, is_cancelled_in_its_sleep)
{
        AUV_AUTO auv_task *first = start_stackless(stackless_sleep, struct stackless, .n = 2);
        AUV_AUTO auv_task *second = start_stackless(stackless_sleep, struct stackless, .n = 2);

        loop_turn();
        auv_task_cancel(first, NULL);
        loop_turn();
        cr_assert(auv_future_cancelled(first));
        cr_assert(eq(dbl, auv_loop_time(loop), 0));
        cr_assert(eq(int, auv_loop_run_until(loop, 3), 0));
        auv_task_cancel(second, NULL);
        loop_turn();
        cr_assert(auv_future_cancelled(second));
        cr_assert_trace("+ +");
}

static int cancels_itself(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        auv_task_cancel(auv_current_task(NULL), NULL);
        AUV_AWAIT_SLEEP_CATCH(self->r, self->n);
        trace("%s", auv_error_name(self->r));
        auv_task_cancel(auv_current_task(NULL), NULL);
        AUV_AWAIT_CATCH(self->r, self->future, NULL);
        trace("%s", auv_error_name(self->r));
        auv_task_cancel(auv_current_task(NULL), NULL);
        AUV_END;
}

Test(frame, is_cancelled_at_the_next_await)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(cancels_itself, struct stackless,
                                                  .n = 5, .future = future);

        cr_assert(eq(int, run_stackless(task, NULL), AUV_ECANCELED));
        cr_assert(eq(dbl, auv_loop_time(loop), 0));
        cr_assert_trace("ECANCELED ECANCELED");
}

Test(frame, refuses_to_be_cancelled)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(catches, struct stackless, .future = future);

        loop_turn();
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, run_stackless(task, NULL), 0));
        cr_assert_trace("ECANCELED");
}

/* A result that has come, and a request to stop in the same turn. */
Test(frame, is_cancelled_after_what_it_awaits_is_done)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(catches, struct stackless, .future = future);

        loop_turn();
        auv_future_set_result(future, NUMBER(1));
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, run_stackless(task, NULL), 0));
        cr_assert_trace("ECANCELED");
}

/* ---- cleanup */

Test(frame, cleans_up_once_however_it_is_left)
{
        AUV_AUTO auv_future *fails = new_future();
        AUV_AUTO auv_future *succeeds = new_future();
        AUV_AUTO auv_task *failed = start_stackless(cleans_up, struct stackless, .future = fails);
        AUV_AUTO auv_task *succeeded = start_stackless(cleans_up, struct stackless, .future = succeeds);
        auv_value value;

        loop_turns(1);
        auv_future_fail(fails, AUV_EUSER, "broken");
        loop_turns(1);
        auv_future_set_result(succeeds, NUMBER(1));
        loop_turns(1);
        cr_assert_trace("body body | cleanup | cleanup |");
        cr_assert(eq(int, auv_future_result(failed, NULL), AUV_EUSER));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()), "broken"));
        cr_assert(eq(int, auv_future_result(succeeded, &value), 0));
        cr_assert(eq(int, (int)value.i, 7));
}

/* The error of the body stays what it is, whatever the cleanup has met and handled. */
Test(frame, awaits_in_its_cleanup)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(cleans_up_slowly, struct stackless, .future = future);
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, "broken");
        auv_error *got;

        loop_turns(1);
        auv_future_set_exception(future, error);
        loop_turns(1);
        cr_assert_trace("| cleanup |");
        cr_assert(eq(int, run_stackless(task, NULL), AUV_EUSER));
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
        auv_future_exception(task, &got);
        cr_assert(eq(ptr, got, error));
}

Test(frame, keeps_its_value_while_its_cleanup_awaits)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(cleans_up_slowly, struct stackless, .future = future);
        auv_value value;

        auv_future_set_result(future, NUMBER(1));
        cr_assert(eq(int, run_stackless(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 7));
        cr_assert_trace("cleanup cleaned");
}

Test(frame, ends_with_the_error_of_its_cleanup)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(fails_in_cleanup, struct stackless, .future = future);

        auv_future_fail(future, AUV_EPIPE, "from the body");
        cr_assert(eq(int, run_stackless(task, NULL), AUV_EUSER));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()), "from the cleanup"));
}

Test(frame, is_cancelled_in_its_cleanup)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(cleans_up_slowly, struct stackless, .future = future);

        auv_future_fail(future, AUV_EPIPE, "from the body");
        loop_turn();
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, run_stackless(task, NULL), AUV_ECANCELED));
        cr_assert_trace("cleanup");
}

static int raises_and_recovers(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        AUV_CHECK(self->n);
        trace("on");
        AUV_LEAVE(self->r);
        trace("never");
        AUV_FINALLY;
        auv_raise(AUV_EPIPE, "in passing");
        trace("cleanup");
        AUV_END;
}

Test(frame, leaves_with_what_a_call_returns)
{
        AUV_AUTO auv_task *checked = start_stackless(raises_and_recovers, struct stackless, .n = AUV_EUSER);
        AUV_AUTO auv_task *left = start_stackless(raises_and_recovers, struct stackless,
                                                  .n = 1, .r = AUV_EUSER - 1);
        AUV_AUTO auv_task *positive = start_stackless(raises_and_recovers, struct stackless, .r = 1);

        loop_turns(1);
        cr_assert_trace("cleanup on cleanup on cleanup |");
        cr_assert(eq(int, auv_future_result(checked, NULL), AUV_EUSER));
        cr_assert(eq(int, auv_future_result(left, NULL), AUV_EUSER - 1));
        cr_assert(eq(int, auv_future_result(positive, NULL), 0));
}

/* ---- a loop that is closed */

static int insists(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        for (;;) {
                AUV_AWAIT_CATCH(self->r, self->future, NULL);
                if (self->n++ == 0)
                        trace("%s", auv_error_name(self->r));
        }
        AUV_END;
}

Test(frame, is_made_to_return_from_an_await_when_its_loop_is_closed)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(cleans_up_slowly, struct stackless, .future = future);

        cr_assert_closing(task, "cleanup");
}

Test(frame, is_made_to_return_when_what_it_awaits_is_done_and_its_loop_closed)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(cleans_up, struct stackless, .future = future);

        loop_turn();
        auv_future_set_result(future, NUMBER(1));
        trace_clear();
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_trace("cleanup");
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_ECLOSED));
        cr_assert(eq(int, reports_drop(), 1));
}

Test(frame, is_made_to_return_from_a_sleep_when_its_loop_is_closed)
{
        AUV_AUTO auv_task *task = start_stackless(stackless_sleep, struct stackless, .n = 5);

        cr_assert_closing(task, "");
}

Test(frame, that_will_not_return_is_left_when_its_loop_is_closed)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(insists, struct stackless, .future = future);

        cr_assert_closing(task, "ECLOSED");
}

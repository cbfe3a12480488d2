/* SPDX-License-Identifier: MIT */

/* Tasks without a stack: what their macros do, and that the task does not know the difference. */

#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <string.h>

TestSuite(stackless, .init = loop_setup, .fini = loop_teardown);

#define start(fn, type, ...)                                                                            \
        auv_loop_create_task(loop, NULL, &(type) { __VA_ARGS__ }, sizeof(type),                         \
                             AUV_TASK_OPTIONS(.stackless = (fn)))

static int run(auv_task *task, auv_value *ret)
{
        return auv_loop_run_until_complete(loop, task, ret);
}

static auv_future *new_future(void)
{
        return auv_loop_create_future(loop);
}

/* ---- bodies */

struct plain {
        auv_frame frame;
        auv_future *future;
        int n;
        int r;
        auv_value value;
        auv_error *left;
};

static int returns_at_once(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        AUV_RETURN(.i = self->n);
        AUV_END;
}

static int fails_at_once(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        AUV_RAISE(AUV_EUSER, "number %d", self->n);
        AUV_END;
}

static int ends(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        AUV_END;
}

static int awaits(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        trace("+");
        AUV_AWAIT(self->future, &self->value);
        trace("-");
        AUV_RETURN(.i = self->value.i + 1);
        AUV_END;
}

/* Awaits into its own result. */
static int passes_on(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        AUV_AWAIT(self->future, ret);
        AUV_END;
}

static int catches(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        int r;

        AUV_AWAIT_CATCH(r, self->future, &self->value);
        trace("%s", r < 0 ? auv_error_name(r) : "fine");
        AUV_RETURN(.i = r);
        AUV_END;
}

static int cleans_up(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        trace("body");
        AUV_AWAIT(self->future, NULL);
        AUV_RETURN(.i = 7);
        AUV_FINALLY;
        trace("cleanup");
        AUV_END;
}

static int cleans_up_slowly(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
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
        AUV_BEGIN(struct plain, self);
        AUV_AWAIT(self->future, NULL);
        AUV_FINALLY_AWAIT(self->left);
        AUV_AWAIT_SLEEP(0);
        AUV_RAISE(AUV_EUSER, "from the cleanup");
        AUV_END;
}

/* ---- tasks */

Test(stackless, returns_a_value)
{
        AUV_AUTO auv_task *task = start(returns_at_once, struct plain, .n = 5);
        auv_value value;

        cr_assert(eq(int, run(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 5));
}

Test(stackless, returns_nothing_at_its_end)
{
        AUV_AUTO auv_task *task = start(ends, struct plain);
        auv_value value = { .i = 5 };

        cr_assert(eq(int, run(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 0));
}

Test(stackless, fails_with_its_error_object)
{
        AUV_AUTO auv_task *task = start(fails_at_once, struct plain, .n = 5);

        cr_assert(eq(int, run(task, NULL), AUV_EUSER));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()), "number 5"));
}

Test(stackless, starts_in_the_next_turn_in_the_order_of_creation)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *a = start_steps(.name = "a", .turns = 1);
        AUV_AUTO auv_task *b = start(awaits, struct plain, .future = future);
        AUV_AUTO auv_task *c = start_steps(.name = "c", .turns = 1);

        cr_assert_trace("");
        loop_turns(1);
        auv_future_set_result(future, NUMBER(1));
        loop_turns(1);
        cr_assert_trace("a+ + c+ | a- c- - |");
        cr_assert(auv_future_done(a) && auv_future_done(b) && auv_future_done(c));
}

static auv_task *create(const void *frame, size_t size, auv_stackless_fn fn)
{
        return auv_loop_create_task(loop, NULL, frame, size, AUV_TASK_OPTIONS(.stackless = fn));
}

Test(stackless, cannot_be_made_of_nothing)
{
        const struct plain frame = { .n = 1 };

        cr_assert(create(NULL, sizeof(frame), ends) == NULL);
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EINVAL));
        cr_assert(create(&frame, 0, ends) == NULL);
        cr_assert(create(&frame, sizeof(auv_frame) - 1, ends) == NULL);
        cr_assert(create(&frame, SIZE_MAX - 8, ends) == NULL);
        cr_assert(auv_create_stackless_task(NULL, &frame, sizeof(frame)) == NULL);
        cr_assert(auv_create_stackless_task(ends, &frame, sizeof(frame)) == NULL);
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOLOOP));
        cr_assert(auv_loop_create_task(loop, coro_nothing, &frame, sizeof(frame),
                                       AUV_TASK_OPTIONS(.stackless = ends)) == NULL);
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EINVAL));
}

/* All of what the caller has, and nothing of where it was. */
Test(stackless, has_a_copy_of_its_frame_that_has_not_begun)
{
        struct plain frame = { .frame = { .at = 12345, .error = -5 }, .n = 5 };
        AUV_AUTO auv_task *task = create(&frame, sizeof(frame), returns_at_once);
        auv_value value;

        memset(&frame, 0xff, sizeof(frame));
        cr_assert(eq(int, run(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 5));
}

struct wide {
        auv_frame frame;
        long double number __attribute__((aligned(16)));
};

static int squares(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct wide, self);
        AUV_AWAIT_SLEEP(1);
        self->number *= self->number;
        AUV_RETURN(.i = (intmax_t)self->number, .destroy = (uintptr_t)self % 16 == 0 ? NULL : free);
        AUV_END;
}

Test(stackless, has_a_frame_aligned_for_any_type)
{
        AUV_AUTO auv_task *task = start(squares, struct wide, .number = 9);
        auv_value value;

        cr_assert(eq(int, run(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 81));
        cr_assert(value.destroy == NULL);
}

Test(stackless, is_not_made_without_memory)
{
        AUV_AUTO auv_task *first = start(ends, struct plain);

        cr_assert(eq(int, run(first, NULL), 0));
        failing_allocator_arm(1);
        cr_assert(start(ends, struct plain) == NULL);
        cr_assert(failing_allocator_disarm());
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOMEM));
}

/* ---- await */

Test(stackless, awaits_the_value_of_a_future)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(awaits, struct plain, .future = future);
        auv_value value;

        loop_turns(2);
        auv_future_set_result(future, NUMBER(41));
        loop_turns(1);
        cr_assert_trace("+ | | - |");
        cr_assert(eq(int, auv_future_result(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 42));
}

Test(stackless, does_not_suspend_for_a_future_that_is_done)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(awaits, struct plain, .future = future);

        auv_future_set_result(future, NUMBER(41));
        loop_turns(1);
        cr_assert_trace("+ - |");
        cr_assert(auv_future_done(task));
}

Test(stackless, gets_the_error_object_of_what_it_awaits)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(awaits, struct plain, .future = future);
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, "broken");
        auv_error *got;

        loop_turns(1);
        auv_future_set_exception(future, error);
        loop_turns(1);
        cr_assert_trace("+ | |");
        cr_assert(eq(int, auv_future_exception(task, &got), 0));
        cr_assert(eq(ptr, got, error));
}

Test(stackless, goes_on_where_it_catches_the_error)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *waits = start(catches, struct plain, .future = future);
        AUV_AUTO auv_task *late = NULL;

        loop_turns(1);
        auv_future_fail(future, AUV_EUSER, "broken");
        loop_turns(1);
        late = start(catches, struct plain, .future = future);
        loop_turns(1);
        cr_assert_trace("| EUSER | EUSER |");
        cr_assert(auv_future_done(waits) && auv_future_done(late));
}

/* Nobody but the task holds it. */
Test(stackless, holds_what_it_awaits)
{
        auv_future *future = start_steps(.value = 3);
        AUV_AUTO auv_task *task = start(awaits, struct plain, .future = future);
        auv_value value;

        loop_turns(1);
        auv_unref(future);
        loop_turns(3);
        cr_assert(eq(int, auv_future_result(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 4));
}

Test(stackless, ends_with_a_result_that_it_has_borrowed)
{
        auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(passes_on, struct plain, .future = future);
        auv_value value;

        loop_turns(1);
        auv_future_set_result(future, (auv_value) { .p = strdup("text"), .destroy = free });
        auv_unref(future);
        loop_turns(1);
        cr_assert(eq(int, auv_future_result(task, &value), 0));
        cr_assert(eq(str, (char *)value.p, "text"));
}

Test(stackless, fails_for_a_future_that_could_not_be_made)
{
        AUV_AUTO auv_task *task = start(awaits, struct plain);

        cr_assert(eq(int, run(task, NULL), AUV_EINVAL));
        cr_assert_trace("+");
}

static int awaits_itself(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        AUV_AWAIT_CATCH(self->r, auv_current_task(NULL), NULL);
        AUV_RETURN(.i = self->r);
        AUV_END;
}

/* rule 24: as of a stackful one, in the turn after */
Test(stackless, cannot_await_itself)
{
        AUV_AUTO auv_task *task = start(awaits_itself, struct plain);
        auv_value value;

        loop_turn();
        cr_assert(not(auv_future_done(task)));
        loop_turn();
        cr_assert(eq(int, auv_future_result(task, &value), 0));
        cr_assert(eq(int, (int)value.i, AUV_ERUNTIME));
}

Test(stackless, cannot_await_a_future_of_another_loop)
{
        auv_loop *other = loop_new();
        AUV_AUTO auv_future *future = auv_loop_create_future(other);
        AUV_AUTO auv_task *task = start(awaits, struct plain, .future = future);

        loop_turns(2);
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_ERUNTIME));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()),
                     "the future belongs to another loop"));
        cr_assert_trace("+ | |");
        auv_unref(other);
}

Test(stackless, that_awaits_itself_can_be_cancelled)
{
        AUV_AUTO auv_task *task = start(awaits_itself, struct plain);
        auv_value value;

        loop_turn();
        auv_task_cancel(task, NULL);
        loop_turn();
        cr_assert(eq(int, auv_future_result(task, &value), 0));
        cr_assert(eq(int, (int)value.i, AUV_ECANCELED));
}

/* ---- sleep */

static int sleeps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        trace("+");
        AUV_AWAIT_SLEEP(self->n); AUV_AWAIT_SLEEP(self->n); trace("-");
        AUV_END;
}

Test(stackless, sleeps_twice_on_one_line)
{
        AUV_AUTO auv_task *task = start(sleeps, struct plain, .n = 2);

        cr_assert(eq(int, run(task, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 4));
        cr_assert_trace("+ -");
}

Test(stackless, sleeps_for_a_turn_at_least)
{
        AUV_AUTO auv_task *task = start(sleeps, struct plain, .n = -1);

        loop_turns(3);
        cr_assert_trace("+ | | - |");
        cr_assert(auv_future_done(task));
}

static int sleeps_oddly(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        AUV_AWAIT_SLEEP_CATCH(self->r, (double)NAN);
        AUV_RETURN(.i = self->r);
        AUV_END;
}

Test(stackless, cannot_sleep_for_what_is_no_number)
{
        AUV_AUTO auv_task *task = start(sleeps_oddly, struct plain);
        auv_value value;

        cr_assert(eq(int, run(task, &value), 0));
        cr_assert(eq(int, (int)value.i, AUV_EINVAL));
}

/* ---- cancellation */

Test(stackless, never_starts_where_it_is_cancelled_before)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(cleans_up, struct plain, .future = future);

        auv_task_cancel(task, "no");
        cr_assert(eq(int, run(task, NULL), AUV_ECANCELED));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()), "no"));
        cr_assert_trace("");
}

Test(stackless, is_cancelled_where_it_awaits)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(cleans_up, struct plain, .future = future);

        loop_turn();
        cr_assert(eq(int, auv_task_cancel(task, "enough"), 1));
        cr_assert(auv_future_cancelled(future));
        cr_assert(eq(int, run(task, NULL), AUV_ECANCELED));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()), "enough"));
        cr_assert_trace("body cleanup");
}

Test(stackless, is_cancelled_in_its_sleep)
{
        AUV_AUTO auv_task *first = start(sleeps, struct plain, .n = 2);
        AUV_AUTO auv_task *second = start(sleeps, struct plain, .n = 2);

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
        AUV_BEGIN(struct plain, self);
        auv_task_cancel(auv_current_task(NULL), NULL);
        AUV_AWAIT_SLEEP_CATCH(self->r, self->n);
        trace("%s", auv_error_name(self->r));
        auv_task_cancel(auv_current_task(NULL), NULL);
        AUV_AWAIT_CATCH(self->r, self->future, NULL);
        trace("%s", auv_error_name(self->r));
        auv_task_cancel(auv_current_task(NULL), NULL);
        AUV_END;
}

Test(stackless, is_cancelled_at_the_next_await)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(cancels_itself, struct plain, .n = 5, .future = future);

        cr_assert(eq(int, run(task, NULL), AUV_ECANCELED));
        cr_assert(eq(dbl, auv_loop_time(loop), 0));
        cr_assert_trace("ECANCELED ECANCELED");
}

Test(stackless, refuses_to_be_cancelled)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(catches, struct plain, .future = future);

        loop_turn();
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, run(task, NULL), 0));
        cr_assert_trace("ECANCELED");
}

/* A result that has come, and a request to stop in the same turn. */
Test(stackless, is_cancelled_after_what_it_awaits_is_done)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(catches, struct plain, .future = future);

        loop_turn();
        auv_future_set_result(future, NUMBER(1));
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, run(task, NULL), 0));
        cr_assert_trace("ECANCELED");
}

/* ---- cleanup */

Test(stackless, cleans_up_once_however_it_is_left)
{
        AUV_AUTO auv_future *fails = new_future();
        AUV_AUTO auv_future *succeeds = new_future();
        AUV_AUTO auv_task *failed = start(cleans_up, struct plain, .future = fails);
        AUV_AUTO auv_task *succeeded = start(cleans_up, struct plain, .future = succeeds);
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
Test(stackless, awaits_in_its_cleanup)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(cleans_up_slowly, struct plain, .future = future);
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, "broken");
        auv_error *got;

        loop_turns(1);
        auv_future_set_exception(future, error);
        loop_turns(1);
        cr_assert_trace("| cleanup |");
        cr_assert(eq(int, run(task, NULL), AUV_EUSER));
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
        auv_future_exception(task, &got);
        cr_assert(eq(ptr, got, error));
}

Test(stackless, keeps_its_value_while_its_cleanup_awaits)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(cleans_up_slowly, struct plain, .future = future);
        auv_value value;

        auv_future_set_result(future, NUMBER(1));
        cr_assert(eq(int, run(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 7));
        cr_assert_trace("cleanup cleaned");
}

Test(stackless, ends_with_the_error_of_its_cleanup)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(fails_in_cleanup, struct plain, .future = future);

        auv_future_fail(future, AUV_EPIPE, "from the body");
        cr_assert(eq(int, run(task, NULL), AUV_EUSER));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()), "from the cleanup"));
}

Test(stackless, is_cancelled_in_its_cleanup)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(cleans_up_slowly, struct plain, .future = future);

        auv_future_fail(future, AUV_EPIPE, "from the body");
        loop_turn();
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, run(task, NULL), AUV_ECANCELED));
        cr_assert_trace("cleanup");
}

static int raises_and_recovers(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        AUV_CHECK(self->n);
        trace("on");
        AUV_LEAVE(self->r);
        trace("never");
        AUV_FINALLY;
        auv_raise(AUV_EPIPE, "in passing");
        trace("cleanup");
        AUV_END;
}

Test(stackless, leaves_with_what_a_call_returns)
{
        AUV_AUTO auv_task *checked = start(raises_and_recovers, struct plain, .n = AUV_EUSER);
        AUV_AUTO auv_task *left = start(raises_and_recovers, struct plain, .n = 1, .r = AUV_EUSER - 1);
        AUV_AUTO auv_task *positive = start(raises_and_recovers, struct plain, .r = 1);

        loop_turns(1);
        cr_assert_trace("cleanup on cleanup on cleanup |");
        cr_assert(eq(int, auv_future_result(checked, NULL), AUV_EUSER));
        cr_assert(eq(int, auv_future_result(left, NULL), AUV_EUSER - 1));
        cr_assert(eq(int, auv_future_result(positive, NULL), 0));
}

/* ---- control flow */

static int wanders(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        for (self->n = 0; self->n < 4; self->n++) {
                switch (self->n) {
                case 0:
                        AUV_AWAIT_SLEEP(0);
                        trace("zero");
                        break;
                case 1:
                        for (self->r = 0; self->r < 2; self->r++) {
                                switch (self->r) {
                                case 0:
                                        AUV_AWAIT_SLEEP(0);
                                        continue;
                                default:
                                        if (self->r == 1)
                                                AUV_AWAIT_SLEEP(0);
                                        else
                                                trace("never");
                                }
                                trace("inner");
                        }
                        break;
                case 2: {
                        const int twice = 2 * self->n;

                        trace("%d", twice);
                        break;
                }
                default:
                        do {
                                AUV_AWAIT_SLEEP(0);
                        } while (--self->r > 0);
                        trace("default");
                }
        }
        AUV_END;
}

Test(stackless, awaits_in_loops_and_nested_switches)
{
        AUV_AUTO auv_task *task = start(wanders, struct plain);

        loop_turns(6);
        cr_assert_trace("| zero | | inner 4 | | default |");
        cr_assert(auv_future_done(task));
}

/* ---- bodies in bodies */

struct inner {
        auv_frame frame;
        const char *name;
        auv_future *future;
};

static int part(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct inner, self);
        trace("%s+", self->name);
        AUV_AWAIT_SLEEP(0);
        AUV_AWAIT(self->future, ret);
        trace("%s=", self->name);
        AUV_AWAIT_SLEEP(0);
        AUV_RETURN(.i = ret->i * 2);
        AUV_FINALLY;
        trace("%s-", self->name);
        AUV_END;
}

struct outer {
        auv_frame frame;
        struct inner first;
        auv_value value;
        struct inner second;
};

static int whole(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct outer, self);
        AUV_AWAIT_INLINE(part, &self->first, &self->value);
        trace("%d", (int)self->value.i);
        AUV_AWAIT_INLINE(part, &self->second, NULL);
        AUV_RETURN(.i = self->value.i + 1);
        AUV_FINALLY;
        trace("end");
        AUV_END;
}

Test(stackless, runs_another_body_as_a_part_of_itself)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(whole, struct outer, .first = { .name = "a", .future = future },
                                        .second = { .name = "b", .future = future });
        auv_value value;

        auv_future_set_result(future, NUMBER(4));
        loop_turns(5);
        cr_assert_trace("a+ | a= | a- 8 b+ | b= | b- end |");
        cr_assert(eq(int, auv_future_result(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 9));
}

Test(stackless, fails_with_the_error_of_a_part)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(whole, struct outer, .first = { .name = "a", .future = future });
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, "broken");
        auv_error *got;

        loop_turns(2);
        auv_future_set_exception(future, error);
        loop_turns(1);
        cr_assert_trace("a+ | | a- end |");
        auv_future_exception(task, &got);
        cr_assert(eq(ptr, got, error));
}

Test(stackless, is_cancelled_in_a_part)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(whole, struct outer, .first = { .name = "a", .future = future });

        loop_turns(2);
        auv_task_cancel(task, NULL);
        loop_turns(1);
        cr_assert_trace("a+ | | a- end |");
        cr_assert(auv_future_cancelled(task));
}

static int keeps_part_failures(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct outer, self);
        int r;

        AUV_AWAIT_INLINE_CATCH(r, part, &self->first, &self->value);
        AUV_RETURN(.i = r);
        AUV_END;
}

Test(stackless, goes_on_where_it_catches_the_error_of_a_part)
{
        AUV_AUTO auv_task *task = start(keeps_part_failures, struct outer, .first = { .name = "a" });
        auv_value value;

        cr_assert(eq(int, run(task, &value), 0));
        cr_assert(eq(int, (int)value.i, AUV_EINVAL));
}

enum { DEPTH = 50 };

struct deep {
        auv_frame frame[DEPTH];
};

/* A frame in an array of frames: what is left of the array is for those below. */
static int descends(auv_frame *frame, auv_value *ret);

struct level {
        auv_frame frame;
        auv_frame rest[];
};

static int descends(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct level, self);
        AUV_AWAIT_SLEEP(1);
        if (ret->i-- > 1)
                AUV_AWAIT_INLINE(descends, self->rest, ret);
        else
                AUV_RAISE(AUV_EUSER, "the bottom");
        AUV_END;
}

static int starts_descent(auv_frame *frame, auv_value *ret)
{
        ret->i = ret->i ? ret->i : DEPTH;
        return descends(frame, ret);
}

Test(stackless, may_have_parts_of_any_depth)
{
        const struct deep deep = { 0 };
        AUV_AUTO auv_task *task = create(&deep, sizeof(deep), starts_descent);

        cr_assert(eq(int, run(task, NULL), AUV_EUSER));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()), "the bottom"));
        cr_assert(eq(dbl, auv_loop_time(loop), DEPTH));
}

static void count_destroyed(void *p)
{
        ++*(int *)p;
}

static int makes_something(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        AUV_AWAIT_SLEEP(0);
        AUV_RETURN(.p = self->value.p, .destroy = count_destroyed);
        AUV_END;
}

struct waster {
        auv_frame frame;
        struct plain part;
};

static int wastes(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct waster, self);
        AUV_AWAIT_INLINE(makes_something, &self->part, NULL);
        AUV_END;
}

Test(stackless, destroys_a_result_of_a_part_that_nobody_wants)
{
        int n = 0;
        AUV_AUTO auv_task *task = start(wastes, struct waster, .part = { .value = { .p = &n } });

        cr_assert(eq(int, run(task, NULL), 0));
        cr_assert(eq(int, n, 1));
}

/* ---- the same task */

static int starts_eagerly(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(NULL, NULL, &(struct plain) { .future = arg },
                                                       sizeof(struct plain),
                                                       AUV_TASK_OPTIONS(.stackless = awaits,
                                                                        .eager_start = true));

        trace("made");
        AUV_TRY(auv_await(task, ret));
        return 0;
}

Test(stackless, starts_eagerly_up_to_its_first_suspension)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, starts_eagerly, future, 0, NULL);
        auv_value value;

        loop_turns(1);
        auv_future_set_result(future, NUMBER(1));
        cr_assert(eq(int, run(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 2));
        cr_assert_trace("+ made | -");
}

Test(stackless, is_made_by_the_eager_task_factory)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *eager = NULL;

        auv_loop_set_task_factory(loop, auv_eager_task_factory, NULL);
        eager = start(awaits, struct plain, .future = future);
        auv_loop_set_task_factory(loop, NULL, NULL);
        cr_assert_trace("");
        auv_future_set_result(future, NUMBER(1));
        cr_assert(eq(int, run(eager, NULL), 0));
}

static int spawns_in_group(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        const auv_task_options *options = AUV_TASK_OPTIONS(.stackless = awaits);

        AUV_TRY(auv_task_group_enter(group));
        auv_unref(auv_task_group_create_task(group, NULL, &(struct plain) { .future = arg },
                                             sizeof(struct plain), options));
        auv_unref(auv_task_group_create_task(group, NULL, &(struct plain) { .n = 1 },
                                             sizeof(struct plain), options));
        return auv_await_task_group_exit(group, 0);
}

/* The one awaits NULL, and fails; the other is cancelled for it. */
Test(stackless, may_be_a_task_of_a_group)
{
        AUV_AUTO auv_future *future = new_future();

        cr_assert(eq(int, loop_run(spawns_in_group, future, NULL), AUV_EGROUP));
        cr_assert_trace("+ +");
        cr_assert(auv_future_cancelled(future));
}

static int awaits_each_other(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        self->future = auv_loop_create_task(NULL, coro_return, &(intmax_t) { 20 }, sizeof(intmax_t), NULL);
        AUV_AWAIT(self->future, &self->value);
        auv_unref(self->future);
        self->future = start(returns_at_once, struct plain, .n = (int)self->value.i + 1);
        AUV_AWAIT(self->future, &self->value);
        AUV_RETURN(.i = self->value.i * 2);
        AUV_FINALLY;
        auv_unref(self->future);
        AUV_END;
}

Test(stackless, awaits_tasks_of_both_forms)
{
        AUV_AUTO auv_task *task = start(awaits_each_other, struct plain);
        auv_value value;

        cr_assert(eq(int, run(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 42));
}

static int sleeps_in_runner(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        AUV_AWAIT_SLEEP(1000);
        AUV_RETURN(.i = self->n);
        AUV_END;
}

Test(stackless, is_the_main_function_of_a_runner)
{
        AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL));
        const struct plain frame = { .n = 5 };
        auv_value value;

        cr_assert(eq(int, auv_runner_run_stackless(runner, sleeps_in_runner, &frame, sizeof(frame), &value),
                     0));
        cr_assert(eq(int, (int)value.i, 5));
        cr_assert(eq(int, auv_runner_run_stackless(runner, NULL, &frame, sizeof(frame), NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_runner_run_stackless(runner, ends, &frame, 0, NULL), AUV_EINVAL));
}

Test(stackless, is_the_main_function_of_a_program)
{
        const struct plain frame = { .n = 5 };

        cr_assert(eq(int, auv_run_stackless(returns_at_once, &frame, sizeof(frame)), 0));
        cr_assert(eq(int, auv_run_stackless(returns_at_once, NULL, sizeof(frame)), AUV_EINVAL));
}

/* ---- context variables */

static auv_context_var *variable;

static int reads_variable(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        auv_value value;

        auv_context_var_set(variable, NUMBER(self->n), NULL);
        AUV_AWAIT_SLEEP(0);
        AUV_CHECK(auv_context_var_get(variable, &value));
        AUV_RETURN(.i = value.i);
        AUV_END;
}

Test(stackless, has_context_variables_of_its_own)
{
        AUV_AUTO auv_task *a = NULL;
        AUV_AUTO auv_task *b = NULL;
        auv_value value;

        variable = auv_context_var_new("v", NULL);
        a = start(reads_variable, struct plain, .n = 1);
        b = start(reads_variable, struct plain, .n = 2);
        loop_turns(2);
        cr_assert(eq(int, auv_future_result(a, &value), 0));
        cr_assert(eq(int, (int)value.i, 1));
        cr_assert(eq(int, auv_future_result(b, &value), 0));
        cr_assert(eq(int, (int)value.i, 2));
        auv_unref(variable);
}

/* ---- a loop that is closed */

static int insists(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        for (;;) {
                AUV_AWAIT_CATCH(self->r, self->future, NULL);
                if (self->n++ == 0)
                        trace("%s", auv_error_name(self->r));
        }
        AUV_END;
}

static void close_with(auv_task *task, const char *expected)
{
        loop_turn();
        trace_clear();
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_trace(expected);
        cr_assert(auv_future_done(task));
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_ECLOSED));
        cr_assert(eq(int, reports_drop(), 1));
}

Test(stackless, is_made_to_return_from_an_await_when_its_loop_is_closed)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(cleans_up_slowly, struct plain, .future = future);

        close_with(task, "cleanup");
}

Test(stackless, is_made_to_return_when_what_it_awaits_is_done_and_its_loop_closed)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(cleans_up, struct plain, .future = future);

        loop_turn();
        auv_future_set_result(future, NUMBER(1));
        trace_clear();
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_trace("cleanup");
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_ECLOSED));
        cr_assert(eq(int, reports_drop(), 1));
}

Test(stackless, is_made_to_return_from_a_sleep_when_its_loop_is_closed)
{
        AUV_AUTO auv_task *task = start(sleeps, struct plain, .n = 5);

        close_with(task, "");
}

Test(stackless, is_made_to_return_from_a_part_when_its_loop_is_closed)
{
        AUV_AUTO auv_task *task = start(whole, struct outer, .first = { .name = "a" });

        close_with(task, "a- end");
}

Test(stackless, that_will_not_return_is_left_when_its_loop_is_closed)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(insists, struct plain, .future = future);

        close_with(task, "ECLOSED");
}

/* ---- calls that need a stack */

static auv_future *pending;

#define NEEDS_STACK(call)                                                                               \
        do {                                                                                            \
                cr_assert(eq(int, (call), AUV_ENOSTACK), "%s", #call);                                  \
                cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOSTACK), "%s", #call);     \
        } while (0)

static bool is_fulfilled(void *arg)
{
        return false;
}

static int runs_in_thread(void *arg, auv_value *ret)
{
        cr_fatal("has been run");
}

static int calls_what_needs_a_stack(auv_frame *frame, auv_value *ret)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        AUV_AUTO auv_event *event = auv_event_new();
        AUV_AUTO auv_condition *condition = auv_condition_new(lock);
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(1);
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(1);
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        AUV_AUTO auv_as_completed *iterator = auv_as_completed_new(&pending, 1, AUV_NO_TIMEOUT);
        auv_value value;

        NEEDS_STACK(auv_await(pending, NULL));
        NEEDS_STACK(auv_await_sleep(0));
        NEEDS_STACK(auv_await_shield(pending, NULL));
        NEEDS_STACK(auv_await_gather(&pending, 1, 0, NULL));
        NEEDS_STACK(auv_await_wait(&pending, 1, 1, AUV_ALL_COMPLETED, NULL));
        NEEDS_STACK(auv_await_wait_for(pending, 1, NULL));
        NEEDS_STACK(auv_await_wait_for_coro(coro_nothing, NULL, 1, NULL));
        NEEDS_STACK(auv_await_as_completed(iterator, NULL));
        NEEDS_STACK(auv_await_lock_acquire(lock));
        NEEDS_STACK(auv_await_event_wait(event));
        NEEDS_STACK(auv_await_condition_acquire(condition));
        NEEDS_STACK(auv_await_condition_wait(condition));
        NEEDS_STACK(auv_await_condition_wait_for(condition, is_fulfilled, NULL));
        NEEDS_STACK(auv_await_semaphore_acquire(semaphore));
        NEEDS_STACK(auv_await_barrier_wait(barrier));
        NEEDS_STACK(auv_await_barrier_reset(barrier));
        NEEDS_STACK(auv_await_barrier_abort(barrier));
        NEEDS_STACK(auv_await_queue_put(queue, NUMBER(1)));
        NEEDS_STACK(auv_await_queue_get(queue, &value));
        NEEDS_STACK(auv_await_queue_join(queue));
        NEEDS_STACK(auv_await_to_thread(runs_in_thread, NULL, 0, NULL));
        NEEDS_STACK(auv_await_shutdown_default_executor(1));
        cr_assert(eq(int, auv_task_group_enter(group), 0));
        NEEDS_STACK(auv_await_task_group_exit(group, 0));
        cr_assert(not(auv_lock_locked(lock)));
        ret->i = 1;
        return 0;
}

Test(stackless, cannot_call_what_needs_a_stack)
{
        AUV_AUTO auv_task *task = start(calls_what_needs_a_stack, struct plain);
        auv_value value;

        pending = new_future();
        cr_assert(eq(int, run(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 1));
        auv_unref(pending);
}

static int calls_what_needs_a_frame(void *arg, auv_value *ret)
{
        cr_assert(eq(int, auv_frame_wait(arg, NULL), AUV_ERUNTIME));
        cr_assert(eq(int, auv_frame_sleep(1), AUV_ERUNTIME));
        return 0;
}

Test(stackless, awaits_are_no_awaits_elsewhere)
{
        AUV_AUTO auv_future *future = new_future();

        cr_assert(eq(int, loop_run(calls_what_needs_a_frame, future, NULL), 0));
        cr_assert(eq(int, auv_frame_wait(future, NULL), AUV_ENOTASK));
        cr_assert(eq(int, auv_frame_sleep(1), AUV_ENOTASK));
}

/* ---- calls of the library's that wait by themselves */

struct caller {
        auv_frame frame;
        auv_subframe subframe;
        auv_future *futures[2];
        auv_future *sorted[2];
        void *object;
        auv_value value;
        int n;
        int r;
};

static int waits(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct caller, self);
        AUV_AWAIT_CALL_CATCH(self->r, &self->subframe,
                             auv_await_wait(self->futures, 2, 5, AUV_FIRST_COMPLETED, self->sorted));
        trace("%d", self->r);
        AUV_CHECK(self->r);
        AUV_AWAIT_CALL(&self->subframe, auv_await_wait_for(self->sorted[1], 2, NULL));
        AUV_END;
}

Test(stackless, calls_what_waits)
{
        AUV_AUTO auv_future *first = new_future();
        AUV_AUTO auv_future *second = new_future();
        AUV_AUTO auv_task *task = start(waits, struct caller, .futures = { first, second });

        loop_turns(1);
        auv_future_set_result(second, NUMBER(1));
        loop_turns(2);
        cr_assert_trace("| | 1 |");
        cr_assert(eq(int, run(task, NULL), AUV_ETIMEDOUT));
        cr_assert(auv_future_cancelled(first));
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
}

Test(stackless, is_cancelled_in_a_call)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(waits, struct caller, .futures = { future, future });

        loop_turns(1);
        auv_task_cancel(task, "enough");
        cr_assert(eq(int, run(task, NULL), AUV_ECANCELED));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()), "enough"));
        cr_assert(not(auv_future_done(future)));
        cr_assert_trace("| -125");
}

Test(stackless, is_made_to_return_from_a_call_when_its_loop_is_closed)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(waits, struct caller, .futures = { future, future });

        close_with(task, "-5003");
}

static int works_with_lock(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct caller, self);
        AUV_AWAIT_CALL(&self->subframe, auv_await_lock_acquire(self->object));
        trace("%d+", self->n);
        AUV_AWAIT_SLEEP_CATCH(self->r, 1);
        trace("%d-", self->n);
        AUV_CHECK(auv_lock_release(self->object));
        AUV_LEAVE(self->r);
        AUV_END;
}

Test(stackless, shares_a_lock_with_tasks_of_both_forms)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        auv_task *tasks[3];
        AUV_AUTO auv_future *all = NULL;

        for (int i = 0; i < 3; i++)
                tasks[i] = start(works_with_lock, struct caller, .object = lock, .n = i);
        loop_turn();
        auv_task_cancel(tasks[1], NULL);
        all = auv_gather(tasks, 3, AUV_RETURN_EXCEPTIONS);
        cr_assert(eq(int, run(all, NULL), 0));
        cr_assert_trace("0+ 0- 2+ 2-");
        cr_assert(not(auv_lock_locked(lock)));
        for (int i = 0; i < 3; i++)
                auv_unref(tasks[i]);
}

static int produces(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct caller, self);
        for (self->n = 0; self->n < 3; self->n++) {
                AUV_AWAIT_CALL(&self->subframe, auv_await_queue_put(self->object, NUMBER(self->n)));
                trace("+%d", self->n);
        }
        AUV_AWAIT_CALL(&self->subframe, auv_await_queue_join(self->object));
        trace("joined");
        AUV_END;
}

static int consumes(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct caller, self);
        for (;;) {
                AUV_AWAIT_CALL(&self->subframe, auv_await_queue_get(self->object, &self->value));
                trace("-%d", (int)self->value.i);
                auv_queue_task_done(self->object);
        }
        AUV_END;
}

Test(stackless, passes_items_through_a_queue)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(1);
        AUV_AUTO auv_task *producer = start(produces, struct caller, .object = queue);
        AUV_AUTO auv_task *consumer = start(consumes, struct caller, .object = queue);

        cr_assert(eq(int, run(producer, NULL), 0));
        cr_assert_trace("+0 -0 +1 -1 +2 -2 joined");
        auv_task_cancel(consumer, NULL);
        loop_turn();
        cr_assert(auv_future_cancelled(consumer));
}

static int has_group(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct caller, self);
        self->object = auv_task_group_new();
        AUV_CHECK(auv_task_group_enter(self->object));
        auv_unref(auv_task_group_create_task(self->object, coro_steps,
                                             &(struct steps) { .name = "a", .turns = 3 },
                                             sizeof(struct steps), NULL));
        AUV_AWAIT_SLEEP_CATCH(self->r, 0);
        AUV_AWAIT_CALL(&self->subframe, auv_await_task_group_exit(self->object, self->r));
        trace("out");
        AUV_FINALLY;
        auv_unref(self->object);
        AUV_END;
}

Test(stackless, is_the_scope_of_a_group)
{
        AUV_AUTO auv_task *task = start(has_group, struct caller);

        cr_assert(eq(int, run(task, NULL), 0));
        cr_assert_trace("a+ a- out");
}

static int calls_twice(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct caller, self);
        AUV_AWAIT_CALL(&self->subframe, auv_await_event_wait(self->object));
        /* The subframe was for that call alone. */
        AUV_LEAVE(auv_await_event_wait(self->object));
        AUV_END;
}

Test(stackless, has_a_subframe_for_one_call_only)
{
        AUV_AUTO auv_event *event = auv_event_new();
        AUV_AUTO auv_task *late = start(calls_twice, struct caller, .object = event);
        AUV_AUTO auv_task *early = NULL;

        loop_turn();
        auv_event_set(event);
        early = start(calls_twice, struct caller, .object = event);
        cr_assert(eq(int, run(late, NULL), AUV_ENOSTACK));
        cr_assert(eq(int, run(early, NULL), AUV_ENOSTACK));
}

/* Of all that has a future to be awaited instead. */
static int calls_what_needs_a_stack_all_the_same(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct caller, self);
        AUV_AWAIT_CALL_CATCH(self->r, &self->subframe, auv_await(self->futures[0], NULL));
        cr_assert(eq(int, self->r, AUV_ENOSTACK));
        AUV_AWAIT_CALL_CATCH(self->r, &self->subframe, auv_await_sleep(1));
        cr_assert(eq(int, self->r, AUV_ENOSTACK));
        AUV_AWAIT_CALL_CATCH(self->r, &self->subframe, auv_await_shield(self->futures[0], NULL));
        cr_assert(eq(int, self->r, AUV_ENOSTACK));
        AUV_AWAIT_CALL_CATCH(self->r, &self->subframe, auv_await_gather(self->futures, 1, 0, NULL));
        cr_assert(eq(int, self->r, AUV_ENOSTACK));
        AUV_AWAIT_CALL_CATCH(self->r, &self->subframe, auv_await_wait_for_coro(coro_nothing, NULL, 1, NULL));
        cr_assert(eq(int, self->r, AUV_ENOSTACK));
        AUV_END;
}

Test(stackless, calls_only_what_can_be_called)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(calls_what_needs_a_stack_all_the_same, struct caller,
                                        .futures = { future });

        cr_assert(eq(int, run(task, NULL), 0));
}

/* ---- what others see of it */

static int is_looked_at(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct plain, self);
        auv_call_graph_entry entry = { .level = 1 };

        cr_assert(eq(int, auv_capture_call_graph(NULL, &entry, 1), 1));
        cr_assert(eq(ptr, (void *)entry.coro, (void *)is_looked_at));
        cr_assert(eq(ptr, (void *)entry.site, NULL));
        cr_assert(eq(sz, auv_task_stack_used(auv_current_task(NULL)), 0));
        AUV_AWAIT(self->future, NULL);
        AUV_END;
}

Test(stackless, stands_in_call_graphs)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(is_looked_at, struct plain, .future = future);
        auv_call_graph_entry entries[2] = { 0 };
        char text[1024];

        auv_task_set_name(task, "watched");
        auv_format_call_graph(task, text, sizeof(text));
        cr_assert(strstr(text, "Task(name='watched'") != NULL);
        cr_assert(strstr(text, "not started") != NULL);
        loop_turn();
        cr_assert(eq(int, auv_capture_call_graph(future, entries, 2), 2));
        cr_assert(eq(ptr, entries[1].future, task));
        cr_assert(eq(ptr, (void *)entries[1].coro, (void *)is_looked_at));
        cr_assert(entries[1].site > (const void *)is_looked_at);
        auv_format_call_graph(task, text, sizeof(text));
        cr_assert(strstr(text, "awaits Future(id=") != NULL);
        cr_assert(strstr(text, "async ") != NULL);
        cr_assert(eq(sz, auv_task_stack_used(task), 0));
        auv_future_set_result(future, NUMBER(1));
        loop_turn();
        auv_format_call_graph(task, text, sizeof(text));
        cr_assert(strstr(text, "done") != NULL);
}

Test(stackless, is_told_of_where_it_waits_for_ever)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start(awaits, struct plain, .future = future);

        auv_task_set_name(task, "stuck");
        cr_assert(eq(int, run(task, NULL), AUV_EDEADLK));
        cr_assert(strstr(auv_error_message(auv_error_current()), "task 'stuck' awaits a future") != NULL);
        auv_task_cancel(task, NULL);
        loop_turn();
        reports_drop();
}

Test(stackless, is_measured_in_debug_mode)
{
        AUV_AUTO auv_task *task = NULL;

        auv_loop_set_debug(loop, true);
        task = start(sleeps, struct plain, .n = 1);
        cr_assert(eq(int, run(task, NULL), 0));
        auv_loop_set_debug(loop, false);
}

/* ---- memory */

/* A task and its await take one block. */
Test(stackless, needs_one_block)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *first = start(awaits, struct plain, .future = future);
        AUV_AUTO auv_task *second = NULL;
        long total;

        loop_turn();
        total = failing_allocator_total();
        second = start(awaits, struct plain, .future = future);
        loop_turn();
        auv_future_set_result(future, NUMBER(1));
        loop_turn();
        cr_assert(auv_future_done(first) && auv_future_done(second));
        cr_assert(failing_allocator_total() <= total + 1);
}

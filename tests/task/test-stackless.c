/* SPDX-License-Identifier: MIT */

/* Tasks without a stack: what their macros do, and that the task does not know the difference. */

#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/stackless.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

TestSuite(stackless, .init = loop_setup, .fini = loop_teardown);

/* ---- bodies */

static int returns_at_once(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        AUV_RETURN(.i = self->n);
        AUV_END;
}

static int fails_at_once(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        AUV_RAISE(AUV_EUSER, "number %d", self->n);
        AUV_END;
}

static int ends(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        AUV_END;
}

/* ---- tasks */

Test(stackless, returns_a_value)
{
        AUV_AUTO auv_task *task = start_stackless(returns_at_once, struct stackless, .n = 5);
        auv_value value;

        cr_assert(eq(int, run_stackless(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 5));
}

Test(stackless, returns_nothing_at_its_end)
{
        AUV_AUTO auv_task *task = start_stackless(ends, struct stackless);
        auv_value value = { .i = 5 };

        cr_assert(eq(int, run_stackless(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 0));
}

Test(stackless, fails_with_its_error_object)
{
        AUV_AUTO auv_task *task = start_stackless(fails_at_once, struct stackless, .n = 5);

        cr_assert(eq(int, run_stackless(task, NULL), AUV_EUSER));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()), "number 5"));
}

Test(stackless, starts_in_the_next_turn_in_the_order_of_creation)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *a = start_steps(.name = "a", .turns = 1);
        AUV_AUTO auv_task *b = start_stackless(stackless_await, struct stackless, .future = future);
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
        const struct stackless frame = { .n = 1 };

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
        struct stackless frame = { .frame = { .at = 12345, .error = -5 }, .n = 5 };
        AUV_AUTO auv_task *task = create(&frame, sizeof(frame), returns_at_once);
        auv_value value;

        memset(&frame, 0xff, sizeof(frame));
        cr_assert(eq(int, run_stackless(task, &value), 0));
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
        AUV_AUTO auv_task *task = start_stackless(squares, struct wide, .number = 9);
        auv_value value;

        cr_assert(eq(int, run_stackless(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 81));
        cr_assert(value.destroy == NULL);
}

Test(stackless, is_not_made_without_memory)
{
        AUV_AUTO auv_task *first = start_stackless(ends, struct stackless);

        cr_assert(eq(int, run_stackless(first, NULL), 0));
        failing_allocator_arm(1);
        cr_assert(start_stackless(ends, struct stackless) == NULL);
        cr_assert(failing_allocator_disarm());
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOMEM));
}

/* ---- control flow */

static int wanders(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
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
        AUV_AUTO auv_task *task = start_stackless(wanders, struct stackless);

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
        AUV_AUTO auv_task *task = start_stackless(whole, struct outer,
                                                  .first = { .name = "a", .future = future },
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
        AUV_AUTO auv_task *task = start_stackless(whole, struct outer,
                                                  .first = { .name = "a", .future = future });
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
        AUV_AUTO auv_task *task = start_stackless(whole, struct outer,
                                                  .first = { .name = "a", .future = future });

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
        AUV_AUTO auv_task *task = start_stackless(keeps_part_failures, struct outer,
                                                  .first = { .name = "a" });
        auv_value value;

        cr_assert(eq(int, run_stackless(task, &value), 0));
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

        cr_assert(eq(int, run_stackless(task, NULL), AUV_EUSER));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()), "the bottom"));
        cr_assert(eq(dbl, auv_loop_time(loop), DEPTH));
}

static void count_destroyed(void *p)
{
        ++*(int *)p;
}

static int makes_something(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        AUV_AWAIT_SLEEP(0);
        AUV_RETURN(.p = self->value.p, .destroy = count_destroyed);
        AUV_END;
}

struct waster {
        auv_frame frame;
        struct stackless part;
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
        AUV_AUTO auv_task *task = start_stackless(wastes, struct waster, .part = { .value = { .p = &n } });

        cr_assert(eq(int, run_stackless(task, NULL), 0));
        cr_assert(eq(int, n, 1));
}

static int makes_something_early(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        *ret = (auv_value) { .p = self->value.p, .destroy = count_destroyed };
        AUV_AWAIT_SLEEP(0);
        AUV_END;
}

static int wastes_early(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct waster, self);
        AUV_AWAIT_INLINE(makes_something_early, &self->part, NULL);
        AUV_END;
}

Test(stackless, destroys_such_a_result_where_the_part_waits)
{
        int n = 0;
        AUV_AUTO auv_task *task = start_stackless(wastes_early, struct waster,
                                                  .part = { .value = { .p = &n } });

        loop_turns(1);
        cr_assert(eq(int, n, 1));
        loop_turns(1);
        cr_assert(auv_future_done(task));
        cr_assert(eq(int, n, 1));
}

static int hands_on_waste(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        AUV_AWAIT(self->future, ret);
        AUV_END;
}

static int wastes_what_it_awaits(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct waster, self);
        AUV_AWAIT_INLINE(hands_on_waste, &self->part, NULL);
        self->part = (struct stackless) { .future = self->part.future };
        AUV_AWAIT_INLINE(hands_on_waste, &self->part, NULL);
        AUV_END;
}

/* Once where the future is pending, and once where it is done. */
Test(stackless, leaves_a_result_alone_that_a_part_has_awaited)
{
        auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(wastes_what_it_awaits, struct waster,
                                                  .part = { .future = future });
        int n = 0;

        loop_turns(1);
        auv_future_set_result(future, (auv_value) { .p = &n, .destroy = count_destroyed });
        loop_turns(1);
        cr_assert(auv_future_done(task));
        cr_assert(eq(int, n, 0));
        auv_unref(future);
        cr_assert(eq(int, n, 1));
}

Test(stackless, is_made_to_return_from_a_part_when_its_loop_is_closed)
{
        AUV_AUTO auv_task *task = start_stackless(whole, struct outer, .first = { .name = "a" });

        cr_assert_closing(task, "a- end");
}

/* ---- the same task */

static int starts_eagerly(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(NULL, NULL, &(struct stackless) { .future = arg },
                                                       sizeof(struct stackless),
                                                       AUV_TASK_OPTIONS(.stackless = stackless_await,
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
        cr_assert(eq(int, run_stackless(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 2));
        cr_assert_trace("+ made | -");
}

Test(stackless, is_made_by_the_eager_task_factory)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *eager = NULL;

        auv_loop_set_task_factory(loop, auv_eager_task_factory, NULL);
        eager = start_stackless(stackless_await, struct stackless, .future = future);
        auv_loop_set_task_factory(loop, NULL, NULL);
        cr_assert_trace("");
        auv_future_set_result(future, NUMBER(1));
        cr_assert(eq(int, run_stackless(eager, NULL), 0));
}

static int spawns_in_group(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        const auv_task_options *options = AUV_TASK_OPTIONS(.stackless = stackless_await);

        AUV_TRY(auv_task_group_enter(group));
        auv_unref(auv_task_group_create_task(group, NULL, &(struct stackless) { .future = arg },
                                             sizeof(struct stackless), options));
        auv_unref(auv_task_group_create_task(group, NULL, &(struct stackless) { .n = 1 },
                                             sizeof(struct stackless), options));
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
        AUV_BEGIN(struct stackless, self);
        self->future = auv_loop_create_task(NULL, coro_return, &(intmax_t) { 20 }, sizeof(intmax_t), NULL);
        AUV_AWAIT(self->future, &self->value);
        auv_unref(self->future);
        self->future = start_stackless(returns_at_once, struct stackless, .n = (int)self->value.i + 1);
        AUV_AWAIT(self->future, &self->value);
        AUV_RETURN(.i = self->value.i * 2);
        AUV_FINALLY;
        auv_unref(self->future);
        AUV_END;
}

Test(stackless, awaits_tasks_of_both_forms)
{
        AUV_AUTO auv_task *task = start_stackless(awaits_each_other, struct stackless);
        auv_value value;

        cr_assert(eq(int, run_stackless(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 42));
}

static int sleeps_in_runner(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        AUV_AWAIT_SLEEP(1000);
        AUV_RETURN(.i = self->n);
        AUV_END;
}

Test(stackless, is_the_main_function_of_a_runner)
{
        AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL));
        const struct stackless frame = { .n = 5 };
        auv_value value;

        cr_assert(eq(int, auv_runner_run_stackless(runner, sleeps_in_runner, &frame, sizeof(frame), &value),
                     0));
        cr_assert(eq(int, (int)value.i, 5));
        cr_assert(eq(int, auv_runner_run_stackless(runner, NULL, &frame, sizeof(frame), NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_runner_run_stackless(runner, ends, &frame, 0, NULL), AUV_EINVAL));
}

Test(stackless, is_the_main_function_of_a_program)
{
        const struct stackless frame = { .n = 5 };

        cr_assert(eq(int, auv_run_stackless(returns_at_once, &frame, sizeof(frame)), 0));
        cr_assert(eq(int, auv_run_stackless(returns_at_once, NULL, sizeof(frame)), AUV_EINVAL));
}

/* ---- context variables */

static auv_context_var *variable;

static int reads_variable(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
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
        a = start_stackless(reads_variable, struct stackless, .n = 1);
        b = start_stackless(reads_variable, struct stackless, .n = 2);
        loop_turns(2);
        cr_assert(eq(int, auv_future_result(a, &value), 0));
        cr_assert(eq(int, (int)value.i, 1));
        cr_assert(eq(int, auv_future_result(b, &value), 0));
        cr_assert(eq(int, (int)value.i, 2));
        auv_unref(variable);
}

/* ---- what others see of it */

static int is_looked_at(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
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
        AUV_AUTO auv_task *task = start_stackless(is_looked_at, struct stackless, .future = future);
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
        AUV_AUTO auv_task *task = start_stackless(stackless_await, struct stackless, .future = future);

        auv_task_set_name(task, "stuck");
        cr_assert(eq(int, run_stackless(task, NULL), AUV_EDEADLK));
        cr_assert(strstr(auv_error_message(auv_error_current()), "task 'stuck' awaits a future") != NULL);
        auv_task_cancel(task, NULL);
        loop_turn();
        reports_drop();
}

Test(stackless, is_measured_in_debug_mode)
{
        AUV_AUTO auv_task *task = NULL;

        auv_loop_set_debug(loop, true);
        task = start_stackless(stackless_sleep, struct stackless, .n = 1);
        cr_assert(eq(int, run_stackless(task, NULL), 0));
        auv_loop_set_debug(loop, false);
}

/* ---- memory */

/* A task and its await take one block. */
Test(stackless, needs_one_block)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *first = start_stackless(stackless_await, struct stackless, .future = future);
        AUV_AUTO auv_task *second = NULL;
        long total;

        loop_turn();
        total = failing_allocator_total();
        second = start_stackless(stackless_await, struct stackless, .future = future);
        loop_turn();
        auv_future_set_result(future, NUMBER(1));
        loop_turn();
        cr_assert(auv_future_done(first) && auv_future_done(second));
        cr_assert(failing_allocator_total() <= total + 1);
}

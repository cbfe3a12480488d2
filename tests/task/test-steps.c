/* SPDX-License-Identifier: MIT */

/* The calls that wait by themselves, from bodies without a stack; and those that need a stack. */

#include "support/coroutine.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/stackless.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(steps, .init = loop_setup, .fini = loop_teardown);

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

Test(steps, calls_what_waits)
{
        AUV_AUTO auv_future *first = new_future();
        AUV_AUTO auv_future *second = new_future();
        AUV_AUTO auv_task *task = start_stackless(waits, struct caller, .futures = { first, second });

        loop_turns(1);
        auv_future_set_result(second, NUMBER(1));
        loop_turns(2);
        cr_assert_trace("| | 1 |");
        cr_assert(eq(int, run_stackless(task, NULL), AUV_ETIMEDOUT));
        cr_assert(auv_future_cancelled(first));
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
}

Test(steps, is_cancelled_in_a_call)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(waits, struct caller, .futures = { future, future });

        loop_turns(1);
        auv_task_cancel(task, "enough");
        cr_assert(eq(int, run_stackless(task, NULL), AUV_ECANCELED));
        cr_assert(eq(str, (char *)auv_error_message(auv_error_current()), "enough"));
        cr_assert(not(auv_future_done(future)));
        cr_assert_trace("| -125");
}

Test(steps, is_made_to_return_from_a_call_when_its_loop_is_closed)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(waits, struct caller, .futures = { future, future });

        cr_assert_closing(task, "-5003");
}

static int gets_on_and_on(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct caller, self);
        for (;;) {
                AUV_AWAIT_CALL_CATCH(self->r, &self->subframe,
                                     auv_await_queue_get(self->object, &self->value));
                ++*(int *)self->value.p;
        }
        AUV_END;
}

/* It is left where it stands then, but in no line: its place there would go with it. */
Test(steps, is_left_without_a_place_in_line_where_it_calls_on_and_on_when_its_loop_is_closed)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(0);
        int n = 0;
        auv_task *task = start_stackless(gets_on_and_on, struct caller, .object = queue, .value = { .p = &n });

        loop_turn();
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, reports_drop(), 1));
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_ECLOSED));
        auv_unref(task);
        cr_assert(ge(int, n, 100));
        cr_assert(eq(int, auv_queue_put_nowait(queue, NUMBER(1)), 0));
        cr_assert(eq(sz, auv_queue_qsize(queue), 1));
}

static auv_task *start_eagerly(auv_stackless_fn fn, void *object)
{
        return auv_loop_create_task(loop, NULL, &(struct caller) { .object = object, .n = 1 },
                                    sizeof(struct caller),
                                    AUV_TASK_OPTIONS(.stackless = fn, .eager_start = true));
}

static int calls_too(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct caller, self);
        AUV_AWAIT_CALL(&self->subframe, auv_await_lock_acquire(self->object));
        AUV_AWAIT_SLEEP(1);
        AUV_CHECK(auv_lock_release(self->object));
        AUV_RETURN(.i = 7);
        AUV_END;
}

static int calls_in_vain(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct caller, self);
        AUV_CHECK(auv_await_lock_acquire(self->object));
        AUV_END;
}

static int calls_with_task(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct caller, self);
        AUV_AWAIT_CALL(&self->subframe,
                       auv_await_wait_for(self->futures[0] = start_eagerly(calls_too, self->object), 2,
                                          &self->value));
        trace("%d", (int)self->value.i);
        AUV_AWAIT_CALL_CATCH(self->r, &self->subframe,
                             auv_await_wait_for(self->futures[1] = start_eagerly(calls_in_vain, self->object),
                                                2, NULL));
        trace("%s", auv_error_name(self->r));
        AUV_FINALLY;
        auv_unref(self->futures[0]);
        auv_unref(self->futures[1]);
        AUV_END;
}

/* A task that starts at once has its first step before the call does: that step has a subframe or none. */
Test(steps, calls_with_a_task_that_starts_at_once_and_calls_too)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        AUV_AUTO auv_task *task = start_stackless(calls_with_task, struct caller, .object = lock);

        cr_assert(eq(int, run_stackless(task, NULL), 0));
        cr_assert_trace("7 ENOSTACK");
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

Test(steps, shares_a_lock_with_tasks_of_both_forms)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        auv_task *tasks[3];
        AUV_AUTO auv_future *all = NULL;

        for (int i = 0; i < 3; i++)
                tasks[i] = start_stackless(works_with_lock, struct caller, .object = lock, .n = i);
        loop_turn();
        auv_task_cancel(tasks[1], NULL);
        all = auv_gather(tasks, 3, AUV_RETURN_EXCEPTIONS);
        cr_assert(eq(int, run_stackless(all, NULL), 0));
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

Test(steps, passes_items_through_a_queue)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(1);
        AUV_AUTO auv_task *producer = start_stackless(produces, struct caller, .object = queue);
        AUV_AUTO auv_task *consumer = start_stackless(consumes, struct caller, .object = queue);

        cr_assert(eq(int, run_stackless(producer, NULL), 0));
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

Test(steps, is_the_scope_of_a_group)
{
        AUV_AUTO auv_task *task = start_stackless(has_group, struct caller);

        cr_assert(eq(int, run_stackless(task, NULL), 0));
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

Test(steps, has_a_subframe_for_one_call_only)
{
        AUV_AUTO auv_event *event = auv_event_new();
        AUV_AUTO auv_task *late = start_stackless(calls_twice, struct caller, .object = event);
        AUV_AUTO auv_task *early = NULL;

        loop_turn();
        auv_event_set(event);
        early = start_stackless(calls_twice, struct caller, .object = event);
        cr_assert(eq(int, run_stackless(late, NULL), AUV_ENOSTACK));
        cr_assert(eq(int, run_stackless(early, NULL), AUV_ENOSTACK));
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

Test(steps, calls_only_what_can_be_called)
{
        AUV_AUTO auv_future *future = new_future();
        AUV_AUTO auv_task *task = start_stackless(calls_what_needs_a_stack_all_the_same, struct caller,
                                        .futures = { future });

        cr_assert(eq(int, run_stackless(task, NULL), 0));
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

Test(steps, cannot_call_what_needs_a_stack)
{
        AUV_AUTO auv_task *task = start_stackless(calls_what_needs_a_stack, struct stackless);
        auv_value value;

        pending = new_future();
        cr_assert(eq(int, run_stackless(task, &value), 0));
        cr_assert(eq(int, (int)value.i, 1));
        auv_unref(pending);
}

static int calls_what_needs_a_frame(void *arg, auv_value *ret)
{
        cr_assert(eq(int, auv_frame_wait(arg, NULL), AUV_ERUNTIME));
        cr_assert(eq(int, auv_frame_sleep(1), AUV_ERUNTIME));
        return 0;
}

Test(steps, awaits_are_no_awaits_elsewhere)
{
        AUV_AUTO auv_future *future = new_future();

        cr_assert(eq(int, loop_run(calls_what_needs_a_frame, future, NULL), 0));
        cr_assert(eq(int, auv_frame_wait(future, NULL), AUV_ENOTASK));
        cr_assert(eq(int, auv_frame_sleep(1), AUV_ENOTASK));
}

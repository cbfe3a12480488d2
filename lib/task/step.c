/* SPDX-License-Identifier: MIT */

/*
 * Step
 *
 * One run of a task's body, from where it is to its next suspension, or to its end. What the body waits for
 * is noted by the await itself, before it suspends; when that is done, the ready queue has the task's next
 * step, which begins with how the wait has ended.
 */

#include "task/step.h"

#include "base/alloc.h"
#include "base/context.h"
#include "base/error.h"
#include "coro/stackful.h"
#include "coro/stackless.h"
#include "loop/turn.h"
#include "task/behind.h"
#include "task/kinds.h"

/* Where the lender of a task with a body stands; NULL where it cannot have one yet. */
static auv_future **lender_of(struct auv__task *task)
{
        if (!task->stackless)
                return &task->coro->notes.lender;
        return task->has_extras ? &task->extras->lender : NULL;
}

int auv__task_borrow(const auv_value *slot, auv_future *source)
{
        struct auv__task *task = auv__running_loop && auv__running_loop->current
                ? auv__to_task(auv__running_loop->current) : NULL;
        auv_future **lender;

        if (!task || slot != &task->future.value)
                return 0;
        if (task->stackless && !auv__task_extras(task))
                return auv_raise(AUV_ENOMEM, NULL);
        lender = lender_of(task);
        auv__keep(&source->object);
        auv_unref(*lender);
        *lender = source;
        return 1;
}

/* Who owns the task's result, with the reference to it; NULL where it is no more the one borrowed. */
static auv_future *take_lender(struct auv__task *task)
{
        const auv_value *own = &task->future.value;
        auv_future **place = lender_of(task), *lender;

        if (auv__likely(!place || !*place))
                return NULL;
        lender = *place;
        *place = NULL;
        if (own->destroy == lender->value.destroy && own->p == lender->value.p)
                return lender;
        return auv_unref(lender);
}

/* Ends the task as its body has ended: with @r, and with the current error where that is one. */
static void finish(struct auv__task *task, int r)
{
        auv_future *future = &task->future, *lender = take_lender(task);
        auv_value value = future->value;

        if (auv__likely(r >= 0 && !task->must_cancel)) {
                if (auv__unlikely(lender)) {
                        future->object.flags |= AUV__BORROWED;
                        task->lender = lender;
                }
                auv__future_succeed(future, value);
        } else {
                /* There is an error to tell, and no place for a result beside it. */
                if (lender)
                        auv_unref(lender);
                else if (value.destroy)
                        value.destroy(value.p);
                if (r >= 0) {
                        task->must_cancel = false;
                        auv__future_set_cancelled(future, auv_ref(auv__task_cancel_error(future)), NULL);
                } else if (r == AUV_ECANCELED) {
                        auv__future_set_cancelled(future, NULL, auv__error_for(r));
                } else {
                        auv__future_fail(future, auv__error_for(r));
                }
        }
}

/* The error that a body without a stack has kept while it waited; NULL for none. */
static auv_error *take_error(struct auv__task *task)
{
        auv_error *error;

        if (auv__likely(!task->has_extras))
                return NULL;
        error = task->extras->error;
        task->extras->error = NULL;
        return error;
}

/* A body without a stack waits. Its error is kept, where it has one and there is memory. */
static void keep_notes(struct auv__task *task, auv_frame *frame, const void *site, auv_error *error)
{
        struct auv__extras *extras;

        auv__stackless_wait(task->fn, frame, site);
        if (auv__likely(!error))
                return;
        extras = auv__task_extras(task);
        if (extras)
                extras->error = error;
        else
                auv_unref(error);
}

/* The body is gone, and with it what it had. */
static void drop_body(struct auv__task *task)
{
        if (!task->stackless)
                auv__stackful_destroy(task->coro);
        task->coro = NULL;
}

/* What is current outside of a step. */
struct outside {
        auv_loop *loop;
        auv_task *task;
        auv_error **error;
        struct auv__object **context;
};

__attribute__((always_inline)) static inline struct outside look_outside(auv_loop *loop)
{
        return (struct outside) { loop, loop->current, auv__error_slot, auv__context_slot };
}

/*
 * One step with the task as the current one. Takes over the reference to @error, which is thrown into the
 * body; one that has not started never does then.
 */
__attribute__((always_inline)) static inline void run_as_current(struct auv__task *task, bool stackless,
                                                                 auv_error *error, struct outside outside)
{
        auv_frame *frame = stackless ? auv__task_frame(task) : NULL;
        struct auv__notes *notes = stackless ? NULL : &task->coro->notes;
        auv_error *lent = stackless ? take_error(task) : NULL;
        auv_error **slot = stackless ? &lent : &notes->error;
        bool ended;
        int r = 0;

        outside.loop->current = &task->future;
        auv__error_slot = slot;
        auv__context_enter(stackless ? &task->context : notes->context);
        if (auv__unlikely(error))
                r = auv__error_set_current(error);
        if (auv__likely(r == 0) || task->started) {
                task->started = true;
                if (stackless)
                        r = auv__stackless_resume(task->fn, frame, &task->future.value, r);
                else
                        r = auv__stackful_resume(task->coro, r);
        }
        ended = r != AUV__CORO_SUSPENDED;
        if (!stackless)
                notes->context = auv__context_slot;
        if (auv__unlikely(ended)) {
                finish(task, r);
                if (auv__unlikely(*slot))
                        auv_error_clear();
        } else if (stackless) {
                keep_notes(task, frame, outside.loop->frame_site, lent);
        }
        auv__context_leave(outside.context);
        auv__error_slot = outside.error;
        outside.loop->current = outside.task;
        /* The task may go here, and destructors run that must not find it in one of the slots. */
        if (auv__unlikely(ended)) {
                drop_body(task);
                auv__tasks_remove(task);
        }
}

AUV__HOT AUV__RETURNS_BY_JUMP static __attribute__((noinline)) void
step_with_stack(struct auv__task *task, auv_error *error)
{
        run_as_current(task, /* stackless= */ false, error, look_outside(task->future.loop));
        /* Lest what is called last there be a tail call, and its ret come behind the switch. */
        __asm__ volatile("");
}

AUV__HOT static __attribute__((noinline)) void step_without_stack(struct auv__task *task, auv_error *error)
{
        run_as_current(task, /* stackless= */ true, error, look_outside(task->future.loop));
}

/*
 * A first step at once may be where the arguments are made of a call that another body has given a subframe
 * for: that is not this one's.
 */
AUV__RETURNS_BY_JUMP static __attribute__((noinline)) void begin_with_stack(struct auv__task *task)
{
        auv_loop *loop = task->future.loop;
        auv_subframe *outer = loop->subframe;

        loop->subframe = NULL;
        step_with_stack(task, NULL);
        loop->subframe = outer;
}

/* Not a part of what makes a task, which would keep registers for it each time. */
__attribute__((noinline)) void auv__task_step(struct auv__task *task)
{
        auv_loop *loop = task->future.loop;
        auv_subframe *outer = loop->subframe;

        if (!task->stackless) {
                begin_with_stack(task); /* a tail call: no ret comes behind the switch */
                return;
        }
        loop->subframe = NULL;
        step_without_stack(task, NULL);
        loop->subframe = outer;
}

/* The error to throw where a request to stop came too late for what the task waited for. */
static auv_error *late_cancel(struct auv__task *task, auv_error *error)
{
        if (auv_error_code(error) != AUV_ECANCELED) {
                auv_unref(error);
                error = auv__future_cancelled_error(&task->future);
        }
        task->must_cancel = false;
        return error;
}

/*
 * Where many tasks are ready, what each of them needs has long left the cache. Here that is what is on its
 * stack: the control block and the frames below, as far as those of a sleep reach; or, where it is known,
 * down to where the task waits (waits_at, or a future on the stack itself), and what the task calls next.
 */
__attribute__((always_inline)) static inline void fetch_stack(const struct auv__task *task)
{
        enum { LINE = AUV__CACHE_LINE, SHALLOW = 2 * LINE, DEEPEST = 24 * LINE, BELOW = 4 * LINE };

        const uintptr_t top = (uintptr_t)task->coro;
        uintptr_t depth = top - (uintptr_t)task->wait.future;

        if (task->stackless)
                return;
        depth = depth < DEEPEST ? depth + BELOW : SHALLOW;
        for (uintptr_t i = 0; i < depth; i += LINE)
                __builtin_prefetch((const void *)(top - i));
}

/*
 * How the wait has ended of a task that is ready. It waits for nothing from then on: the step may free a
 * future that stands in what the task has on its stack.
 */
__attribute__((always_inline)) static inline auv_error *take_outcome(struct auv__task *task)
{
        auv_future *future = auv__task_awaited(task);
        auv_error *error = NULL;

        if (auv__unlikely(task->rest == AUV__REST_FAILS))
                error = task->rest_error ? task->rest_error : auv__error_static(AUV_ECANCELED);
        else if (future && auv__unlikely(future->object.state != AUV__HAS_RESULT))
                error = auv__future_outcome(future);
        auv__rest_end(task);
        if (future)
                auv__drop(&future->object);
        return error;
}

/* There will be no step that could have it. */
static __attribute__((noinline)) void drop_outcome(struct auv__task *task)
{
        auv_unref(take_outcome(task));
}

/* The next step of a task that is ready, whose wait has come to its end. */
AUV__HOT AUV__RETURNS_BY_JUMP static __attribute__((noinline)) void step_on(struct auv__task *task)
{
        auv_error *error = take_outcome(task);

        if (auv__unlikely(task->must_cancel))
                error = late_cancel(task, error);
        if (task->stackless)
                step_without_stack(task, error);
        else
                step_with_stack(task, error);
}

/*
 * Ends the wait of a task that is ready, where it is of this form, and there is nothing to throw nor to look
 * at; else does nothing, and returns false. One without a stack that has awaited a future has another wake.
 */
__attribute__((always_inline)) static inline bool end_wait_quickly(struct auv__task *task, bool stackless)
{
        auv_future *future;

        if (auv__unlikely(task->must_cancel || task->stackless != stackless))
                return false;
        if (stackless) {
                if (auv__unlikely(task->has_extras))
                        return false; /* there may be an error that it has kept */
                if (auv__likely(task->rest == AUV__AWAKE && !task->wait.future))
                        return true;
                if (task->rest != AUV__RESTED)
                        return false;
                auv__rest_end(task);
                return true;
        }
        future = auv__task_awaited(task);
        if (auv__unlikely(task->rest == AUV__REST_FAILS ||
                          (future && future->object.state != AUV__HAS_RESULT)))
                return false;
        auv__rest_end(task);
        if (future)
                auv__drop(&future->object);
        return true;
}

/* The same as step_on(), for most of them. */
__attribute__((always_inline)) static inline void step_quickly(struct auv__task *task, bool stackless,
                                                               struct outside outside)
{
        if (auv__likely(end_wait_quickly(task, stackless)))
                run_as_current(task, stackless, /* error= */ NULL, outside);
        else
                step_on(task);
}

/* So many of the tasks that the turn steps next are taken from it at once. */
enum { AT_ONCE = 6 };

/*
 * Takes the next ones, and fetches the rest of each. Where they are many, their stacks, too: several at
 * once, because most of the time goes to where the pages are, and the processor can look that up for more
 * than one. Returns how many.
 */
__attribute__((always_inline)) static inline unsigned take_next(auv_loop *loop, bool stackless,
                                                                struct auv__task **tasks)
{
        struct auv__item *item;
        unsigned n = 0;

        for (; n < AT_ONCE && (item = auv__turn_take(loop, auv__task_wake)); n++) {
                tasks[n] = auv__container_of(item, struct auv__task, wait.item);
                __builtin_prefetch(&tasks[n]->cancels, /* rw= */ 1);
        }
        for (unsigned i = 0; !stackless && n == AT_ONCE && i < AT_ONCE; i++)
                fetch_stack(tasks[i]);
        return n;
}

/*
 * The next step of a task, and those of the tasks that follow it in the turn: quickest where they are all of
 * one form.
 */
__attribute__((always_inline)) static inline void step_on_all(struct auv__item *item, bool stackless)
{
        struct auv__task *task = auv__container_of(item, struct auv__task, wait.item);
        auv_loop *loop = task->future.loop;
        const struct outside outside = look_outside(loop);
        struct auv__task *tasks[AT_ONCE];
        unsigned n;

        step_quickly(task, stackless, outside);
        while ((n = take_next(loop, stackless, tasks)) > 0) {
                for (unsigned i = 0; i < n; i++)
                        step_quickly(tasks[i], stackless, outside);
        }
}

AUV__HOT AUV__RETURNS_BY_JUMP static __attribute__((noinline)) void wake_with_stack(struct auv__item *item)
{
        step_on_all(item, /* stackless= */ false);
}

AUV__HOT AUV__RETURNS_BY_JUMP static __attribute__((noinline)) void
wake_without_stack(struct auv__item *item)
{
        step_on_all(item, /* stackless= */ true);
}

AUV__HOT void auv__task_wake(struct auv__item *item, bool dropped)
{
        struct auv__task *task = auv__container_of(item, struct auv__task, wait.item);

        if (auv__unlikely(dropped))
                drop_outcome(task);
        else if (task->stackless)
                wake_without_stack(item);
        else
                wake_with_stack(item);
}

void auv__task_wake_holder(struct auv__item *item, bool dropped)
{
        struct auv__task *task = auv__container_of(item, struct auv__task, wait.item);
        auv_loop *loop = task->future.loop;
        auv_future *future = task->wait.future, *outer = loop->woken_by;

        if (dropped) {
                drop_outcome(task);
        } else {
                loop->woken_by = future;
                step_on(task);
                loop->woken_by = outer;
        }
        if (future)
                auv__drop(&future->object);
}

struct auv__task *auv__task_behind(const struct auv__item *item)
{
        if (item->run != auv__task_wake && item->run != auv__task_wake_holder)
                return NULL;
        return auv__container_of(item, struct auv__task, wait.item);
}

void auv__task_make_fail(struct auv__task *task, auv_error *error)
{
        task->rest = AUV__REST_FAILS;
        task->rest_error = error;
        auv__task_make_ready(task);
}

/* Ends a task whose body does not. */
static void abandon(struct auv__task *task)
{
        auv_error *error = NULL, **place = task->stackless ? NULL : &task->coro->notes.error;

        if (task->stackless && task->has_extras)
                place = &task->extras->error;
        if (place) {
                error = *place;
                *place = NULL;
        }
        finish(task, AUV_ECLOSED);
        auv_unref(error);
        drop_body(task);
}

/*
 * The loop is closed. Every await of the task returns AUV_ECLOSED, until its body has returned;
 * one that does not take the hint is left where it stands, with whatever it holds.
 */
void auv__task_unwind(struct auv__task *task)
{
        auv_future *future = &task->future;
        auv_loop *loop = future->loop, *outer = auv__running_loop;

        auv__keep(&future->object);
        auv_loop_call_exception_handler(loop, &(auv_exception_context) {
                .message = "Task was destroyed but it is pending!", .future = future });
        auv__running_loop = loop;
        task->refusals = 0;
        if (task->stackless)
                step_without_stack(task, auv__error_static(AUV_ECLOSED));
        else
                step_with_stack(task, auv__error_static(AUV_ECLOSED));
        auv__running_loop = outer;
        if (!auv__future_is_done(future)) {
                abandon(task);
                auv__tasks_remove(task);
        }
        future->object.flags &= ~AUV__ERROR_UNSEEN;
        auv__drop(&future->object);
}

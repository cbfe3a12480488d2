/* SPDX-License-Identifier: MIT */

/*
 * Task
 *
 * A future that drives a coroutine, one step at a time: a step runs the body from where it is to
 * its next suspension, or to its end. What the body waits for is noted by the await itself,
 * before it suspends; when that is done, the ready queue has the task's next step.
 */

#include "task/task.h"

#include "base/alloc.h"
#include "base/context.h"
#include "base/error.h"
#include "base/single_threaded.h"
#include "coro/stackful.h"
#include "coro/stackless.h"
#include "loop/hooks.h"
#include "task/behind.h"
#include "task/kinds.h"

#include <stdio.h>
#include <string.h>

static uint64_t next_number = 1; /* of all loops, so counted atomically */
static uint64_t next_order = 1;  /* of tasks made with a name; likewise */

struct auv__extras *auv__task_extras(struct auv__task *task)
{
        struct auv__extras *extras;

        if (task->has_extras)
                return task->extras;
        extras = auv__malloc(sizeof(*extras));
        if (!extras)
                return NULL;
        *extras = auv__task_look_extras(task);
        task->extras = extras;
        task->has_extras = true;
        return extras;
}

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
        return 0;
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

/* What a body without a stack has in place of notes, for one step. */
static void lend_notes(struct auv__task *task, struct auv__notes *notes)
{
        *notes = (struct auv__notes) { .context = &task->context };
        if (auv__unlikely(task->has_extras)) {
                notes->error = task->extras->error;
                task->extras->error = NULL;
        }
}

/* A body without a stack waits. Its current error is kept, where it has one and there is memory. */
static void take_notes_back(struct auv__task *task, auv_error *error)
{
        struct auv__extras *extras;

        auv__stackless_note_site(task->fn, auv__task_frame(task), task->future.loop->frame_site);
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

/* Ends the step in which the body has ended with @r. */
static void end_body(struct auv__task *task, const struct auv__notes *notes, int r)
{
        finish(task, r);
        if (auv__unlikely(notes->error))
                auv_error_clear();
}

/*
 * One step with the task as the current one. Takes over the reference to @error, which is thrown into the
 * body; one that has not started never does then.
 */
__attribute__((always_inline)) static inline void run_as_current(struct auv__task *task, bool stackless,
                                                                 auv_error *error)
{
        auv_loop *loop = task->future.loop;
        auv_task *outer = loop->current;
        auv_error **outer_slot = auv__error_slot;
        struct auv__object **outer_context;
        struct auv__notes lent, *notes = &lent;
        bool ended;
        int r = 0;

        if (stackless)
                lend_notes(task, &lent);
        else
                notes = &task->coro->notes;
        loop->current = &task->future;
        auv__error_slot = &notes->error;
        outer_context = auv__context_enter(notes->context);
        if (auv__unlikely(error))
                r = auv__error_set_current(error);
        if (auv__likely(task->started || r == 0)) {
                task->started = true;
                if (stackless)
                        r = auv__stackless_resume(task->fn, auv__task_frame(task), &task->future.value, r);
                else
                        r = auv__stackful_resume(task->coro, r);
        }
        notes->context = auv__context_slot;
        ended = r != AUV__CORO_SUSPENDED;
        if (ended)
                end_body(task, notes, r);
        else if (stackless)
                take_notes_back(task, lent.error);
        auv__context_leave(outer_context);
        auv__error_slot = outer_slot;
        loop->current = outer;
        /* The task may go here, and destructors run that must not find it in one of the slots. */
        if (ended) {
                drop_body(task);
                auv__tasks_remove(task);
        }
}

static __attribute__((noinline)) void step_without_stack(struct auv__task *task, auv_error *error)
{
        run_as_current(task, /* stackless= */ true, error);
}

AUV__RETURNS_BY_JUMP static __attribute__((noinline)) void step_with_stack(struct auv__task *task,
                                                                           auv_error *error)
{
        run_as_current(task, /* stackless= */ false, error);
        /* Lest what is called last there be a tail call, and its ret come behind the switch. */
        __asm__ volatile("");
}

/* The same, for either form. Callers do this last: as a tail call it adds no ret behind a switch. */
static inline void step(struct auv__task *task, auv_error *error)
{
        if (task->stackless)
                step_without_stack(task, error);
        else
                step_with_stack(task, error);
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
 * Where many tasks are ready, what each of them needs has long left the cache. The turn fetches the items
 * ahead; this has what the next one needs beside, if it is one that does the same as this: the rest of the
 * task, and of a stack the control block and the frames below: as far as those of a sleep reach, or, where
 * the future that is awaited stands on the stack itself, those down to it, and what the task calls next.
 */
__attribute__((always_inline)) static inline void fetch_next(const struct auv__item *item)
{
        enum { CACHE_LINE = 64, LINES = 2, DEEPEST = 24 * CACHE_LINE, BELOW = 10 * CACHE_LINE };

        const struct auv__item *next = item->next;
        const struct auv__task *task;
        uintptr_t top, depth;

        if (!next || next->run != item->run)
                return;
        task = auv__container_of(next, struct auv__task, wait.item);
        __builtin_prefetch(&task->cancels, /* rw= */ 1);
        if (task->stackless)
                return;
        top = (uintptr_t)task->coro;
        depth = top - (uintptr_t)task->wait.future;
        depth = depth < DEEPEST ? depth + BELOW : LINES * CACHE_LINE;
        for (uintptr_t i = 0; i < depth; i += CACHE_LINE)
                __builtin_prefetch((const void *)(top - i));
}

/* How the wait has ended of a task that is ready. It waits for nothing from then on. */
__attribute__((always_inline)) static inline auv_error *take_outcome(struct auv__task *task)
{
        auv_future *future = task->wait.future;
        auv_error *error = NULL;

        if (task->sleep != AUV__AWAKE) {
                if (auv__unlikely(task->sleep == AUV__SLEEP_CANCELLED)) {
                        error = task->sleep_error ? task->sleep_error : auv__error_static(AUV_ECANCELED);
                        task->sleep_error = NULL;
                }
                task->sleep = AUV__AWAKE;
        } else if (future) {
                if (auv__unlikely(future->object.state != AUV__HAS_RESULT))
                        error = auv__future_outcome(future);
                /* The step may free a future that stands in what the task has on its stack. */
                task->wait.future = NULL;
                auv__drop(&future->object);
        }
        return error;
}

void auv__task_wake(struct auv__item *item, bool dropped)
{
        struct auv__task *task = auv__container_of(item, struct auv__task, wait.item);
        auv_error *error;

        fetch_next(item);
        error = take_outcome(task);
        if (auv__unlikely(dropped)) {
                auv_unref(error);
                return;
        }
        if (auv__unlikely(task->must_cancel))
                error = late_cancel(task, error);
        step(task, error);
}

/* The timer is due. */
static void fire(struct auv__item *item, bool dropped)
{
        struct auv__task *task = auv__container_of(item, struct auv__task, timer.item);

        if (auv__unlikely(dropped)) {
                task->sleep = AUV__AWAKE;
                return;
        }
        if (auv__likely(task->sleep == AUV__SLEEPING))
                task->sleep = AUV__SLEPT;
        item->run = auv__task_wake;
        auv__loop_push(task->future.loop, item);
}

void auv__task_wake_holder(struct auv__item *item, bool dropped)
{
        struct auv__task *task = auv__container_of(item, struct auv__task, wait.item);
        auv_loop *loop = task->future.loop;
        auv_future *future = task->wait.future, *outer = loop->woken_by;

        if (!dropped)
                loop->woken_by = future;
        auv__task_wake(item, dropped);
        loop->woken_by = outer;
        if (future)
                auv__drop(&future->object);
}

struct auv__task *auv__task_behind(const struct auv__item *item)
{
        if (item->run != auv__task_wake && item->run != auv__task_wake_holder)
                return NULL;
        return auv__container_of(item, struct auv__task, wait.item);
}

void auv__task_make_ready(struct auv__task *task)
{
        task->wait.item.run = auv__task_wake;
        auv__loop_push(task->future.loop, &task->wait.item);
}

void auv__task_make_fail(struct auv__task *task, auv_error *error)
{
        task->sleep = AUV__SLEEP_CANCELLED;
        task->sleep_error = error;
        task->wait.item.run = auv__task_wake;
        auv__loop_push(task->future.loop, &task->wait.item);
}

void auv__task_start_sleep(struct auv__task *task, int64_t when_ns)
{
        task->sleep = AUV__SLEEPING;
        task->timer.item.run = fire;
        auv__timer_start(task->future.loop, &task->timer, when_ns);
}

/*
 * The next step is ready from here on, and takes its place among the others now. Only where the turn is
 * shuffled, a timer that is due cannot be taken out of it, and fire() makes the step ready; no place is
 * better than another then.
 */
void auv__task_cancel_sleep(struct auv__task *task, auv_error *message)
{
        const bool is_set = auv__timer_is_set(&task->timer);

        auv__timer_stop(&task->timer);
        task->sleep = AUV__SLEEP_CANCELLED;
        task->sleep_error = auv_ref(message);
        if (auv__unlikely(!is_set))
                return;
        task->wait.item.run = auv__task_wake;
        auv__loop_push(task->future.loop, &task->wait.item);
}

bool auv__task_look(const struct auv__task *task, struct auv__body_view *ret)
{
        *ret = (struct auv__body_view) { .fn = NULL };
        if (!task->coro)
                return false;
        if (task->stackless) {
                ret->fn = (const void *)task->fn;
                ret->suspended = !auv__stackless_runs(auv__task_frame(task));
                ret->site = auv__stackless_site(task->fn, auv__task_frame(task));
                return true;
        }
        ret->has_stack = auv__stackful_look(task->coro, &ret->stackful);
        ret->fn = (const void *)ret->stackful.fn;
        ret->suspended = ret->stackful.context;
        ret->site = task->coro->notes.site;
        return ret->has_stack;
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
        step(task, auv__error_static(AUV_ECLOSED));
        auv__running_loop = outer;
        if (!auv__future_is_done(future)) {
                abandon(task);
                auv__tasks_remove(task);
        }
        future->object.flags &= ~AUV__ERROR_UNSEEN;
        auv__drop(&future->object);
}

/*
 * What is to be read in place of @options: these, or a copy in @room in which fields behind @options->size,
 * which were not known to the caller, have their defaults. NULL where the size has no meaning.
 */
static const auv_task_options *read_options(const auv_task_options *options, auv_task_options *room)
{
        static const auv_task_options defaults = { .size = sizeof(defaults) };

        if (!options)
                return &defaults;
        if (options->size == sizeof(*options))
                return options;
        if (options->size < offsetof(auv_task_options, name))
                return NULL;
        *room = defaults;
        memcpy(room, options, options->size < sizeof(*room) ? options->size : sizeof(*room));
        return room;
}

/* Where the frame is to stand, and how much memory the task has with it. */
static size_t size_with_frame(size_t frame_size, bool *ret_aligned)
{
        *ret_aligned = frame_size % AUV__FRAME_ALIGN == 0 &&
                       frame_size > sizeof(auv_frame) + AUV__FRAME_ALIGN;
        return auv__task_frame_offset(*ret_aligned) + frame_size;
}

static void init_stackless(struct auv__task *task, auv_stackless_fn fn, const void *frame, size_t size,
                           bool aligned)
{
        task->stackless = true;
        task->frame_aligned = aligned;
        task->fn = fn;
        memcpy(auv__task_frame(task), frame, size);
        auv__stackless_init(auv__task_frame(task));
}

static int init_stackful(struct auv__task *task, auv_loop *loop, auv_coro_fn fn, const void *arg,
                         size_t size, const auv_task_options *options)
{
        const int r = auv__stackful_new(&auv__loop_tasks(loop)->stacks, options->stack_size, fn, arg, size,
                                        &task->future.value, &task->coro);

        if (auv__unlikely(r < 0))
                return r;
        task->coro->notes.context = &task->context;
        if (auv__unlikely(loop->stack_watermark || task->future.object.flags & AUV__TRACED))
                auv__stackful_measure(task->coro);
        return 0;
}

/* Adds to a counter of all threads, and returns what it was. */
static uint64_t count(uint64_t *counter, unsigned n)
{
        if (!AUV__SINGLE_THREADED)
                return __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
        *counter += n;
        return *counter - n;
}

/* A task that was made with a name does not count, and stands before the next one that does. */
static int number_task(struct auv__task *task, const char *name)
{
        struct auv__extras *extras;

        task->number = count(&next_number, !name);
        if (auv__likely(!name))
                return 0;
        extras = auv__task_extras(task);
        if (!extras)
                return AUV_ENOMEM;
        extras->order = count(&next_order, 1);
        extras->name = auv__strdup(name);
        return extras->name ? 0 : AUV_ENOMEM;
}

static void free_extras(struct auv__task *task)
{
        if (auv__likely(!task->has_extras))
                return;
        auv_unref(task->extras->cancel_error);
        auv_unref(task->extras->error);
        auv__free(task->extras->name);
        auv__free(task->extras);
}

static void discard_bare(struct auv__task *task)
{
        auv_loop *loop = task->future.loop;

        free_extras(task);
        auv__tasks_free(task);
        auv__loop_release(loop);
}

/* A task without a body yet. */
static struct auv__task *new_bare(auv_loop *loop, size_t size, const char *name)
{
        struct auv__task *task = auv__tasks_malloc(loop, size);

        if (!task)
                return NULL;
        if (auv__likely(number_task(task, name) == 0))
                return task;
        discard_bare(task);
        return NULL;
}

static int new_task(auv_loop *loop, auv_coro_fn fn, const void *arg, size_t size,
                    const auv_task_options *options, struct auv__task **ret_task)
{
        size_t task_size = sizeof(struct auv__task);
        bool aligned = false;
        struct auv__task *task;
        int r = 0;

        AUV_TRY(auv__tasks_require(loop));
        if (options->stackless)
                task_size = size_with_frame(size, &aligned);
        task = new_bare(loop, task_size, options->name);
        if (!task)
                return AUV_ENOMEM;
        if (options->stackless)
                init_stackless(task, options->stackless, arg, size, aligned);
        else
                r = init_stackful(task, loop, fn, arg, size, options);
        if (r < 0) {
                discard_bare(task);
                return r;
        }
        task->context = auv__context_take(options->context);
        *ret_task = task;
        return 0;
}

/* Whether there is one body, and what it is to get. */
static bool is_runnable(auv_coro_fn fn, const void *arg, size_t size, const auv_task_options *options)
{
        if (options->stackless)
                return !fn && arg && size >= sizeof(auv_frame) && size <= PTRDIFF_MAX / 2;
        return fn && (size == 0 || arg);
}

auv_task *auv_task_new(auv_loop *loop, auv_coro_fn fn, const void *arg, size_t size,
                       const auv_task_options *options)
{
        auv_task_options room;
        struct auv__task *task;
        int r;

        options = read_options(options, &room);
        if (!options || !is_runnable(fn, arg, size, options))
                return auv__no_future(auv_raise(AUV_EINVAL, "no function, or an option has no meaning"));
        r = auv__loop_check(&loop);
        if (r < 0)
                return auv__no_future(r);
        r = new_task(loop, fn, arg, size, options, &task);
        if (r < 0)
                return auv__no_future(auv_raise(r, NULL));
        auv__tasks_add(task);
        if (auv__unlikely(options->eager_start) && loop->running)
                step(task, NULL);
        else
                auv__task_make_ready(task);
        return &task->future;
}

auv_task *auv_loop_create_task(auv_loop *loop, auv_coro_fn fn, const void *arg, size_t size,
                               const auv_task_options *options)
{
        const struct auv__tasks *tasks;

        if (!loop)
                loop = auv__running_loop;
        tasks = loop && loop->tenant ? auv__loop_tasks(loop) : NULL;
        if (auv__unlikely(tasks && tasks->factory) && !loop->closed)
                return tasks->factory(loop, fn, arg, size, options, tasks->factory_user);
        return auv_task_new(loop, fn, arg, size, options);
}

auv_task *auv_create_task(auv_coro_fn fn, const void *arg, size_t size)
{
        return auv_loop_create_task(NULL, fn, arg, size, /* options= */ NULL);
}

auv_task *auv_create_stackless_task(auv_stackless_fn fn, const void *frame, size_t size)
{
        if (!fn)
                return auv__no_future(auv_raise(AUV_EINVAL, "no function"));
        return auv_loop_create_task(NULL, NULL, frame, size, AUV_TASK_OPTIONS(.stackless = fn));
}

auv_task *auv_eager_task_factory(auv_loop *loop, auv_coro_fn fn, const void *arg, size_t size,
                                 const auv_task_options *options, void *user)
{
        auv_task_options eager;

        options = read_options(options, &eager);
        if (!options)
                return auv__no_future(auv_raise(AUV_EINVAL, "an option of the task has no meaning"));
        eager = *options;
        eager.size = sizeof(eager);
        eager.eager_start = true;
        return auv_task_new(loop, fn, arg, size, &eager);
}

void auv__task_deinit(auv_future *future)
{
        struct auv__task *task = auv__to_task(future);

        if (auv__unlikely(future->object.flags & AUV__BORROWED))
                auv_unref(task->lender);
        free_extras(task);
        auv__context_drop(task->context);
        auv__tasks_free(task);
}

auv_error *auv__task_cancel_error(const auv_future *future)
{
        const struct auv__task *task = auv__to_task(future);

        return task->has_extras ? task->extras->cancel_error : NULL;
}

void auv__task_keep_cancel(struct auv__task *task, auv_error *message)
{
        struct auv__extras *extras = task->has_extras || message ? auv__task_extras(task) : NULL;

        task->must_cancel = true;
        if (!extras)
                return;
        auv_unref(extras->cancel_error);
        extras->cancel_error = auv_ref(message);
}

/* 0 or why a task-only call cannot be made. */
static int check_task(const auv_task *task)
{
        if (!task)
                return auv_raise(AUV_EINVAL, "no task");
        if (task->object.kind != AUV__TASK)
                return auv_raise(AUV_ENOTATASK, NULL);
        return 0;
}

int auv_task_cancel(auv_task *task, const char *message)
{
        AUV_TRY(check_task(task));
        return auv_future_cancel(task, message);
}

int auv_task_cancelling(const auv_task *task)
{
        AUV_TRY(check_task(task));
        return (int)auv__to_task(task)->cancels;
}

int auv_task_uncancel(auv_task *task)
{
        struct auv__task *t;

        AUV_TRY(check_task(task));
        t = auv__to_task(task);
        if (t->cancels > 0 && --t->cancels == 0)
                t->must_cancel = false;
        return (int)t->cancels;
}

const char *auv_task_get_name(auv_task *task)
{
        struct auv__extras *extras;
        char name[32];

        if (check_task(task) < 0)
                return NULL;
        extras = auv__task_extras(auv__to_task(task));
        if (extras && !extras->name) {
                snprintf(name, sizeof(name), "Task-%ju", (uintmax_t)extras->number);
                extras->name = auv__strdup(name);
        }
        return extras && extras->name ? extras->name : "Task";
}

int auv_task_set_name(auv_task *task, const char *name)
{
        struct auv__extras *extras;
        char *copy;

        AUV_TRY(check_task(task));
        if (!name)
                return auv_raise(AUV_EINVAL, "no name");
        extras = auv__task_extras(auv__to_task(task));
        copy = extras ? auv__strdup(name) : NULL;
        if (!copy)
                return auv_raise(AUV_ENOMEM, NULL);
        auv__free(extras->name);
        extras->name = copy;
        return 0;
}

auv_context *auv_task_get_context(auv_task *task)
{
        return check_task(task) < 0 ? NULL : auv__context_require(&auv__to_task(task)->context);
}

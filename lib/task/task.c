/* SPDX-License-Identifier: MIT */

/*
 * Task
 *
 * A future that drives a coroutine, one step at a time; see step.c. Here it is made, with a body of either
 * form and what the options ask for, and asked for what it has beside the body: its name, its requests to
 * stop, its context.
 */

#include "task/task.h"

#include "base/alloc.h"
#include "base/context.h"
#include "base/error.h"
#include "base/single_threaded.h"
#include "coro/stackful.h"
#include "coro/stackless.h"
#include "loop/hooks.h"
#include "task/kinds.h"
#include "task/step.h"

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

/*
 * How far behind the task's begin its frame stands. Where a type of 16 bytes may begin matters only to a
 * frame whose size is a multiple of that, and which has room for one behind its auv_frame.
 */
static size_t place_frame(size_t frame_size)
{
        enum { ALIGN = 16 };

        _Static_assert(sizeof(struct auv__task) + ALIGN <= UINT8_MAX, "the offset fits into frame_at");
        const size_t at = sizeof(struct auv__task);
        const bool aligned = frame_size % ALIGN == 0 && frame_size > sizeof(auv_frame) + ALIGN;

        return aligned ? (at + ALIGN - 1) & ~(size_t)(ALIGN - 1) : at;
}

static void init_stackless(struct auv__task *task, auv_stackless_fn fn, const void *frame, size_t size,
                           size_t frame_at)
{
        task->stackless = true;
        task->frame_at = (uint8_t)frame_at;
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
        const size_t frame_at = options->stackless ? place_frame(size) : sizeof(struct auv__task);
        struct auv__task *task;
        int r = 0;

        AUV_TRY(auv__tasks_require(loop));
        task = new_bare(loop, options->stackless ? frame_at + size : frame_at, options->name);
        if (!task)
                return AUV_ENOMEM;
        if (options->stackless)
                init_stackless(task, options->stackless, arg, size, frame_at);
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
                auv__task_step(task);
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

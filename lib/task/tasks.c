/* SPDX-License-Identifier: MIT */

/*
 * Tasks of a loop
 *
 * The pool in which they all are, and a reference to each that is pending, so that no task vanishes;
 * what is attached to futures; and how all of it is taken down when the loop is closed:
 * first every list of callbacks in which something waits is dropped, for nothing will run any
 * more; then each pending task is made to return.
 *
 * There is no list of the pending ones: the pool knows its blocks, and whoever wants tasks in the order in
 * which they were made sorts them.
 */

#include "task/task.h"

#include "base/alloc.h"
#include "coro/sanitizer.h"
#include "loop/hooks.h"
#include "task/kinds.h"
#include "task/step.h"

#include <stdlib.h>

static void close_tasks(struct auv__tenant *tenant, auv_loop *loop);
static void free_tasks(struct auv__tenant *tenant);

static const char *name_of(auv_future *future)
{
        return future->object.kind == AUV__TASK ? auv_task_get_name(future) : NULL;
}

static struct auv__object **context_of(auv_future *future)
{
        return future->object.kind == AUV__TASK ? &auv__to_task(future)->context : NULL;
}

/* Makes what a loop has for its tasks, but for what can fail in that. */
static struct auv__tasks *new_tasks(const auv_loop *loop)
{
        struct auv__tasks *tasks = auv__calloc(sizeof(*tasks));

        if (tasks)
                tasks->tenant = (struct auv__tenant) { .close = close_tasks, .free = free_tasks,
                                                       .name = name_of, .context = context_of };
        return tasks;
}

int auv__tasks_require(auv_loop *loop)
{
        struct auv__tasks *tasks;
        int r;

        if (auv__likely(loop->tenant))
                return 0;
        tasks = new_tasks(loop);
        if (!tasks)
                return AUV_ENOMEM;
        r = auv__stack_pool_init(&tasks->stacks, loop->stack_size);
        if (r < 0) {
                auv__free(tasks);
                return r;
        }
        auv__pool_init(&tasks->pool, tasks->stacks.watched || auv__sanitizer_finds_leaks());
        loop->tenant = &tasks->tenant;
        return 0;
}

static void free_tasks(struct auv__tenant *tenant)
{
        struct auv__tasks *tasks = auv__container_of(tenant, struct auv__tasks, tenant);

        auv__pool_deinit(&tasks->pool);
        auv__stack_pool_deinit(&tasks->stacks);
        auv__free(tasks);
}

struct auv__task *auv__tasks_malloc(auv_loop *loop, size_t size)
{
        const struct auv__debug_hooks *hooks = auv__loop_hooks(loop);
        struct auv__task *task;
        bool alone;

        task = auv__pool_malloc(&auv__loop_tasks(loop)->pool, size, hooks ? sizeof(struct auv__origin) : 0,
                                &alone);
        if (!task)
                return NULL;
        if (auv__unlikely(hooks))
                hooks->note_origin((struct auv__origin *)task - 1);
        auv__future_init(&task->future, loop, AUV__TASK);
        task->future.object.flags |= hooks ? AUV__TRACED : 0;
        task->wait = (struct auv__waiter) { 0 };
        task->coro = NULL;
        task->context = NULL;
        task->number = 0;
        task->cancels = 0;
        task->rest = AUV__AWAKE;
        task->frame_at = 0;
        task->must_cancel = false;
        task->started = false;
        task->stackless = false;
        task->has_extras = false;
        task->alone = alone;
        return task;
}

void auv__tasks_free(struct auv__task *task)
{
        const bool traced = task->future.object.flags & AUV__TRACED;

        auv__pool_free(&auv__loop_tasks(task->future.loop)->pool, task,
                       auv__unlikely(traced) ? sizeof(struct auv__origin) : 0, task->alone);
}

void auv__tasks_add(struct auv__task *task)
{
        auv__keep(&task->future.object);
        auv__loop_tasks(task->future.loop)->n++;
}

void auv__tasks_remove(struct auv__task *task)
{
        auv__loop_tasks(task->future.loop)->n--;
        auv__drop(&task->future.object);
}

/* The first of the tasks met so far: a heap with the last of them on top. */
struct first {
        auv_task **tasks;
        size_t n;
        size_t room;
};

static bool is_before(const auv_task *a, const auv_task *b)
{
        const struct auv__extras x = auv__task_look_extras(auv__to_task(a));
        const struct auv__extras y = auv__task_look_extras(auv__to_task(b));

        return x.number != y.number ? x.number < y.number : x.order < y.order;
}

static int by_order(const void *a, const void *b)
{
        auv_task *const *x = a, *const *y = b;

        return is_before(*y, *x) - is_before(*x, *y);
}

/* Puts a task into the place of the last, and the heap in order again. */
static void replace_last(struct first *first, auv_task *task)
{
        size_t i = 0, child;

        for (; (child = 2 * i + 1) < first->n; i = child) {
                if (child + 1 < first->n && is_before(first->tasks[child], first->tasks[child + 1]))
                        child++;
                if (!is_before(task, first->tasks[child]))
                        break;
                first->tasks[i] = first->tasks[child];
        }
        first->tasks[i] = task;
}

static void visit(void *block, void *arg)
{
        auv_task *task = block;
        struct first *first = arg;
        size_t i, parent;

        if (auv__future_is_done(task))
                return;
        if (first->n == first->room) {
                if (is_before(task, first->tasks[0]))
                        replace_last(first, task);
                return;
        }
        for (i = first->n++; i > 0; i = parent) {
                parent = (i - 1) / 2;
                if (!is_before(first->tasks[parent], task))
                        break;
                first->tasks[i] = first->tasks[parent];
        }
        first->tasks[i] = task;
}

size_t auv__tasks_first(struct auv__tasks *tasks, auv_task **ret_tasks, size_t n)
{
        struct first first = { .tasks = ret_tasks, .room = n };

        if (n == 0)
                return 0;
        auv__pool_each(&tasks->pool, visit, &first);
        qsort(ret_tasks, first.n, sizeof(*ret_tasks), by_order);
        return first.n;
}

void auv__attach(auv_loop *loop, struct auv__attachment *attachment)
{
        struct auv__tasks *tasks = auv__loop_tasks(loop);

        attachment->previous = NULL;
        attachment->next = tasks->attachments;
        if (attachment->next)
                attachment->next->previous = attachment;
        tasks->attachments = attachment;
}

void auv__detach(auv_loop *loop, struct auv__attachment *attachment)
{
        if (attachment->previous)
                attachment->previous->next = attachment->next;
        else
                auv__loop_tasks(loop)->attachments = attachment->next;
        if (attachment->next)
                attachment->next->previous = attachment->previous;
}

static void forget_awaited(void *block, void *arg)
{
        struct auv__task *task = block;

        if (auv__future_is_done(&task->future))
                return;
        if (auv__task_awaited(task))
                auv__future_drop_callbacks(auv__task_awaited(task));
        if (task->rest == AUV__EXPECTING)
                auv__rest_end(task);
}

/* The first that was made first. Without memory to have them all at once, some at a time. */
static void unwind_all(struct auv__tasks *tasks)
{
        enum { FEW = 64 };

        auv_task *few[FEW], **pending = few;
        size_t room = FEW, n;

        if (tasks->n > FEW) {
                pending = auv__malloc(tasks->n * sizeof(*pending));
                room = pending ? tasks->n : FEW;
                pending = pending ? pending : few;
        }
        while (tasks->n > 0) {
                n = auv__tasks_first(tasks, pending, room);
                for (size_t i = 0; i < n; i++)
                        auv__task_unwind(auv__to_task(pending[i]));
        }
        if (pending != few)
                auv__free(pending);
}

static void close_tasks(struct auv__tenant *tenant, auv_loop *loop)
{
        struct auv__tasks *tasks = auv__container_of(tenant, struct auv__tasks, tenant);

        auv__pool_each(&tasks->pool, forget_awaited, NULL);
        while (tasks->attachments)
                tasks->attachments->drop(tasks->attachments);
        unwind_all(tasks);
        /* What the tasks have attached to on their way out. */
        while (tasks->attachments)
                tasks->attachments->drop(tasks->attachments);
}

auv_task *auv_current_task(const auv_loop *loop)
{
        if (!loop)
                loop = auv__running_loop;
        return loop ? loop->current : NULL;
}

size_t auv_all_tasks(const auv_loop *loop, auv_task **ret_tasks, size_t n)
{
        struct auv__tasks *tasks;

        if (!loop)
                loop = auv__running_loop;
        if (!loop || !loop->tenant)
                return 0;
        tasks = auv__loop_tasks(loop);
        if (ret_tasks)
                auv__tasks_first(tasks, ret_tasks, n);
        return tasks->n;
}

int auv_loop_set_task_factory(auv_loop *loop, auv_task_factory_fn factory, void *user)
{
        AUV_TRY(auv__loop_check(&loop));
        if (auv__tasks_require(loop) < 0)
                return auv_raise(AUV_ENOMEM, NULL);
        auv__loop_tasks(loop)->factory = factory;
        auv__loop_tasks(loop)->factory_user = user;
        return 0;
}

auv_task_factory_fn auv_loop_get_task_factory(const auv_loop *loop, void **ret_user)
{
        if (!loop || !loop->tenant)
                return NULL;
        if (ret_user)
                *ret_user = auv__loop_tasks(loop)->factory_user;
        return auv__loop_tasks(loop)->factory;
}

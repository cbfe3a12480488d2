/* SPDX-License-Identifier: MIT */

/*
 * Tasks of a loop
 *
 * The list of those that are pending, which holds a reference to each, so that no task vanishes;
 * what is attached to futures; and how all of it is taken down when the loop is closed:
 * first every list of callbacks in which something waits is dropped, for nothing will run any
 * more; then each pending task is made to return.
 */

#include "task/task.h"

#include "base/alloc.h"

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
        loop->tenant = &tasks->tenant;
        return 0;
}

static void free_tasks(struct auv__tenant *tenant)
{
        struct auv__tasks *tasks = auv__container_of(tenant, struct auv__tasks, tenant);

        auv__stack_pool_deinit(&tasks->stacks);
        auv__free(tasks);
}

void auv__tasks_add(struct auv__task *task)
{
        struct auv__tasks *tasks = auv__loop_tasks(task->future.loop);

        auv__keep(&task->future.object);
        task->previous = tasks->last;
        task->next = NULL;
        if (tasks->last)
                tasks->last->next = task;
        else
                tasks->first = task;
        tasks->last = task;
        tasks->n++;
}

void auv__tasks_remove(struct auv__task *task)
{
        struct auv__tasks *tasks = auv__loop_tasks(task->future.loop);

        if (task->previous)
                task->previous->next = task->next;
        else
                tasks->first = task->next;
        if (task->next)
                task->next->previous = task->previous;
        else
                tasks->last = task->previous;
        tasks->n--;
        auv__drop(&task->future.object);
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

static void close_tasks(struct auv__tenant *tenant, auv_loop *loop)
{
        struct auv__tasks *tasks = auv__container_of(tenant, struct auv__tasks, tenant);

        for (struct auv__task *task = tasks->first; task; task = task->next)
                if (auv__task_awaited(task))
                        auv__future_drop_callbacks(auv__task_awaited(task));
        while (tasks->attachments)
                tasks->attachments->drop(tasks->attachments);
        while (tasks->first)
                auv__task_unwind(tasks->first);
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
        const struct auv__tasks *tasks;
        size_t i = 0;

        if (!loop)
                loop = auv__running_loop;
        if (!loop || !loop->tenant)
                return 0;
        tasks = auv__loop_tasks(loop);
        for (struct auv__task *task = tasks->first; task && ret_tasks && i < n; task = task->next)
                ret_tasks[i++] = &task->future;
        return tasks->n;
}

void auv_loop_set_task_factory(auv_loop *loop, auv_task_factory_fn factory, void *user)
{
        if (!loop || auv__tasks_require(loop) < 0)
                return;
        auv__loop_tasks(loop)->factory = factory;
        auv__loop_tasks(loop)->factory_user = user;
}

auv_task_factory_fn auv_loop_get_task_factory(const auv_loop *loop, void **ret_user)
{
        if (!loop || !loop->tenant)
                return NULL;
        if (ret_user)
                *ret_user = auv__loop_tasks(loop)->factory_user;
        return auv__loop_tasks(loop)->factory;
}

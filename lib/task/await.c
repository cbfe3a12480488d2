/* SPDX-License-Identifier: MIT */

/* Await: how the running task waits for one future. */

#include "task/await.h"

#include "base/error.h"
#include "loop/hooks.h"
#include "task/cancel.h"

struct auv__task *auv__current_task(void)
{
        auv_loop *loop = auv__running_loop;
        const struct auv__debug_hooks *hooks;

        if (auv__likely(loop && loop->current))
                return auv__to_task(loop->current);
        loop = auv_get_event_loop();
        hooks = loop ? auv__loop_hooks(loop) : NULL;
        if (hooks)
                hooks->await_outside(loop);
        auv_raise(AUV_ENOTASK, NULL);
        return NULL;
}

/*
 * The loop is closed: the task is to return. One that awaits on and on all the same would keep
 * auv_loop_close() for ever; it is left where it stands.
 */
static int refuse(struct auv__task *task)
{
        enum { PATIENCE = 1000 };

        if (++task->refusals > PATIENCE)
                auv__task_suspend(task);
        return auv_raise(AUV_ECLOSED, NULL);
}

int auv__await_enter(struct auv__task **ret_task)
{
        struct auv__task *task = auv__current_task();

        *ret_task = task;
        if (auv__unlikely(!task))
                return AUV_ENOTASK;
        return auv__unlikely(task->future.loop->closed) ? refuse(task) : 0;
}

int auv__await_pending(struct auv__task *task, auv_future *future)
{
        task->wait.item.run = auv__task_wake;
        task->wait.future = future;
        auv__future_watch(future, &task->wait);
        if (auv__unlikely(task->must_cancel) && auv__cancel(future, task->cancel_error) > 0)
                task->must_cancel = false;
        return auv__task_suspend(task);
}

/* As Python, which finds out when the coroutine has suspended, and throws in the next step. */
static int fail_in_next_turn(struct auv__task *task, const char *message)
{
        int r;

        auv__task_make_ready(task);
        r = auv__task_suspend(task);
        return r < 0 ? r : auv_raise(AUV_ERUNTIME, "%s", message);
}

int auv__await(struct auv__task *task, auv_future *future, auv_value *ret)
{
        int r;

        if (auv__unlikely(!future))
                return auv_raise(auv__no_future_reason(), "the future could not be made");
        if (!auv__future_is_done(future)) {
                if (auv__unlikely(future->loop != task->future.loop))
                        return fail_in_next_turn(task, "the future belongs to another loop");
                if (auv__unlikely(future == &task->future))
                        return fail_in_next_turn(task, "a task cannot await itself");
                /* Nobody else may care to hold it until its result is read. */
                auv__keep(&future->object);
                r = auv__await_pending(task, future);
                if (r == 0)
                        r = auv__future_read(future, ret);
                auv__drop(&future->object);
                return r;
        }
        return auv__future_read(future, ret);
}

int auv_await(auv_future *future, auv_value *ret)
{
        struct auv__task *task;

        AUV_TRY(auv__await_begin(&task));
        return auv__await(task, future, ret);
}

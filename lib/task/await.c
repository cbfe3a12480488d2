/* SPDX-License-Identifier: MIT */

/* Await: how the running task waits for one future. */

#include "task/await.h"

#include "base/error.h"
#include "loop/hooks.h"
#include "task/cancel.h"
#include "task/kinds.h"
#include "task/step.h"

#include <asyncuv/stackless.h>

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
int auv__await_refuse(struct auv__task *task)
{
        enum { PATIENCE = 1000 };

        if (++task->refusals > PATIENCE) {
                if (task->stackless)
                        return AUV_SUSPENDED;
                auv__task_suspend(task);
        }
        return auv_raise(AUV_ECLOSED, NULL);
}

int auv__await_refused(void)
{
        struct auv__task *task = auv__current_task();

        if (!task)
                return AUV_ENOTASK;
        return task->stackless ? auv_raise(AUV_ENOSTACK, NULL) : auv__await_refuse(task);
}

int auv__await_enter(struct auv__task **ret_task)
{
        *ret_task = auv__await_task();
        return auv__likely(*ret_task != NULL) ? 0 : auv__await_refused();
}

void auv__await_start(struct auv__task *task, auv_future *future, auv__run_fn wake)
{
        task->wait.item.run = wake;
        task->wait.future = future;
        auv__future_watch(future, &task->wait);
        if (auv__unlikely(task->must_cancel) &&
            auv__cancel(future, auv__task_cancel_error(&task->future)) > 0)
                task->must_cancel = false;
}

AUV__RETURNS_BY_JUMP int auv__await_pending(struct auv__task *task, auv_future *future)
{
        auv__await_start(task, future, auv__task_wake);
        return auv__task_suspend(task);
}

/* Out of the way of the awaits that can be. */
AUV_COLD static bool fail_in_next_turn(struct auv__task *task, const char *message)
{
        auv_raise(AUV_ERUNTIME, "%s", message);
        auv__task_make_fail(task, auv__error_for(AUV_ERUNTIME));
        return false;
}

bool auv__await_check(struct auv__task *task, const auv_future *future)
{
        if (auv__unlikely(future->loop != task->future.loop))
                return fail_in_next_turn(task, "the future belongs to another loop");
        if (auv__unlikely(future == &task->future))
                return fail_in_next_turn(task, "a task cannot await itself");
        return true;
}

/* Also a part of auv_await(), so that no function returns behind the switch but that. */
__attribute__((always_inline)) static inline int await(struct auv__task *task, auv_future *future,
                                                       auv_value *ret)
{
        int r;

        if (auv__unlikely(!future))
                return auv_raise(auv__no_future_reason(), "the future could not be made");
        if (!auv__future_is_done(future)) {
                if (auv__unlikely(!auv__await_check(task, future)))
                        return auv__task_suspend(task);
                /* Nobody else may care to hold it until its result is read. */
                auv__keep(&future->object);
                auv__await_start(task, future, auv__task_wake);
                r = auv__task_suspend(task);
                if (auv__likely(r == 0))
                        r = auv__future_read(future, ret);
                auv__drop(&future->object);
                return r;
        }
        return auv__future_read(future, ret);
}

AUV__RETURNS_BY_JUMP int auv__await(struct auv__task *task, auv_future *future, auv_value *ret)
{
        return await(task, future, ret);
}

AUV__RETURNS_BY_JUMP int auv_await(auv_future *future, auv_value *ret)
{
        struct auv__task *task;

        AUV_TRY(auv__await_begin(&task));
        return await(task, future, ret);
}

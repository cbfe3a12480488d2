/* SPDX-License-Identifier: MIT */

/*
 * Frame
 *
 * The awaits of bodies that have no stack. Each is in two parts, between which the body returns to the loop:
 * the first begins to wait, as the awaits of the other form do before they suspend; the second reads how it
 * ended. What is awaited has nobody to hold it meanwhile but the task. The wake finds it, and lends it to
 * the body for the step; see auv__task_wake_holder().
 */

#include "task/await.h"

#include "base/error.h"
#include "task/kinds.h"
#include "task/sleep.h"

#include <asyncuv/stackless.h>

/* Why there is no task that can await with a frame; or AUV_SUSPENDED, it is to wait for ever. */
AUV_COLD static int refuse(void)
{
        struct auv__task *task = auv__current_task();

        if (!task)
                return AUV_ENOTASK;
        if (!task->stackless)
                return auv_raise(AUV_ERUNTIME, "only a task without a stack awaits with a frame");
        return auv__await_refuse(task);
}

/*
 * Finds the running task, in the function that the program calls, as auv__await_begin(). Returns 0, a
 * negative error, or AUV_SUSPENDED.
 */
__attribute__((always_inline)) static inline int begin(struct auv__task **ret_task)
{
        auv_loop *loop = auv__running_loop;
        struct auv__task *task = loop && loop->current ? auv__to_task(loop->current) : NULL;

        *ret_task = task;
        if (auv__unlikely(!task || !task->stackless || loop->closed))
                return refuse();
        loop->frame_site = AUV__CALLER;
        return 0;
}

int auv_frame_wait(auv_future *future, auv_value *ret)
{
        struct auv__task *task;
        int r = begin(&task);

        if (auv__unlikely(r != 0))
                return r;
        if (auv__unlikely(!future))
                return auv_raise(auv__no_future_reason(), "the future could not be made");
        if (auv__future_is_done(future))
                return auv__future_read(future, ret);
        if (auv__likely(auv__await_check(task, future))) {
                auv__keep(&future->object);
                auv__await_start(task, future, auv__task_wake_holder);
        }
        return AUV_SUSPENDED;
}

int auv_frame_resumed(const auv_frame *frame, auv_value *ret)
{
        const auv_loop *loop = auv__running_loop;

        if (auv__unlikely(frame->error < 0))
                return frame->error;
        return loop && loop->woken_by ? auv__future_read(loop->woken_by, ret) : 0;
}

int auv_frame_sleep(double delay)
{
        struct auv__task *task;
        int r = begin(&task);

        if (auv__unlikely(r != 0))
                return r;
        r = auv__sleep_start(task, delay);
        return r < 0 ? r : AUV_SUSPENDED;
}

void auv_frame_leave(int r, auv_error **ret_left)
{
        *ret_left = r < 0 ? auv__error_for(r) : NULL;
}

int auv_frame_left(int r, auv_error **left)
{
        auv_error *error = *left;

        *left = NULL;
        if (!error)
                return r;
        if (r >= 0)
                return auv__error_set_current(error);
        auv_unref(error);
        return r;
}

/* SPDX-License-Identifier: MIT */

#include "task/steps.h"

#include "base/error.h"

static int wait_for_ever(auv_frame *frame, auv_value *ret)
{
        return AUV_SUSPENDED;
}

/* The call fails; it is the subframe that waits, where the body has not taken the hint often enough. */
AUV_COLD static int refuse(struct auv__task *task)
{
        const int r = auv__await_refuse(task);

        if (r < 0)
                return r;
        task->future.loop->subframe->fn = wait_for_ever;
        return AUV_ECLOSED;
}

int auv__steps_refused(void)
{
        struct auv__task *task = auv__current_task();

        if (!task)
                return AUV_ENOTASK;
        if (task->stackless && !task->future.loop->subframe)
                return auv_raise(AUV_ENOSTACK, NULL);
        return refuse(task);
}

AUV__HOT static int run_in_subframe(auv_subframe *subframe)
{
        auv_value value = { 0 };
        const int r = subframe->fn(&subframe->frame, &value);

        if (r == AUV_SUSPENDED)
                return r;
        subframe->fn = NULL;
        return r < 0 ? r : (int)value.i;
}

AUV__HOT int auv__steps_run_subframe(struct auv__task *task, auv_stackless_fn fn)
{
        auv_subframe *subframe = task->future.loop->subframe;

        task->future.loop->subframe = NULL;
        subframe->fn = fn;
        return run_in_subframe(subframe);
}

AUV__HOT AUV__RETURNS_BY_JUMP int auv__steps_run_on(struct auv__task *task, auv_stackless_fn fn,
                                                    auv_frame *frame)
{
        auv_value value = { 0 };
        int r;

        do
                frame->error = auv__task_suspend(task);
        while ((r = fn(frame, &value)) == AUV_SUSPENDED);
        return r < 0 ? r : (int)value.i;
}

AUV__RETURNS_BY_JUMP int auv__steps_run(struct auv__task *task, auv_stackless_fn fn, auv_frame *frame)
{
        auv_value value = { 0 };
        const int r = fn(frame, &value);

        if (r == AUV_SUSPENDED)
                return auv__steps_run_on(task, fn, frame);
        return r < 0 ? r : (int)value.i;
}

AUV__HOT void auv_subframe_begin(auv_subframe *subframe)
{
        subframe->fn = NULL;
        if (auv__running_loop)
                auv__running_loop->subframe = subframe;
}

AUV__HOT bool auv_subframe_waits(const auv_subframe *subframe)
{
        if (auv__running_loop)
                auv__running_loop->subframe = NULL;
        return subframe->fn;
}

AUV__HOT int auv_subframe_resume(auv_subframe *subframe, const auv_frame *frame)
{
        if (auv__running_loop)
                auv__running_loop->frame_site = AUV__CALLER;
        subframe->frame.error = frame->error;
        return run_in_subframe(subframe);
}

/* SPDX-License-Identifier: MIT */

/*
 * Sleep
 *
 * In asyncio a sleep is a future and a timer that ends it. Here neither is made: the timer stands
 * in the task, and task->sleep plays the future's part: the timer that fires makes the next
 * step ready, one turn later, and whichever of timer and cancel comes first decides how it ends.
 */

#include "task/await.h"

#include "base/error.h"

#include <math.h>

/* The timer is due. A sleep that was cancelled in the same turn has its step ready already. */
static void fire(struct auv__item *item, bool dropped)
{
        struct auv__task *task = auv__container_of(item, struct auv__task, timer.item);

        if (!dropped && task->sleep == AUV__SLEEPING)
                auv__task_end_sleep(task, AUV__SLEPT);
}

/* Lets the other tasks run for a turn. */
static int yield(struct auv__task *task)
{
        auv__task_make_ready(task);
        return auv__task_suspend(task);
}

int auv_await_sleep(double delay)
{
        struct auv__task *task;
        auv_loop *loop;
        int r;

        AUV_TRY(auv__await_begin(&task));
        if (delay <= 0)
                return yield(task);
        if (isnan(delay))
                return auv_raise(AUV_EINVAL, "the delay is not a number");
        loop = task->future.loop;
        task->timer.item.run = fire;
        r = auv__timer_start(loop, &task->timer, auv__clock_after(auv__loop_now(loop), delay));
        if (r < 0)
                return auv_raise(r, NULL);
        task->sleep = AUV__SLEEPING;
        if (auv__unlikely(task->must_cancel)) {
                task->must_cancel = false;
                task->sleep_error = auv_ref(task->cancel_error);
                auv__task_end_sleep(task, AUV__SLEEP_CANCELLED);
        }
        r = auv__task_suspend(task);
        auv__timer_stop(loop, &task->timer);
        task->sleep = AUV__AWAKE;
        return r;
}

/* SPDX-License-Identifier: MIT */

/*
 * Sleep
 *
 * In asyncio a sleep is a future and a timer that ends it. Here neither is made: the task's own item is
 * the timer, and task->sleep plays the future's part: the timer that fires makes the next
 * step ready, one turn later, and whichever of timer and cancel comes first decides how it ends.
 */

#include "task/sleep.h"

#include "base/error.h"
#include "task/await.h"
#include "task/kinds.h"

#include <math.h>

int auv__sleep_start(struct auv__task *task, double delay)
{
        if (delay <= 0) {
                auv__task_make_ready(task);
                return 0;
        }
        if (isnan(delay))
                return auv_raise(AUV_EINVAL, "the delay is not a number");
        auv__task_start_sleep(task, auv__clock_after(auv__loop_now(task->future.loop), delay));
        if (auv__unlikely(task->must_cancel)) {
                task->must_cancel = false;
                auv__task_cancel_sleep(task, auv__task_cancel_error(&task->future));
        }
        return 0;
}

AUV__RETURNS_BY_JUMP int auv_await_sleep(double delay)
{
        struct auv__task *task;

        AUV_TRY(auv__await_begin(&task));
        AUV_TRY(auv__sleep_start(task, delay));
        return auv__task_suspend(task);
}

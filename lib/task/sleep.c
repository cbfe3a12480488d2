/* SPDX-License-Identifier: MIT */

/*
 * Sleep
 *
 * In asyncio a sleep is a future and a timer that ends it. Here neither is made: the task's own item is
 * the timer, and task->rest plays the future's part: the timer that fires makes the next
 * step ready, one turn later, and whichever of timer and cancel comes first decides how it ends.
 */

#include "task/sleep.h"

#include "base/error.h"
#include "task/await.h"
#include "task/cancel.h"
#include "task/step.h"

#include <math.h>

/* The timer is due. */
static void fire(struct auv__item *item, bool dropped)
{
        struct auv__task *task = auv__container_of(item, struct auv__task, timer.item);

        if (auv__unlikely(dropped)) {
                auv__rest_end(task);
                return;
        }
        if (auv__likely(task->rest == AUV__SLEEPING))
                auv__rest_end(task);
        item->run = auv__task_wake;
        auv__loop_push(task->future.loop, item);
}

static void start_sleep(struct auv__task *task, int64_t when_ns)
{
        task->rest = AUV__SLEEPING;
        task->timer.item.run = fire;
        auv__timer_start(task->future.loop, &task->timer, when_ns);
}

/*
 * The next step is ready from here on, and takes its place among the others now. Only where the turn is
 * shuffled, a timer that is due cannot be taken out of it, and fire() makes the step ready; no place is
 * better than another then.
 */
void auv__sleep_cancel(struct auv__task *task, auv_error *message)
{
        const bool is_set = auv__timer_is_set(&task->timer);

        auv__timer_stop(&task->timer);
        task->rest = AUV__REST_FAILS;
        task->rest_error = auv_ref(message);
        if (auv__likely(is_set))
                auv__task_make_ready(task);
}

int auv__sleep_start_timed(struct auv__task *task, double delay)
{
        if (isnan(delay))
                return auv_raise(AUV_EINVAL, "the delay is not a number");
        start_sleep(task, auv__clock_after(auv__loop_now(task->future.loop), delay));
        auv__rest_begin(task);
        return 0;
}

AUV__RETURNS_BY_JUMP int auv_await_sleep(double delay)
{
        struct auv__task *task;

        AUV_TRY(auv__await_begin(&task));
        AUV_TRY(auv__sleep_start(task, delay));
        return auv__task_suspend(task);
}

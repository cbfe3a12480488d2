/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_ARRIVAL_H
#define AUV_TASK_ARRIVAL_H

#include "task/await.h"
#include "task/cancel.h"
#include "task/step.h"

/*
 * Arrival
 *
 * What a task awaits that a callback of libuv's brings: a request that ends, a descriptor that becomes
 * ready, data. In asyncio it is a future. Here none is made, as for a sleep: the task's own item is what
 * waits, so that to wake it touches nothing on its stack.
 *
 * Whoever is to bring it has a place for it, a pointer in memory of the library's own to the task, which is
 * NULL while nobody waits: what comes late finds nobody, and touches nothing.
 */

/*
 * Waits at *@place, which is NULL before and after. The memory of @place must outlive the wait.
 * Returns what auv__arrive() was given; or a negative error where the wait was cancelled or the loop
 * closed, and the current error has the object then. *ret_arrived tells the one from the other.
 * A part of its callers, for each frame more on the stack that waits is memory that has to be found again.
 */
__attribute__((always_inline)) static inline int auv__await_arrival(struct auv__task *task,
                                                                    struct auv__task **place,
                                                                    bool *ret_arrived)
{
        int r;

        *place = task;
        task->rest = AUV__EXPECTING;
        task->waits_at = &r;
        auv__rest_begin(task);
        r = auv__task_suspend(task);
        /* Cancelled, it still stands there; and who was woken is gone from there. */
        if (*place == task)
                *place = NULL;
        *ret_arrived = r == 0;
        return auv__likely(r == 0) ? task->status : r;
}

/* Whether somebody waits at *@place; who was cancelled, and has not run since, waits no more. */
static inline bool auv__is_expected(struct auv__task *const *place)
{
        return *place && (*place)->rest == AUV__EXPECTING;
}

/* Wakes who waits at *@place, if anybody does. */
static inline void auv__arrive(struct auv__task **place, int status)
{
        struct auv__task *task = *place;

        *place = NULL;
        if (!task || task->rest != AUV__EXPECTING)
                return;
        task->rest = AUV__RESTED;
        task->status = status;
        auv__task_make_ready(task);
}

#endif

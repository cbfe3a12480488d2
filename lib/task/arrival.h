/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_ARRIVAL_H
#define AUV_TASK_ARRIVAL_H

#include "base/alloc.h"
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
 * Begins to wait at *@place, which is NULL before and after. The memory of @place must outlive the wait. A
 * task with a stack tells where on it; to one without that means nothing.
 */
static inline void auv__arrival_begin(struct auv__task *task, struct auv__task **place, void *waits_at)
{
        *place = task;
        task->rest = AUV__EXPECTING;
        task->waits_at = waits_at;
        auv__rest_begin(task);
}

/* The wait is over, and has ended with @r. Returns as auv__await_arrival(). */
static inline int auv__arrival_end(struct auv__task *task, struct auv__task **place, int r,
                                   bool *ret_arrived)
{
        /* Cancelled, it still stands there; and who was woken is gone from there. */
        if (*place == task)
                *place = NULL;
        *ret_arrived = r == 0;
        return auv__likely(r == 0) ? task->status : r;
}

/*
 * In a task with a stack: waits at *@place. Returns what auv__arrive() was given; or a negative error where
 * the wait was cancelled or the loop closed, and the current error has the object then. *ret_arrived tells
 * the one from the other.
 */
static inline int auv__await_arrival(struct auv__task *task, struct auv__task **place, bool *ret_arrived)
{
        int r;

        auv__arrival_begin(task, place, &r);
        r = auv__task_suspend(task);
        return auv__arrival_end(task, place, r, ret_arrived);
}

/* Whether somebody waits at *@place; who was cancelled, and has not run since, waits no more. */
static inline bool auv__is_expected(struct auv__task *const *place)
{
        return *place && (*place)->rest == AUV__EXPECTING;
}

/*
 * Where thousands wait, the frame of one without a stack has left the cache. It begins in the last line of
 * the task itself; the two lines behind that are fetched, which is as far as a read reaches. For a stack this
 * would be too early; see step.c.
 */
static inline void auv__arrival_fetch(const struct auv__task *task)
{
        const char *frame = (const char *)auv__task_frame(task);

        if (!task->stackless)
                return;
        __builtin_prefetch(frame + AUV__CACHE_LINE);
        __builtin_prefetch(frame + 2 * AUV__CACHE_LINE);
}

/* Wakes who waits at *@place, if anybody does. */
AUV__HOT static inline void auv__arrive(struct auv__task **place, int status)
{
        struct auv__task *task = *place;

        *place = NULL;
        if (!task || task->rest != AUV__EXPECTING)
                return;
        task->rest = AUV__RESTED;
        task->status = status;
        auv__arrival_fetch(task);
        auv__task_make_ready(task);
}

#endif

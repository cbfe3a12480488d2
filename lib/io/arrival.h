/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_ARRIVAL_H
#define AUV_IO_ARRIVAL_H

#include "task/await.h"
#include "task/step.h"

/*
 * Arrival
 *
 * What a task awaits that a callback of libuv's brings: a request that ends, a descriptor that becomes
 * ready, data. It stands on the stack of the task, so that waiting needs no memory. Whoever is to bring it
 * has a place for it, a pointer in memory of the library's own, which is NULL while nobody waits: what
 * comes late finds nobody, and touches nothing.
 */
struct auv__arrival {
        auv_future future;
        int status;
};

/*
 * Waits at *@place, which is NULL before and after. The memory of @place must outlive the wait.
 * Returns what auv__arrive() was given; or a negative error where the wait was cancelled or the loop
 * closed, and the current error has the object then. *ret_arrived tells the one from the other.
 * A part of its callers, for each frame more on the stack that waits is memory that has to be found again.
 */
__attribute__((always_inline)) static inline int auv__await_arrival(struct auv__task *task,
                                                                    struct auv__arrival **place,
                                                                    bool *ret_arrived)
{
        struct auv__arrival arrival;
        int r;

        auv__future_init(&arrival.future, task->future.loop, AUV__FUTURE);
        *place = &arrival;
        auv__await_start(task, &arrival.future, auv__task_wake);
        r = auv__task_suspend(task);
        /* Cancelled, it still stands there; and who was woken is gone from there. */
        if (*place == &arrival)
                *place = NULL;
        *ret_arrived = r == 0;
        if (auv__unlikely(r < 0)) {
                auv__future_deinit(&arrival.future);
                return r;
        }
        /* It has a result without a value, and so nothing to give back but this. */
        auv__loop_release(arrival.future.loop);
        return arrival.status;
}

/* Wakes who waits at *@place, if anybody does. */
static inline void auv__arrive(struct auv__arrival **place, int status)
{
        struct auv__arrival *arrival = *place;

        *place = NULL;
        if (!arrival || auv__future_is_done(&arrival->future))
                return;
        arrival->status = status;
        auv__future_succeed(&arrival->future, (auv_value) { 0 });
}

#endif

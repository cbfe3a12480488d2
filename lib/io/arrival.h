/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_ARRIVAL_H
#define AUV_IO_ARRIVAL_H

#include "task/await.h"

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
 */
int auv__await_arrival(struct auv__task *task, struct auv__arrival **place, bool *ret_arrived);

/* Wakes who waits at *@place, if anybody does. */
void auv__arrive(struct auv__arrival **place, int status);

#endif

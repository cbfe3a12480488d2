/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_KINDS_H
#define AUV_TASK_KINDS_H

#include "loop/ready.h"

#include <asyncuv/future.h>

/* What future.c asks the kinds of futures that are more than one. */

/* Give back what the kind holds beyond a plain future; the memory itself is freed by the caller. */
void auv__task_deinit(auv_future *future); /* and frees it */
void auv__gather_deinit(auv_future *future);
void auv__shield_deinit(auv_future *future);
void auv__wrapper_deinit(auv_future *future); /* in lib/io/thread_future.c */

/*
 * A result that @source owns is about to be put into @slot. Where that is the result of the running task,
 * the task holds @source from now on, in case it ends with that. Returns 1 there, 0 elsewhere, or
 * AUV_ENOMEM.
 */
int auv__task_borrow(const auv_value *slot, auv_future *source);

/*
 * What the `wait` of a task runs that itself holds a reference to the future that it waits for. The next
 * step can read the future as the loop's woken_by, and it is given up behind that.
 */
void auv__task_wake_holder(struct auv__item *item, bool dropped);

/*
 * What runs for a child of a gather that has many. Its item is no auv__waiter, and has no place for the
 * future; it gives up a reference to that all the same, in whichever way it is run.
 */
void auv__gather_wake_of_many(struct auv__item *item, bool dropped);

/* The message of the last request that the task had to keep for its next step; NULL for none. */
auv_error *auv__task_cancel_error(const auv_future *future);

#endif

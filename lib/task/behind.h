/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_BEHIND_H
#define AUV_TASK_BEHIND_H

#include "loop/ready.h"

#include <asyncuv/future.h>

/*
 * Who is behind an item in a future's list or in the ready queue, for debugging: each asks one kind
 * of owner, and gives NULL where the item is another's.
 */
struct auv__task *auv__task_behind(const struct auv__item *item);
auv_done_fn auv__done_callback_behind(const struct auv__item *item);

/* The task in whose scope the group is; NULL also where it has left it. */
auv_task *auv__task_group_behind(const struct auv__item *item);

/* The future that is awaited in place of the one in whose list the item waits. */
auv_future *auv__gather_behind(const struct auv__item *item);
auv_future *auv__shield_behind(const struct auv__item *item);
auv_future *auv__wait_behind(const struct auv__item *item);
auv_future *auv__wait_for_behind(const struct auv__item *item);
auv_future *auv__as_completed_behind(const struct auv__item *item); /* of who is first in line */

auv_future *auv__shield_inner(auv_future *shield);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_SLEEP_H
#define AUV_TASK_SLEEP_H

#include "task/step.h"

/* The rest of auv__sleep_start(): a delay of more than 0, or what is not a number. */
int auv__sleep_start_timed(struct auv__task *task, double delay);

/*
 * Begins the sleep of a task that is to suspend then, which ends with its next step. Returns 0 or a negative
 * error.
 */
static inline int auv__sleep_start(struct auv__task *task, double delay)
{
        if (!(delay <= 0))
                return auv__sleep_start_timed(task, delay);
        auv__task_make_ready(task);
        return 0;
}

/* Cancels the sleep of a task that is AUV__SLEEPING; @message as in auv__cancel(). */
void auv__sleep_cancel(struct auv__task *task, auv_error *message);

#endif

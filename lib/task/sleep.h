/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_SLEEP_H
#define AUV_TASK_SLEEP_H

#include "task/task.h"

/*
 * Begins the sleep of a task that is to suspend then, which ends with its next step. Returns 0 or a negative
 * error.
 */
int auv__sleep_start(struct auv__task *task, double delay);

/* Cancels the sleep of a task that is AUV__SLEEPING; @message as in auv__cancel(). */
void auv__sleep_cancel(struct auv__task *task, auv_error *message);

#endif

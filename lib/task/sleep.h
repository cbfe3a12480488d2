/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_SLEEP_H
#define AUV_TASK_SLEEP_H

#include "task/task.h"

/*
 * Begins the sleep of a task that is to suspend then, which ends with its next step. Returns 0 or a negative
 * error.
 */
int auv__sleep_start(struct auv__task *task, double delay);

#endif

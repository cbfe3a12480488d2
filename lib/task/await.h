/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_AWAIT_H
#define AUV_TASK_AWAIT_H

#include "task/task.h"

/*
 * Waits for a pending future of the task's loop that is not the task itself; the caller holds a
 * reference to it. Returns 0 when it has a result, or a negative error, and then the current error
 * has the object.
 */
int auv__await_pending(struct auv__task *task, auv_future *future);

/*
 * What every await begins with: finds the running task. Returns 0, or why it cannot await: there
 * is none, or its loop is closed.
 */
int auv__await_begin(struct auv__task **ret_task);

#endif

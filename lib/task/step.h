/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_STEP_H
#define AUV_TASK_STEP_H

#include "task/task.h"

/* The first step of a task, now. */
void auv__task_step(struct auv__task *task);

/* What `wait` runs: the task's next step. */
void auv__task_wake(struct auv__item *item, bool dropped);

/* Makes the next step of a task that waits for nothing ready. */
static inline void auv__task_make_ready(struct auv__task *task)
{
        task->wait.item.run = auv__task_wake;
        auv__loop_push(task->future.loop, &task->wait.item);
}

/* The same, and @error, whose reference is taken over, is thrown in it. */
void auv__task_make_fail(struct auv__task *task, auv_error *error);

/* A pending task of a closed loop is made to return. */
void auv__task_unwind(struct auv__task *task);

#endif

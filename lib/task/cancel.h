/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_CANCEL_H
#define AUV_TASK_CANCEL_H

#include "task/kinds.h"
#include "task/task.h"

/*
 * Asks a future to stop, as its kind does it; @message is an AUV_ECANCELED with a message, or NULL.
 * Returns 1; 0 for one that is done; AUV_ERUNTIME, where futures wait for each other in a cycle.
 * Runs nothing.
 */
int auv__cancel(auv_future *future, auv_error *message);

/*
 * The same for a task that awaits no future: ends its rest. Where it is not at rest, or not any more, the
 * request is kept for its next step.
 */
void auv__rest_cancel(struct auv__task *task, auv_error *message);

/* A task has begun to rest: a request to stop that came before it could be heeded ends that at once. */
static inline void auv__rest_begin(struct auv__task *task)
{
        if (auv__likely(!task->must_cancel))
                return;
        task->must_cancel = false;
        auv__rest_cancel(task, auv__task_cancel_error(&task->future));
}

#endif

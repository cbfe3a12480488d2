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

/* Where the function that this stands in returns to. */
#define AUV__CALLER __builtin_extract_return_addr(__builtin_return_address(0))

/*
 * What every await begins with: finds the running task. Returns 0, or why it cannot await: there
 * is none, or its loop is closed.
 */
int auv__await_enter(struct auv__task **ret_task);

/* Where there is no task that can await: the error, which is raised; negative. */
AUV_COLD int auv__await_refused(void);

/* The running task, which can await; or NULL. */
__attribute__((always_inline)) static inline struct auv__task *auv__await_task(void)
{
        const auv_loop *loop = auv__running_loop;
        struct auv__task *task = loop && loop->current ? auv__to_task(loop->current) : NULL;

        return auv__likely(task && !task->stackless && !loop->closed) ? task : NULL;
}

/*
 * auv__await_enter() for the function that the program calls, which must be the one that this stands in: it
 * notes in the task where the program goes on, for whoever looks at the task while it waits. What
 * such a function calls to do the work enters only.
 */
__attribute__((always_inline)) static inline int auv__await_begin(struct auv__task **ret_task)
{
        struct auv__task *task = auv__await_task();

        *ret_task = task;
        if (auv__unlikely(!task))
                return auv__await_refused();
        task->coro->notes.site = AUV__CALLER;
        return 0;
}

/* Begins to wait: the wake function is auv__task_wake() or auv__task_wake_holder(). */
void auv__await_start(struct auv__task *task, auv_future *future, auv__run_fn wake);

/*
 * Whether a pending future can be awaited by the task. If not, the next step throws the reason: as in
 * Python, which finds out when the coroutine has suspended.
 */
bool auv__await_check(struct auv__task *task, const auv_future *future);

/*
 * What an await returns of a task whose loop is closed: AUV_ECLOSED, for it is to return; or AUV_SUSPENDED
 * to a stackless one that has been told often enough.
 */
AUV_COLD int auv__await_refuse(struct auv__task *task);

/* auv_await() without a look at who calls. */
int auv__await(struct auv__task *task, auv_future *future, auv_value *ret);

#endif

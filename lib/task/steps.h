/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_STEPS_H
#define AUV_TASK_STEPS_H

#include "task/await.h"
#include "task/step.h"

#include <asyncuv/stackless.h>

/*
 * Steps
 *
 * An await that is more than one suspension is written once, for tasks of both forms, as a stackless body.
 * A task with a stack has the frame on it, and stays in the call until the body has ended. One without
 * has it in the subframe that the program has given for the call, which returns where the body
 * suspends; auv_subframe_resume() goes on with it.
 */

/* Where the program goes on behind such an await, for whoever looks at the task while it waits. */
static inline void auv__steps_note_site(struct auv__task *task, void *site)
{
        if (task->stackless)
                task->future.loop->frame_site = site;
        else
                task->coro->notes.site = site;
}

/* What every such await begins with: as auv__await_enter(), but that a task may also have a subframe. */
int auv__steps_enter(struct auv__task **ret_task);

/* The same in the function that the program calls, see auv__await_begin(). */
__attribute__((always_inline)) static inline int auv__steps_begin(struct auv__task **ret_task)
{
        const int r = auv__steps_enter(ret_task);

        if (auv__likely(r == 0))
                auv__steps_note_site(*ret_task, AUV__CALLER);
        return r;
}

/*
 * Runs a body in the task that auv__steps_enter() gave. Its frame, of @size bytes, begins with an auv_frame,
 * and is copied where the task has no stack. Returns a negative error, or the body's result, a number.
 */
int auv__steps_run(struct auv__task *task, auv_stackless_fn fn, void *frame, size_t size);

/* How large a frame may be. */
#define AUV__SUBFRAME_ROOM (sizeof(auv_subframe) - offsetof(auv_subframe, frame))

#define auv__run_steps(task, fn, frame)                                                              \
        ({                                                                                           \
                _Static_assert(sizeof(*(frame)) <= AUV__SUBFRAME_ROOM, "no room in a subframe");     \
                auv__steps_run((task), (fn), (frame), sizeof(*(frame)));                             \
        })

/* The task whose body calls this. */
static inline struct auv__task *auv__steps_task(void)
{
        return auv__to_task(auv__running_loop->current);
}

/* In such a body: suspends until what has been begun makes the next step ready, which goes on with @r. */
#define AUV__SUSPEND_CATCH(r) AUV_CATCH_(r, AUV__SUSPEND_)
#define AUV__SUSPEND_                                                                                \
        {                                                                                            \
                __label__ auv_resumed_;                                                              \
                AUV_SUSPEND_AT_(auv_resumed_);                                                       \
        auv_resumed_:                                                                                \
                auv_r_ = frame->error;                                                               \
        }

/* As auv__await_pending(). */
#define AUV__AWAIT_PENDING_CATCH(r, future)                                                          \
        do {                                                                                         \
                auv__await_start(auv__steps_task(), (future), auv__task_wake);                       \
                AUV__SUSPEND_CATCH(r);                                                               \
        } while (0)

#endif

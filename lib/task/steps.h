/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_STEPS_H
#define AUV_TASK_STEPS_H

#include "task/await.h"
#include "task/step.h"

#include <asyncuv/stackless.h>

#include <string.h>

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

/* Why the running task, if there is one, cannot await in steps: the error, which is raised; negative. */
AUV_COLD int auv__steps_refused(void);

/*
 * What every such await begins with, in the function that the program calls; see auv__await_begin(). A task
 * without a stack has to have a subframe.
 */
__attribute__((always_inline)) static inline int auv__steps_begin(struct auv__task **ret_task)
{
        const auv_loop *loop = auv__running_loop;
        struct auv__task *task = loop && loop->current ? auv__to_task(loop->current) : NULL;

        *ret_task = task;
        if (auv__unlikely(!task || (task->stackless && !loop->subframe) || loop->closed))
                return auv__steps_refused();
        auv__steps_note_site(task, AUV__CALLER);
        return 0;
}

/* How large a frame may be. */
#define AUV__SUBFRAME_ROOM (sizeof(auv_subframe) - offsetof(auv_subframe, frame))

/* Runs a body whose frame is on the stack of the task. */
int auv__steps_run(struct auv__task *task, auv_stackless_fn fn, auv_frame *frame);

/* Runs a body in the subframe of a task without a stack, where @fn and its frame stand. */
int auv__steps_run_subframe(struct auv__task *task, auv_stackless_fn fn);

/* Copies the frame of a body into the subframe of a task without a stack. */
#define AUV__TO_SUBFRAME_(task, its_frame)                                                           \
        do {                                                                                         \
                _Static_assert(sizeof(*(its_frame)) <= AUV__SUBFRAME_ROOM, "no room in a subframe"); \
                memcpy(&(task)->future.loop->subframe->frame, (its_frame), sizeof(*(its_frame)));    \
        } while (0)

/*
 * Runs a body in the task that auv__steps_begin() gave. Its frame begins with an auv_frame, and is copied
 * where the task has no stack. Gives a negative error, or the body's result, a number.
 */
#define auv__run_steps(task, fn, its_frame)                                                          \
        ({                                                                                           \
                int auv_steps_r_;                                                                    \
                if ((task)->stackless) {                                                             \
                        AUV__TO_SUBFRAME_(task, its_frame);                                          \
                        auv_steps_r_ = auv__steps_run_subframe((task), (fn));                        \
                } else {                                                                             \
                        auv_steps_r_ = auv__steps_run((task), (fn), &(its_frame)->frame);            \
                }                                                                                    \
                auv_steps_r_;                                                                        \
        })

/* As auv__steps_run(), behind the end of a wait that has begun. */
int auv__steps_run_on(struct auv__task *task, auv_stackless_fn fn, auv_frame *frame);

/*
 * The same where the first wait has begun already: the body is called when that is over, with how it has
 * ended in frame->error. One call less where that wait is all there is, as a rule.
 */
#define auv__run_steps_on(task, fn_, its_frame)                                                      \
        ({                                                                                           \
                int auv_steps_r_ = AUV_SUSPENDED;                                                    \
                if ((task)->stackless) {                                                             \
                        AUV__TO_SUBFRAME_(task, its_frame);                                          \
                        (task)->future.loop->subframe->fn = (fn_);                                   \
                } else {                                                                             \
                        auv_steps_r_ = auv__steps_run_on((task), (fn_), &(its_frame)->frame);        \
                }                                                                                    \
                auv_steps_r_;                                                                        \
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

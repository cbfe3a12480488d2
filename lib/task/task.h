/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_TASK_H
#define AUV_TASK_TASK_H

#include "base/pool.h"
#include "coro/coro.h"
#include "coro/stack.h"
#include "coro/stackful.h"
#include "loop/timer.h"
#include "task/attachment.h"
#include "task/future.h"

#include <asyncuv/task.h>

/* How a task waits, or has just waited, that awaits no future. */
enum auv__rest {
        AUV__AWAKE,
        AUV__SLEEPING,   /* `timer` is set; or it is due, and runs in this turn */
        AUV__EXPECTING,  /* a callback of libuv's is to wake it; see arrival.h */
        AUV__RESTED,     /* the callback has run, and the next step is ready */
        AUV__REST_FAILS, /* the next step throws rest_error, and is ready or will be */
};

/*
 * A task is in one of four states until it is done. As it can only be in one, it has one item for all:
 *   waiting   `wait` is in the list of wait.future
 *   at rest   `timer` is set; or something is to arrive, and the item alone stands for it
 *   ready     the item is in the ready queue; wait.future, if any, is done
 *   running   it is the loop's current task, or was when an eager task started within it
 */
struct auv__task {
        auv_future future;
        union {
                struct auv__waiter wait;
                struct auv__timer timer;         /* AUV__SLEEPING */
                struct {
                        struct auv__item item;
                        union {
                                auv_error *rest_error; /* AUV__REST_FAILS; NULL for a plain AUV_ECANCELED */
                                auv_future *lender;     /* done and AUV__BORROWED: owns the result */
                                void *waits_at;         /* AUV__EXPECTING: where on its stack */
                        };
                        union {
                                int status;             /* AUV__RESTED: of what has arrived */
                                int64_t refusals;       /* awaits since the loop was closed; see await.c */
                        };
                };
        };
        union {                                  /* both NULL once it has ended */
                struct auv__coro *coro;
                auv_stackless_fn fn;             /* stackless: the body; its frame stands behind the task */
        };
        struct auv__object *context;             /* see base/context.h */
        union {
                uint64_t number;                 /* as it counts in its name */
                struct auv__extras *extras;      /* has_extras */
        };
        unsigned cancels;                        /* requests less uncancel()s */
        uint8_t frame_at;                        /* see auv__task_frame() */
        uint8_t rest : 3;           /* enum auv__rest */
        bool must_cancel : 1;       /* the next step throws */
        bool started : 1;
        bool stackless : 1;
        bool alone : 1;             /* see base/pool.h */
        bool has_extras : 1;
};

/* What few tasks have. */
struct auv__extras {
        uint64_t number;         /* that of the next task without a name, where the task was made with one */
        uint64_t order;          /* of such tasks with the same number; else UINT64_MAX */
        char *name;              /* or NULL */
        auv_error *cancel_error; /* see auv__task_cancel_error() */
        auv_error *error;        /* stackless: while it waits; see auv_error_current() */
        auv_future *lender;      /* stackless: owns what the body has put into its result */
};

/* The task's extras, which it has from then on; NULL without memory. */
struct auv__extras *auv__task_extras(struct auv__task *task);

/* What it would have in one that it does not have; only to be read. */
static inline struct auv__extras auv__task_look_extras(const struct auv__task *task)
{
        return task->has_extras ? *task->extras
                                : (struct auv__extras) { .number = task->number, .order = UINT64_MAX };
}

/* What a loop has for its tasks; made with the first of them. */
struct auv__tasks {
        struct auv__tenant tenant;
        struct auv__pool pool; /* of the tasks themselves, and what knows the pending ones */
        struct auv__stack_pool stacks;
        size_t n;              /* pending tasks */
        struct auv__attachment *attachments;
        auv_task_factory_fn factory;
        void *factory_user;
};

static inline struct auv__task *auv__to_task(const auv_future *future)
{
        return auv__container_of((auv_future *)future, struct auv__task, future);
}

static inline struct auv__tasks *auv__loop_tasks(const auv_loop *loop)
{
        return auv__container_of(loop->tenant, struct auv__tasks, tenant);
}

/* It waits for nothing any more, and its next step is ready or will be. */
static inline void auv__rest_end(struct auv__task *task)
{
        task->rest = AUV__AWAKE;
        task->wait.future = NULL;
}

/* What a task that is not done waits for, or has waited for when its next step is ready; or NULL. */
static inline auv_future *auv__task_awaited(const struct auv__task *task)
{
        return task->rest == AUV__AWAKE ? task->wait.future : NULL;
}

/* The frame of a stackless task. */
static inline auv_frame *auv__task_frame(const struct auv__task *task)
{
        return (auv_frame *)(void *)((char *)task + task->frame_at);
}

/* What there is to be seen of a task's body from outside. */
struct auv__body_view {
        const void *fn;
        const void *site;                  /* where the await that it is in returns to; NULL for not known */
        bool suspended;                    /* also where it has not started */
        bool has_stack;                    /* then: */
        struct auv__stackful_view stackful;
};

/* False where the body has ended. */
bool auv__task_look(const struct auv__task *task, struct auv__body_view *ret);

/* The running task, or NULL, and then the reason is the current error. */
struct auv__task *auv__current_task(void);

/*
 * Leaves the running task until something makes its next step ready. Returns 0, or a
 * negative error, and then the current error has the object.
 */
static inline int auv__task_suspend(struct auv__task *task)
{
        return auv__stackful_suspend(task->coro);
}

/* A request to stop is kept for the next step; without memory, without its message. */
void auv__task_keep_cancel(struct auv__task *task, auv_error *message);

/* Makes the loop's struct auv__tasks, where it has none yet. Returns 0 or AUV_ENOMEM or AUV_EINVAL. */
int auv__tasks_require(auv_loop *loop);

/*
 * tasks.c: the memory of a task, of @size bytes, with what hooks.h has for it; the loop has its struct
 * auv__tasks. NULL for no memory. And the end of it.
 */
struct auv__task *auv__tasks_malloc(auv_loop *loop, size_t size);
void auv__tasks_free(struct auv__task *task);

/* The loop holds a reference to each pending task. */
void auv__tasks_add(struct auv__task *task);
void auv__tasks_remove(struct auv__task *task);

/* The first @n of the loop's pending tasks, in the order in which they were made; returns how many. */
size_t auv__tasks_first(struct auv__tasks *tasks, auv_task **ret_tasks, size_t n);

#endif

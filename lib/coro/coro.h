/* SPDX-License-Identifier: MIT */
#ifndef AUV_CORO_CORO_H
#define AUV_CORO_CORO_H

#include <asyncuv/error.h>
#include <asyncuv/future.h>

/*
 * Coroutine
 *
 * What a task drives: a body that runs until it suspends or ends. Whether the
 * body has a stack of its own or is a state machine is known to the ops alone.
 *
 * A coroutine is resumed by one party at a time, on one thread all its life.
 * Resuming nests: a running body may resume another coroutine, and has the
 * control back when that one suspends or ends. Once resume() has returned how
 * the body ended, destroy() is the only call left.
 */

struct auv__object;

enum { AUV__CORO_SUSPENDED = 1 };

/*
 * What the task that drives a body keeps beside it while there is one, so that it takes no room in the task.
 * All NULL at first.
 */
struct auv__notes {
        void *site;                   /* where the await that it is in returns to; see task/await.h */
        auv_error *error;             /* see auv_error_current() */
        struct auv__object **context; /* the current one of the body; see base/context.h */
        auv_future *lender;           /* owns what the body has put into its result */
};

struct auv__coro {
        const struct auv__coro_ops *ops;
        struct auv__notes notes;
};

struct auv__coro_ops {
        /*
         * Run until it suspends or ends. err is 0 to go on, or a negative error to throw in
         * at the suspension point; the first resume ignores it. Returns AUV__CORO_SUSPENDED,
         * or how the body ended: 0 or a negative error. What a body returns above 0 counts
         * as 0.
         */
        int (*resume)(struct auv__coro *coro, int err);

        /*
         * Give back all it has. A body that is suspended is abandoned where it stands:
         * nothing of it runs again. Not while it runs.
         */
        void (*destroy)(struct auv__coro *coro);
};

static inline int auv__coro_resume(struct auv__coro *coro, int err)
{
        return coro->ops->resume(coro, err);
}

static inline void auv__coro_destroy(struct auv__coro *coro)
{
        if (coro)
                coro->ops->destroy(coro);
}

#endif

/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_FUTURE_H
#define AUV_TASK_FUTURE_H

#include "base/object.h"
#include "loop/loop.h"

#include <asyncuv/future.h>

enum auv__future_state {
        AUV__PENDING,
        AUV__HAS_RESULT,
        AUV__FAILED,
        AUV__CANCELLED,
};

enum auv__future_flags {
        AUV__ERROR_UNSEEN = 1 << 1, /* failed, and nobody has asked for the error yet */
        AUV__BORROWED = 1 << 2,     /* the result belongs to another future, which this one holds */
        AUV__MARKED = 1 << 3,       /* scratch: met before in a list of futures */
        AUV__ON_PATH = 1 << 4,      /* scratch: on the path of a cancellation; see cancel.c */
        AUV__SHIELD_LOGS = 1 << 5,  /* a shield reports the error of this one; see shield.c */
};

/*
 * Something that is to run when a future is done. Stands in its owner. It waits in the future's
 * list, and moves to the loop's ready queue when the future is done; from then on it
 * holds a reference to the future, which its run function gives up. Run as dropped with a future
 * of NULL, it was in the list of a future that will never be done.
 */
struct auv__waiter {
        struct auv__item item;
        auv_future *future;
};

struct auv_future {
        struct auv__object object;     /* state: enum auv__future_state */
        struct auv__waiter *callbacks; /* the last of a ring, or NULL; then the link of dying futures */
        auv_loop *loop;
        union {
                auv_value value;  /* AUV__HAS_RESULT; a running task writes it before */
                auv_error *error; /* AUV__FAILED */
                struct {
                        auv_error *message; /* what every reader gets; NULL for no message */
                        auv_error *first;   /* what the first reader gets, and then NULL */
                } cancelled;                /* AUV__CANCELLED */
        };
};

/* A pending future with one reference. It counts as living on the loop until auv__future_deinit(). */
static inline void auv__future_init(auv_future *future, auv_loop *loop, enum auv__kind kind)
{
        future->object = auv__object_init(kind, 0);
        future->callbacks = NULL;
        future->loop = loop;
        future->value = (auv_value) { 0 };
        auv__loop_hold(loop);
}

/* Drops its callbacks and gives back what it holds, but not its own memory. */
void auv__future_deinit(auv_future *future);

static inline bool auv__future_is_done(const auv_future *future)
{
        return future->object.state != AUV__PENDING;
}

/* Ends a pending future. Each schedules its callbacks. */
void auv__future_succeed(auv_future *future, auv_value value);
void auv__future_fail(auv_future *future, auv_error *error);        /* takes over the reference */
void auv__future_set_cancelled(auv_future *future, auv_error *message, auv_error *first); /* likewise */

/* Schedules the callbacks of a future whose state has just been set. */
void auv__future_schedule_callbacks(auv_future *future);

/* Appends to the list of a pending future. */
void auv__future_watch(auv_future *future, struct auv__waiter *waiter);

/* Takes out of the list; false where it is not in it. O(n). */
bool auv__future_unwatch(auv_future *future, struct auv__waiter *waiter);

/* Runs the whole list of a pending future as dropped. */
void auv__future_drop_callbacks(auv_future *future);

/* The AUV_ECANCELED that a reader gets, as Python's _make_cancelled_error(). The caller owns it. */
auv_error *auv__future_cancelled_error(auv_future *future);

/* The error of a future that is done, or NULL; it then counts as seen. The caller owns it. */
auv_error *auv__future_outcome(auv_future *future);

/* What auv_future_result() gives for a future that is done. */
int auv__future_read(auv_future *future, auv_value *ret);

/* Remembers why a future could not be made, for whoever awaits the NULL; returns NULL. */
auv_future *auv__no_future(int code);
int auv__no_future_reason(void);

#endif

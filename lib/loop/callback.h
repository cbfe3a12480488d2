/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_CALLBACK_H
#define AUV_LOOP_CALLBACK_H

#include "loop/ready.h"

#include <asyncuv/loop.h>

/*
 * A function that a loop calls whenever something has happened, where an auv_call is called once; in a
 * context of its own, which is a copy of the one in which it was given.
 */
struct auv__callback {
        struct auv__item item;
        auv_call_fn fn;
        void *arg;
        struct auv__object *context; /* see base/context.h */
        unsigned due;                /* calls to be made; the ready queue has the item while there are any */
        bool cancelled;              /* it goes when it comes out of the queue */
};

/* Returns NULL where there is no memory. */
struct auv__callback *auv__callback_new(auv_call_fn fn, void *arg);

/* Another function from now on, also for the calls that are due. */
void auv__callback_set(struct auv__callback *callback, auv_call_fn fn, void *arg);

/* It has happened: one call more. */
void auv__callback_push(auv_loop *loop, struct auv__callback *callback);

static inline bool auv__callback_is_due(const struct auv__callback *callback)
{
        return callback->due > 0;
}

/* The function that an item of the ready queue stands for; NULL where the item is another's. */
auv_call_fn auv__callback_behind(const struct auv__item *item);

/* From here on it is not called any more, and gone; NULL does nothing. */
void auv__callback_cancel(struct auv__callback *callback);

#endif

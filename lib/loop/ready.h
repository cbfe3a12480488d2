/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_READY_H
#define AUV_LOOP_READY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Ready queue
 *
 * A FIFO of items for this turn or the next. An item stands in its owner, so that making
 * something ready can never fail for want of memory. It is taken out of the queue before it is
 * run, and may then be queued again. Nothing is taken out of the middle: an owner that has
 * changed its mind notes so, and does nothing when its item is run.
 */

struct auv__item;

/*
 * Runs an item. @dropped: the loop is closed, or what the item waited for is gone, and the owner
 * only gives back what the item held.
 */
typedef void (*auv__run_fn)(struct auv__item *item, bool dropped);

struct auv__item {
        struct auv__item *next;
        auv__run_fn run;
};

struct auv__ready {
        struct auv__item *first;
        struct auv__item **end; /* the last item's next, or first */
};

static inline void auv__ready_init(struct auv__ready *ready)
{
        ready->first = NULL;
        ready->end = &ready->first;
}

static inline bool auv__ready_is_empty(const struct auv__ready *ready)
{
        return !ready->first;
}

/* Appends a chain of items that ends with @last, in its order. */
static inline void auv__ready_push_chain(struct auv__ready *ready, struct auv__item *first,
                                         struct auv__item *last)
{
        last->next = NULL;
        *ready->end = first;
        ready->end = &last->next;
}

/* Takes out all items, as a chain; NULL where there are none. */
static inline struct auv__item *auv__ready_take_all(struct auv__ready *ready)
{
        struct auv__item *first = ready->first;

        auv__ready_init(ready);
        return first;
}

#endif

/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_TIMER_H
#define AUV_LOOP_TIMER_H

#include "loop/ready.h"

#include <asyncuv/loop.h>

#include <stdint.h>

/*
 * A deadline, and what becomes ready when it has come. Stands in its owner. It is set until its item is
 * about to be run, and may be stopped until then, in any turn.
 */
struct auv__timer {
        struct auv__item item;       /* its next is the next timer of the list that this one is in */
        struct auv__timer *previous; /* in that list; NULL while it is not set */
        int64_t when_ns;
};

/* A ring of timers; the head is none. Nothing but head.item.next and head.previous is looked at. */
struct auv__timer_list {
        struct auv__timer head;
};

/* Timers of keys that are near to each other. list.head.when_ns is the least, or less. */
struct auv__timer_slot {
        struct auv__timer_list list;
        int64_t latest_ns; /* where they are in order, the greatest key or more; else AUV__NEVER */
};

enum {
        AUV__TIMER_BITS = 6,
        AUV__TIMER_SLOTS = 1 << AUV__TIMER_BITS,
        AUV__TIMER_LEVELS = (63 + AUV__TIMER_BITS - 1) / AUV__TIMER_BITS,
};

/* A queue of timers, which needs no memory of its own; see timer.c. */
struct auv__timers {
        int64_t last_ns;                  /* no timer in the slots is due before */
        int64_t now_ns;                   /* timers for this time or before are due; may be after last_ns */
        unsigned levels;                  /* those that may have a slot in use, as bits */
        uint64_t used[AUV__TIMER_LEVELS]; /* slots that are initialized and may have timers, as bits */
        struct auv__timer_list due;       /* the first of those that are due, in order */
        struct auv__timer_list overdue;   /* those that were due when they were set, as they were set */
        struct auv__timer_list never;     /* those for AUV__NEVER */
        struct auv__timer_slot slots[AUV__TIMER_LEVELS][AUV__TIMER_SLOTS]; /* see auv__timers_init() */
};

/* Writes all but the slots, which are initialized when they are used. */
void auv__timers_init(struct auv__timers *timers);

void auv__timers_set(struct auv__timers *timers, struct auv__timer *timer, int64_t when_ns);

/*
 * When the next timer is due, or earlier where the next was stopped; never later. AUV__NEVER where there
 * is none, or all are for AUV__NEVER. Not while there may be more that auv__timers_take() gives.
 */
int64_t auv__timers_next(struct auv__timers *timers);

/*
 * It is @now_ns: what has been set until now for that time or before is what auv__timers_take() gives from
 * here on. What is set from here on for such a time has to wait for the next call of this one.
 */
void auv__timers_advance(struct auv__timers *timers, int64_t now_ns);

/* Takes out the next timer that is due: by time, and among equals as they were set. NULL for none. */
struct auv__timer *auv__timers_take(struct auv__timers *timers);

/* False where there is no timer that will ever be due; it may be true by mistake for a while. */
static inline bool auv__timers_may_be_due(const struct auv__timers *timers)
{
        return timers->levels || timers->overdue.head.item.next != &timers->overdue.head.item;
}

static inline void auv__timer_list_init(struct auv__timer_list *list)
{
        list->head.item.next = &list->head.item;
        list->head.previous = &list->head;
}

static inline bool auv__timer_list_is_empty(const struct auv__timer_list *list)
{
        return list->head.item.next == &list->head.item;
}

static inline void auv__timer_list_append(struct auv__timer_list *list, struct auv__timer *timer)
{
        struct auv__timer *last = list->head.previous;

        timer->item.next = &list->head.item;
        timer->previous = last;
        last->item.next = &timer->item;
        list->head.previous = timer;
}

static inline bool auv__timer_is_set(const struct auv__timer *timer)
{
        return timer->previous != NULL;
}

/* Takes a timer that is set out of the list that it is in, whichever that is. */
static inline void auv__timer_remove(struct auv__timer *timer)
{
        struct auv__timer *next = (struct auv__timer *)timer->item.next;

        timer->previous->item.next = &next->item;
        next->previous = timer->previous;
        timer->previous = NULL;
}

/* Takes out the first; NULL where there is none. */
static inline struct auv__timer *auv__timer_list_pop(struct auv__timer_list *list)
{
        struct auv__timer *first = (struct auv__timer *)list->head.item.next;

        if (auv__timer_list_is_empty(list))
                return NULL;
        auv__timer_remove(first);
        return first;
}

/* A timer that is not set stays as it is. */
static inline void auv__timer_stop(struct auv__timer *timer)
{
        if (auv__timer_is_set(timer))
                auv__timer_remove(timer);
}

/* Sets a timer, whose item.run must be set. One for AUV__NEVER never fires. */
void auv__timer_start(auv_loop *loop, struct auv__timer *timer, int64_t when_ns);

#endif

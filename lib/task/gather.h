/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_GATHER_H
#define AUV_TASK_GATHER_H

#include "task/attachment.h"
#include "task/future.h"

#include <asyncuv/gather.h>

struct auv__task;
struct auv__list;

struct auv__gather {
        auv_future future;
        struct auv__attachment attachment; /* while n_waiting is not 0, which also holds a reference */
        size_t n;             /* children as they were given */
        size_t n_unique;
        size_t n_done;        /* of the unique ones */
        size_t n_waiting;     /* of the unique ones, those whose list the gather is in */
        bool return_exceptions;
        bool cancel_requested;
        struct {              /* scratch of a cancellation; see cancel.c */
                struct auv__gather *above;
                auv_future *first;        /* where the chain that led here begins */
                struct auv__task *waiter; /* the last task of that chain, or NULL */
                size_t next;
                bool accepted;
        } walk;
        union {                           /* behind the children, in their block */
                void *waiting;             /* items that wait for unique children, one for each */
                struct auv__list *results;         /* once all are done, in the same place */
        };
        size_t n_mapped;                  /* bytes, where the children have a mapping of their own; else 0 */
        auv_future **children;            /* n, each with a reference */
};

static inline struct auv__gather *auv__to_gather(auv_future *future)
{
        return auv__container_of(future, struct auv__gather, future);
}

/*
 * A cancellation comes to a gather that is pending; asks for one child after the other, telling
 * whether the one before accepted; and leaves, with whether any of them did.
 */
void auv__gather_walk_begin(struct auv__gather *gather, struct auv__gather *above, auv_future *first,
                            struct auv__task *waiter);
bool auv__gather_walk_next(struct auv__gather *gather, bool accepted, auv_future **ret_child);
bool auv__gather_walk_end(struct auv__gather *gather);
void auv__gather_walk_abandon(struct auv__gather *gather);

#endif

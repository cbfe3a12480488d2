/* SPDX-License-Identifier: MIT */
#ifndef AUV_SYNC_CONDITION_H
#define AUV_SYNC_CONDITION_H

#include "sync/lock.h"

#include <asyncuv/condition.h>

struct auv_condition {
        struct auv__object object;
        auv_lock *lock; /* with a reference */
        auv_loop *loop; /* see bind.h */
        struct auv__line line;
};

/*
 * auv_await_condition_wait_for() in steps, for the primitives that are made of others; without a predicate
 * auv_await_condition_wait().
 */
struct auv__condition_wait {
        auv_frame frame;
        auv_condition *condition;
        auv_predicate_fn predicate;
        void *arg;
        auv_error *error; /* how the wait has ended, while the lock is taken again; or NULL */
        union {
                struct auv__place place;
                struct auv__lock_acquire acquire;
        };
};
int auv__condition_wait_steps(auv_frame *frame, auv_value *ret);

#endif

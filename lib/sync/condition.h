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

/* auv_await_condition_wait_for() for one of the primitives that are made of others. */
int auv__await_condition_wait_for(auv_condition *condition, auv_predicate_fn predicate, void *arg);

#endif

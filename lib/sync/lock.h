/* SPDX-License-Identifier: MIT */
#ifndef AUV_SYNC_LOCK_H
#define AUV_SYNC_LOCK_H

#include "task/line.h"

#include <asyncuv/lock.h>

struct auv_lock {
        struct auv__object object;
        bool locked;
        auv_loop *loop; /* see bind.h */
        struct auv__line line;
};

/* auv_await_lock_acquire() for one of the primitives that are made of others. */
int auv__await_lock_acquire(auv_lock *lock);

#endif

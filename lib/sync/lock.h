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

/* auv_await_lock_acquire() in steps, for the primitives that are made of others. */
struct auv__lock_acquire {
        auv_frame frame;
        auv_lock *lock;
        struct auv__place place;
};
int auv__lock_acquire_steps(auv_frame *frame, auv_value *ret);

#endif

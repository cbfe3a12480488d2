/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_TIMER_H
#define AUV_LOOP_TIMER_H

#include "base/heap.h"
#include "loop/ready.h"

#include <asyncuv/loop.h>

/* A deadline, and what becomes ready when it has come. Stands in its owner. */
struct auv__timer {
        struct auv__heap_node node;
        struct auv__item item;
};

/* Returns 0, or AUV_ENOMEM. @timer->item.run must be set; a timer for AUV__NEVER never fires. */
int auv__timer_start(auv_loop *loop, struct auv__timer *timer, int64_t when_ns);

/* A timer that is not set, or has become ready, stays as it is. */
void auv__timer_stop(auv_loop *loop, struct auv__timer *timer);

static inline bool auv__timer_is_set(const struct auv__timer *timer)
{
        return auv__heap_has(&timer->node);
}

/* When a timer that is set is due. */
int64_t auv__timer_when(const auv_loop *loop, const struct auv__timer *timer);

/* When the next timer is due; AUV__NEVER where there is none. */
int64_t auv__timers_next(const auv_loop *loop);

/* Makes ready what is due at @now_ns, the earliest first. */
void auv__timers_fire(auv_loop *loop, int64_t now_ns);

#endif

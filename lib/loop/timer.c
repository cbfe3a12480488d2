/* SPDX-License-Identifier: MIT */

#include "loop/timer.h"

#include "loop/loop.h"

int auv__timer_start(auv_loop *loop, struct auv__timer *timer, int64_t when_ns)
{
        const int r = auv__heap_insert(&loop->timers, &timer->node, when_ns);

        if (r == 0 && auv__unlikely(loop->parked))
                auv__loop_unpark(loop);
        return r;
}

void auv__timer_stop(auv_loop *loop, struct auv__timer *timer)
{
        if (auv__timer_is_set(timer))
                auv__heap_remove(&loop->timers, &timer->node);
}

int64_t auv__timer_when(const auv_loop *loop, const struct auv__timer *timer)
{
        return loop->timers.entries[timer->node.place - 1].key;
}

int64_t auv__timers_next(const auv_loop *loop)
{
        return auv__heap_is_empty(&loop->timers) ? AUV__NEVER : auv__heap_min_key(&loop->timers);
}

void auv__timers_fire(auv_loop *loop, int64_t now_ns)
{
        while (!auv__heap_is_empty(&loop->timers) && auv__heap_min_key(&loop->timers) <= now_ns) {
                struct auv__heap_node *node = auv__heap_min(&loop->timers);
                struct auv__item *item = &auv__container_of(node, struct auv__timer, node)->item;

                auv__heap_remove(&loop->timers, node);
                auv__ready_push_chain(&loop->ready, item, item);
        }
}

/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_WAKEUP_H
#define AUV_LOOP_WAKEUP_H

#include "loop/loop.h"

#include <asyncuv/loop.h>

#include <stdatomic.h>

/* Calls from other threads; any thread may push, the loop's thread collects and closes. */

/* Returns 0, or AUV_ECLOSED and then the item was not taken. Wakes the loop. */
int auv__wakeup_push(auv_loop *loop, struct auv__item *item);

/* The same, but for what runs in the loop's thread between any two of its instructions: a signal handler. */
int auv__wakeup_push_async(auv_loop *loop, struct auv__item *item);

/* Makes ready what other threads have pushed, in the order in which they did. */
void auv__wakeup_collect_some(auv_loop *loop);

static inline void auv__wakeup_collect(auv_loop *loop)
{
        if (auv__unlikely(atomic_load_explicit(&loop->threadsafe, memory_order_relaxed) != NULL))
                auv__wakeup_collect_some(loop);
}

/* From here on every push is refused, and none is under way. Returns what had been pushed. */
struct auv__item *auv__wakeup_close(auv_loop *loop);

#endif

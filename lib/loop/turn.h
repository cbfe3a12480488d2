/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_TURN_H
#define AUV_LOOP_TURN_H

#include "loop/loop.h"

/*
 * Takes the next item of the turn that runs now, if it runs the same: for an item that does with it what the
 * turn would. NULL where that is another, or none.
 */
static inline struct auv__item *auv__turn_take(auv_loop *loop, auv__run_fn run)
{
        struct auv__item *item = loop->turn;

        if (!item || item->run != run)
                return NULL;
        loop->turn = item->next;
        loop->since_poll++;
        return item;
}

/* A turn that the caller's uv_run() has come round to; see reactor.c. */
void auv__turn_embedded(auv_loop *loop);

/*
 * Within a wait, from a callback of libuv's: runs what is ready, where libuv has more to tell than should
 * pile up. Callbacks of libuv's that follow may be about what is gone since.
 */
void auv__turn_ready(auv_loop *loop);

#endif

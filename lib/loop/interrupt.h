/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_INTERRUPT_H
#define AUV_LOOP_INTERRUPT_H

#include "loop/ready.h"

#include <asyncuv/loop.h>

/* What a loop has for the SIGINT that interrupts a run. */
struct auv__interrupt {
        struct auv__item item;
        _Atomic bool queued; /* the item is on its way to the ready queue, or in it */
        auv_call_fn fn;      /* NULL where no run is to be interrupted */
        void *arg;
};

/*
 * From here on the first SIGINT has fn(arg) called by the loop, and the second ends the process. Does
 * nothing in any but the main thread, and where SIGINT has not its default disposition.
 */
void auv__interrupt_begin(auv_loop *loop, auv_call_fn fn, void *arg);

/* No more; the default disposition is restored. Returns whether there was a SIGINT. */
bool auv__interrupt_end(auv_loop *loop);

#endif

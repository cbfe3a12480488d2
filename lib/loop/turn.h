/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_TURN_H
#define AUV_LOOP_TURN_H

#include <asyncuv/loop.h>

/* A turn that the caller's uv_run() has come round to; see reactor.c. */
void auv__turn_embedded(auv_loop *loop);

/*
 * Within a wait, from a callback of libuv's: runs what is ready, where libuv has more to tell than should
 * pile up. Callbacks of libuv's that follow may be about what is gone since.
 */
void auv__turn_ready(auv_loop *loop);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_TURN_H
#define AUV_LOOP_TURN_H

#include <asyncuv/loop.h>

/* A turn that the caller's uv_run() has come round to; see reactor.c. */
void auv__turn_embedded(auv_loop *loop);

#endif

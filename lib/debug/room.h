/* SPDX-License-Identifier: MIT */
#ifndef AUV_DEBUG_ROOM_H
#define AUV_DEBUG_ROOM_H

#include <asyncuv/loop.h>

#include <stdint.h>

/*
 * Calls fn(arg), which looks for symbols, with what that needs: on a stack that is large enough for
 * libdw, one of @loop's. Where there is none to be had, on the caller's. In the loop's thread; @fn must
 * not await.
 */
void auv__with_room(auv_loop *loop, void (*fn)(void *arg), void *arg);

/* What all of these calls have taken in this thread: the program is not to be blamed for it. */
int64_t auv__room_ns(void);

#endif

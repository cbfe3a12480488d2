/* SPDX-License-Identifier: MIT */
#ifndef AUV_DEBUG_ROOM_H
#define AUV_DEBUG_ROOM_H

#include <asyncuv/coro.h>

/*
 * Calls fn(arg) on a stack that is large enough for other libraries, also where the caller is a
 * coroutine with a small one; without memory for that, on the caller's. @fn must not await.
 */
void auv__with_room(void (*fn)(void *arg), void *arg);

#endif

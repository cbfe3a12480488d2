/* SPDX-License-Identifier: MIT */
#ifndef AUV_CORO_STACKLESS_H
#define AUV_CORO_STACKLESS_H

#include "base/object.h"
#include "coro/coro.h"

#include <asyncuv/stackless.h>

/*
 * Stackless coroutine
 *
 * A function that returns where it suspends, and what it keeps meanwhile: a struct that begins with its
 * frame. There is no control block; the function stands in the task where a coroutine with a stack has its
 * pointer, and the frame is found by the task's address.
 */

_Static_assert(AUV_SUSPENDED == AUV__CORO_SUSPENDED, "what a body returns is passed on");

/*
 * The frame's error while the body does not run: more than 0. It is 1, or tells where the await returns to
 * that the body is in: that address less the body's, and this.
 */
enum { AUV__FRAME_WAITS = 1, AUV__FRAME_SITE = 1 << 30 };

static inline void auv__stackless_init(auv_frame *frame)
{
        *frame = (auv_frame) { .at = 0, .error = AUV__FRAME_WAITS };
}

/* As auv__coro_resume(). Where the body then waits, auv__stackless_wait() has to follow. */
static inline int auv__stackless_resume(auv_stackless_fn fn, auv_frame *frame, auv_value *ret, int err)
{
        frame->error = err;
        return fn(frame, ret);
}

static inline bool auv__stackless_runs(const auv_frame *frame)
{
        return frame->error <= 0;
}

/* The body waits, in an await that returns to @site. */
static inline void auv__stackless_wait(auv_stackless_fn fn, auv_frame *frame, const void *site)
{
        const intptr_t distance = (intptr_t)((uintptr_t)site - (uintptr_t)fn);
        const bool is_near = distance > 1 - AUV__FRAME_SITE && distance < AUV__FRAME_SITE;

        frame->error = auv__likely(is_near) ? AUV__FRAME_SITE + (int32_t)distance : AUV__FRAME_WAITS;
}

/* That; NULL where it is not known, or the body runs. */
static inline const void *auv__stackless_site(auv_stackless_fn fn, const auv_frame *frame)
{
        return frame->error > AUV__FRAME_WAITS
                ? (const char *)(uintptr_t)fn + (frame->error - AUV__FRAME_SITE) : NULL;
}

#endif

/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_HANDLE_H
#define AUV_IO_HANDLE_H

#include "loop/loop.h"

#include <uv.h>

/*
 * Handle
 *
 * A handle of libuv's in a block of the library's own. It and libuv's part stand anywhere in that block,
 * which stays until libuv has let go of it. A loop knows its open handles, and closes them when it is closed
 * itself.
 *
 *      AUV_TRY(auv__handle_prepare(&x->handle, loop, &functions));
 *      r = uv_tcp_init(auv__handle_uv_loop(&x->handle), &x->tcp);
 *      if (r < 0) ... free(x)
 *      auv__handle_open(&x->handle, (uv_handle_t *)&x->tcp);
 *
 * From there on only auv__handle_close() leads to the end of x, in functions.closed().
 */
struct auv__handle;

struct auv__handle_functions {
        /*
         * The loop is being closed, its tasks have ended, and the handle has just been closed with it. From
         * here on nothing of the program's is called. NULL for nothing to do.
         */
        void (*loop_closed)(struct auv__handle *handle);

        /*
         * libuv has let go of it: its memory may go. On a libuv loop of the caller's the loop may be gone.
         */
        void (*closed)(struct auv__handle *handle);
};

struct auv__handle {
        auv_loop *loop; /* valid while it is open */
        struct auv__handle **link; /* in the loop's list, while it is open: what points here */
        struct auv__handle *next;
        const struct auv__handle_functions *functions;
        struct auv__reactor *reactor;
        uv_handle_t *uv; /* its data leads back here; NULL where it is not open */
};

/* Everything about it that can fail: returns 0 or AUV_ENOMEM. The loop must not be closed. */
int auv__handle_prepare(struct auv__handle *handle, auv_loop *loop,
                        const struct auv__handle_functions *functions);

/* Where libuv's part of a prepared handle is to be initialized. */
uv_loop_t *auv__handle_uv_loop(const struct auv__handle *handle);

/* @uv has been initialized. */
void auv__handle_open(struct auv__handle *handle, uv_handle_t *uv);

static inline bool auv__handle_is_open(const struct auv__handle *handle)
{
        return handle->uv != NULL;
}

/* The handle that libuv's callback is about. */
static inline struct auv__handle *auv__handle_of(const void *uv)
{
        return ((const uv_handle_t *)uv)->data;
}

/* One that is not open, or is closing, stays as it is. Callbacks of its requests may still come. */
void auv__handle_close(struct auv__handle *handle);

#endif

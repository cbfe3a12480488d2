/* SPDX-License-Identifier: MIT */
#ifndef AUV_CORO_STACK_USE_H
#define AUV_CORO_STACK_USE_H

#include <asyncuv/coro.h>

#include <stddef.h>

struct auv__stack_pool;

/* What the coroutines of one function have used of their stacks. */
struct auv__function_use {
        auv_coro_fn fn;
        size_t n;          /* coroutines that have ended */
        size_t max;        /* the most that one of them has used, in bytes */
        size_t stack_size; /* of the one that did */
};

/* Of all functions of a pool, the first that ended first. */
struct auv__stack_use {
        size_t n;
        size_t room;
        size_t n_lost; /* coroutines that are not counted, for want of memory */
        struct auv__function_use functions[];
};

/* A coroutine of @fn has ended. Cost: O(n) in the number of functions. */
void auv__stack_use_add(struct auv__stack_pool *pool, auv_coro_fn fn, size_t used, size_t stack_size);

void auv__stack_use_free(struct auv__stack_use *use);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef AUV_CORO_STACKFUL_H
#define AUV_CORO_STACKFUL_H

#include "coro/switch.h"

#include <asyncuv/coro.h>

#include <stdbool.h>
#include <stddef.h>

struct auv__coro;
struct auv__stack_pool;

/*
 * Make a coroutine out of a C function. Nothing of it runs yet.
 *
 * stack_size counts everything that lies on the stack, the control block and the copy of
 * the argument included; 0 is the pool's default. An argument that would take more than
 * half of it gets the coroutine a bigger stack.
 *
 * With size > 0 the body gets a copy of arg, aligned for any type, that lives as long as
 * the coroutine; with 0 it gets arg itself. The body gets ret as it is.
 *
 * Returns 0; AUV_ENOMEM; or AUV_EINVAL, the stack would be larger than AUV__STACK_MAX.
 */
int auv__stackful_new(struct auv__stack_pool *pool, size_t stack_size, auv_coro_fn fn, const void *arg,
                      size_t size, auv_value *ret, struct auv__coro **ret_coro);

/* The ops, for those who know the kind. */
int auv__stackful_resume(struct auv__coro *coro, int err);
void auv__stackful_destroy(struct auv__coro *coro);

/*
 * On the coroutine's own stack, at any call depth: go back to whoever resumed it. Returns
 * the err of the next resume, 0 or negative.
 */
int auv__stackful_suspend(struct auv__coro *coro);

/*
 * From here on what the coroutine uses of its stack is measured, and added to what its pool has of
 * it in the end. Before the first resume. Cost: writes to all of the stack.
 */
void auv__stackful_measure(struct auv__coro *coro);

/* The most that the coroutine has used of its stack, in bytes; 0 where it is not measured. */
size_t auv__stackful_used(const struct auv__coro *coro);

/* What there is to be seen of a coroutine from outside. */
struct auv__stackful_view {
        auv_coro_fn fn;
        const void *context; /* what the switch has left, see switch.h; NULL while the body runs */
        const char *low;     /* the stack: [low, high) */
        const char *high;
};

/* False where the coroutine is NULL or not of this kind. */
bool auv__stackful_look(const struct auv__coro *coro, struct auv__stackful_view *ret);

/* The function that calls the body: its frame, and those before it, are not the program's. */
const void *auv__stackful_bottom(void);

#endif

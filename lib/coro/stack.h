/* SPDX-License-Identifier: MIT */
#ifndef AUV_CORO_STACK_H
#define AUV_CORO_STACK_H

#include "coro/stack_guard.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A stack and its guard together take a power of two of address space, so that the stacks of a class
 * share page tables evenly. A size between those of two classes is rounded up.
 */
#define AUV__STACK_GUARD   ((size_t)16 << 10)
#define AUV__STACK_CLASSES 13
#define AUV__STACK_SIZE(i) (((size_t)32 << 10 << (i)) - AUV__STACK_GUARD)
#define AUV__STACK_MIN     AUV__STACK_SIZE(0)
#define AUV__STACK_MAX     AUV__STACK_SIZE(AUV__STACK_CLASSES - 1)

/*
 * One stack, while it is acquired: [low, this structure) is the holder's. The structure lies
 * at the top of the stack's own memory, 64-byte aligned at its end, and is not to be touched.
 */
struct auv__stack {
        struct auv__stack *next;      /* while free: the one that was released before */
        struct auv__stack_slab *slab; /* where it lies */
        char *low;                    /* lowest byte above the guard */
        unsigned int valgrind_id;     /* under Valgrind only */
        bool fresh;                   /* never released */
        bool deep;                    /* while free: has pages below those that a stack may keep */
};

struct auv__stack_slab_list {
        struct auv__stack_slab *head, *tail;
};

struct auv__stack_class {
        struct auv__stack_pool *pool;
        size_t size;                         /* of a stack */
        size_t span;                         /* from one stack to the next, a power of two */
        struct auv__stack_slab_list partial; /* some stacks in use, some not */
        struct auv__stack_slab_list idle;    /* no stack in use; last used first */
        size_t n_used;                       /* stacks in use */
        size_t n_idle;                       /* stacks that lie in idle slabs */
        size_t n_deep;                       /* free stacks whose deep pages are still there */
        size_t n_fresh;                      /* stacks released for the first time, ever */
        bool goes_deep;                      /* so was the stack that was looked at last */
        size_t n_next;                       /* stacks that the next slab will hold */
        size_t n_reserve;                    /* idle stacks that are never unmapped */
};

/*
 * One per event loop, without locks. Must not move once initialized. guard may be set to
 * AUV__STACK_GUARD_MPROTECT before the first stack is acquired.
 */
struct auv__stack_pool {
        size_t default_size;
        enum auv__stack_guard guard;
        bool on_valgrind;
        bool watched;               /* by a sanitizer or by Valgrind */
        struct auv__stack_use *use; /* of the coroutines that were measured; see stack_use.h */
        struct auv__stack_class classes[AUV__STACK_CLASSES];
};

/*
 * default_size 0 is 48 KiB, or 240 KiB in a process with AddressSanitizer or
 * ThreadSanitizer. Returns 0, or AUV_EINVAL: larger than AUV__STACK_MAX.
 */
int auv__stack_pool_init(struct auv__stack_pool *pool, size_t default_size);

/* All stacks must have been released. */
void auv__stack_pool_deinit(struct auv__stack_pool *pool);

/*
 * size 0 is the pool's default. Returns 0, AUV_ENOMEM, or AUV_EINVAL: larger than AUV__STACK_MAX, of which
 * pages that are larger than a guard leave less.
 */
int auv__stack_acquire(struct auv__stack_pool *pool, size_t size, struct auv__stack **ret_stack);
void auv__stack_release(struct auv__stack *stack);
struct auv__stack_pool *auv__stack_pool_of(const struct auv__stack *stack);

#endif

/* SPDX-License-Identifier: MIT */

/*
 * Stackful coroutine
 *
 * All that a coroutine has lies on its stack, from the top down:
 *
 *      struct auv__stack       the pool's
 *      struct stackful         the control block, which is what coro points to
 *      struct auv__fiber       where watched
 *      copy of the argument
 *      frames of the body
 *
 * so one that suspends with small frames touches a single page and allocates nothing
 * else. The control block begins at a cache line: its first line is all that a switch
 * looks at, besides the frame that is left and the one that is gone to. What begins and ends a
 * coroutine shares the line behind with the pool's structure.
 *
 * resume() and suspend() end in a tail call of the switch, so that the processor's
 * prediction of returns is not put out twice; see switch_x86_64.S. Where a
 * sanitizer has to hear of each switch there are slower twins, by the name of watched.
 */

#include "coro/stackful.h"

#include "base/alloc.h"
#include "coro/coro.h"
#include "coro/sanitizer.h"
#include "coro/stack.h"
#include "coro/stack_use.h"
#include "coro/switch.h"

#include <asyncuv/error.h>

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define unlikely(condition) __builtin_expect(!!(condition), 0)

#define ARG_ALIGN 16

/* What a stack has where nobody has been yet; no address, and no number that programs like. */
#define PATTERN UINT64_C(0xa5c3965af00dbe71)

/* How much of a free stack, from its top, is marked as nobody's. Every stack has
 * more than that below the argument. */
#define HIDDEN_BYTES ((size_t)4096)

/* Set by the end that is about to leave: there is no after, in a tail call. */
enum state { STATE_AWAY, STATE_RUNNING, STATE_ENDED };

struct stackful {
        struct auv__coro coro;
        void *other; /* the switch's slot: the end that does not run */
        struct auv__stack *stack;
        bool watched;  /* by a sanitizer, which has to be told of switches */
        bool measured; /* all of the stack that was free has had PATTERN */
        uint8_t state;

        auv_coro_fn fn;
        void *arg;
        auv_value *ret;
};

_Static_assert(offsetof(struct stackful, fn) <= AUV__CACHE_LINE, "a switch looks at one line");

static const struct auv__coro_ops ops;

static struct stackful *from_coro(struct auv__coro *coro)
{
        return (struct stackful *)coro;
}

/* Where watched: what stands below it. */
static struct auv__fiber *fiber_of(struct stackful *co)
{
        return (struct auv__fiber *)co - 1;
}

static size_t stack_bytes(const struct stackful *co)
{
        return (size_t)((char *)co->stack - co->stack->low);
}

/*
 * The twins are no part of the functions that they stand in for: what they keep on the stack would be
 * kept there without a sanitizer, too. ASan must give this one no frame, as it never returns.
 */
__attribute__((noinline, no_sanitize_address)) static void end_watched(struct stackful *co, int r)
{
        auv__fiber_before_end(fiber_of(co));
        auv__switch_out(&co->other, r);
        abort();
}

/* The first function on the stack. ASan must not give it a frame before it knows the stack. */
__attribute__((no_sanitize_address)) static void run(void *arg)
{
        struct stackful *co = arg;
        int r;

        if (unlikely(co->watched))
                auv__fiber_after_suspend(fiber_of(co));
        r = co->fn(co->arg, co->ret);
        r = r < 0 ? r : 0;
        co->state = STATE_ENDED;
        if (unlikely(co->watched))
                end_watched(co, r);
        auv__switch_out(&co->other, r);
        abort();
}

__attribute__((noinline)) static int resume_watched(struct stackful *co, int err)
{
        void *fake_stack = NULL;
        int r;

        auv__fiber_before_resume(fiber_of(co), co->stack->low, stack_bytes(co), &fake_stack);
        r = auv__switch_in(&co->other, err);
        auv__fiber_after_resume(fake_stack);
        return r;
}

int auv__stackful_resume(struct auv__coro *coro, int err)
{
        struct stackful *co = from_coro(coro);

        assert(err <= 0);
        assert(co->state == STATE_AWAY);
        co->state = STATE_RUNNING;
        if (unlikely(co->watched))
                return resume_watched(co, err);
        return auv__switch_in(&co->other, err);
}

__attribute__((noinline)) static int suspend_watched(struct stackful *co)
{
        int err;

        auv__fiber_before_suspend(fiber_of(co));
        err = auv__switch_out(&co->other, AUV__CORO_SUSPENDED);
        auv__fiber_after_suspend(fiber_of(co));
        return err;
}

int auv__stackful_suspend(struct auv__coro *coro)
{
        struct stackful *co = from_coro(coro);

        assert(co->state == STATE_RUNNING);
        co->state = STATE_AWAY;
        if (unlikely(co->watched))
                return suspend_watched(co);
        return auv__switch_out(&co->other, AUV__CORO_SUSPENDED);
}

/* The stack is read and written as no program does, beside what lies on it. */
__attribute__((no_sanitize("address", "thread"))) void auv__stackful_measure(struct auv__coro *coro)
{
        struct stackful *co = from_coro(coro);

        auv__sanitizer_disregard(true);
        for (volatile uint64_t *word = (void *)co->stack->low; (void *)word < co->other; word++)
                *word = PATTERN;
        auv__sanitizer_disregard(false);
        co->measured = true;
}

__attribute__((no_sanitize("address", "thread"))) size_t auv__stackful_used(const struct auv__coro *coro)
{
        const struct stackful *co = from_coro((struct auv__coro *)coro);
        const volatile uint64_t *word = (const void *)co->stack->low;
        size_t used;

        if (!co->measured)
                return 0;
        auv__sanitizer_disregard(true);
        while ((const void *)word < (void *)co && *word == PATTERN)
                word++;
        auv__sanitizer_disregard(false);
        used = (size_t)((const char *)co->stack - (const char *)word);
        auv__sanitizer_vouch(&used, sizeof(used));
        return used;
}

bool auv__stackful_look(const struct auv__coro *coro, struct auv__stackful_view *ret)
{
        const struct stackful *co = (const struct stackful *)coro;

        if (!coro || coro->ops != &ops)
                return false;
        *ret = (struct auv__stackful_view) { .fn = co->fn,
                                             .context = co->state == STATE_AWAY ? co->other : NULL,
                                             .low = co->stack->low,
                                             .high = (const char *)co->stack };
        return true;
}

const void *auv__stackful_bottom(void)
{
        return (const void *)(uintptr_t)run;
}

void auv__stackful_destroy(struct auv__coro *coro)
{
        struct stackful *co = from_coro(coro);
        struct auv__stack *stack = co->stack;

        assert(co->state != STATE_RUNNING);
        if (unlikely(co->measured))
                auv__stack_use_add(auv__stack_pool_of(stack), co->fn, auv__stackful_used(coro),
                                   stack_bytes(co));
        if (unlikely(co->watched)) {
                auv__fiber_deinit(fiber_of(co), stack->low, stack_bytes(co));
                /* The frames that were abandoned, down to the last, are still marked as such. */
                auv__sanitizer_show(co->other, (size_t)((char *)stack - (char *)co->other));
                auv__sanitizer_hide((char *)stack - HIDDEN_BYTES, HIDDEN_BYTES);
        }
        auv__stack_release(stack);
}

static const struct auv__coro_ops ops = { .resume = auv__stackful_resume, .destroy = auv__stackful_destroy };

/* A stack of which the argument takes no more than half. */
static int acquire(struct auv__stack_pool *pool, size_t stack_size, size_t size,
                   struct auv__stack **ret_stack)
{
        if (stack_size == 0)
                stack_size = pool->default_size;
        if (size > AUV__STACK_MAX)
                return AUV_EINVAL;
        if (size > stack_size / 2)
                stack_size = 2 * size;
        return auv__stack_acquire(pool, stack_size, ret_stack);
}

/*
 * The stack that is taken next is found in this one alone, so without help the processor waits for each
 * anew: three lines have all that is written to begin on it, but for a large argument.
 */
static inline void fetch_next(const struct auv__stack *stack)
{
        for (uintptr_t i = 0; i < 3; i++)
                __builtin_prefetch((const void *)((uintptr_t)stack->next - i * AUV__CACHE_LINE), /* rw= */ 1);
}

int auv__stackful_new(struct auv__stack_pool *pool, size_t stack_size, auv_coro_fn fn, const void *arg,
                      size_t size, auv_value *ret, struct auv__coro **ret_coro)
{
        struct auv__stack *stack;
        struct stackful *co;
        char *top;
        int r;

        r = acquire(pool, stack_size, size, &stack);
        if (r < 0)
                return r;
        fetch_next(stack);
        co = (void *)(((uintptr_t)stack - sizeof(*co)) & ~(uintptr_t)(AUV__CACHE_LINE - 1));
        top = pool->watched ? (char *)fiber_of(co) : (char *)co;
        top = (char *)((uintptr_t)(top - size) & ~(uintptr_t)(ARG_ALIGN - 1));
        if (unlikely(pool->watched))
                auv__sanitizer_show(top - HIDDEN_BYTES, (size_t)((char *)stack - top) + HIDDEN_BYTES);
        co->coro = (struct auv__coro) { .ops = &ops };
        co->fn = fn;
        co->arg = size ? memcpy(top, arg, size) : (void *)arg;
        co->ret = ret;
        co->state = STATE_AWAY;
        co->stack = stack;
        co->watched = pool->watched;
        co->measured = false;
        if (unlikely(co->watched))
                auv__fiber_init(fiber_of(co));
        co->other = auv__switch_prepare(stack->low, top, run, co);
        *ret_coro = &co->coro;
        return 0;
}

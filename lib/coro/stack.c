/* SPDX-License-Identifier: MIT */

/*
 * Stack pool
 *
 * Stacks of one size lie side by side in slabs, which are large mappings:
 *
 *      | guard | stack 0 | guard | stack 1 | ... | never used yet |
 *
 * Carving. A slab gives out stacks that were released, last one first, and only then
 * carves a new one. What has never been carved costs address space alone, but for a few
 * stacks that are made ready ahead of it where that is cheaper (stack_guard.c). Carving
 * writes the structure at the top of the stack, into the page that the stack's holder is
 * about to use anyway. No stack is given out without its guard.
 *
 * Choice of slab. A stack is taken from a partial slab before an idle one, so that
 * a slab with few users can empty. A full slab that gets a stack back goes to the
 * front, and so does a slab that has become idle: the next stack taken is in the
 * usual case the one released last, and its top is in the cache.
 *
 * Memory after a peak. Idle slabs are unmapped, least recently used first, as soon as those
 * that remain hold as many stacks as are in use, and no fewer than fill RESERVE_SPAN.
 * Before a slab is mapped again, that many more stacks must have been acquired, so
 * mapping costs O(1) for each stack, and numbers that go up and down by less never map.
 *
 * Depth. A released stack keeps its pages, because the next holder wants
 * them, down to a depth of KEEP. Whether it was used beyond that shows in the
 * words just below, which are zero in a fresh page; a holder that jumps over them with a
 * large frame and leaves them alone is missed until it does not. To look there costs a fault
 * when the page is not there yet, which it is not after a stack's first use. So of those only
 * one in DEPTH_SAMPLE is looked at, and the next one after any that was deep: programs
 * whose bodies go deep pay, the others do not. Stacks that have deep pages keep them
 * too as long as the free ones of the class have no more than DEEP_TOTAL of address
 * space, so that bodies which go deep as a habit neither make system calls nor fault.
 * A stack beyond that gives the deep pages back when it is released; that costs no more
 * than the faults that brought them.
 *
 * Spreading. The tops of all stacks have the same offset in their page and so compete for
 * a few sets of the first-level cache: the structure is moved down by up to
 * COLOURS - 1 cache lines. A switch among 1000 coroutines takes a fifth of the time that way.
 */

#include "coro/stack.h"

#include "base/alloc.h"
#include "coro/sanitizer.h"
#include "coro/stack_use.h"

#include <asyncuv/error.h>

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_STACK
#define MAP_STACK 0
#endif

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

#define MAP_FLAGS            (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK)
#define DEFAULT_SIZE         AUV__STACK_SIZE(1)
#define DEFAULT_SIZE_WATCHED AUV__STACK_SIZE(3)
#define SLAB_STACKS_MIN      16
#define SLAB_STACKS_MAX      256
#define SLAB_SPAN_MAX        ((size_t)32 << 20)
#define RESERVE_SPAN         ((size_t)128 << 20)
#define KEEP                 ((size_t)16 << 10)
#define DEEP_TOTAL           ((size_t)4 << 20)
#define DEEP_WORDS           8
#define DEPTH_SAMPLE         16
#define COLOURS              16

struct auv__stack_slab {
        struct auv__stack_slab *next, *prev; /* while it is in a list: partial or idle */
        struct auv__stack_class *class;
        struct auv__stack *free; /* released, last one first */
        char *memory;
        size_t n;         /* stacks that it has room for */
        size_t n_carved;  /* the first ones, which have a struct auv__stack */
        size_t n_guarded; /* the first ones, which have a guard; no fewer */
        size_t n_used;
        size_t n_deep;    /* share in the class' n_deep */
};

static size_t min(size_t a, size_t b)
{
        return a < b ? a : b;
}

static size_t max(size_t a, size_t b)
{
        return a > b ? a : b;
}

static void list_push(struct auv__stack_slab_list *list, struct auv__stack_slab *slab)
{
        slab->prev = NULL;
        slab->next = list->head;
        *(list->head ? &list->head->prev : &list->tail) = slab;
        list->head = slab;
}

static void list_remove(struct auv__stack_slab_list *list, struct auv__stack_slab *slab)
{
        *(slab->prev ? &slab->prev->next : &list->head) = slab->next;
        *(slab->next ? &slab->next->prev : &list->tail) = slab->prev;
}

/* The new slab is idle. */
static struct auv__stack_slab *slab_map(struct auv__stack_class *class)
{
        const size_t n = class->n_next, size = n * class->span;
        struct auv__stack_slab *slab = auv__calloc(sizeof(*slab));

        if (!slab)
                return NULL;
        slab->memory = mmap(/* addr= */ NULL, size, PROT_READ | PROT_WRITE, MAP_FLAGS, /* fd= */ -1,
                            /* offset= */ 0);
        if (slab->memory == MAP_FAILED) {
                auv__free(slab);
                return NULL;
        }
#ifdef MADV_NOHUGEPAGE
        /* The first touch of a stack would otherwise take 2 MiB. An error means that there are no huge
         * pages here. */
        madvise(slab->memory, size, MADV_NOHUGEPAGE);
#endif
        auv__sanitizer_slab_mapped(slab->memory, size);
        slab->class = class;
        slab->n = n;
        list_push(&class->idle, slab);
        class->n_idle += n;
        if (n < SLAB_STACKS_MAX && 2 * size <= SLAB_SPAN_MAX)
                class->n_next = 2 * n;
        return slab;
}

static void slab_unmap(struct auv__stack_slab *slab)
{
        struct auv__stack_class *class = slab->class;
        const size_t size = slab->n * class->span;

        if (class->pool->on_valgrind)
                for (struct auv__stack *stack = slab->free; stack; stack = stack->next)
                        auv__sanitizer_stack_gone(stack->valgrind_id);
        auv__sanitizer_slab_unmapped(slab->memory, size);
        auv__unmap(slab->memory, size);
        list_remove(&class->idle, slab);
        class->n_idle -= slab->n;
        class->n_deep -= slab->n_deep;
        auv__free(slab);
}

static void trim(struct auv__stack_class *class)
{
        while (class->idle.tail &&
               class->n_idle - class->idle.tail->n >= max(class->n_used, class->n_reserve))
                slab_unmap(class->idle.tail);
}

/* Of one or more stacks. A program gets as many ahead as it has in use, so not even half are for nothing. */
static int guard_next(struct auv__stack_slab *slab)
{
        struct auv__stack_class *class = slab->class;
        const struct auv__stack_row row = {
                .memory = slab->memory + slab->n_guarded * class->span,
                .n = min(slab->n - slab->n_guarded, class->n_used),
                .span = class->span,
                .guard = class->span - class->size,
        };
        const int r = auv__stack_guard_set(&class->pool->guard, &row);

        if (r < 0)
                return r;
        slab->n_guarded += (size_t)r;
        return 0;
}

static int slab_carve(struct auv__stack_slab *slab, struct auv__stack **ret_stack)
{
        struct auv__stack_class *class = slab->class;
        char *guard = slab->memory + slab->n_carved * class->span;
        char *low = guard + class->span - class->size, *top = low + class->size;
        struct auv__stack *stack = (void *)(top - slab->n_carved % COLOURS * AUV__CACHE_LINE - sizeof(*stack));

        if (slab->n_carved == slab->n_guarded)
                AUV_TRY(guard_next(slab));
        slab->n_carved++;
        stack->slab = slab;
        stack->low = low;
        stack->fresh = true;
        stack->deep = false;
        stack->valgrind_id = auv__sanitizer_stack_carved(guard, low, top);
        *ret_stack = stack;
        return 0;
}

static struct auv__stack *slab_pop(struct auv__stack_slab *slab)
{
        struct auv__stack *stack = slab->free;

        slab->free = stack->next;
        slab->n_deep -= stack->deep;
        slab->class->n_deep -= stack->deep;
        return stack;
}

/* One more stack of the slab is in use. */
static void slab_use(struct auv__stack_slab *slab)
{
        struct auv__stack_class *class = slab->class;

        class->n_used++;
        if (slab->n_used++ == 0) {
                list_remove(&class->idle, slab);
                class->n_idle -= slab->n;
                list_push(&class->partial, slab);
        }
        if (slab->n_used == slab->n)
                list_remove(&class->partial, slab);
}

static void slab_unuse(struct auv__stack_slab *slab)
{
        struct auv__stack_class *class = slab->class;

        class->n_used--;
        if (slab->n_used-- == slab->n)
                list_push(&class->partial, slab);
        if (slab->n_used == 0) {
                list_remove(&class->partial, slab);
                list_push(&class->idle, slab);
                class->n_idle += slab->n;
        }
}

/* No stack can be carved any more. One that was carved before will do, wherever it lies. */
static struct auv__stack_slab *find_carved(struct auv__stack_class *class)
{
        for (struct auv__stack_slab *slab = class->partial.head; slab; slab = slab->next)
                if (slab->free)
                        return slab;
        for (struct auv__stack_slab *slab = class->idle.head; slab; slab = slab->next)
                if (slab->free)
                        return slab;
        return NULL;
}

/* NULL where none is large enough: the guards of large pages leave less than AUV__STACK_MAX. */
static struct auv__stack_class *find_class(struct auv__stack_pool *pool, size_t size)
{
        for (size_t i = 0; i < AUV__STACK_CLASSES; i++)
                if (pool->classes[i].size >= size)
                        return &pool->classes[i];
        return NULL;
}

/* Where no stack has been released in the slab to be taken first, or there is none. */
static __attribute__((noinline)) int acquire_apart(struct auv__stack_class *class,
                                                   struct auv__stack **ret_stack)
{
        struct auv__stack_slab *slab = class->partial.head;
        struct auv__stack *stack;
        int r;

        if (!slab)
                slab = class->idle.head;
        if (!slab)
                slab = slab_map(class);
        if (!slab)
                return AUV_ENOMEM;

        if (slab->free) {
                stack = slab_pop(slab);
        } else {
                r = slab_carve(slab, &stack);
                if (r < 0) {
                        slab = find_carved(class);
                        if (!slab)
                                return r;
                        stack = slab_pop(slab);
                }
        }
        slab_use(slab);
        *ret_stack = stack;
        return 0;
}

int auv__stack_acquire(struct auv__stack_pool *pool, size_t size, struct auv__stack **ret_stack)
{
        struct auv__stack_class *class;
        struct auv__stack_slab *slab;

        class = find_class(pool, size ? size : pool->default_size);
        if (!class)
                return AUV_EINVAL;
        slab = class->partial.head;
        if (!slab || !slab->free)
                return acquire_apart(class, ret_stack);
        *ret_stack = slab_pop(slab);
        slab_use(slab);
        return 0;
}

/* Whether to look at the depth of a stack that is about to be free. */
static bool is_depth_due(struct auv__stack *stack)
{
        struct auv__stack_class *class = stack->slab->class;

        /* memcheck would rightly call the words that are looked at undefined. */
        if (class->size <= KEEP || class->pool->on_valgrind)
                return false;
        if (!stack->fresh)
                return true;
        stack->fresh = false;
        return class->n_fresh++ % DEPTH_SAMPLE == 0 || class->goes_deep;
}

/* Whether what lies below KEEP was ever used; the answer is forgotten. */
static bool take_depth(struct auv__stack *stack, size_t size)
{
        uintptr_t *words = (void *)(stack->low + size - KEEP - DEEP_WORDS * sizeof(*words));
        uintptr_t any = 0;

        for (size_t i = 0; i < DEEP_WORDS; i++)
                any |= words[i];
        if (any)
                memset(words, 0, DEEP_WORDS * sizeof(*words));
        return any;
}

static void settle_depth(struct auv__stack *stack)
{
        struct auv__stack_class *class = stack->slab->class;

        class->goes_deep = take_depth(stack, class->size);
        if (!class->goes_deep && !stack->deep)
                return;
        stack->deep = (class->n_deep + 1) * class->size <= DEEP_TOTAL;
        if (stack->deep) {
                stack->slab->n_deep++;
                class->n_deep++;
        } else {
                madvise(stack->low, class->size - KEEP, MADV_DONTNEED);
        }
}

void auv__stack_release(struct auv__stack *stack)
{
        struct auv__stack_slab *slab = stack->slab;

        if (is_depth_due(stack))
                settle_depth(stack);
        stack->next = slab->free;
        slab->free = stack;
        slab_unuse(slab);
        trim(slab->class);
}

struct auv__stack_pool *auv__stack_pool_of(const struct auv__stack *stack)
{
        return stack->slab->class->pool;
}

static void class_init(struct auv__stack_class *class, struct auv__stack_pool *pool, size_t size)
{
        const size_t page = (size_t)sysconf(_SC_PAGESIZE);
        const size_t guard = max(AUV__STACK_GUARD, page);
        const size_t span = max(size + AUV__STACK_GUARD, 2 * guard);

        *class = (struct auv__stack_class){ .pool = pool, .size = span - guard, .span = span };
        class->n_reserve = max(RESERVE_SPAN / span, 1);
        class->n_next = min(max(SLAB_SPAN_MAX / span, 1), SLAB_STACKS_MIN);
}

int auv__stack_pool_init(struct auv__stack_pool *pool, size_t default_size)
{
        if (default_size == 0)
                default_size = auv__sanitizer_watches_switches() ? DEFAULT_SIZE_WATCHED : DEFAULT_SIZE;
        pool->default_size = default_size;
        pool->guard = auv__sanitizer_finds_leaks() ? AUV__STACK_GUARD_MPROTECT : AUV__STACK_GUARD_UNTRIED;
        pool->on_valgrind = auv__sanitizer_is_valgrind();
        pool->watched = pool->on_valgrind || auv__sanitizer_watches_switches();
        pool->use = NULL;
        for (size_t i = 0; i < AUV__STACK_CLASSES; i++)
                class_init(&pool->classes[i], pool, AUV__STACK_SIZE(i));
        return find_class(pool, default_size) ? 0 : AUV_EINVAL;
}

void auv__stack_pool_deinit(struct auv__stack_pool *pool)
{
        for (size_t i = 0; i < AUV__STACK_CLASSES; i++) {
                assert(pool->classes[i].n_used == 0);
                while (pool->classes[i].idle.head)
                        slab_unmap(pool->classes[i].idle.head);
        }
        auv__stack_use_free(pool->use);
}

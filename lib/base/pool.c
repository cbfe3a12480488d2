/* SPDX-License-Identifier: MIT */

/*
 * Pool
 *
 * Blocks of one size lie side by side in slabs, mappings of SLAB_SIZE that are aligned to that, so that
 * a block's slab is found from its address. A block that was freed is the next to be taken, and what has
 * never been used is taken last, so it costs address space alone. A block in use has no header.
 *
 * Slabs that have blocks to give are in a list, the one that was last given a block back first. Of slabs
 * in which no block is in use, the least recently used are unmapped as soon as those that remain have as
 * many blocks as are in use, and no fewer than RESERVE of them are there: so memory goes back after a
 * peak, in batches, and numbers that go up and down by less never map.
 *
 * A class that has POPULATE_AFTER slabs in use will most likely fill the next one too. So all pages of it
 * are asked for at once.
 *
 * Where somebody watches allocations, a sanitizer or an allocator that the program has set, each block is
 * one, with its links in front.
 */

#include "base/pool.h"

#include "base/alloc.h"

#include <sys/mman.h>

#define SLAB_SIZE      ((size_t)256 << 10)
#define RESERVE        16
#define POPULATE_AFTER 32
#define ALIGN          16

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

struct auv__pool_slab {
        struct auv__pool_slab *next, *previous; /* while it is in a list: partial or idle */
        struct auv__pool_slab *next_of_all, *previous_of_all;
        struct auv__pool_class *class;
        struct free_block *free; /* the last one first */
        uint32_t size;           /* of a block */
        uint32_t n;              /* blocks that it has room for */
        uint32_t n_taken;        /* the first ones, which have been in use */
        uint32_t n_used;
};

struct free_block {
        uint32_t used; /* 0 */
        struct free_block *next;
};

/* The size in front of what is no block, but the place where a walk is. */
#define PLACE SIZE_MAX

#define SLAB_HEAD ((sizeof(struct auv__pool_slab) + ALIGN - 1) & ~(size_t)(ALIGN - 1))

_Static_assert(sizeof(struct auv__pool_lone) % ALIGN == 0, "what follows is aligned");

void auv__pool_init(struct auv__pool *pool, bool alone)
{
        *pool = (struct auv__pool) { .alone = alone || !auv__alloc_is_default() };
        pool->lone.next = pool->lone.previous = &pool->lone;
}

static void lone_insert(struct auv__pool_lone *previous, struct auv__pool_lone *lone)
{
        lone->previous = previous;
        lone->next = previous->next;
        lone->next->previous = lone;
        previous->next = lone;
}

static void lone_remove(struct auv__pool_lone *lone)
{
        lone->next->previous = lone->previous;
        lone->previous->next = lone->next;
}

static void list_push(struct auv__pool_slab **list, struct auv__pool_slab *slab)
{
        slab->previous = NULL;
        slab->next = *list;
        if (slab->next)
                slab->next->previous = slab;
        *list = slab;
}

static void list_remove(struct auv__pool_slab **list, struct auv__pool_slab *slab)
{
        *(slab->previous ? &slab->previous->next : list) = slab->next;
        if (slab->next)
                slab->next->previous = slab->previous;
}

/* A mapping of SLAB_SIZE that is aligned to it, cut out of one of twice the size. */
static void *map_aligned(void)
{
        char *memory = mmap(/* addr= */ NULL, 2 * SLAB_SIZE, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, /* fd= */ -1, /* offset= */ 0);
        size_t before;

        if (memory == MAP_FAILED)
                return NULL;
        before = -(uintptr_t)memory & (SLAB_SIZE - 1);
        /* Where it cannot be cut, for want of mappings, address space is lost. */
        if (before > 0)
                munmap(memory, before);
        munmap(memory + before + SLAB_SIZE, SLAB_SIZE - before);
        return memory + before;
}

/* The new slab is idle. */
static struct auv__pool_slab *slab_map(struct auv__pool *pool, struct auv__pool_class *class, size_t size)
{
        struct auv__pool_slab *slab = map_aligned();

        if (!slab)
                return NULL;
        if (class->n_used / ((SLAB_SIZE - SLAB_HEAD) / size) >= POPULATE_AFTER)
                auv__populate(slab, SLAB_SIZE);
        slab->class = class;
        slab->size = (uint32_t)size;
        slab->n = (uint32_t)((SLAB_SIZE - SLAB_HEAD) / size);
        slab->previous_of_all = pool->last_slab;
        *(pool->last_slab ? &pool->last_slab->next_of_all : &pool->slabs) = slab;
        pool->last_slab = slab;
        list_push(&class->idle, slab);
        class->n_idle++;
        return slab;
}

static void slab_unmap(struct auv__pool *pool, struct auv__pool_slab *slab)
{
        *(slab->previous_of_all ? &slab->previous_of_all->next_of_all : &pool->slabs) = slab->next_of_all;
        *(slab->next_of_all ? &slab->next_of_all->previous_of_all : &pool->last_slab) =
                slab->previous_of_all;
        auv__unmap(slab, SLAB_SIZE);
}

/* Keeps as many idle slabs as it may, and unmaps the others, at the end of the list. */
static void trim(struct auv__pool *pool, struct auv__pool_class *class)
{
        const size_t n_used = class->n_used / class->idle->n;
        const size_t n_kept = n_used > RESERVE ? n_used : RESERVE;
        struct auv__pool_slab *slab = class->idle, *next;

        /* In batches, for the list is walked. */
        if (class->n_idle < 2 * n_kept || pool->walked)
                return;
        for (size_t i = 0; i < n_kept; i++)
                slab = slab->next;
        slab->previous->next = NULL;
        for (; slab; slab = next) {
                next = slab->next;
                slab_unmap(pool, slab);
        }
        class->n_idle = n_kept;
}

static __attribute__((noinline)) void *malloc_lone(struct auv__pool *pool, size_t size, size_t before)
{
        struct auv__pool_lone *lone = auv__malloc(sizeof(*lone) + before + size);

        if (!lone)
                return NULL;
        lone->before = before;
        lone_insert(pool->lone.previous, lone);
        return (char *)(lone + 1) + before;
}

static __attribute__((noinline)) void free_lone(struct auv__pool_lone *lone)
{
        lone_remove(lone);
        auv__free(lone);
}

/* A block of a slab that is partial. */
static inline void *take_block(struct auv__pool_slab *slab)
{
        struct auv__pool_class *class = slab->class;
        struct free_block *block = slab->free;

        if (block)
                slab->free = block->next;
        else
                block = (void *)((char *)slab + SLAB_HEAD + slab->n_taken++ * slab->size);
        class->n_used++;
        if (++slab->n_used == slab->n)
                list_remove(&class->partial, slab);
        return block;
}

/* Where no slab is partial. */
static __attribute__((noinline)) void *malloc_apart(struct auv__pool *pool, struct auv__pool_class *class,
                                                    size_t size)
{
        struct auv__pool_slab *slab = class->idle;

        if (!slab)
                slab = slab_map(pool, class, size);
        if (!slab)
                return NULL;
        list_remove(&class->idle, slab);
        class->n_idle--;
        list_push(&class->partial, slab);
        return take_block(slab);
}

void *auv__pool_malloc(struct auv__pool *pool, size_t size, size_t before, bool *ret_alone)
{
        const size_t step = (size - 1) / AUV__POOL_STEP;
        struct auv__pool_class *class;

        *ret_alone = pool->alone || before > 0 || step >= AUV__POOL_CLASSES;
        if (__builtin_expect(*ret_alone, 0))
                return malloc_lone(pool, size, before);
        class = &pool->classes[step];
        if (__builtin_expect(!class->partial, 0))
                return malloc_apart(pool, class, (step + 1) * AUV__POOL_STEP);
        return take_block(class->partial);
}

/* No block of the slab is in use any more. */
static __attribute__((noinline)) void make_idle(struct auv__pool *pool, struct auv__pool_slab *slab)
{
        struct auv__pool_class *class = slab->class;

        list_remove(&class->partial, slab);
        list_push(&class->idle, slab);
        class->n_idle++;
        trim(pool, class);
}

void auv__pool_free(struct auv__pool *pool, void *memory, size_t before, bool alone)
{
        struct auv__pool_slab *slab = (void *)((uintptr_t)memory & ~(uintptr_t)(SLAB_SIZE - 1));
        struct free_block *block = memory;
        struct auv__pool_class *class;

        if (__builtin_expect(alone, 0)) {
                free_lone((struct auv__pool_lone *)(void *)((char *)memory - before) - 1);
                return;
        }
        class = slab->class;
        block->used = 0;
        block->next = slab->free;
        slab->free = block;
        class->n_used--;
        if (slab->n_used-- == slab->n)
                list_push(&class->partial, slab);
        if (slab->n_used == 0)
                make_idle(pool, slab);
}

void auv__pool_each(struct auv__pool *pool, void (*visit)(void *block, void *arg), void *arg)
{
        const bool outer = pool->walked;
        struct auv__pool_lone place = { .before = PLACE };

        pool->walked = true;
        for (struct auv__pool_lone *lone = pool->lone.next; lone != &pool->lone; lone = place.next) {
                lone_insert(lone, &place);
                if (lone->before != PLACE)
                        visit((char *)(lone + 1) + lone->before, arg);
                lone_remove(&place);
        }
        for (struct auv__pool_slab *slab = pool->slabs; slab; slab = slab->next_of_all)
                for (size_t i = 0; i < slab->n_taken; i++) {
                        struct free_block *block = (void *)((char *)slab + SLAB_HEAD + i * slab->size);

                        if (block->used != 0)
                                visit(block, arg);
                }
        pool->walked = outer;
}

void auv__pool_deinit(struct auv__pool *pool)
{
        while (pool->lone.next != &pool->lone)
                free_lone(pool->lone.next);
        while (pool->slabs)
                slab_unmap(pool, pool->slabs);
}

/* SPDX-License-Identifier: MIT */
#ifndef AUV_BASE_POOL_H
#define AUV_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Blocks of more than this stand alone. */
#define AUV__POOL_MAX 512

enum { AUV__POOL_STEP = 8, AUV__POOL_CLASSES = AUV__POOL_MAX / AUV__POOL_STEP };

/*
 * Blocks of memory of like sizes, side by side, which can be enumerated. A block must begin with a uint32_t
 * that is not 0 from soon after it was made until it is freed: an object's count of its references does.
 *
 * One for each event loop, without locks. Must not move once initialized.
 */
struct auv__pool {
        bool alone;                    /* no slabs: each block is an allocation */
        bool walked;                   /* by auv__pool_each(): no slab is unmapped */
        struct auv__pool_lone {
                struct auv__pool_lone *next, *previous;
                size_t before;
                size_t unused;         /* what follows is aligned */
        } lone;                        /* the head of a ring of the blocks that stand alone */
        struct auv__pool_slab *slabs;  /* all of them, in the order in which they were mapped */
        struct auv__pool_slab *last_slab;
        struct auv__pool_class {
                struct auv__pool_slab *partial; /* some blocks in use, some not */
                struct auv__pool_slab *idle;    /* no block in use; last used first */
                size_t n_used;                  /* blocks in use */
                size_t n_idle;                  /* idle slabs */
        } classes[AUV__POOL_CLASSES];
};

/*
 * @alone: for each block to be an allocation of its own, for whoever watches those. So it is too where the
 * program has set an allocator.
 */
void auv__pool_init(struct auv__pool *pool, bool alone);

/* Gives all of its memory back; blocks that are still in use are gone. */
void auv__pool_deinit(struct auv__pool *pool);

/*
 * A block of @size bytes, aligned to 16 where @size is a multiple of 16, else to 8. @before: for that many
 * bytes in front of it, a multiple of 16; with these, or with *ret_alone as it comes, it stands alone.
 * Returns NULL where there is no memory.
 */
void *auv__pool_malloc(struct auv__pool *pool, size_t size, size_t before, bool *ret_alone);

/* @before and @alone: what auv__pool_malloc() was given and gave. */
void auv__pool_free(struct auv__pool *pool, void *block, size_t before, bool alone);

/* Calls a function for each block in use, in no order. It may free blocks, and must not make any. */
void auv__pool_each(struct auv__pool *pool, void (*visit)(void *block, void *arg), void *arg);

#endif

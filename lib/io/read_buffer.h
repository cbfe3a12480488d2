/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_READ_BUFFER_H
#define AUV_IO_READ_BUFFER_H

#include "base/alloc.h"
#include "loop/loop.h"

#include <assert.h>

/*
 * Read buffer
 *
 * The bytes that have come in and have not been read yet, in one block: data are received into its end and
 * handed out from its beginning, both without a copy. What has been handed out is lent until
 * auv__read_buffer_settle(): so long the block stays where it is. More data then go behind the lent ones,
 * or, where there is no more room, into a block that takes its place.
 *
 * A buffer that is empty has no block. Blocks come from a pool that the loop has, so that the few which
 * are in use at a time do for any number of readers, and none of them is ever cold.
 */

struct auv__block_pool;

struct auv__block {
        struct auv__block *next; /* in the pool, or among those that a buffer has lent */
        size_t capacity;
        unsigned size_class;     /* where the pool keeps it */
        _Alignas(AUV__CACHE_LINE) char data[];
};

struct auv__read_buffer {
        auv_loop *loop;
        struct auv__block_pool *pool; /* gone once the loop is closed */
        struct auv__block *block; /* NULL where there is nothing */
        struct auv__block *lent;  /* what came before it and is lent, by next; freed when settled */
        size_t begin;             /* of the unread data in the block */
        size_t end;
        size_t chunk;             /* the size of the next block; follows what comes in at a time */
        bool block_is_lent;       /* what has been handed out stands in the block itself */
        uint8_t n_small;          /* reads in turn that a smaller block would have had room for */
};

/* Returns 0 or AUV_ENOMEM. */
int auv__read_buffer_init(struct auv__read_buffer *buffer, auv_loop *loop);
void auv__read_buffer_deinit(struct auv__read_buffer *buffer);

/*
 * Room for at least @size bytes behind the data, or with 0 for one read from the system; NULL for no
 * memory.
 */
void *auv__read_buffer_reserve(struct auv__read_buffer *buffer, size_t size, size_t *ret_room);

/* So many bytes have been written into the room. */
void auv__read_buffer_commit(struct auv__read_buffer *buffer, size_t size);

static inline size_t auv__read_buffer_size(const struct auv__read_buffer *buffer)
{
        return buffer->end - buffer->begin;
}

/* The unread data; never NULL. */
static inline const char *auv__read_buffer_data(const struct auv__read_buffer *buffer)
{
        return buffer->block ? buffer->block->data + buffer->begin : "";
}

/* Takes @size bytes, no more than there are, from the beginning: they are lent from now on. */
static inline const char *auv__read_buffer_take(struct auv__read_buffer *buffer, size_t size)
{
        const char *data = auv__read_buffer_data(buffer);

        assert(size <= auv__read_buffer_size(buffer));
        buffer->begin += size;
        buffer->block_is_lent |= size > 0;
        return data;
}

/* Drops @size bytes, no more than there are, from the beginning. What has been lent stays so. */
static inline void auv__read_buffer_drop(struct auv__read_buffer *buffer, size_t size)
{
        assert(size <= auv__read_buffer_size(buffer));
        buffer->begin += size;
        if (buffer->begin == buffer->end && !buffer->block_is_lent)
                buffer->begin = buffer->end = 0;
}

/* Frees the blocks that were lent and are not the buffer's any more. */
void auv__read_buffer_free_lent(struct auv__read_buffer *buffer);

/* Takes back what has been lent. */
static inline void auv__read_buffer_settle(struct auv__read_buffer *buffer)
{
        if (auv__unlikely(buffer->lent != NULL))
                auv__read_buffer_free_lent(buffer);
        buffer->block_is_lent = false;
        if (buffer->begin == buffer->end)
                buffer->begin = buffer->end = 0;
}

/* Gives the block back where the buffer is empty and nothing of it is lent. */
void auv__read_buffer_trim(struct auv__read_buffer *buffer);

#endif

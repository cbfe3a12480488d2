/* SPDX-License-Identifier: MIT */

#include "io/read_buffer.h"

#include "base/alloc.h"

#include <string.h>

#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif

/*
 * With most connections a block is needed from the moment when data come in to the next read, and then by
 * another connection. malloc() would do, but for a block of 64 KiB at the end of the heap glibc gives the
 * memory back to the system each time.
 */
enum {
        SMALLEST = 4 << 10,
        LARGEST = 64 << 10, /* of what the pool keeps; buffers themselves may grow beyond */
        N_SIZES = 3,        /* each four times the one before */
        MOST_KEPT = 1 << 20,
        LEAST_ROOM = 1 << 10, /* less is not worth a read from the system */
        PATIENCE = 16,        /* so many small reads in turn are no accident */
#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
        POOLED = 0, /* so that the use of data that are no longer lent is found */
#else
        POOLED = 1,
#endif
};

struct auv__block_pool {
        struct auv__guest guest;
        struct auv__block *free[N_SIZES];
        size_t kept; /* bytes in all of them */
};

/* Where blocks of this size are kept; N_SIZES for nowhere. */
static unsigned size_class(size_t capacity)
{
        unsigned i = 0;

        for (size_t size = SMALLEST; size <= LARGEST; size *= 4, i++)
                if (capacity == size)
                        return i;
        return N_SIZES;
}

/* The loop is closed; see give_back(). */
static void close_pool(struct auv__guest *guest, auv_loop *loop)
{
        struct auv__block_pool *pool = auv__container_of(guest, struct auv__block_pool, guest);

        for (unsigned i = 0; i < N_SIZES; i++) {
                for (struct auv__block *block = pool->free[i], *next; block; block = next) {
                        next = block->next;
                        auv__free_line(block);
                }
        }
        auv__free(pool);
}

static struct auv__block_pool *require_pool(auv_loop *loop)
{
        struct auv__guest *guest = auv__loop_guest(loop, close_pool);
        struct auv__block_pool *pool;

        if (guest)
                return auv__container_of(guest, struct auv__block_pool, guest);
        pool = auv__calloc(sizeof(*pool));
        if (!pool)
                return NULL;
        pool->guest.close = close_pool;
        auv__loop_add_guest(loop, &pool->guest);
        return pool;
}

/* Not inlined, as what follows is nearly always done without it. */
static __attribute__((noinline)) struct auv__block *allocate(size_t capacity, unsigned class)
{
        struct auv__block *block = auv__malloc_line(sizeof(*block) + capacity);

        if (block) {
                block->capacity = capacity;
                block->size_class = class;
        }
        return block;
}

static inline struct auv__block *obtain(struct auv__read_buffer *buffer, size_t capacity)
{
        const unsigned class = size_class(capacity);
        struct auv__block *block;

        if (class == N_SIZES || buffer->loop->closed || !buffer->pool->free[class])
                return allocate(capacity, class);
        block = buffer->pool->free[class];
        buffer->pool->free[class] = block->next;
        buffer->pool->kept -= capacity;
        return block;
}

/* A reader may outlive its loop, whose pool is gone then. */
static inline void give_back(struct auv__read_buffer *buffer, struct auv__block *block)
{
        const unsigned class = block->size_class;
        struct auv__block_pool *pool = buffer->pool;

        if (!POOLED || class == N_SIZES || buffer->loop->closed ||
            pool->kept + block->capacity > MOST_KEPT) {
                auv__free_line(block);
                return;
        }
        block->next = pool->free[class];
        pool->free[class] = block;
        pool->kept += block->capacity;
}

int auv__read_buffer_init(struct auv__read_buffer *buffer, auv_loop *loop)
{
        struct auv__block_pool *pool = require_pool(loop);

        if (!pool)
                return AUV_ENOMEM;
        *buffer = (struct auv__read_buffer) { .loop = loop, .pool = pool, .chunk = LARGEST };
        return 0;
}

void auv__read_buffer_deinit(struct auv__read_buffer *buffer)
{
        auv__read_buffer_free_lent(buffer);
        if (buffer->block)
                give_back(buffer, buffer->block);
}

/* To the next of the sizes that the pool keeps, and beyond these to a power of two. */
static size_t round_up(size_t capacity)
{
        size_t size = SMALLEST;

        while (size < capacity)
                size *= size < LARGEST ? 4 : 2;
        return size;
}

/* Moves what is unread into a block of at least @capacity bytes. */
static bool move_to_another(struct auv__read_buffer *buffer, size_t capacity)
{
        const size_t unread = auv__read_buffer_size(buffer);
        struct auv__block *old = buffer->block, *block = obtain(buffer, capacity);

        if (!block)
                return false;
        if (old) {
                memcpy(block->data, old->data + buffer->begin, unread);
                if (buffer->block_is_lent) {
                        old->next = buffer->lent;
                        buffer->lent = old;
                } else {
                        give_back(buffer, old);
                }
        }
        buffer->block = block;
        buffer->block_is_lent = false;
        buffer->begin = 0;
        buffer->end = unread;
        return true;
}

/* Whether there is room for @size bytes at the end, or can be made by moving fewer bytes than it gives. */
static bool has_room(struct auv__read_buffer *buffer, size_t size)
{
        struct auv__block *block = buffer->block;
        const size_t unread = auv__read_buffer_size(buffer);

        if (!block)
                return false;
        if (block->capacity - buffer->end >= size)
                return true;
        if (buffer->block_is_lent || buffer->begin < unread || block->capacity - unread < size)
                return false;
        memcpy(block->data, block->data + buffer->begin, unread);
        buffer->begin = 0;
        buffer->end = unread;
        return true;
}

/* Room for @size bytes, where it may have to be made. */
static __attribute__((noinline)) bool make_room(struct auv__read_buffer *buffer, size_t size)
{
        const size_t unread = auv__read_buffer_size(buffer);
        const size_t wanted = size > 0 ? size : LEAST_ROOM;
        size_t capacity;

        if (size > SIZE_MAX / 8)
                return false;
        if (has_room(buffer, wanted))
                return true;
        /* Twice what there is: to move it costs no more for each byte, however many come. */
        capacity = unread + (wanted > unread ? wanted : unread);
        if (size == 0 && capacity < buffer->chunk)
                capacity = buffer->chunk;
        return move_to_another(buffer, round_up(capacity));
}

void *auv__read_buffer_reserve(struct auv__read_buffer *buffer, size_t size, size_t *ret_room)
{
        /* Who waits for data has no block, and nothing in it. */
        if (auv__likely(!buffer->block && size == 0))
                buffer->block = obtain(buffer, buffer->chunk);
        else if (!make_room(buffer, size))
                return NULL;
        if (!buffer->block)
                return NULL;
        if (ret_room)
                *ret_room = buffer->block->capacity - buffer->end;
        return buffer->block->data + buffer->end;
}

/*
 * A connection that fills its blocks gets larger ones, and one that has no use for them smaller ones. It begins
 * with the largest, and keeps them for some while: a message that comes in pieces, and is sent on in pieces,
 * makes what is sent after it dearer, too; see docs/decisions.md.
 */
void auv__read_buffer_commit(struct auv__read_buffer *buffer, size_t size)
{
        const bool is_small = size < buffer->chunk / 16 && buffer->chunk > SMALLEST;

        assert(size <= buffer->block->capacity - buffer->end);
        buffer->end += size;
        buffer->n_small = is_small ? buffer->n_small + 1 : 0;
        if (buffer->end == buffer->block->capacity && buffer->chunk < LARGEST) {
                buffer->chunk *= 4;
        } else if (auv__unlikely(buffer->n_small == PATIENCE)) {
                buffer->chunk /= 4;
                buffer->n_small = 0;
        }
}

void auv__read_buffer_free_lent(struct auv__read_buffer *buffer)
{
        while (buffer->lent) {
                struct auv__block *block = buffer->lent;

                buffer->lent = block->next;
                give_back(buffer, block);
        }
}

AUV__HOT void auv__read_buffer_trim(struct auv__read_buffer *buffer)
{
        if (!buffer->block || buffer->block_is_lent || buffer->begin < buffer->end)
                return;
        give_back(buffer, buffer->block);
        buffer->block = NULL;
        buffer->begin = buffer->end = 0;
}

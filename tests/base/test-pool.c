/* SPDX-License-Identifier: MIT */
#include "base/pool.h"
#include "support/failing_allocator.h"
#include "support/memory.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>
#include <string.h>

enum { MANY = 20000 };

struct block {
        uint32_t used;
        uint32_t number;
        bool alone;
        bool met;
        size_t size;
        size_t before;
        char rest[];
};

static struct auv__pool pool;
static struct block *blocks[MANY];

static uint32_t next_random(void)
{
        static uint32_t state = 2463534242;

        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        return state;
}

static struct block *make(size_t size, size_t before)
{
        bool alone;
        struct block *block = auv__pool_malloc(&pool, size, before, &alone);

        cr_assert(ne(ptr, block, NULL));
        cr_assert(zero(sz, (uintptr_t)block % (size % 16 ? 8 : 16)));
        memset((char *)block - before, 0x5a, before + size);
        *block = (struct block) { .used = 1, .alone = alone, .size = size, .before = before };
        return block;
}

static void expect_intact(const struct block *block)
{
        const char *begin = (const char *)block - block->before;

        for (size_t i = 0; i < block->before; i++)
                cr_assert(eq(chr, begin[i], 0x5a));
        for (size_t i = 0; i < block->size - sizeof(*block); i++)
                cr_assert(eq(chr, block->rest[i], 0x5a));
}

static void give_back(struct block *block)
{
        expect_intact(block);
        auv__pool_free(&pool, block, block->before, block->alone);
}

static void count(void *block, void *arg)
{
        (void)block;
        ++*(size_t *)arg;
}

static size_t n_met(void)
{
        size_t n = 0;

        auv__pool_each(&pool, count, &n);
        return n;
}

static void meet(void *memory, void *arg)
{
        struct block *block = memory;

        (void)arg;
        cr_assert(not(block->met));
        block->met = true;
}

static void setup(void)
{
        auv__pool_init(&pool, /* alone= */ false);
}

static void teardown(void)
{
        auv__pool_deinit(&pool);
}

TestSuite(pool, .init = setup, .fini = teardown);

Test(pool, gives_the_block_that_was_freed_last)
{
        struct block *a = make(112, 0), *b = make(112, 0);

        cr_assert(ne(ptr, a, b));
        give_back(a);
        give_back(b);
        cr_assert(eq(ptr, make(112, 0), b));
        cr_assert(eq(ptr, make(112, 0), a));
}

Test(pool, has_blocks_of_all_sizes_side_by_side)
{
        for (size_t i = 0; i < MANY; i++)
                blocks[i] = make(sizeof(struct block) + next_random() % 600, next_random() % 50 ? 0 : 96);
        for (size_t i = 0; i < MANY; i++)
                expect_intact(blocks[i]);
        for (size_t i = 0; i < MANY; i++)
                give_back(blocks[i]);
        cr_assert(zero(sz, n_met()));
}

Test(pool, has_no_header_for_a_block)
{
        const char *first = (char *)make(104, 0), *second = (char *)make(104, 0);

        cr_assert(eq(sz, (size_t)(second - first), 104));
}

static void enumerate(bool alone)
{
        size_t n = 0;

        pool.alone = alone;
        for (int round = 0; round < 3 * MANY; round++) {
                const size_t i = next_random() % MANY;

                if (blocks[i])
                        give_back(blocks[i]);
                n += blocks[i] ? -(size_t)1 : 1;
                blocks[i] = blocks[i] ? NULL : make(80 + i % 5 * 8, i % 97 ? 0 : 96);
        }
        auv__pool_each(&pool, meet, NULL);
        for (size_t i = 0; i < MANY; i++)
                cr_assert(blocks[i] == NULL || blocks[i]->met);
        cr_assert(eq(sz, n_met(), n));
        for (size_t i = 0; i < MANY; i++)
                if (blocks[i])
                        give_back(blocks[i]);
        cr_assert(zero(sz, n_met()));
}

Test(pool, enumerates_what_is_in_use)
{
        enumerate(false);
}

Test(pool, enumerates_blocks_that_stand_alone)
{
        enumerate(true);
}

Test(pool, gives_memory_back_after_a_peak)
{
        enum { PEAK = 400000, SIZE = 112 };

        struct block **peak = calloc(PEAK, sizeof(*peak));
        const size_t before = memory_in_use().resident;
        size_t most;

        for (size_t i = 0; i < PEAK; i++)
                peak[i] = make(SIZE, 0);
        most = memory_in_use().resident - before;
        for (size_t i = 0; i < PEAK; i++)
                give_back(peak[i]);
        if (!pool.alone)
                cr_assert(lt(sz, memory_in_use().resident - before, most / 3));
        free(peak);
}

Test(pool, needs_no_more_for_a_second_wave)
{
        enum { WAVE = 200000, SIZE = 112 };

        struct block **wave = calloc(WAVE, sizeof(*wave));
        size_t first = 0;

        for (int round = 0; round < 4; round++) {
                for (size_t i = 0; i < WAVE; i++)
                        wave[i] = make(SIZE, 0);
                if (round == 0)
                        first = memory_in_use().resident;
                cr_assert(le(sz, memory_in_use().resident, first + first / 20));
                for (size_t i = 0; i < WAVE; i++)
                        give_back(wave[i * 7919 % WAVE]);
        }
        free(wave);
}

static void sweep(void)
{
        bool alone;
        uint32_t *block;

        auv__pool_init(&pool, /* alone= */ false);
        block = auv__pool_malloc(&pool, 112, 0, &alone);
        cr_assert(block ? alone : failing_allocator_fired());
        if (block)
                auv__pool_free(&pool, block, 0, alone);
}

/* An allocator that the program has set sees each block. */
Test(pool, without_memory_has_no_block)
{
        failing_allocator_install();
        cr_assert(gt(long, failing_allocator_sweep(sweep), 0));
}

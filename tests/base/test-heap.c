/* SPDX-License-Identifier: MIT */
#include "base/heap.h"
#include "support/failing_allocator.h"

#include <asyncuv/error.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { MANY = 10000 };

static struct auv__heap heap;
static struct auv__heap_node nodes[MANY];
static int64_t keys[MANY];

static uint32_t next_random(void)
{
        static uint32_t state = 2463534242;

        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        return state;
}

static size_t index_of(const struct auv__heap_node *node)
{
        return (size_t)(node - nodes);
}

static void insert(size_t i, int64_t key)
{
        keys[i] = key;
        cr_assert(eq(int, auv__heap_insert(&heap, &nodes[i], key), 0));
        cr_assert(auv__heap_has(&nodes[i]));
}

/* Takes out the first, which must not come before @last by its key, or by age among equals. */
static size_t remove_min(size_t last)
{
        const size_t first = index_of(auv__heap_min(&heap));

        cr_assert(eq(i64, auv__heap_min_key(&heap), keys[first]));
        if (last < MANY)
                cr_assert(keys[last] < keys[first] || (keys[last] == keys[first] && last < first));
        auv__heap_remove(&heap, &nodes[first]);
        cr_assert(not(auv__heap_has(&nodes[first])));
        return first;
}

TestSuite(heap, .init = failing_allocator_install);

Test(heap, is_empty_when_all_zero)
{
        cr_assert(auv__heap_is_empty(&heap));
        auv__heap_deinit(&heap);
        cr_assert(eq(long, failing_allocator_total(), 0));
}

Test(heap, gives_the_smallest_key_first)
{
        size_t last = MANY;

        for (size_t i = 0; i < MANY; i++)
                insert(i, next_random());
        for (size_t i = 0; i < MANY; i++)
                last = remove_min(last);
        cr_assert(auv__heap_is_empty(&heap));
        auv__heap_deinit(&heap);
        cr_assert(eq(long, failing_allocator_live(), 0));
}

Test(heap, gives_equal_keys_in_the_order_of_insertion)
{
        size_t last = MANY;

        for (size_t i = 0; i < MANY; i++)
                insert(i, next_random() % 4);
        for (size_t i = 0; i < MANY; i++)
                last = remove_min(last);
        auv__heap_deinit(&heap);
}

Test(heap, holds_keys_of_both_signs_and_any_size)
{
        insert(0, INT64_MAX);
        insert(1, 0);
        insert(2, INT64_MIN);
        insert(3, -1);
        cr_assert(eq(sz, remove_min(MANY), 2));
        cr_assert(eq(sz, remove_min(MANY), 3));
        cr_assert(eq(sz, remove_min(MANY), 1));
        cr_assert(eq(sz, remove_min(MANY), 0));
        auv__heap_deinit(&heap);
}

Test(heap, stays_in_order_when_nodes_leave_from_its_middle)
{
        size_t last = MANY, left = MANY;

        for (size_t i = 0; i < MANY; i++)
                insert(i, next_random() % 1000);
        for (size_t i = 0; i < MANY; i++) {
                if (next_random() % 3 == 0)
                        continue;
                auv__heap_remove(&heap, &nodes[i]);
                left--;
        }
        for (; left > 0; left--)
                last = remove_min(last);
        cr_assert(auv__heap_is_empty(&heap));
        auv__heap_deinit(&heap);
}

Test(heap, takes_a_node_again_after_it_has_left)
{
        insert(0, 1);
        insert(1, 1);
        auv__heap_remove(&heap, &nodes[0]);
        insert(0, 1);
        cr_assert(eq(sz, index_of(auv__heap_min(&heap)), 1));
        auv__heap_remove(&heap, &nodes[1]);
        cr_assert(eq(sz, index_of(auv__heap_min(&heap)), 0));
        auv__heap_deinit(&heap);
}

Test(heap, without_memory_leaves_the_node_out)
{
        size_t n = 0;

        failing_allocator_arm(3);
        while (n < MANY && auv__heap_insert(&heap, &nodes[n], (int64_t)n) == 0)
                n++;
        cr_assert(failing_allocator_disarm());
        cr_assert(lt(sz, n, MANY));
        cr_assert(not(auv__heap_has(&nodes[n])));
        cr_assert(eq(int, auv__heap_insert(&heap, &nodes[n], 0), 0));
        for (size_t i = 0; i <= n; i++)
                auv__heap_remove(&heap, auv__heap_min(&heap));
        cr_assert(auv__heap_is_empty(&heap));
        auv__heap_deinit(&heap);
        cr_assert(eq(long, failing_allocator_live(), 0));
}

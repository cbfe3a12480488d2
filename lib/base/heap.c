/* SPDX-License-Identifier: MIT */

/*
 * Heap
 *
 * A 4-ary heap in one array. The key stands in the array beside the pointer, so that sifting
 * compares neighbours in one or two cache lines and touches a node only to note its place, and,
 * for equal keys, to read which came first. Each node knows its place, so that any of them can
 * be taken out in O(log n).
 */

#include "base/heap.h"

#include "base/alloc.h"

#include <asyncuv/error.h>

enum { ARITY = 4, FIRST_ROOM = 16 };

static bool before(const struct auv__heap_entry *a, const struct auv__heap_entry *b)
{
        return a->key < b->key || (a->key == b->key && a->node->sequence < b->node->sequence);
}

static void put(struct auv__heap *heap, size_t index, struct auv__heap_entry entry)
{
        heap->entries[index] = entry;
        entry.node->place = index + 1;
}

static void sift_up(struct auv__heap *heap, size_t index, struct auv__heap_entry entry)
{
        while (index > 0) {
                const size_t parent = (index - 1) / ARITY;

                if (!before(&entry, &heap->entries[parent]))
                        break;
                put(heap, index, heap->entries[parent]);
                index = parent;
        }
        put(heap, index, entry);
}

static void sift_down(struct auv__heap *heap, size_t index, struct auv__heap_entry entry)
{
        for (;;) {
                const size_t first = index * ARITY + 1;
                const size_t end = first + ARITY < heap->n ? first + ARITY : heap->n;
                size_t least = first;

                if (first >= heap->n)
                        break;
                for (size_t child = first + 1; child < end; child++)
                        if (before(&heap->entries[child], &heap->entries[least]))
                                least = child;
                if (!before(&heap->entries[least], &entry))
                        break;
                put(heap, index, heap->entries[least]);
                index = least;
        }
        put(heap, index, entry);
}

int auv__heap_insert(struct auv__heap *heap, struct auv__heap_node *node, int64_t key)
{
        if (heap->n == heap->room) {
                const size_t room = heap->room ? heap->room * 2 : FIRST_ROOM;
                void *entries = auv__realloc(heap->entries, room * sizeof(*heap->entries));

                if (!entries)
                        return AUV_ENOMEM;
                heap->entries = entries;
                heap->room = room;
        }
        node->sequence = heap->next_sequence++;
        sift_up(heap, heap->n++, (struct auv__heap_entry) { key, node });
        return 0;
}

void auv__heap_remove(struct auv__heap *heap, struct auv__heap_node *node)
{
        const size_t index = node->place - 1;
        const struct auv__heap_entry last = heap->entries[--heap->n];

        node->place = 0;
        if (last.node == node)
                return;
        if (index > 0 && before(&last, &heap->entries[(index - 1) / ARITY]))
                sift_up(heap, index, last);
        else
                sift_down(heap, index, last);
}

void auv__heap_deinit(struct auv__heap *heap)
{
        auv__free(heap->entries);
        *heap = (struct auv__heap) { 0 };
}

/* SPDX-License-Identifier: MIT */
#ifndef AUV_BASE_HEAP_H
#define AUV_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A priority queue of nodes that stand in their owners; ties leave it in the order in which they came. */

struct auv__heap_node {
        uint64_t sequence; /* set by insert: the order among equal keys */
        size_t place;      /* index in the heap + 1; 0 when it is in none */
};

struct auv__heap {
        struct auv__heap_entry {
                int64_t key;
                struct auv__heap_node *node;
        } *entries;
        size_t n;
        size_t room;
        uint64_t next_sequence;
};

/* Returns 0, or AUV_ENOMEM and then the node is in no heap. */
int auv__heap_insert(struct auv__heap *heap, struct auv__heap_node *node, int64_t key);

/* Takes out a node that is in the heap. */
void auv__heap_remove(struct auv__heap *heap, struct auv__heap_node *node);

/* Frees the array. Nodes that are still in it are forgotten. */
void auv__heap_deinit(struct auv__heap *heap);

static inline bool auv__heap_is_empty(const struct auv__heap *heap)
{
        return heap->n == 0;
}

/* The smallest key, and its node; the heap must not be empty. */
static inline int64_t auv__heap_min_key(const struct auv__heap *heap)
{
        return heap->entries[0].key;
}

static inline struct auv__heap_node *auv__heap_min(const struct auv__heap *heap)
{
        return heap->entries[0].node;
}

static inline bool auv__heap_has(const struct auv__heap_node *node)
{
        return node->place != 0;
}

#endif

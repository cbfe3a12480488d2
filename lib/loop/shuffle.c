/* SPDX-License-Identifier: MIT */

/*
 * Shuffle
 *
 * A turn's items are cut into units: a chain that was noted is one, any other item is one by itself.
 * Each unit draws a rank, those of one key change theirs so that they stay in order, and the units are
 * run by rank. Only for tests: it needs memory, and O(n log n) for each turn.
 */

#include "loop/shuffle.h"

#include "base/alloc.h"

#include <stdlib.h>

struct unit {
        struct auv__item *first;
        struct auv__item *last;
        const void *key; /* of those that keep their order; NULL for none */
        size_t order;    /* in which they came */
        uint64_t rank;   /* by which they run */
};

struct units {
        struct unit *units;
        size_t n;
        size_t room;
};

struct auv__shuffle {
        uint64_t state;
        struct units noted; /* since the last turn, in order; a subset of what is queued */
        bool lost;          /* there was no memory to note one: this turn stays in order */
        struct units all;   /* scratch */
};

struct auv__shuffle *auv__shuffle_new(uint64_t seed)
{
        struct auv__shuffle *shuffle = auv__calloc(sizeof(*shuffle));

        if (shuffle)
                shuffle->state = seed;
        return shuffle;
}

void auv__shuffle_free(struct auv__shuffle *shuffle)
{
        if (!shuffle)
                return;
        auv__free(shuffle->noted.units);
        auv__free(shuffle->all.units);
        auv__free(shuffle);
}

static bool add(struct units *units, struct unit unit)
{
        if (units->n == units->room) {
                const size_t room = units->room ? units->room * 2 : 64;
                void *memory = auv__realloc(units->units, room * sizeof(unit));

                if (!memory)
                        return false;
                units->units = memory;
                units->room = room;
        }
        units->units[units->n++] = unit;
        return true;
}

void auv__shuffle_push(struct auv__shuffle *shuffle, const void *key, struct auv__item *first,
                       struct auv__item *last)
{
        if (!add(&shuffle->noted, (struct unit) { .first = first, .last = last, .key = key }))
                shuffle->lost = true;
}

/* A well mixed number, and the next state: Weyl sequence and a finalizer. */
static uint64_t next_random(struct auv__shuffle *shuffle)
{
        uint64_t x = shuffle->state += UINT64_C(0x9e3779b97f4a7c15);

        x = (x ^ (x >> 32)) * UINT64_C(0xd6e8feb86659fd93);
        x = (x ^ (x >> 32)) * UINT64_C(0xd6e8feb86659fd93);
        return x ^ (x >> 32);
}

/* Cuts the chain into units. The noted ones come in the order in which they were pushed. */
static bool cut(struct auv__shuffle *shuffle, struct auv__item *first)
{
        size_t noted = 0;

        shuffle->all.n = 0;
        for (struct auv__item *item = first, *last; item; item = last->next) {
                struct unit unit = { .first = item, .last = item };

                if (noted < shuffle->noted.n && shuffle->noted.units[noted].first == item)
                        unit = shuffle->noted.units[noted++];
                last = unit.last;
                if (!add(&shuffle->all, unit))
                        return false;
        }
        return true;
}

static int by_key_and_order(const void *a, const void *b)
{
        const struct unit *x = a, *y = b;

        if (x->key != y->key)
                return (uintptr_t)x->key < (uintptr_t)y->key ? -1 : 1;
        return (x->order > y->order) - (x->order < y->order);
}

static int by_rank(const void *a, const void *b)
{
        const struct unit *x = a, *y = b;

        if (x->rank != y->rank)
                return x->rank < y->rank ? -1 : 1;
        return (x->order > y->order) - (x->order < y->order);
}

/* Sorts the ranks of @n units, which stay where they are; there are few with the same key. */
static void sort_ranks(struct unit *units, size_t n)
{
        for (size_t i = 1; i < n; i++)
                for (size_t j = i; j > 0 && units[j].rank < units[j - 1].rank; j--) {
                        const uint64_t rank = units[j].rank;

                        units[j].rank = units[j - 1].rank;
                        units[j - 1].rank = rank;
                }
}

static void draw_ranks(struct auv__shuffle *shuffle)
{
        struct unit *units = shuffle->all.units;
        const size_t n = shuffle->all.n;
        size_t next;

        for (size_t i = 0; i < n; i++) {
                units[i].order = i;
                units[i].rank = next_random(shuffle);
        }
        qsort(units, n, sizeof(*units), by_key_and_order);
        for (size_t i = 0; i < n; i = next) {
                next = i + 1;
                while (units[i].key && next < n && units[next].key == units[i].key)
                        next++;
                sort_ranks(&units[i], next - i);
        }
        qsort(units, n, sizeof(*units), by_rank);
}

void auv__shuffle_turn(struct auv__shuffle *shuffle, struct auv__ready *turn)
{
        const bool whole = !shuffle->lost && turn->first && cut(shuffle, turn->first);
        struct unit *units = shuffle->all.units;

        shuffle->noted.n = 0;
        shuffle->lost = false;
        if (!whole)
                return;
        draw_ranks(shuffle);
        auv__ready_init(turn);
        for (size_t i = 0; i < shuffle->all.n; i++)
                auv__ready_push_chain(turn, units[i].first, units[i].last);
}

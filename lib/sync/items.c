/* SPDX-License-Identifier: MIT */

/*
 * Items of a queue
 *
 * One array for all three orders. The heap moves its items as Python's heapq does, so that
 * those that are equal leave it in the same order there and here: a get lets the gap sink to the
 * bottom along the lesser children, puts the last item there, and lets that rise.
 */

#include "sync/items.h"

#include "base/alloc.h"

#include <string.h>

enum { FIRST_ROOM = 8 };

static int grow(struct auv__items *items)
{
        const size_t room = items->room ? items->room * 2 : FIRST_ROOM;
        auv_value *values = room > SIZE_MAX / sizeof(*values) ? NULL
                : auv__realloc(items->values, room * sizeof(*values));

        if (!values)
                return AUV_ENOMEM;
        /* A full ring: what stood before its beginning goes behind its end. */
        memcpy(values + items->room, values, items->first * sizeof(*values));
        items->values = values;
        items->room = room;
        return 0;
}

static bool before(const struct auv__items *items, auv_value a, auv_value b)
{
        return items->compare(&a, &b, items->compare_arg) < 0;
}

/* @value rises from @place towards the root until its parent is not greater. */
static void rise(struct auv__items *items, size_t place, auv_value value)
{
        while (place > 0) {
                const size_t parent = (place - 1) / 2;

                if (!before(items, value, items->values[parent]))
                        break;
                items->values[place] = items->values[parent];
                place = parent;
        }
        items->values[place] = value;
}

/* Where the gap at the root of a heap of @n comes to lie, as the lesser children move up. */
static size_t sink_gap(struct auv__items *items, size_t n)
{
        size_t gap = 0;

        for (size_t child = 1; child < n; child = 2 * gap + 1) {
                if (child + 1 < n && !before(items, items->values[child], items->values[child + 1]))
                        child++;
                items->values[gap] = items->values[child];
                gap = child;
        }
        return gap;
}

int auv__items_put(struct auv__items *items, auv_value value)
{
        if (items->n == items->room && grow(items) < 0)
                return AUV_ENOMEM;
        items->n++;
        if (items->order == AUV__PRIORITY)
                rise(items, items->n - 1, value);
        else
                items->values[(items->first + items->n - 1) & (items->room - 1)] = value;
        return 0;
}

auv_value auv__items_get(struct auv__items *items)
{
        auv_value value;

        items->n--;
        if (items->order == AUV__LIFO)
                return items->values[items->n];
        value = items->values[items->first];
        if (items->order == AUV__FIFO)
                items->first = (items->first + 1) & (items->room - 1);
        else if (items->n > 0) {
                const auv_value last = items->values[items->n];

                rise(items, sink_gap(items, items->n), last);
        }
        return value;
}

void auv__items_deinit(struct auv__items *items)
{
        while (items->n > 0) {
                const auv_value value = auv__items_get(items);

                if (value.destroy)
                        value.destroy(value.p);
        }
        auv__free(items->values);
        items->values = NULL;
        items->room = items->first = 0;
}

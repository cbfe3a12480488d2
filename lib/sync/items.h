/* SPDX-License-Identifier: MIT */
#ifndef AUV_SYNC_ITEMS_H
#define AUV_SYNC_ITEMS_H

#include <asyncuv/queue.h>

/* What a queue holds, in one of three orders. */

enum auv__order { AUV__FIFO, AUV__LIFO, AUV__PRIORITY };

struct auv__items {
        auv_value *values; /* FIFO: a ring that begins at first; LIFO: a stack; PRIORITY: a heap */
        size_t first;
        size_t n;
        size_t room;       /* a power of two, or 0 */
        enum auv__order order;
        auv_compare_fn compare;
        void *compare_arg;
};

/* Returns 0 or AUV_ENOMEM. */
int auv__items_put(struct auv__items *items, auv_value value);

/* Takes out the next; there must be one. */
auv_value auv__items_get(struct auv__items *items);

/* Destroys what is left, and frees the memory. */
void auv__items_deinit(struct auv__items *items);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef AUV_BASE_CONTEXT_MAP_H
#define AUV_BASE_CONTEXT_MAP_H

#include "base/object.h"

#include <asyncuv/context.h>

/*
 * What a context has: an immutable map from variables to values. A change makes a map anew, which
 * shares with the old one whatever is the same in both, so that a copy is one reference. NULL is the
 * empty map. Maps count atomically and may be given to other threads.
 */

/* A variable and its value, and by itself the map that has only this. */
struct auv__context_entry {
        struct auv__object object;
        auv_context_var *var;            /* with a reference */
        auv_value value;                 /* destroyed with the entry */
        struct auv__context_entry *next; /* in the list of entries that are going */
};

struct auv_context_var {
        struct auv__object object;
        uint64_t key; /* no two variables have the same */
        bool has_default;
        auv_value default_value;
        char name[];
};

static inline struct auv__object *auv__context_map_ref(struct auv__object *map)
{
        if (auv__unlikely(map))
                __atomic_add_fetch(&map->refs, 1, __ATOMIC_RELAXED);
        return map;
}

static inline void auv__context_map_unref(struct auv__object *map)
{
        if (auv__unlikely(map) && __atomic_sub_fetch(&map->refs, 1, __ATOMIC_ACQ_REL) == 0)
                auv__object_free(map);
}

/* An entry with one reference, that owns the value; NULL without memory, and then it does not. */
struct auv__context_entry *auv__context_entry_new(auv_context_var *var, auv_value value);

/* Gives up an entry that nobody else holds, and leaves its value alone. */
void auv__context_entry_cancel(struct auv__context_entry *entry);

/* The entry of a variable, borrowed from the map; NULL where it has none. */
struct auv__context_entry *auv__context_map_get(struct auv__object *map, const auv_context_var *var);

/* A map that has this entry instead of the one for the same variable. NULL without memory. */
struct auv__object *auv__context_map_set(struct auv__object *map, struct auv__context_entry *entry);

/* Makes a map without a variable. Returns 0, or AUV_ENOMEM and then *ret_map is untouched. */
int auv__context_map_delete(struct auv__object *map, const auv_context_var *var,
                            struct auv__object **ret_map);

/* How many variables it has; of which the first @n, in no order, are stored, borrowed from the map. */
size_t auv__context_map_vars(struct auv__object *map, auv_context_var **ret_vars, size_t n);

#endif

/* SPDX-License-Identifier: MIT */

/*
 * Context map
 *
 * A binary trie over the bits of the variables' keys. A branch stands where keys differ for the first
 * time, from the highest bit down: its state is the number of that bit, which is smaller in each branch
 * than in the one above it, so that no path is longer than 64. Keys are the variables' numbers times
 * the golden ratio of 2^64. That spreads them evenly, whichever of them a map has, and for numbers in a
 * row all gaps are of nearly one size: the depth is about the logarithm of the size, and nothing has to
 * be balanced.
 *
 * A change copies the branches on the path to it, from the bottom up. Each new branch takes over what
 * is below it, so that where memory runs out one reference given up gives up all of it.
 */

#include "base/context_map.h"

#include "base/alloc.h"

enum { KEY_BITS = 64 };

struct branch {
        struct auv__object object; /* state: the bit */
        struct auv__object *child[2];
};

/* The branches from the root to a place in a map. */
struct path {
        struct branch *branches[KEY_BITS];
        unsigned length;
};

static _Thread_local struct auv__context_entry *dying;
static _Thread_local bool burying;

struct auv__context_entry *auv__context_entry_new(auv_context_var *var, auv_value value)
{
        struct auv__context_entry *entry = auv__malloc(sizeof(*entry));

        if (entry)
                *entry = (struct auv__context_entry) {
                        .object = auv__object_init(AUV__CONTEXT_ENTRY, AUV__SHARED),
                        .var = auv_ref(var),
                        .value = value };
        return entry;
}

void auv__context_entry_cancel(struct auv__context_entry *entry)
{
        entry->value.destroy = NULL;
        auv__context_map_unref(&entry->object);
}

static void bury(struct auv__context_entry *entry)
{
        if (entry->value.destroy)
                entry->value.destroy(entry->value.p);
        auv_unref(entry->var);
        auv__free(entry);
}

/*
 * A value may be a context, or hold a task, whose values hold others in their turn. A chain of them
 * may be of any length, so an entry is not freed from within the freeing of another.
 */
void auv__context_entry_free(struct auv__object *object)
{
        struct auv__context_entry *entry = auv__container_of(object, struct auv__context_entry, object);

        entry->next = dying;
        dying = entry;
        if (burying)
                return;
        burying = true;
        while (dying) {
                entry = dying;
                dying = entry->next;
                bury(entry);
        }
        burying = false;
}

/* Recursion is as deep as the map. */
void auv__context_branch_free(struct auv__object *object)
{
        struct branch *branch = auv__container_of(object, struct branch, object);

        auv__context_map_unref(branch->child[0]);
        auv__context_map_unref(branch->child[1]);
        auv__free(branch);
}

static bool is_branch(const struct auv__object *node)
{
        return node->kind == AUV__CONTEXT_BRANCH;
}

static struct branch *to_branch(struct auv__object *node)
{
        return auv__container_of(node, struct branch, object);
}

static struct auv__context_entry *to_entry(struct auv__object *node)
{
        return auv__container_of(node, struct auv__context_entry, object);
}

static unsigned side(const struct branch *branch, uint64_t key)
{
        return key >> branch->object.state & 1;
}

/* The entry that a key leads to, which may be that of another one. */
static struct auv__context_entry *find(struct auv__object *map, uint64_t key)
{
        while (is_branch(map))
                map = to_branch(map)->child[side(to_branch(map), key)];
        return to_entry(map);
}

struct auv__context_entry *auv__context_map_get(struct auv__object *map, const auv_context_var *var)
{
        struct auv__context_entry *entry = map ? find(map, var->key) : NULL;

        return entry && entry->var == var ? entry : NULL;
}

/* Goes down as a key leads, past the branches above bit @last; returns what is below them. */
static struct auv__object *descend(struct auv__object *node, uint64_t key, int last, struct path *ret_path)
{
        ret_path->length = 0;
        while (is_branch(node) && node->state > last) {
                ret_path->branches[ret_path->length++] = to_branch(node);
                node = to_branch(node)->child[side(to_branch(node), key)];
        }
        return node;
}

/* Takes over both references, also on failure. */
static struct auv__object *new_branch(unsigned bit, uint64_t key, struct auv__object *with_key,
                                      struct auv__object *other)
{
        struct branch *branch = auv__malloc(sizeof(*branch));

        if (!branch) {
                auv__context_map_unref(with_key);
                auv__context_map_unref(other);
                return NULL;
        }
        branch->object = auv__object_init(AUV__CONTEXT_BRANCH, AUV__SHARED);
        branch->object.state = (uint8_t)bit;
        branch->child[side(branch, key)] = with_key;
        branch->child[!side(branch, key)] = other;
        return &branch->object;
}

/* Copies the branches of a path, with something else below. Takes over the reference to @node. */
static struct auv__object *rebuild(const struct path *path, uint64_t key, struct auv__object *node)
{
        for (unsigned i = path->length; node && i > 0; i--) {
                const struct branch *old = path->branches[i - 1];

                node = new_branch(old->object.state, key, node,
                                  auv__context_map_ref(old->child[!side(old, key)]));
        }
        return node;
}

struct auv__object *auv__context_map_set(struct auv__object *map, struct auv__context_entry *entry)
{
        struct auv__object *node = auv__context_map_ref(&entry->object), *below;
        const uint64_t key = entry->var->key;
        struct path path;
        uint64_t differ;
        int bit;

        if (!map)
                return node;
        differ = find(map, key)->var->key ^ key;
        if (differ == 0) {
                descend(map, key, /* last= */ -1, &path);
        } else {
                bit = KEY_BITS - 1 - __builtin_clzll(differ);
                below = descend(map, key, bit, &path);
                node = new_branch((unsigned)bit, key, node, auv__context_map_ref(below));
        }
        return rebuild(&path, key, node);
}

int auv__context_map_delete(struct auv__object *map, const auv_context_var *var,
                            struct auv__object **ret_map)
{
        const struct branch *parent;
        struct auv__object *rest = NULL;
        struct path path;

        if (!auv__context_map_get(map, var)) {
                *ret_map = auv__context_map_ref(map);
                return 0;
        }
        descend(map, var->key, /* last= */ -1, &path);
        if (path.length > 0) {
                /* The branch above the entry goes with it: what is on its other side takes its place. */
                parent = path.branches[--path.length];
                rest = rebuild(&path, var->key,
                               auv__context_map_ref(parent->child[!side(parent, var->key)]));
                if (!rest)
                        return AUV_ENOMEM;
        }
        *ret_map = rest;
        return 0;
}

size_t auv__context_map_vars(struct auv__object *map, auv_context_var **ret_vars, size_t n)
{
        /* What is still to be visited: of each branch on the path to where the walk is, one side. */
        struct auv__object *stack[KEY_BITS + 1];
        unsigned depth = 0;
        size_t found = 0;

        if (map)
                stack[depth++] = map;
        while (depth > 0) {
                struct auv__object *node = stack[--depth];

                if (is_branch(node)) {
                        stack[depth++] = to_branch(node)->child[1];
                        stack[depth++] = to_branch(node)->child[0];
                } else {
                        if (ret_vars && found < n)
                                ret_vars[found] = to_entry(node)->var;
                        found++;
                }
        }
        return found;
}

/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_HOOKS_H
#define AUV_LOOP_HOOKS_H

#include "base/alloc.h"
#include "base/object.h"
#include "loop/loop.h"

/*
 * Debug hooks
 *
 * What debug mode adds to a loop stands in lib/debug, above all that it looks at, and is called from
 * below by way of this one table. A loop that is not in debug mode has NULL for it.
 */

enum { AUV__ORIGIN_FRAMES = 12 };

/*
 * Where an object was made: return addresses, the innermost first, up to a NULL. Stands right before
 * the object in the same block, which then has AUV__TRACED.
 */
struct auv__origin {
        void *frames[AUV__ORIGIN_FRAMES];
};

struct auv__debug_hooks {
        void (*note_origin)(struct auv__origin *origin);

        /* Runs an item, and reports it where that takes too long. */
        void (*run)(auv_loop *loop, struct auv__item *item);

        /* Hands a report on to @tell, with where the future was made that it is about. */
        void (*report)(auv_loop *loop, const auv_exception_context *context,
                       void (*tell)(auv_loop *loop, const auv_exception_context *context));

        /* Somebody awaits who is not a task. */
        void (*await_outside)(auv_loop *loop);
};

/* In lib/debug. */
extern const struct auv__debug_hooks auv__debug_hooks;

/*
 * The block of an object that belongs to a loop; in debug mode with an origin, and then *ret_flags is
 * AUV__TRACED, which the object is to have from its initialization on; else 0. NULL for no memory.
 */
static inline void *auv__made_malloc(const auv_loop *loop, size_t size, uint16_t *ret_flags)
{
        const struct auv__debug_hooks *hooks = auv__loop_hooks(loop);
        struct auv__origin *origin;

        *ret_flags = 0;
        if (auv__likely(!hooks))
                return auv__malloc(size);
        origin = auv__malloc(sizeof(*origin) + size);
        if (!origin)
                return NULL;
        hooks->note_origin(origin);
        *ret_flags = AUV__TRACED;
        return origin + 1;
}

/* Where an object was made; NULL where that was not noted. */
static inline const struct auv__origin *auv__origin_of(const struct auv__object *object)
{
        return object->flags & AUV__TRACED ? (const struct auv__origin *)object - 1 : NULL;
}

/* Frees the block of an object, which begins with it. */
static inline void auv__made_free(struct auv__object *object)
{
        auv__free(auv__unlikely(object->flags & AUV__TRACED) ? (void *)((struct auv__origin *)object - 1)
                                                             : (void *)object);
}

#endif

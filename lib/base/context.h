/* SPDX-License-Identifier: MIT */
#ifndef AUV_BASE_CONTEXT_H
#define AUV_BASE_CONTEXT_H

#include "base/object.h"

#include <asyncuv/context.h>

/*
 * Whatever runs the program's functions has a context for them, in one pointer. It points to nothing
 * where there is no variable; to a map (context_map.h) as long as nobody needs the context itself; and
 * to an auv_context when somebody does: for it was given, a token stands for it, or it was asked for.
 * So a copy costs one reference, and none where no variable is set.
 */

/* The pointer whose context is the current one; NULL means the thread's. */
extern _Thread_local struct auv__object **auv__context_slot;

/* Makes another one's context current, and gives what was, which auv__context_leave() takes. */
static inline struct auv__object **auv__context_enter(struct auv__object **context)
{
        struct auv__object **outer = auv__context_slot;

        auv__context_slot = context;
        return outer;
}

static inline void auv__context_leave(struct auv__object **outer)
{
        auv__context_slot = outer;
}

struct auv__object *auv__context_copy_current(void);

/* What to begin with, for one who has not been given a context: a copy of the current one. Never fails. */
static inline struct auv__object *auv__context_copy(void)
{
        if (auv__likely(auv__context_slot && !*auv__context_slot))
                return NULL;
        return auv__context_copy_current();
}

/* The same for one who may have been given a context, which then is it. */
static inline struct auv__object *auv__context_take(auv_context *given)
{
        return auv__unlikely(given) ? auv_ref((struct auv__object *)given) : auv__context_copy();
}

/* Gives up what it pointed to. Values may be destroyed, and their destructors do anything. */
static inline void auv__context_drop(struct auv__object *context)
{
        if (auv__unlikely(context))
                auv_unref(context);
}

/* The context itself, which it points to from then on; NULL without memory, which has been raised. */
auv_context *auv__context_require(struct auv__object **context);

#endif

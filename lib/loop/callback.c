/* SPDX-License-Identifier: MIT */

#include "loop/callback.h"

#include "base/alloc.h"
#include "base/context.h"
#include "loop/loop.h"

static void free_callback(struct auv__callback *callback)
{
        auv__context_drop(callback->context);
        auv__free(callback);
}

static void call(struct auv__callback *callback)
{
        struct auv__object **outer = auv__context_enter(&callback->context);

        callback->fn(callback->arg);
        auv__context_leave(outer);
}

static void run(struct auv__item *item, bool dropped)
{
        struct auv__callback *callback = auv__container_of(item, struct auv__callback, item);

        if (dropped)
                callback->due = 0;
        /* Counted off after the call, so that one which cancels it does not free it here. */
        for (; callback->due > 0; callback->due--)
                if (!callback->cancelled)
                        call(callback);
        if (callback->cancelled)
                free_callback(callback);
}

auv_call_fn auv__callback_behind(const struct auv__item *item)
{
        return item->run == run ? auv__container_of(item, struct auv__callback, item)->fn : NULL;
}

struct auv__callback *auv__callback_new(auv_call_fn fn, void *arg)
{
        struct auv__callback *callback = auv__malloc(sizeof(*callback));

        if (callback)
                *callback = (struct auv__callback) {
                        .item = { .run = run }, .fn = fn, .arg = arg, .context = auv__context_copy() };
        return callback;
}

void auv__callback_set(struct auv__callback *callback, auv_call_fn fn, void *arg)
{
        struct auv__object *replaced = callback->context;

        callback->fn = fn;
        callback->arg = arg;
        callback->context = auv__context_copy();
        auv__context_drop(replaced);
}

void auv__callback_push(auv_loop *loop, struct auv__callback *callback)
{
        if (callback->due++ == 0)
                auv__loop_push(loop, &callback->item);
}

void auv__callback_cancel(struct auv__callback *callback)
{
        if (!callback)
                return;
        if (auv__callback_is_due(callback))
                callback->cancelled = true;
        else
                free_callback(callback);
}

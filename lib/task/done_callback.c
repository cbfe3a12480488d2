/* SPDX-License-Identifier: MIT */

/* Done callbacks: the program's own functions in a future's list. */

#include "base/alloc.h"
#include "base/context.h"
#include "task/behind.h"
#include "task/future.h"

struct done_callback {
        struct auv__waiter waiter;
        auv_done_fn fn;
        void *arg;
        struct auv__object *context; /* see base/context.h */
};

static void free_callback(struct done_callback *callback)
{
        auv__context_drop(callback->context);
        auv__free(callback);
}

static void run(struct auv__item *item, bool dropped)
{
        struct done_callback *callback = auv__container_of(item, struct done_callback, waiter.item);
        auv_future *future = callback->waiter.future;
        struct auv__object **outer;

        if (!dropped) {
                outer = auv__context_enter(&callback->context);
                callback->fn(future, callback->arg);
                auv__context_leave(outer);
        }
        free_callback(callback);
        if (future)
                auv__drop(&future->object);
}

auv_done_fn auv__done_callback_behind(const struct auv__item *item)
{
        return item->run == run ? auv__container_of(item, struct done_callback, waiter.item)->fn : NULL;
}

int auv_future_add_done_callback_in_context(auv_future *future, auv_context *context, auv_done_fn fn,
                                            void *arg)
{
        const bool done = auv_future_done(future);
        struct done_callback *callback;

        if (!future || !fn)
                return auv_raise(AUV_EINVAL, "no future, or no function to call");
        AUV_TRY(auv__loop_check_thread(future->loop));
        if (done && future->loop->closed)
                return auv_raise(AUV_ECLOSED, NULL);
        callback = auv__malloc(sizeof(*callback));
        if (!callback)
                return auv_raise(AUV_ENOMEM, NULL);
        *callback = (struct done_callback) { .waiter = { .item = { .run = run } },
                                             .fn = fn,
                                             .arg = arg,
                                             .context = auv__context_take(context) };
        auv__future_watch(future, &callback->waiter);
        if (done)
                auv__future_schedule_callbacks(future);
        return 0;
}

int auv_future_add_done_callback(auv_future *future, auv_done_fn fn, void *arg)
{
        return auv_future_add_done_callback_in_context(future, /* context= */ NULL, fn, arg);
}

/* Frees a chain of callbacks. Only when the future's list is no longer walked: see auv__context_drop(). */
static void free_chain(struct auv__item *item)
{
        struct auv__item *next;

        for (; item; item = next) {
                next = item->next;
                free_callback(auv__container_of(item, struct done_callback, waiter.item));
        }
}

int auv_future_remove_done_callback(auv_future *future, auv_done_fn fn, void *arg)
{
        struct auv__item *item, *next, *last, *removed = NULL;
        int n = 0;

        if (!future || !fn)
                return auv_raise(AUV_EINVAL, "no future, or no function to call");
        AUV_TRY(auv__loop_check_thread(future->loop));
        if (!future->callbacks)
                return 0;
        last = &future->callbacks->item;
        item = last->next;
        for (;;) {
                struct done_callback *callback = auv__container_of(item, struct done_callback, waiter.item);
                const bool at_end = item == last;

                next = item->next;
                if (item->run == run && callback->fn == fn && callback->arg == arg) {
                        auv__future_unwatch(future, &callback->waiter);
                        item->next = removed;
                        removed = item;
                        n++;
                }
                if (at_end)
                        break;
                item = next;
        }
        free_chain(removed);
        return n;
}

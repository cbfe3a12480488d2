/* SPDX-License-Identifier: MIT */

/* Done callbacks: the program's own functions in a future's list. */

#include "base/alloc.h"
#include "task/future.h"

struct done_callback {
        struct auv__waiter waiter;
        auv_done_fn fn;
        void *arg;
};

static void run(struct auv__item *item, bool dropped)
{
        struct done_callback *callback = auv__container_of(item, struct done_callback, waiter.item);
        auv_future *future = callback->waiter.future;

        if (!dropped)
                callback->fn(future, callback->arg);
        auv__free(callback);
        if (future)
                auv__drop(&future->object);
}

int auv_future_add_done_callback(auv_future *future, auv_done_fn fn, void *arg)
{
        const bool done = auv_future_done(future);
        struct done_callback *callback;

        if (!future || !fn)
                return auv_raise(AUV_EINVAL, "no future, or no function to call");
        if (done && future->loop->closed)
                return auv_raise(AUV_ECLOSED, NULL);
        callback = auv__malloc(sizeof(*callback));
        if (!callback)
                return auv_raise(AUV_ENOMEM, NULL);
        *callback = (struct done_callback) { .waiter = { .item = { .run = run } }, .fn = fn, .arg = arg };
        auv__future_watch(future, &callback->waiter);
        if (done)
                auv__future_schedule_callbacks(future);
        return 0;
}

int auv_future_remove_done_callback(auv_future *future, auv_done_fn fn, void *arg)
{
        struct auv__item *item, *next, *last;
        int n = 0;

        if (!future || !fn)
                return auv_raise(AUV_EINVAL, "no future, or no function to call");
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
                        auv__free(callback);
                        n++;
                }
                if (at_end)
                        return n;
                item = next;
        }
}

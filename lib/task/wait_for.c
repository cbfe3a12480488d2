/* SPDX-License-Identifier: MIT */

/* Wait for: one future, or one coroutine, within a time. */

#include <asyncuv/wait_for.h>

#include "base/alloc.h"
#include "base/error.h"
#include "task/await.h"
#include "task/behind.h"
#include "task/cancel.h"
#include "task/timeout.h"

#include <asyncuv/task.h>

/* A future is cancelled, and its end awaited by way of this, so that the wait can be cancelled. */
struct ending {
        auv_future ended;
        struct auv__waiter waiter;
        bool queued;
        bool left; /* the await has returned */
};

static void free_ending(struct ending *ending)
{
        auv__future_deinit(&ending->ended);
        auv__free(ending);
}

static void run_ending(struct auv__item *item, bool dropped)
{
        struct ending *ending = auv__container_of(item, struct ending, waiter.item);
        auv_future *future = ending->waiter.future;

        ending->queued = false;
        if (!dropped && !auv__future_is_done(&ending->ended))
                auv__future_succeed(&ending->ended, (auv_value) { 0 });
        if (future)
                auv__drop(&future->object);
        if (ending->left)
                free_ending(ending);
}

auv_future *auv__wait_for_behind(const struct auv__item *item)
{
        return item->run == run_ending ? &auv__container_of(item, struct ending, waiter.item)->ended : NULL;
}

static int await_cancelled(struct auv__task *task, auv_future *future)
{
        struct ending *ending = auv__malloc(sizeof(*ending));
        int r;

        if (!ending)
                return auv_raise(AUV_ENOMEM, NULL);
        *ending = (struct ending) { .waiter = { .item = { .run = run_ending } }, .queued = true };
        auv__future_init(&ending->ended, task->future.loop, AUV__FUTURE);
        auv__future_watch(future, &ending->waiter);
        r = auv__cancel(future, /* message= */ NULL);
        if (r >= 0)
                r = auv__await_pending(task, &ending->ended);
        if (ending->queued && !auv__future_is_done(future) && auv__future_unwatch(future, &ending->waiter))
                ending->queued = false;
        ending->left = true;
        if (!ending->queued)
                free_ending(ending);
        return r;
}

/* The time is over before it has begun: only a future that is done gives its result. */
static int await_without_time(struct auv__task *task, auv_future *future, auv_value *ret)
{
        int r;

        if (auv__future_is_done(future))
                return auv__future_read(future, ret);
        if (future->loop != task->future.loop)
                return auv_raise(AUV_ERUNTIME, "the future belongs to another loop");
        auv__keep(&future->object);
        r = await_cancelled(task, future);
        if (r == 0) {
                r = auv__future_read(future, ret);
                if (r == AUV_ECANCELED)
                        r = auv__raise_timeout();
        }
        auv__drop(&future->object);
        return r;
}

/* Enters the scope of a timeout that is yet to be made. */
static int enter_new(double delay, auv_timeout **ret_timeout)
{
        *ret_timeout = auv_timeout_new(delay);
        return auv_timeout_enter(*ret_timeout);
}

int auv_await_wait_for(auv_future *future, double timeout, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = NULL;
        struct auv__task *task;

        AUV_TRY(auv__await_begin(&task));
        if (isnan(timeout))
                return auv_raise(AUV_EINVAL, "the timeout is not a number");
        if (!future)
                return auv__await(task, future, ret);
        if (timeout <= 0)
                return await_without_time(task, future, ret);
        AUV_TRY(enter_new(timeout, &limit));
        return auv_timeout_exit(limit, auv__await(task, future, ret));
}

int auv_await_wait_for_coro(auv_coro_fn fn, void *arg, double timeout, auv_value *ret)
{
        AUV_AUTO auv_timeout *limit = NULL;
        AUV_AUTO auv_task *never_run = NULL;
        auv_value value = { 0 };
        struct auv__task *task;
        int r;

        AUV_TRY(auv__await_begin(&task));
        if (!fn || isnan(timeout))
                return auv_raise(AUV_EINVAL, "no function to run, or the timeout is not a number");
        if (timeout <= 0) {
                never_run = auv_task_new(task->future.loop, fn, arg, 0, /* options= */ NULL);
                r = never_run ? await_without_time(task, never_run, ret) : auv__await(task, NULL, ret);
                /* However that ended: it must not start when @arg may be gone. */
                if (never_run)
                        auv__cancel(never_run, /* message= */ NULL);
                return r;
        }
        AUV_TRY(enter_new(timeout, &limit));
        /* The task knows its own result, and what the body may have borrowed for it. */
        if (ret == &task->future.value)
                return auv_timeout_exit(limit, fn(arg, ret));
        r = auv_timeout_exit(limit, fn(arg, &value));
        if (r >= 0 && ret)
                *ret = value;
        else if (value.destroy)
                value.destroy(value.p);
        return r;
}

/* SPDX-License-Identifier: MIT */

/* Wait for: one future, or one coroutine, within a time. */

#include <asyncuv/wait_for.h>

#include "base/alloc.h"
#include "base/error.h"
#include "task/behind.h"
#include "task/cancel.h"
#include "task/steps.h"
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

struct call {
        auv_frame frame;
        auv_future *future;    /* with a reference */
        auv_value *ret;
        auv_timeout *limit;    /* with a reference */
        struct ending *ending; /* or this, in place of a limit */
};

/* Cancels the future; *ret_ending is what its end is awaited by. Returns 0 or a negative error. */
static int start_ending(auv_future *future, struct ending **ret_ending)
{
        struct ending *ending = auv__malloc(sizeof(*ending));
        int r;

        *ret_ending = ending;
        if (!ending)
                return auv_raise(AUV_ENOMEM, NULL);
        *ending = (struct ending) { .waiter = { .item = { .run = run_ending } }, .queued = true };
        auv__future_init(&ending->ended, future->loop, AUV__FUTURE);
        auv__future_watch(future, &ending->waiter);
        r = auv__cancel(future, /* message= */ NULL);
        return r < 0 ? r : 0;
}

static void leave_ending(struct ending *ending, auv_future *future)
{
        if (!ending)
                return;
        if (ending->queued && !auv__future_is_done(future) && auv__future_unwatch(future, &ending->waiter))
                ending->queued = false;
        ending->left = true;
        if (!ending->queued)
                free_ending(ending);
}

static int cancel_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct call, self);
        int r;

        r = start_ending(self->future, &self->ending);
        if (r == 0)
                AUV__AWAIT_PENDING_CATCH(r, &self->ending->ended);
        leave_ending(self->ending, self->future);
        if (r == 0) {
                r = auv__future_read(self->future, self->ret);
                if (r == AUV_ECANCELED)
                        r = auv__raise_timeout();
        }
        auv__drop(&self->future->object);
        AUV_LEAVE(r);
        AUV_END;
}

/* The time is over before it has begun: only a future that is done gives its result. */
static int await_without_time(struct auv__task *task, auv_future *future, auv_value *ret)
{
        struct call call = { .future = future, .ret = ret };

        if (auv__future_is_done(future))
                return auv__future_read(future, ret);
        if (future->loop != task->future.loop)
                return auv_raise(AUV_ERUNTIME, "the future belongs to another loop");
        auv__keep(&future->object);
        return auv__run_steps(task, cancel_steps, &call);
}

static int wait_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct call, self);
        int r = 0;

        if (!auv__future_is_done(self->future)) {
                if (auv__await_check(auv__steps_task(), self->future))
                        auv__await_start(auv__steps_task(), self->future, auv__task_wake);
                AUV__SUSPEND_CATCH(r);
        }
        if (r == 0)
                r = auv__future_read(self->future, self->ret);
        r = auv_timeout_exit(self->limit, r);
        auv_unref(self->limit);
        auv__drop(&self->future->object);
        AUV_LEAVE(r);
        AUV_END;
}

/* Enters the scope of a timeout that is yet to be made. */
static int enter_new(double delay, auv_timeout **ret_timeout)
{
        *ret_timeout = auv_timeout_new(delay);
        return auv_timeout_enter(*ret_timeout);
}

int auv_await_wait_for(auv_future *future, double timeout, auv_value *ret)
{
        struct call call = { .future = future, .ret = ret };
        struct auv__task *task;
        int r;

        AUV_TRY(auv__steps_begin(&task));
        if (isnan(timeout))
                return auv_raise(AUV_EINVAL, "the timeout is not a number");
        if (!future)
                return auv_raise(auv__no_future_reason(), "the future could not be made");
        if (timeout <= 0)
                return await_without_time(task, future, ret);
        r = enter_new(timeout, &call.limit);
        if (r < 0) {
                auv_unref(call.limit);
                return r;
        }
        auv__keep(&future->object);
        return auv__run_steps(task, wait_steps, &call);
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
        /* The task knows its own result, and what the body may have borrowed for it. Elsewhere nothing that
         * is borrowed has a destructor. */
        if (ret == &task->future.value)
                return auv_timeout_exit(limit, fn(arg, ret));
        r = auv_timeout_exit(limit, fn(arg, &value));
        if (r >= 0 && ret)
                *ret = value;
        else if (value.destroy)
                value.destroy(value.p);
        return r;
}

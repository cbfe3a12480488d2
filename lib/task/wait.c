/* SPDX-License-Identifier: MIT */

/*
 * Wait
 *
 * What the task awaits is a future of the operation's own, which the waiters in the lists of the
 * given futures end. The operation is one block; it outlives the await where a
 * waiter is in the ready queue when the task goes on, and goes with the last of those.
 */

#include <asyncuv/wait.h>

#include "base/alloc.h"
#include "task/behind.h"
#include "task/steps.h"

struct wait;

struct waiting {
        struct auv__waiter waiter;
        struct wait *wait;
        auv_future *future; /* what it waits for */
        bool queued;        /* it is in the list or in the ready queue */
};

struct wait {
        auv_future woken;
        enum auv_return_when return_when;
        size_t n;         /* futures, each once */
        size_t n_pending; /* whose end has not been counted */
        size_t n_queued;  /* waiters that are queued */
        bool left;        /* the await has returned */
        auv_call *timeout;
        struct waiting waiting[];
};

static void free_wait(struct wait *wait)
{
        auv__future_deinit(&wait->woken);
        auv__free(wait);
}

static void wake(struct wait *wait)
{
        if (!auv__future_is_done(&wait->woken))
                auv__future_succeed(&wait->woken, (auv_value) { 0 });
}

/* Whether the end of @future ends a wait that still has others to wait for. */
static bool is_enough(const struct wait *wait, auv_future *future)
{
        if (wait->return_when != AUV_FIRST_EXCEPTION)
                return wait->return_when == AUV_FIRST_COMPLETED;
        /* As in asyncio, to ask for the error is to see it. */
        future->object.flags &= ~AUV__ERROR_UNSEEN;
        return future->object.state == AUV__FAILED;
}

static void count_done(struct wait *wait, auv_future *future)
{
        if (--wait->n_pending == 0 || is_enough(wait, future)) {
                auv_call_cancel(wait->timeout);
                wake(wait);
        }
}

static void run_waiting(struct auv__item *item, bool dropped)
{
        struct waiting *waiting = auv__container_of(item, struct waiting, waiter.item);
        struct wait *wait = waiting->wait;
        auv_future *future = waiting->waiter.future;

        waiting->queued = false;
        wait->n_queued--;
        if (!dropped)
                count_done(wait, future);
        if (future)
                auv__drop(&future->object);
        if (wait->left && wait->n_queued == 0)
                free_wait(wait);
}

auv_future *auv__wait_behind(const struct auv__item *item)
{
        return item->run == run_waiting ? &auv__container_of(item, struct waiting, waiter.item)->wait->woken
                                        : NULL;
}

static void on_timeout(void *arg)
{
        wake(arg);
}

static int check_arguments(auv_future *const *futures, size_t n, double timeout,
                           enum auv_return_when return_when, const auv_loop *loop)
{
        if (!futures || n == 0)
                return auv_raise(AUV_EINVAL, "no futures to wait for");
        if (isnan(timeout))
                return auv_raise(AUV_EINVAL, "the timeout is not a number");
        if ((unsigned)return_when > AUV_FIRST_EXCEPTION)
                return auv_raise(AUV_EINVAL, "return_when has no meaning");
        for (size_t i = 0; i < n; i++) {
                if (!futures[i])
                        return auv_raise(auv__no_future_reason(), "a future could not be made");
                if (futures[i]->loop != loop)
                        return auv_raise(AUV_EINVAL, "a future belongs to another loop");
        }
        return 0;
}

/* Adds each future once; those that are done get their turn as well, as in asyncio. */
static void add_futures(struct wait *wait, auv_future *const *futures, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                auv_future *future = futures[i];
                struct waiting *waiting = &wait->waiting[wait->n];

                if (future->object.flags & AUV__MARKED)
                        continue;
                future->object.flags |= AUV__MARKED;
                *waiting = (struct waiting) { .waiter = { .item = { .run = run_waiting } },
                                              .wait = wait,
                                              .future = auv_ref(future),
                                              .queued = true };
                wait->n++;
        }
        wait->n_pending = wait->n_queued = wait->n;
        for (size_t i = 0; i < wait->n; i++) {
                auv_future *future = wait->waiting[i].future;

                future->object.flags &= ~AUV__MARKED;
                auv__future_watch(future, &wait->waiting[i].waiter);
                if (auv__future_is_done(future))
                        auv__future_schedule_callbacks(future);
        }
}

/* The done ones, then the pending ones, then NULL up to @n. Returns how many are done. */
static int sort(const struct wait *wait, auv_future **ret_futures, size_t n)
{
        size_t n_done = 0, next = 0;

        for (size_t i = 0; i < wait->n; i++)
                if (auv__future_is_done(wait->waiting[i].future))
                        n_done++;
        if (!ret_futures)
                return (int)n_done;
        for (int done = 1; done >= 0; done--)
                for (size_t i = 0; i < wait->n; i++)
                        if (auv__future_is_done(wait->waiting[i].future) == (bool)done)
                                ret_futures[next++] = wait->waiting[i].future;
        while (next < n)
                ret_futures[next++] = NULL;
        return (int)n_done;
}

static void leave(struct wait *wait)
{
        auv_call_cancel(wait->timeout);
        wait->timeout = auv_unref(wait->timeout);
        wait->left = true;
        for (size_t i = 0; i < wait->n; i++) {
                struct waiting *waiting = &wait->waiting[i];

                if (waiting->queued && !auv__future_is_done(waiting->future)
                    && auv__future_unwatch(waiting->future, &waiting->waiter)) {
                        waiting->queued = false;
                        wait->n_queued--;
                }
                auv_unref(waiting->future);
        }
        if (wait->n_queued == 0)
                free_wait(wait);
}

struct call {
        auv_frame frame;
        struct wait *wait;
        auv_future **ret_futures;
        size_t n;
};

static int wait_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct call, self);
        int r;

        AUV__AWAIT_PENDING_CATCH(r, &self->wait->woken);
        ret->i = r == 0 ? sort(self->wait, self->ret_futures, self->n) : 0;
        leave(self->wait);
        AUV_LEAVE(r);
        AUV_END;
}

int auv_await_wait(auv_future *const *futures, size_t n, double timeout, enum auv_return_when return_when,
                   auv_future **ret_futures)
{
        struct call call = { .ret_futures = ret_futures, .n = n };
        struct auv__task *task;
        struct wait *wait;
        int r;

        AUV_TRY(auv__steps_begin(&task));
        AUV_TRY(check_arguments(futures, n, timeout, return_when, task->future.loop));
        wait = n > SIZE_MAX / 128 ? NULL : auv__malloc(sizeof(*wait) + n * sizeof(wait->waiting[0]));
        if (!wait)
                return auv_raise(AUV_ENOMEM, NULL);
        *wait = (struct wait) { .return_when = return_when };
        auv__future_init(&wait->woken, task->future.loop, AUV__FUTURE);
        if (timeout != AUV_NO_TIMEOUT) {
                r = auv_loop_call_later(task->future.loop, timeout, on_timeout, wait, &wait->timeout);
                if (r < 0) {
                        free_wait(wait);
                        return r;
                }
        }
        add_futures(wait, futures, n);
        call.wait = wait;
        return auv__run_steps(task, wait_steps, &call);
}

/* SPDX-License-Identifier: MIT */

/*
 * Calls
 *
 * A function that the loop will call once: asyncio's Handle. The loop holds one reference until
 * the call has run, is cancelled as a timer, or is dropped; the caller may hold another.
 *
 * A call made by another thread is shared: its state changes by compare-and-swap, so
 * that of running and cancelling one comes first. Who cancels it from a foreign thread while it
 * runs waits until it has run.
 */

#include "loop/call.h"

#include "base/context.h"
#include "loop/hooks.h"
#include "loop/loop.h"
#include "loop/wakeup.h"

#include <math.h>
#include <sched.h>
#include <stdatomic.h>

enum state { PENDING, RUNNING, DONE, CANCELLED };

struct auv_call {
        struct auv__object object;
        _Atomic int state;
        bool timed;
        auv_loop *loop;
        auv_call_fn fn;
        void *arg;
        struct auv__timer timer; /* its item is what the ready queue holds, also without a deadline */
        struct auv__object *context; /* see base/context.h */
};

void auv__call_free(struct auv__object *object)
{
        auv_call *call = auv__container_of(object, auv_call, object);
        auv_loop *loop = call->object.flags & AUV__SHARED ? NULL : call->loop;

        auv__context_drop(call->context);
        auv__made_free(&call->object);
        if (loop)
                auv__loop_release(loop);
}

/* Takes a pending call to another state; false where it is no longer pending. */
static bool leave_pending(auv_call *call, enum state state)
{
        int expected = PENDING;

        if (call->object.flags & AUV__SHARED)
                return atomic_compare_exchange_strong(&call->state, &expected, state);
        if (atomic_load_explicit(&call->state, memory_order_relaxed) != PENDING)
                return false;
        atomic_store_explicit(&call->state, state, memory_order_relaxed);
        return true;
}

static void run(struct auv__item *item, bool dropped)
{
        auv_call *call = auv__container_of(item, auv_call, timer.item);
        struct auv__object **outer;

        if (!dropped && leave_pending(call, RUNNING)) {
                outer = auv__context_enter(&call->context);
                call->fn(call->arg);
                auv__context_leave(outer);
                atomic_store_explicit(&call->state, DONE, memory_order_release);
        }
        auv_unref(call);
}

auv_call *auv__call_behind(const struct auv__item *item)
{
        return item->run == run ? auv__container_of(item, auv_call, timer.item) : NULL;
}

auv_call_fn auv__call_fn(const auv_call *call)
{
        return call->fn;
}

static auv_call *new_call(auv_loop *loop, auv_context *context, auv_call_fn fn, void *arg, unsigned flags)
{
        uint16_t traced;
        auv_call *call = auv__made_malloc(loop, sizeof(*call), &traced);

        if (!call)
                return NULL;
        /* Field by field: to clear the whole of it first takes longer than all the rest. */
        call->object = auv__object_init(AUV__CALL, flags | traced);
        atomic_init(&call->state, PENDING);
        call->timed = false;
        call->loop = loop;
        call->fn = fn;
        call->arg = arg;
        call->timer.previous = NULL;
        call->timer.item.run = run;
        call->context = auv__context_take(context);
        return call;
}

/* A call for the loop's own thread. */
static int make_call(auv_loop **loop, auv_context *context, auv_call_fn fn, void *arg, auv_call **ret_call)
{
        int r;

        if (!fn)
                return auv_raise(AUV_EINVAL, "no function to call");
        r = auv__loop_check(loop);
        if (r < 0)
                return r;
        *ret_call = new_call(*loop, context, fn, arg, 0);
        if (!*ret_call)
                return auv_raise(AUV_ENOMEM, NULL);
        auv__loop_hold(*loop);
        return 0;
}

static int call_soon(auv_loop *loop, auv_context *context, auv_call_fn fn, void *arg, auv_call **ret_call)
{
        auv_call *call;

        AUV_TRY(make_call(&loop, context, fn, arg, &call));
        auv__loop_push(loop, &call->timer.item);
        if (ret_call)
                *ret_call = auv_ref(call);
        return 0;
}

int auv_loop_call_soon(auv_loop *loop, auv_call_fn fn, void *arg, auv_call **ret_call)
{
        return call_soon(loop, /* context= */ NULL, fn, arg, ret_call);
}

int auv_loop_call_soon_in_context(auv_loop *loop, auv_context *context, auv_call_fn fn, void *arg,
                                  auv_call **ret_call)
{
        return call_soon(loop, context, fn, arg, ret_call);
}

static int call_at_ns(auv_loop *loop, auv_context *context, int64_t when_ns, auv_call_fn fn, void *arg,
                      auv_call **ret_call)
{
        auv_call *call;

        AUV_TRY(make_call(&loop, context, fn, arg, &call));
        call->timed = true;
        auv__timer_start(loop, &call->timer, when_ns);
        if (ret_call)
                *ret_call = auv_ref(call);
        return 0;
}

int auv_loop_call_later(auv_loop *loop, double delay, auv_call_fn fn, void *arg, auv_call **ret_call)
{
        if (isnan(delay))
                return auv_raise(AUV_EINVAL, "the delay is not a number");
        AUV_TRY(auv__loop_check(&loop));
        return call_at_ns(loop, /* context= */ NULL, auv__clock_after(auv__loop_now(loop), delay), fn, arg,
                          ret_call);
}

int auv_loop_call_at_in_context(auv_loop *loop, auv_context *context, double when, auv_call_fn fn, void *arg,
                                auv_call **ret_call)
{
        if (isnan(when))
                return auv_raise(AUV_EINVAL, "the time is not a number");
        return call_at_ns(loop, context, auv__seconds_to_ns(when), fn, arg, ret_call);
}

int auv_loop_call_at(auv_loop *loop, double when, auv_call_fn fn, void *arg, auv_call **ret_call)
{
        return auv_loop_call_at_in_context(loop, /* context= */ NULL, when, fn, arg, ret_call);
}

int auv_loop_call_soon_threadsafe(auv_loop *loop, auv_call_fn fn, void *arg, auv_call **ret_call)
{
        auv_call *call;
        int r;

        if (!loop || !fn)
                return auv_raise(AUV_EINVAL, "no loop, or no function to call");
        call = new_call(loop, /* context= */ NULL, fn, arg, AUV__SHARED);
        if (!call)
                return auv_raise(AUV_ENOMEM, NULL);
        /* Before the push: the loop's thread may have run it by the time that push returns. */
        if (ret_call)
                auv_ref(call);
        r = auv__wakeup_push(loop, &call->timer.item);
        if (r < 0) {
                if (ret_call)
                        auv_unref(call);
                auv_unref(call);
                return auv_raise(r, NULL);
        }
        if (ret_call)
                *ret_call = call;
        return 0;
}

void auv_call_cancel(auv_call *call)
{
        if (!call)
                return;
        if (leave_pending(call, CANCELLED)) {
                if (auv__timer_is_set(&call->timer)) {
                        auv__timer_remove(&call->timer);
                        auv_unref(call);
                }
                return;
        }
        if (!(call->object.flags & AUV__SHARED) || call->loop == auv__running_loop)
                return;
        while (atomic_load(&call->state) == RUNNING)
                sched_yield();
}

bool auv_call_cancelled(const auv_call *call)
{
        return call && atomic_load(&call->state) == CANCELLED;
}

double auv_call_when(const auv_call *call)
{
        return call && call->timed ? auv__ns_to_seconds(call->timer.when_ns) : NAN;
}

auv_context *auv_call_get_context(auv_call *call)
{
        if (!call) {
                auv_raise(AUV_EINVAL, "no call");
                return NULL;
        }
        return auv__context_require(&call->context);
}

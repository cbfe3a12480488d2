/* SPDX-License-Identifier: MIT */

/* Timeout: a scope in a task that ends with AUV_ETIMEDOUT when its time is over. */

#include "task/timeout.h"

#include "base/alloc.h"
#include "base/error.h"
#include "task/task.h"

#include <math.h>

enum state {
        CREATED,
        ENTERED,
        EXPIRING, /* the task has been cancelled */
        EXPIRED,  /* and the scope has ended */
        EXITED,   /* the scope has ended in time */
};

struct auv_timeout {
        struct auv__object object; /* state: enum state */
        auv_loop *loop;
        auv_task *task;      /* with a reference, from enter on */
        auv_call *call;      /* that will expire it, or NULL */
        double when;
        int cancelling;      /* of the task, when the scope began */
};

static void on_timeout(void *arg)
{
        auv_timeout *timeout = arg;

        timeout->call = auv_unref(timeout->call);
        if (auv_task_cancel(timeout->task, /* message= */ NULL) >= 0)
                timeout->object.state = EXPIRING;
}

static void disarm(auv_timeout *timeout)
{
        auv_call_cancel(timeout->call);
        timeout->call = auv_unref(timeout->call);
}

/* Sets the deadline to @when; on failure all is as it was. */
static int arm(auv_timeout *timeout, double when)
{
        auv_call *call = NULL;

        if (when <= auv_loop_time(timeout->loop))
                AUV_TRY(auv_loop_call_soon(timeout->loop, on_timeout, timeout, &call));
        else if (when != AUV_NO_TIMEOUT)
                AUV_TRY(auv_loop_call_at(timeout->loop, when, on_timeout, timeout, &call));
        disarm(timeout);
        timeout->call = call;
        timeout->when = when;
        return 0;
}

auv_timeout *auv_timeout_at_new(double when)
{
        auv_loop *loop = NULL;
        auv_timeout *timeout;

        if (isnan(when)) {
                auv_raise(AUV_EINVAL, "the time is not a number");
                return NULL;
        }
        if (auv__loop_check(&loop) < 0)
                return NULL;
        timeout = auv__malloc(sizeof(*timeout));
        if (!timeout) {
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        *timeout = (auv_timeout) { .object = auv__object_init(AUV__TIMEOUT, 0), .loop = loop, .when = when };
        auv__loop_hold(loop);
        return timeout;
}

auv_timeout *auv_timeout_new(double delay)
{
        const auv_loop *loop = auv__running_loop;

        return auv_timeout_at_new(loop ? auv_loop_time(loop) + delay : delay);
}

static void end_scope(auv_timeout *timeout, enum state state)
{
        disarm(timeout);
        timeout->object.state = state;
        timeout->task = auv_unref(timeout->task);
}

void auv__timeout_free(struct auv__object *object)
{
        auv_timeout *timeout = auv__container_of(object, auv_timeout, object);

        if (object->state == EXPIRING)
                auv_task_uncancel(timeout->task);
        if (object->state == ENTERED || object->state == EXPIRING)
                end_scope(timeout, EXITED);
        auv__loop_release(timeout->loop);
        auv__free(timeout);
}

int auv_timeout_enter(auv_timeout *timeout)
{
        struct auv__task *task;

        if (!timeout)
                return auv_raise(AUV_ENOMEM, "the timeout could not be made");
        if (timeout->object.state != CREATED)
                return auv_raise(AUV_ERUNTIME, "the timeout has been entered already");
        task = auv__current_task();
        if (!task)
                return AUV_ENOTASK;
        if (task->future.loop != timeout->loop)
                return auv_raise(AUV_ERUNTIME, "the timeout belongs to another loop");
        AUV_TRY(arm(timeout, timeout->when));
        timeout->object.state = ENTERED;
        timeout->task = auv_ref(&task->future);
        timeout->cancelling = (int)task->cancels;
        return 0;
}

int auv__raise_timeout(void)
{
        auv_error *error = auv_error_new(AUV_ETIMEDOUT, NULL);

        if (!error)
                return auv_raise(AUV_ETIMEDOUT, NULL);
        auv_error_set_cause(error, auv_error_current());
        return auv__error_set_current(error);
}

int auv_timeout_exit(auv_timeout *timeout, int result)
{
        bool handled;

        if (!timeout || (timeout->object.state != ENTERED && timeout->object.state != EXPIRING)
            || !auv__running_loop || timeout->task != auv__running_loop->current)
                return result < 0 ? result : auv_raise(AUV_ERUNTIME, "not in the scope of the timeout");
        if (timeout->object.state == ENTERED) {
                end_scope(timeout, EXITED);
                return result;
        }
        handled = auv_task_uncancel(timeout->task) <= timeout->cancelling;
        end_scope(timeout, EXPIRED);
        if (!handled || result != AUV_ECANCELED)
                return result;
        return auv__raise_timeout();
}

int auv_timeout_reschedule(auv_timeout *timeout, double when)
{
        if (!timeout || isnan(when))
                return auv_raise(AUV_EINVAL, "no timeout, or the time is not a number");
        if (timeout->object.state != ENTERED)
                return auv_raise(AUV_ERUNTIME, "the scope of the timeout is not open");
        return arm(timeout, when);
}

double auv_timeout_when(const auv_timeout *timeout)
{
        return timeout ? timeout->when : AUV_NO_TIMEOUT;
}

bool auv_timeout_expired(const auv_timeout *timeout)
{
        return timeout && (timeout->object.state == EXPIRING || timeout->object.state == EXPIRED);
}

/* SPDX-License-Identifier: MIT */

/* Condition: a line of tasks that give a lock back while they wait, and always take it again. */

#include "sync/condition.h"

#include "base/alloc.h"
#include "base/error.h"
#include "sync/bind.h"

auv_condition *auv_condition_new(auv_lock *lock)
{
        auv_condition *condition = auv__calloc(sizeof(*condition));

        if (condition)
                condition->lock = lock ? auv_ref(lock) : auv_lock_new();
        if (!condition || !condition->lock) {
                auv__free(condition);
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        condition->object = auv__object_init(AUV__CONDITION, 0);
        return condition;
}

void auv__condition_free(struct auv__object *object)
{
        auv_condition *condition = auv__container_of(object, auv_condition, object);

        auv_unref(condition->lock);
        auv__free(condition);
}

int auv_await_condition_acquire(auv_condition *condition)
{
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(condition, &task));
        return auv__await_lock_acquire(condition->lock);
}

int auv_condition_release(auv_condition *condition)
{
        return auv_lock_release(condition ? condition->lock : NULL);
}

bool auv_condition_locked(const auv_condition *condition)
{
        return condition && auv_lock_locked(condition->lock);
}

static void notify(auv_condition *condition, size_t n)
{
        while (n > 0 && auv__line_wake_next(&condition->line))
                n--;
}

/*
 * Takes the lock again after a wait that ended with @r. Requests to stop are put off until that is
 * done; the last of them is what the wait ends with then, and otherwise @r.
 */
static int reacquire(auv_condition *condition, int r)
{
        AUV_AUTO auv_error *error = r < 0 ? auv__error_for(r) : NULL;

        for (;;) {
                const int acquired = auv__await_lock_acquire(condition->lock);

                if (acquired == 0)
                        return error ? auv_reraise(error) : 0;
                if (acquired != AUV_ECANCELED)
                        return acquired;
                auv_unref(error);
                error = auv__error_for(acquired);
        }
}

static int await_notification(auv_condition *condition, struct auv__task *task)
{
        bool woken;
        int r;

        if (!condition->lock->locked)
                return auv_raise(AUV_ERUNTIME, "cannot wait on a lock that is not acquired");
        AUV_TRY(auv__sync_bind(&condition->loop, task));
        auv__keep(&condition->object);
        auv_lock_release(condition->lock);
        r = reacquire(condition, auv__line_wait(&condition->line, task, &woken));
        /* It may have been notified before it failed: somebody else is to have the notification. */
        if (r < 0)
                notify(condition, 1);
        auv__drop(&condition->object);
        return r;
}

int auv_await_condition_wait(auv_condition *condition)
{
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(condition, &task));
        return await_notification(condition, task);
}

static int await_fulfilment(auv_condition *condition, struct auv__task *task, auv_predicate_fn predicate,
                            void *arg)
{
        while (!predicate(arg))
                AUV_TRY(await_notification(condition, task));
        return 0;
}

int auv__await_condition_wait_for(auv_condition *condition, auv_predicate_fn predicate, void *arg)
{
        struct auv__task *task;

        AUV_TRY(auv__sync_enter(condition, &task));
        return await_fulfilment(condition, task, predicate, arg);
}

int auv_await_condition_wait_for(auv_condition *condition, auv_predicate_fn predicate, void *arg)
{
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(condition, &task));
        if (!predicate)
                return auv_raise(AUV_EINVAL, "no predicate");
        return await_fulfilment(condition, task, predicate, arg);
}

int auv_condition_notify(auv_condition *condition, size_t n)
{
        if (!condition)
                return auv_raise(AUV_EINVAL, "no condition");
        if (!condition->lock->locked)
                return auv_raise(AUV_ERUNTIME, "cannot notify with a lock that is not acquired");
        notify(condition, n);
        return 0;
}

int auv_condition_notify_all(auv_condition *condition)
{
        return auv_condition_notify(condition, SIZE_MAX);
}

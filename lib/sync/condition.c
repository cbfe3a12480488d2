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

AUV__RETURNS_BY_JUMP int auv_await_condition_acquire(auv_condition *condition)
{
        struct auv__lock_acquire acquire = { .lock = condition ? condition->lock : NULL };
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(condition, &task));
        return auv__run_steps(task, auv__lock_acquire_steps, &acquire);
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

/* Gives the lock back; false where the wait cannot begin, for *ret. */
static bool begins_to_wait(struct auv__condition_wait *self, int *ret)
{
        auv_condition *condition = self->condition;

        if (condition->lock->locked)
                *ret = auv__sync_bind(&condition->loop, auv__steps_task());
        else
                *ret = auv_raise(AUV_ERUNTIME, "cannot wait on a lock that is not acquired");
        if (*ret < 0)
                return false;
        auv_lock_release(condition->lock);
        return true;
}

/* The lock has been taken again, or cannot be: @r. Returns how the wait ends. */
static int end_wait(struct auv__condition_wait *self, int r)
{
        auv_condition *condition = self->condition;

        if (r == 0 && self->error)
                r = auv_reraise(self->error);
        self->error = auv_unref(self->error);
        /* It may have been notified before it failed: somebody else is to have the notification. */
        if (r < 0)
                notify(condition, 1);
        return r;
}

static bool is_fulfilled(const struct auv__condition_wait *self)
{
        return self->predicate && self->predicate(self->arg);
}

/*
 * Requests to stop that come while the lock is taken again are put off until that is done; the last of them
 * is what the wait ends with then.
 */
int auv__condition_wait_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct auv__condition_wait, self);
        bool woken;
        int r;

        auv__keep(&self->condition->object);
        while (!is_fulfilled(self)) {
                if (!begins_to_wait(self, &r))
                        AUV_LEAVE(r);
                AUV__AWAIT_IN_LINE_CATCH(r, woken, &self->condition->line, &self->place);
                (void)woken;
                self->error = r < 0 ? auv__error_for(r) : NULL;
                do {
                        self->acquire = (struct auv__lock_acquire) { .lock = self->condition->lock };
                        AUV_AWAIT_INLINE_CATCH(r, auv__lock_acquire_steps, &self->acquire, NULL);
                        if (r == AUV_ECANCELED) {
                                auv_unref(self->error);
                                self->error = auv__error_for(r);
                        }
                } while (r == AUV_ECANCELED);
                AUV_CHECK(end_wait(self, r));
                if (!self->predicate)
                        break;
        }
        AUV_FINALLY;
        auv__drop(&self->condition->object);
        AUV_END;
}

AUV__RETURNS_BY_JUMP int auv_await_condition_wait(auv_condition *condition)
{
        struct auv__condition_wait wait = { .condition = condition };
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(condition, &task));
        return auv__run_steps(task, auv__condition_wait_steps, &wait);
}

AUV__RETURNS_BY_JUMP int auv_await_condition_wait_for(auv_condition *condition, auv_predicate_fn predicate,
                                                      void *arg)
{
        struct auv__condition_wait wait = { .condition = condition, .predicate = predicate, .arg = arg };
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(condition, &task));
        if (!predicate)
                return auv_raise(AUV_EINVAL, "no predicate");
        return auv__run_steps(task, auv__condition_wait_steps, &wait);
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

/* SPDX-License-Identifier: MIT */

/*
 * Lock
 *
 * Release does not hand the lock over: it wakes the first in line, who takes the lock when it
 * runs. Until then the lock is free, but nobody else gets it, because there is a line.
 */

#include "sync/lock.h"

#include "base/alloc.h"
#include "sync/bind.h"

auv_lock *auv_lock_new(void)
{
        auv_lock *lock = auv__calloc(sizeof(*lock));

        if (!lock) {
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        lock->object = auv__object_init(AUV__LOCK, 0);
        return lock;
}

void auv__lock_free(struct auv__object *object)
{
        auv__free(auv__container_of(object, auv_lock, object));
}

static void wake_first(auv_lock *lock)
{
        if (lock->line.first)
                auv__place_wake(lock->line.first);
}

static bool take(auv_lock *lock)
{
        if (lock->locked || !auv__line_is_abandoned(&lock->line))
                return false;
        lock->locked = true;
        return true;
}

int auv__lock_acquire_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct auv__lock_acquire, self);
        int r;

        if (auv__running_loop->closed)
                AUV_RAISE(AUV_ECLOSED, NULL);
        if (take(self->lock))
                AUV_RETURN();
        AUV_CHECK(auv__sync_bind(&self->lock->loop, auv__steps_task()));
        auv__keep(&self->lock->object);
        AUV__WAIT_IN_LINE_CATCH(r, &self->lock->line, &self->place);
        if (r == 0)
                self->lock->locked = true;
        else if (!self->lock->locked)
                wake_first(self->lock);
        auv__drop(&self->lock->object);
        AUV_LEAVE(r);
        AUV_END;
}

AUV__RETURNS_BY_JUMP int auv_await_lock_acquire(auv_lock *lock)
{
        struct auv__lock_acquire acquire;
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(lock, &task));
        if (take(lock))
                return 0;
        acquire = (struct auv__lock_acquire) { .lock = lock };
        return auv__run_steps(task, auv__lock_acquire_steps, &acquire);
}

int auv_lock_release(auv_lock *lock)
{
        if (!lock)
                return auv_raise(AUV_EINVAL, "no lock");
        if (!lock->locked)
                return auv_raise(AUV_ERUNTIME, "the lock is not acquired");
        lock->locked = false;
        wake_first(lock);
        return 0;
}

bool auv_lock_locked(const auv_lock *lock)
{
        return lock && lock->locked;
}

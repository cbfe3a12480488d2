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

static int wait_in_line(auv_lock *lock, struct auv__task *task)
{
        bool woken;
        int r;

        AUV_TRY(auv__sync_bind(&lock->loop, task));
        auv__keep(&lock->object);
        r = auv__line_wait(&lock->line, task, &woken);
        if (r == 0)
                lock->locked = true;
        else if (!lock->locked)
                wake_first(lock);
        auv__drop(&lock->object);
        return r;
}

static int await_lock(auv_lock *lock, struct auv__task *task)
{
        if (lock->locked || !auv__line_is_abandoned(&lock->line))
                return wait_in_line(lock, task);
        lock->locked = true;
        return 0;
}

int auv__await_lock_acquire(auv_lock *lock)
{
        struct auv__task *task;

        AUV_TRY(auv__sync_enter(lock, &task));
        return await_lock(lock, task);
}

int auv_await_lock_acquire(auv_lock *lock)
{
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(lock, &task));
        return await_lock(lock, task);
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

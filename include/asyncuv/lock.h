/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_LOCK_H
#define ASYNCUV_LOCK_H

#include <asyncuv/loop.h>

AUV_BEGIN_DECLS

/*
 * Locks
 *
 * A lock keeps tasks apart over their awaits. It belongs to nobody: any task may release it. Like all
 * of this library's primitives it belongs to the loop on which it is first waited for, and is not
 * for threads.
 */
typedef struct auv_lock auv_lock;

/**
 * auv_lock_new() - make a lock, unlocked
 *
 * Return: the lock, or NULL: there is no memory.
 * Owns: the caller owns the reference; a task that waits holds one, too.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.Lock().
 */
AUV_API auv_lock *auv_lock_new(void);

/**
 * auv_await_lock_acquire() - take a lock
 * @lock:        the lock; NULL is one that could not be made
 *
 * Tasks get the lock in the order in which they came. A lock that is free, and that nobody waits for,
 * is taken at once.
 *
 * Return: 0, or a negative error, and then the lock was not taken.
 * Errors: AUV_ECANCELED; AUV_ENOTASK; AUV_ERUNTIME, the lock belongs to another loop; AUV_ECLOSED;
 * AUV_ENOMEM for NULL.
 * Suspends: yes, unless the lock is free.    Thread: the loop's.
 * Like: Lock.acquire().
 */
AUV_API int auv_await_lock_acquire(auv_lock *lock);

/**
 * auv_lock_release() - give a lock back
 * @lock:        the lock
 *
 * The first of those that wait is woken, and takes the lock when it runs.
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, @lock is NULL; AUV_ERUNTIME, it is not locked.
 * Suspends: no.    Thread: the loop's.
 * Like: Lock.release().
 */
AUV_API int auv_lock_release(auv_lock *lock);

/**
 * auv_lock_locked() - whether a lock is taken
 * @lock:        the lock; NULL is not
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Lock.locked().
 */
AUV_API bool auv_lock_locked(const auv_lock *lock);

AUV_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_CONDITION_H
#define ASYNCUV_CONDITION_H

#include <asyncuv/lock.h>

AUV_BEGIN_DECLS

/* A lock, and a line of tasks that wait to be told that what it protects has changed. */
typedef struct auv_condition auv_condition;

/**
 * auv_predicate_fn - whether what a task waits for is so
 * @arg:         what was given with the function
 */
typedef bool (*auv_predicate_fn)(void *arg);

/**
 * auv_condition_new() - make a condition
 * @lock:        its lock, which other conditions may share; NULL for one of its own
 *
 * Return: the condition, or NULL: there is no memory.
 * Owns: the caller owns the reference; a task that waits holds one, too. The condition takes a
 * reference to @lock.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.Condition().
 */
AUV_API auv_condition *auv_condition_new(auv_lock *lock);

/**
 * auv_await_condition_acquire() - take the lock of a condition
 * @condition:   the condition; NULL is one that could not be made
 *
 * Return: as auv_await_lock_acquire().
 * Suspends: yes, unless the lock is free.    Thread: the loop's.
 * Like: Condition.acquire().
 */
AUV_API int auv_await_condition_acquire(auv_condition *condition);

/**
 * auv_condition_release() - give the lock of a condition back
 * @condition:   the condition
 *
 * Return: as auv_lock_release().
 * Suspends: no.    Thread: the loop's.
 * Like: Condition.release().
 */
AUV_API int auv_condition_release(auv_condition *condition);

/**
 * auv_condition_locked() - whether the lock of a condition is taken
 * @condition:   the condition; NULL is not
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Condition.locked().
 */
AUV_API bool auv_condition_locked(const auv_condition *condition);

/**
 * auv_await_condition_wait() - wait to be notified
 * @condition:   the condition, whose lock is taken; NULL is one that could not be made
 *
 * Gives the lock back, waits, and takes it again before it returns, also where the task is cancelled:
 * requests that come while it waits for the lock are put off until it has it. May return without
 * having been notified; see auv_await_condition_wait_for(). A notification that a cancelled task
 * cannot use goes to the next.
 *
 * Return: 0, or a negative error; the lock is taken all the same, but for AUV_ECLOSED.
 * Errors: AUV_ERUNTIME, the lock is not taken, or the condition belongs to another loop; AUV_ECANCELED;
 * AUV_ENOTASK; AUV_ECLOSED; AUV_ENOMEM for NULL.
 * Suspends: yes.    Thread: the loop's.
 * Like: Condition.wait().
 */
AUV_API int auv_await_condition_wait(auv_condition *condition);

/**
 * auv_await_condition_wait_for() - wait until something is so
 * @condition:   the condition, whose lock is taken; NULL is one that could not be made
 * @predicate:   called as predicate(arg), at once and after each notification, with the lock taken
 * @arg:         handed to @predicate
 *
 * Return: as auv_await_condition_wait(); AUV_EINVAL, @predicate is NULL.
 * Suspends: yes, unless it is so.    Thread: the loop's.
 * Like: Condition.wait_for(). Differs: the predicate gives a truth, which is not handed on.
 */
AUV_API int auv_await_condition_wait_for(auv_condition *condition, auv_predicate_fn predicate, void *arg);

/**
 * auv_condition_notify() - wake some of those that wait
 * @condition:   the condition, whose lock is taken
 * @n:           how many at the most
 *
 * They go on when they get the lock, which the caller has yet to give back.
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, @condition is NULL; AUV_ERUNTIME, the lock is not taken.
 * Suspends: no.    Thread: the loop's.
 * Like: Condition.notify().
 */
AUV_API int auv_condition_notify(auv_condition *condition, size_t n);

/**
 * auv_condition_notify_all() - wake all that wait
 * @condition:   the condition, whose lock is taken
 *
 * Return: as auv_condition_notify().
 * Suspends: no.    Thread: the loop's.
 * Like: Condition.notify_all().
 */
AUV_API int auv_condition_notify_all(auv_condition *condition);

AUV_END_DECLS

#endif

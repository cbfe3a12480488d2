/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_SEMAPHORE_H
#define ASYNCUV_SEMAPHORE_H

#include <asyncuv/loop.h>

AUV_BEGIN_DECLS

/* A number of units that tasks take and give back. */
typedef struct auv_semaphore auv_semaphore;

/**
 * auv_semaphore_new() - make a semaphore
 * @value:       how many units it has at first, 0 or more
 *
 * Return: the semaphore, or NULL: there is no memory, or @value is negative.
 * Owns: the caller owns the reference; a task that waits holds one, too.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.Semaphore().
 */
AUV_API auv_semaphore *auv_semaphore_new(long value);

/**
 * auv_bounded_semaphore_new() - make a semaphore that never has more units than at first
 * @value:       how many units it has at first, 0 or more
 *
 * Return: as auv_semaphore_new().
 * Owns: the caller owns the reference; a task that waits holds one, too.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.BoundedSemaphore().
 */
AUV_API auv_semaphore *auv_bounded_semaphore_new(long value);

/**
 * auv_await_semaphore_acquire() - take a unit
 * @semaphore:   the semaphore; NULL is one that could not be made
 *
 * Tasks get units in the order in which they came.
 *
 * Return: 0, or a negative error, and then no unit was taken.
 * Errors: AUV_ECANCELED; AUV_ENOTASK; AUV_ERUNTIME, the semaphore belongs to another loop; AUV_ECLOSED;
 * AUV_ENOMEM for NULL.
 * Suspends: yes, unless there is a unit and nobody waits.    Thread: the loop's.
 * Like: Semaphore.acquire().
 */
AUV_API int auv_await_semaphore_acquire(auv_semaphore *semaphore);

/**
 * auv_semaphore_release() - give a unit
 * @semaphore:   the semaphore
 *
 * Where anyone waits, the first of them has the unit from now on, and is woken.
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, @semaphore is NULL; AUV_ERUNTIME, it is bounded and has all its units;
 * AUV_EOVERFLOW.
 * Suspends: no.    Thread: the loop's.
 * Like: Semaphore.release().
 */
AUV_API int auv_semaphore_release(auv_semaphore *semaphore);

/**
 * auv_semaphore_locked() - whether an acquire would wait
 * @semaphore:   the semaphore; NULL is not
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Semaphore.locked().
 */
AUV_API bool auv_semaphore_locked(const auv_semaphore *semaphore);

AUV_END_DECLS

#endif

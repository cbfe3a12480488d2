/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_BARRIER_H
#define ASYNCUV_BARRIER_H

#include <asyncuv/loop.h>

AUV_BEGIN_DECLS

/* A point where tasks wait for each other, until there are as many as are to come. */
typedef struct auv_barrier auv_barrier;

/**
 * auv_barrier_new() - make a barrier
 * @parties:     how many tasks it takes, at least 1
 *
 * Return: the barrier, or NULL: there is no memory, or @parties is less than 1.
 * Owns: the caller owns the reference; a task that waits holds one, too.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.Barrier().
 */
AUV_API auv_barrier *auv_barrier_new(int parties);

/**
 * auv_await_barrier_wait() - wait for the others
 * @barrier:     the barrier; NULL is one that could not be made
 *
 * The last to come does not wait. A task that comes while the barrier lets others out, or is being
 * reset, waits for that first. A task that is cancelled leaves, and is one less.
 *
 * Return: 0 to @parties - 1, another number for each task, in the order in which they came; or a
 * negative error.
 * Errors: AUV_EBROKENBARRIER, the barrier is broken, or was reset or aborted meanwhile; AUV_ECANCELED;
 * AUV_ENOTASK; AUV_ERUNTIME, the barrier belongs to another loop; AUV_ECLOSED; AUV_ENOMEM for NULL.
 * Suspends: yes, unless it is the last to come.    Thread: the loop's.
 * Like: Barrier.wait().
 */
AUV_API int auv_await_barrier_wait(auv_barrier *barrier);

/**
 * auv_await_barrier_reset() - make a barrier as new
 * @barrier:     the barrier; NULL is one that could not be made
 *
 * Those that wait get AUV_EBROKENBARRIER.
 *
 * Return: 0, or a negative error.
 * Errors: AUV_ECANCELED; AUV_ENOTASK; AUV_ERUNTIME, the barrier belongs to another loop; AUV_ECLOSED;
 * AUV_ENOMEM for NULL.
 * Suspends: yes, where the lock of the barrier is taken, which it never is for now.    Thread: the loop's.
 * Like: Barrier.reset().
 */
AUV_API int auv_await_barrier_reset(auv_barrier *barrier);

/**
 * auv_await_barrier_abort() - break a barrier, until it is reset
 * @barrier:     the barrier; NULL is one that could not be made
 *
 * Those that wait, and those that come, get AUV_EBROKENBARRIER.
 *
 * Return: as auv_await_barrier_reset().
 * Suspends: yes, where the lock of the barrier is taken, which it never is for now.    Thread: the loop's.
 * Like: Barrier.abort().
 */
AUV_API int auv_await_barrier_abort(auv_barrier *barrier);

/**
 * auv_barrier_parties() - how many tasks a barrier takes
 * @barrier:     the barrier; NULL takes 0
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Barrier.parties.
 */
AUV_API int auv_barrier_parties(const auv_barrier *barrier);

/**
 * auv_barrier_n_waiting() - how many tasks wait for the others
 * @barrier:     the barrier; NULL has 0
 *
 * Return: the number; 0 while the barrier lets them out, is being reset, or is broken.
 * Suspends: no.    Thread: the loop's.
 * Like: Barrier.n_waiting.
 */
AUV_API int auv_barrier_n_waiting(const auv_barrier *barrier);

/**
 * auv_barrier_broken() - whether a barrier is broken
 * @barrier:     the barrier; NULL is not
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Barrier.broken.
 */
AUV_API bool auv_barrier_broken(const auv_barrier *barrier);

AUV_END_DECLS

#endif

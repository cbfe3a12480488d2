/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_AS_COMPLETED_H
#define ASYNCUV_AS_COMPLETED_H

#include <asyncuv/wait.h>

AUV_BEGIN_DECLS

/* Gives futures one by one, in the order in which they complete. */
typedef struct auv_as_completed auv_as_completed;

/**
 * auv_as_completed_new() - go through futures in the order in which they complete
 * @futures:     the futures; one that is given more than once counts once
 * @n:           how many; may be 0
 * @timeout:     seconds from now in which all have to be done; AUV_NO_TIMEOUT for no limit
 *
 * Return: the iterator, or NULL: there is no memory, no loop is running, one of @futures is NULL
 * or of another loop, @timeout is not a number.
 * Owns: the caller owns the reference. The iterator holds the futures that it has not given yet.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.as_completed().
 */
AUV_API auv_as_completed *auv_as_completed_new(auv_future *const *futures, size_t n, double timeout);

/**
 * auv_await_as_completed() - wait for the next future to complete
 * @iterator:    the iterator; NULL is one that could not be made
 * @ret_future:  receives one of the futures that the iterator was made with; it is done
 *
 * Written as a loop: `while ((r = auv_await_as_completed(it, &future)) > 0)`.
 *
 * Return: 1; 0 where all have been given; or a negative error.
 * Errors: AUV_ETIMEDOUT, the time is over: once for each future that was not done; AUV_ECANCELED;
 * AUV_ENOTASK; AUV_ECLOSED; for NULL, the error for which the iterator could not be made. The futures
 * are not cancelled.
 * Owns: nothing; *ret_future is one of the caller's own, and to be held by the caller.
 * Suspends: yes, unless one is done already.    Thread: the loop's.
 * Like: async for future in asyncio.as_completed().
 */
AUV_API int auv_await_as_completed(auv_as_completed *iterator, auv_future **ret_future);

AUV_END_DECLS

#endif

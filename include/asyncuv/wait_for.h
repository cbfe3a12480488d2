/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_WAIT_FOR_H
#define ASYNCUV_WAIT_FOR_H

#include <asyncuv/coro.h>
#include <asyncuv/wait.h>

AUV_BEGIN_DECLS

/**
 * auv_await_wait_for() - wait for a future, but not longer than a time
 * @future:      future to wait for; NULL is one that could not be made
 * @timeout:     seconds; AUV_NO_TIMEOUT for no limit; 0 or less for a future that must be done
 * @ret:         receives the result; may be NULL
 *
 * At the timeout the future is cancelled, and its end is waited for. A task that refuses, and
 * returns a value or fails, gives that value or error. See auv_shield() for one that is to
 * run on.
 *
 * Return: 0, or a negative error: that of @future, or one of those below.
 * Errors: AUV_ETIMEDOUT; AUV_ECANCELED; AUV_EINVAL, @timeout is not a number; what auv_await() has.
 * Owns: nothing; the result is borrowed from @future.
 * Suspends: yes, unless @future is done.    Thread: the loop's.
 * Like: asyncio.wait_for().
 */
AUV_API int auv_await_wait_for(auv_future *future, double timeout, auv_value *ret);

/**
 * auv_await_wait_for_coro() - run a coroutine, but not longer than a time
 * @fn:          the body; it runs in the running task, as a call of it would
 * @arg:         handed to @fn
 * @timeout:     seconds; AUV_NO_TIMEOUT for no limit; with 0 or less the body never starts
 * @ret:         receives the result; may be NULL
 *
 * At the timeout, what the body awaits ends with AUV_ECANCELED.
 *
 * Return: what @fn returns, or one of those below.
 * Errors: AUV_ETIMEDOUT; AUV_ECANCELED; AUV_EINVAL, @fn is NULL or @timeout is not a number;
 * AUV_ENOTASK; AUV_ENOMEM.
 * Owns: the caller owns a result that has a destructor. What @fn has awaited has none, and is borrowed from
 * the future that @fn has awaited.
 * Suspends: yes.    Thread: the loop's.
 * Like: asyncio.wait_for() of a coroutine.
 */
AUV_API int auv_await_wait_for_coro(auv_coro_fn fn, void *arg, double timeout, auv_value *ret);

AUV_END_DECLS

#endif

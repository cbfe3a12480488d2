/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_SHIELD_H
#define ASYNCUV_SHIELD_H

#include <asyncuv/future.h>

AUV_BEGIN_DECLS

/**
 * auv_shield() - a future that ends as another does, but does not cancel it
 * @future:      future to protect; NULL is one that could not be made
 *
 * Where @future is cancelled, so is the shield. Where the shield is cancelled, @future runs on;
 * if it fails then, the exception handler is told.
 *
 * Return: the shield, @future itself where that is done, or NULL: @future is NULL, or there is no
 * memory.
 * Owns: the caller owns the reference. @future need not be held: a shield that waits holds it.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.shield().
 */
AUV_API auv_future *auv_shield(auv_future *future);

/**
 * auv_await_shield() - wait for a future without cancelling it
 * @future:      future to wait for; NULL is one that could not be made
 * @ret:         receives the result; may be NULL
 *
 * Return: as auv_await().
 * Owns: nothing; the result is borrowed from @future.
 * Suspends: yes, unless @future is done.    Thread: the loop's.
 * Like: await asyncio.shield(future).
 */
AUV_API int auv_await_shield(auv_future *future, auv_value *ret);

AUV_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_TIMEOUT_H
#define ASYNCUV_TIMEOUT_H

#include <asyncuv/wait.h>

AUV_BEGIN_DECLS

/*
 * Timeouts
 *
 * A timeout is a scope in a task: between enter and exit, what the task awaits ends with
 * AUV_ECANCELED when the time is over, and exit makes AUV_ETIMEDOUT of it.
 *
 *      AUV_AUTO auv_timeout *limit = auv_timeout_new(2.5);
 *
 *      AUV_TRY(auv_timeout_enter(limit));
 *      AUV_TRY(auv_timeout_exit(limit, talk_to_peer()));
 *
 * A scope that is left without exit, because a function returned from within, is closed when
 * the last reference goes: then nothing is cancelled any more, and AUV_ECANCELED stays what
 * it is.
 */
typedef struct auv_timeout auv_timeout;

/**
 * auv_timeout_new() - make a timeout that counts from now
 * @delay:       seconds from now; AUV_NO_TIMEOUT for no limit
 *
 * Return: the timeout, or NULL: there is no memory, no loop is running, @delay is not a number.
 * Owns: the caller owns the reference.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.timeout().
 */
AUV_API auv_timeout *auv_timeout_new(double delay);

/**
 * auv_timeout_at_new() - make a timeout with a deadline
 * @when:        seconds on the clock that auv_loop_time() reads; AUV_NO_TIMEOUT for no limit
 *
 * Return: as auv_timeout_new().
 * Owns: the caller owns the reference.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.timeout_at().
 */
AUV_API auv_timeout *auv_timeout_at_new(double when);

/**
 * auv_timeout_enter() - begin the scope of a timeout in the running task
 * @timeout:     the timeout, new; NULL is one that could not be made
 *
 * Return: 0, or a negative error, and then the scope has not begun.
 * Errors: AUV_ERUNTIME, it has been entered before; AUV_ENOTASK; AUV_ENOMEM, also for NULL.
 * Owns: nothing; the reference is to be held until the scope has ended.
 * Suspends: no.    Thread: the loop's.
 * Like: Timeout.__aenter__().
 */
AUV_API int auv_timeout_enter(auv_timeout *timeout);

/**
 * auv_timeout_exit() - end the scope of a timeout
 * @timeout:     the timeout
 * @result:      what the body of the scope returned: 0 or more, or a negative error
 *
 * Return: AUV_ETIMEDOUT, where @result is AUV_ECANCELED because of this timeout and nobody else
 * cancelled the task; otherwise @result. AUV_ERUNTIME, where the scope has not begun or has ended
 * and @result is no error; the same where it is not of the running task.
 * Suspends: no.    Thread: the loop's.
 * Like: Timeout.__aexit__().
 */
AUV_API int auv_timeout_exit(auv_timeout *timeout, int result);

/**
 * auv_timeout_reschedule() - move the deadline
 * @timeout:     a timeout whose scope has begun and has not ended
 * @when:        seconds on the clock that auv_loop_time() reads; AUV_NO_TIMEOUT for no limit
 *
 * Return: 0, or a negative error, and then the deadline is as it was.
 * Errors: AUV_EINVAL, @timeout is NULL or @when is not a number; AUV_ERUNTIME, the scope has not
 * begun, has ended, or the time is over already; AUV_ENOMEM.
 * Suspends: no.    Thread: the loop's.
 * Like: Timeout.reschedule().
 */
AUV_API int auv_timeout_reschedule(auv_timeout *timeout, double when);

/**
 * auv_timeout_when() - the deadline
 * @timeout:     the timeout
 *
 * Return: seconds on the loop's clock; AUV_NO_TIMEOUT for none, and for NULL.
 * Suspends: no.    Thread: the loop's.
 * Like: Timeout.when().
 */
AUV_API double auv_timeout_when(const auv_timeout *timeout);

/**
 * auv_timeout_expired() - whether the time was over before the scope ended
 * @timeout:     the timeout; NULL is not
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Timeout.expired().
 */
AUV_API bool auv_timeout_expired(const auv_timeout *timeout);

AUV_END_DECLS

#endif

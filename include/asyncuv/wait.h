/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_WAIT_H
#define ASYNCUV_WAIT_H

#include <asyncuv/future.h>

#include <math.h>

AUV_BEGIN_DECLS

/* A timeout or a deadline that never comes: asyncio's None. */
#define AUV_NO_TIMEOUT ((double)INFINITY)

enum auv_return_when {
        AUV_ALL_COMPLETED,   /* all are done */
        AUV_FIRST_COMPLETED, /* one is done */
        AUV_FIRST_EXCEPTION, /* one has failed, which being cancelled is not; or all are done */
};

/**
 * auv_await_wait() - wait until some of several futures are done
 * @futures:     the futures; one that is given more than once counts once
 * @n:           how many, at least one
 * @timeout:     seconds to wait at the most; AUV_NO_TIMEOUT for no limit
 * @return_when: one of enum auv_return_when
 * @ret_futures: receives the done futures, then the pending ones, each in the order of @futures,
 *               then NULL in the places that are left; has room for @n, and may be @futures
 *               itself; may be NULL
 *
 * Nothing is cancelled, neither at the timeout, which is no error, nor when the running task is
 * cancelled.
 *
 * Return: how many are done, or a negative error, and then @ret_futures is untouched.
 * Errors: AUV_EINVAL, @n is 0, one of @futures is NULL or of another loop, @timeout is not a number,
 * @return_when has no meaning; AUV_ECANCELED; AUV_ENOTASK; AUV_ENOMEM; AUV_ECLOSED.
 * Owns: nothing; @ret_futures are the caller's own.
 * Suspends: yes, for at least two turns.    Thread: the loop's.
 * Like: asyncio.wait().
 */
AUV_API int auv_await_wait(auv_future *const *futures, size_t n, double timeout,
                           enum auv_return_when return_when, auv_future **ret_futures);

AUV_END_DECLS

#endif

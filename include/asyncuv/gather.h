/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_GATHER_H
#define ASYNCUV_GATHER_H

#include <asyncuv/future.h>

AUV_BEGIN_DECLS

enum auv_gather_flags {
        AUV_RETURN_EXCEPTIONS = 1 << 0, /* errors stand among the results; see auv_value_error() */
};

/**
 * auv_gather() - a future for the results of several
 * @futures:     the children; one may be given more than once
 * @n:           how many; 0 gives a future that is done, with an empty list
 * @flags:       0 or AUV_RETURN_EXCEPTIONS
 *
 * Its result is a list, see auv_value_list(), in the order of @futures. The first child that
 * fails or is cancelled fails the gather with its error, and the others run on; with
 * AUV_RETURN_EXCEPTIONS all are waited for. Cancelling the gather cancels its children.
 *
 * Return: the future, or NULL: there is no memory, no loop, one of @futures is NULL, they belong
 * to several loops, or @flags has no meaning.
 * Owns: the caller owns the reference; the gather takes references to its children.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.gather(). Differs: takes no coroutines; outside of a running loop, the gather of
 * none needs auv_set_event_loop().
 */
AUV_API auv_future *auv_gather(auv_future *const *futures, size_t n, int flags);

/**
 * auv_await_gather() - wait for several futures
 * @futures, @n, @flags: as for auv_gather()
 * @ret_results: receives @n results, in the order of @futures; may be NULL
 *
 * Return: 0, or a negative error: that of the first child to fail, or one of those below.
 * Errors: AUV_ECANCELED; AUV_ENOMEM and what else auv_await() has; AUV_EINVAL.
 * Owns: nothing; each result is borrowed from its child, of which the caller keeps a reference.
 * Suspends: yes, unless all are done.    Thread: the loop's.
 * Like: await asyncio.gather().
 */
AUV_API int auv_await_gather(auv_future *const *futures, size_t n, int flags, auv_value *ret_results);

AUV_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_SIGNAL_H
#define ASYNCUV_SIGNAL_H

#include <asyncuv/loop.h>

AUV_BEGIN_DECLS

/**
 * auv_loop_add_signal_handler() - have a function called when a signal arrives
 * @loop:        loop to run it on; NULL for the running one
 * @signum:      the signal, as SIGTERM
 * @fn:          called as fn(arg) in a turn of the loop, once for each time the signal arrived
 * @arg:         handed to @fn; must live until the handler is removed or replaced, or the loop is
 *               closed
 *
 * A loop has one handler for each signal: adding another one replaces it, and a signal that has
 * arrived and not been handled then goes to the new one. As long as there is a handler, the loop
 * counts as one that may be woken: it waits where it would have reported AUV_EDEADLK, and a
 * libuv loop of the caller's stays in uv_run().
 *
 * Return: 0, or a negative error, and then nothing has changed.
 * Errors: AUV_EINVAL, @fn is NULL or there is no such signal; AUV_ERUNTIME, the signal cannot be
 * caught, as SIGKILL and SIGSTOP; AUV_ENOLOOP; AUV_ECLOSED; AUV_ENOMEM; AUV_EMFILE and others of
 * the system's.
 * Suspends: no.    Thread: the loop's.
 * Like: loop.add_signal_handler(). Differs: any thread's loop may have handlers, and where several
 * loops have one for the same signal, each is called; once a handler has been removed or
 * replaced, its function is not called any more.
 */
AUV_API int auv_loop_add_signal_handler(auv_loop *loop, int signum, auv_call_fn fn, void *arg);

/**
 * auv_loop_remove_signal_handler() - do not have a function called any more
 * @loop:        the loop; NULL for the running one
 * @signum:      the signal
 *
 * With the last handler that a loop of the process has for the signal, its default
 * disposition is restored.
 *
 * Return: 1, or 0: there was no handler; or a negative error.
 * Errors: AUV_EINVAL, there is no such signal; AUV_ENOLOOP; in debug mode AUV_ETHREAD.
 * Suspends: no.    Thread: the loop's.
 * Like: loop.remove_signal_handler().
 */
AUV_API int auv_loop_remove_signal_handler(auv_loop *loop, int signum);

AUV_END_DECLS

#endif

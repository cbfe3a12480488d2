/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_THREAD_FUTURE_H
#define ASYNCUV_THREAD_FUTURE_H

#include <asyncuv/coro.h>
#include <asyncuv/future.h>
#include <asyncuv/wait.h>

AUV_BEGIN_DECLS

/*
 * Thread futures
 *
 * What runs on one loop, for other threads to wait for. A thread future and the task that it
 * stands for end as one: it has the task's result or error, and cancelling either cancels the
 * other. All calls take NULL for one that could not be made. References may be taken and given
 * up in any thread; a result with a destructor goes with the last of them, in that thread.
 *
 * A body may pass on what it has awaited, as `return auv_await(other, ret)` does. Where nobody else
 * holds that future, its result is handed over as one of the body's own. Otherwise, and with the list
 * of a gather, it stays where it is, and is lent to the thread future: it lives at least as long as
 * that and as the loop is open, and goes in the loop's thread. Once the loop is closed it is gone,
 * and who asks for it gets AUV_ECLOSED: what is to live on must be copied before.
 */
typedef struct auv_thread_future auv_thread_future;

/**
 * auv_run_coroutine_threadsafe() - run a coroutine on a loop, from any thread
 * @loop:        loop to run it on
 * @fn:          the body
 * @arg:         handed to @fn
 * @size:        bytes of *@arg to copy; 0 to hand over the pointer itself, and then what it points
 *               to must live until the body has ended
 *
 * The loop is woken, and makes a task of it in its next turn. Coroutines that one thread hands to
 * a loop start in that order.
 *
 * Return: the thread future, or NULL: an argument is NULL, the loop is closed, or there is no memory.
 * Owns: the caller owns the reference; giving it up detaches the task. The calling thread must hold
 * a reference to @loop, or know that it lives.
 * Suspends: no.    Thread: any.
 * Like: asyncio.run_coroutine_threadsafe(). Differs: one that is cancelled before the loop has come to
 * it never starts.
 */
AUV_API auv_thread_future *auv_run_coroutine_threadsafe(auv_loop *loop, auv_coro_fn fn, const void *arg,
                                                        size_t size);

/**
 * auv_thread_future_result() - block until the result is there
 * @future:      the thread future
 * @timeout:     seconds to block at the most; AUV_NO_TIMEOUT for no limit; 0 or less does not block
 * @ret:         receives the result; may be NULL
 *
 * Return: 0, or a negative error: that of the task, or one of those below. auv_error_current() has
 * the object.
 * Errors: AUV_ECANCELED, the thread future was cancelled; AUV_ETIMEDOUT; AUV_ECLOSED, the loop was
 * closed before the task had ended, or its result was lent, and is gone with the loop;
 * AUV_ERUNTIME, this is the loop's own thread, which would wait for itself; AUV_EINVAL, @timeout is
 * not a number; for NULL, the error for which it could not be made.
 * Owns: nothing; the result is borrowed from @future, and one that was lent from the loop, too.
 * Suspends: no; it blocks the thread.    Thread: any but the loop's; once it is done, any.
 * Like: concurrent.futures.Future.result().
 */
AUV_API int auv_thread_future_result(auv_thread_future *future, double timeout, auv_value *ret);

/**
 * auv_thread_future_exception() - block until it is known whether there is an error
 * @future:      the thread future
 * @timeout:     as for auv_thread_future_result()
 * @ret_error:   receives the error, or NULL where there is a result; may be NULL
 *
 * Return: 0, or a negative error.
 * Errors: as auv_thread_future_result(), but for those of the task.
 * Owns: nothing; the error is borrowed from @future.
 * Suspends: no; it blocks the thread.    Thread: as auv_thread_future_result().
 * Like: concurrent.futures.Future.exception().
 */
AUV_API int auv_thread_future_exception(auv_thread_future *future, double timeout, auv_error **ret_error);

/**
 * auv_thread_future_done() - whether a thread future is done: has a result or an error, or is cancelled
 * @future:      the thread future; NULL is not
 *
 * Suspends: no.    Thread: any.
 * Like: concurrent.futures.Future.done().
 */
AUV_API bool auv_thread_future_done(auv_thread_future *future);

/**
 * auv_thread_future_cancelled() - whether a thread future was cancelled
 * @future:      the thread future; NULL was not
 *
 * Suspends: no.    Thread: any.
 * Like: concurrent.futures.Future.cancelled().
 */
AUV_API bool auv_thread_future_cancelled(auv_thread_future *future);

/**
 * auv_thread_future_cancel() - cancel a thread future, and ask its task to stop
 * @future:      the thread future; NULL does nothing
 *
 * The thread future is cancelled at once; the task, when its loop comes to it. Should the task refuse,
 * what it returns is dropped.
 *
 * Return: 1, it is cancelled now, or was before; 0, it has a result or an error.
 * Suspends: no.    Thread: any.
 * Like: concurrent.futures.Future.cancel().
 */
AUV_API int auv_thread_future_cancel(auv_thread_future *future);

/**
 * auv_wrap_future() - wait for a thread future on the running loop
 * @future:      the thread future
 *
 * The two end as one: cancelling what this returns cancels @future, too.
 *
 * Return: a future of the running loop, or NULL: @future is, no loop is running, or there is no
 * memory.
 * Owns: the caller owns the reference; it holds one to @future, from which its result is borrowed.
 * Suspends: no.    Thread: that of the running loop.
 * Like: asyncio.wrap_future().
 */
AUV_API auv_future *auv_wrap_future(auv_thread_future *future);

AUV_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_FUTURE_H
#define ASYNCUV_FUTURE_H

#include <asyncuv/loop.h>

AUV_BEGIN_DECLS

/*
 * Futures
 *
 * Whatever can be awaited is a future. Functions that make one return it, or NULL where it
 * could not be made; NULL may be handed on as a future, and is an error where it is awaited,
 * so that one check at the end will do. Any other call takes NULL for a bad argument.
 */

/**
 * auv_done_fn - a function that is called when a future is done
 * @future:      the future; borrowed, and valid until the function returns
 * @arg:         what was given with the function
 */
typedef void (*auv_done_fn)(auv_future *future, void *arg);

/**
 * auv_loop_create_future() - make a future
 * @loop:        loop that it belongs to; NULL for the running one
 *
 * Return: the future, or NULL: there is no memory, no loop, or it is closed.
 * Owns: the caller owns the reference.
 * Suspends: no.    Thread: the loop's.
 * Like: loop.create_future().
 */
AUV_API auv_future *auv_loop_create_future(auv_loop *loop);

/**
 * auv_future_set_result() - end a future with a result
 * @future:      future to end, not a task
 * @value:       the result; with @value.destroy set, the future owns it from now on
 *
 * Return: 0, or a negative error, and then @value is still the caller's.
 * Errors: AUV_EINVAL, @future is NULL; AUV_EINVALIDSTATE, it is done; AUV_ERUNTIME, it is a task.
 * Owns: see @value.
 * Suspends: no.    Thread: the loop's.
 * Like: Future.set_result().
 */
AUV_API int auv_future_set_result(auv_future *future, auv_value value);

/**
 * auv_future_set_exception() - end a future with an error
 * @future:      future to end, not a task
 * @error:       the error; AUV_ECANCELED is allowed, and cancels who awaits @future
 *
 * Where nobody ever asks for the error, the exception handler is told when the future goes.
 *
 * Return: 0, or a negative error, and then nothing has changed.
 * Errors: AUV_EINVAL, @future or @error is NULL; AUV_EINVALIDSTATE, it is done; AUV_ERUNTIME, it is
 * a task.
 * Owns: the future takes a reference to @error.
 * Suspends: no.    Thread: the loop's.
 * Like: Future.set_exception().
 */
AUV_API int auv_future_set_exception(auv_future *future, auv_error *error);

/**
 * auv_future_fail() - end a future with an error that is made for it
 * @future:      future to end, not a task
 * @code:        negative error code
 * @format:      the message, as for printf(); NULL for none
 *
 * Without memory for the message, the future fails with the code alone; a code of the program's own
 * is AUV_ENOMEM then.
 *
 * Return: 0, or a negative error, and then nothing has changed.
 * Errors: as auv_future_set_exception(); AUV_EINVAL, @code is not negative.
 * Suspends: no.    Thread: the loop's.
 * Like: Future.set_exception().
 */
AUV_API int auv_future_fail(auv_future *future, int code, const char *format, ...) AUV_PRINTF(3, 4);

/**
 * auv_future_cancel() - cancel a future, or ask a task or a gather to stop
 * @future:      the future
 * @message:     goes with the cancellation; copied; may be NULL
 *
 * A plain future is cancelled at once, and its callbacks are scheduled. A task is asked, see
 * auv_task_cancel(). A gather asks its children, and ends when they have.
 *
 * Return: 1 if the request was made, 0 if the future was already done, or a negative error.
 * Without memory for @message it is cancelled without one.
 * Errors: AUV_EINVAL, @future is NULL; AUV_ERUNTIME, the request came round in a cycle of tasks that
 * await each other, where nobody is left to be cancelled.
 * Suspends: no.    Thread: the loop's.
 * Like: Future.cancel(), which raises RecursionError for a cycle. Cost: as many steps as there are
 * futures in the chain of awaits; a chain or a cycle of any length is walked without recursion.
 */
AUV_API int auv_future_cancel(auv_future *future, const char *message);

/**
 * auv_future_done() - whether a future is done: has a result or an error, or is cancelled
 * @future:      the future; NULL is not
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Future.done().
 */
AUV_API bool auv_future_done(const auv_future *future);

/**
 * auv_future_cancelled() - whether a future was cancelled
 * @future:      the future; NULL was not
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Future.cancelled().
 */
AUV_API bool auv_future_cancelled(const auv_future *future);

/**
 * auv_future_result() - the result of a future that is done
 * @future:      the future
 * @ret:         receives the result; may be NULL
 *
 * Return: 0, or a negative error: the one that the future failed with, AUV_ECANCELED where it
 * was cancelled, or one of those below. auv_error_current() has the object.
 * Errors: AUV_EINVAL, @future is NULL; AUV_EINVALIDSTATE, it is not done.
 * Owns: nothing; the result is borrowed from @future.
 * Suspends: no.    Thread: the loop's.
 * Like: Future.result().
 */
AUV_API int auv_future_result(auv_future *future, auv_value *ret);

/**
 * auv_future_exception() - the error of a future that is done
 * @future:      the future
 * @ret_error:   receives the error, or NULL where the future has a result; may be NULL
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, @future is NULL; AUV_EINVALIDSTATE, it is not done; AUV_ECANCELED, it was
 * cancelled, and auv_error_current() has the object.
 * Owns: nothing; the error is borrowed from @future.
 * Suspends: no.    Thread: the loop's.
 * Like: Future.exception().
 */
AUV_API int auv_future_exception(auv_future *future, auv_error **ret_error);

/**
 * auv_future_add_done_callback() - have a function called when a future is done
 * @future:      the future
 * @fn:          called as fn(future, arg) in a turn of the loop, never from inside this call
 * @arg:         handed to @fn
 *
 * The functions of a future run in the order in which they were added; one that was added twice
 * runs twice. On a future that is done, @fn runs in the next turn. Adding one does not count as
 * asking for the error.
 *
 * Return: 0, or a negative error, and then nothing was added.
 * Errors: AUV_EINVAL, @future or @fn is NULL; AUV_ECLOSED, the future is done and its loop is
 * closed; AUV_ENOMEM.
 * Suspends: no.    Thread: the loop's.
 * Like: Future.add_done_callback().
 */
AUV_API int auv_future_add_done_callback(auv_future *future, auv_done_fn fn, void *arg);

/**
 * auv_future_remove_done_callback() - do not have a function called after all
 * @future:      the future
 * @fn, @arg:    as they were added
 *
 * Return: how many were removed; 0 once the future is done; AUV_EINVAL, @future or @fn is NULL.
 * Suspends: no.    Thread: the loop's.
 * Like: Future.remove_done_callback(). Differs: @arg has to match, too. Cost: O(n) in the
 * callbacks of @future.
 */
AUV_API int auv_future_remove_done_callback(auv_future *future, auv_done_fn fn, void *arg);

/**
 * auv_future_get_loop() - the loop that a future belongs to
 * @future:      the future; NULL gives NULL
 *
 * Owns: nothing; the loop is borrowed from @future.
 * Suspends: no.    Thread: any.
 * Like: Future.get_loop().
 */
AUV_API auv_loop *auv_future_get_loop(const auv_future *future);

/**
 * auv_await() - wait for a future
 * @future:      future or task to wait for; NULL is one that could not be made
 * @ret:         receives the result; may be NULL
 *
 * A future that is done is not waited for: the call returns at once. A task that is cancelled
 * while it waits here cancels @future.
 *
 * Return: 0, or a negative error: the one that @future ended with, AUV_ECANCELED where @future or
 * the running task was cancelled, or one of those below. auv_error_current() has the object.
 * Errors: AUV_ENOTASK, no task is running; AUV_ENOSTACK, the task has none, as with every function
 * that has await in its name: see AUV_AWAIT; AUV_ERUNTIME, @future is the running task itself or
 * belongs to another loop; AUV_ECLOSED, the loop is being closed; @future is NULL: the
 * error for which it could not be made, most often AUV_ENOMEM, or AUV_EINVAL where this thread
 * knows of none.
 * Owns: nothing; the result is borrowed from @future, of which the caller keeps a reference.
 * Suspends: yes, unless @future is done.    Thread: the loop's.
 * Like: await future.
 */
AUV_API int auv_await(auv_future *future, auv_value *ret);

AUV_END_DECLS

#endif

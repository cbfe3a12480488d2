/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_RUNNER_H
#define ASYNCUV_RUNNER_H

#include <asyncuv/task.h>

AUV_BEGIN_DECLS

/* Owns a loop, and ends cleanly what runs on it. */
typedef struct auv_runner auv_runner;

/**
 * auv_run() - run a coroutine on a loop of its own, as the main function of a program
 * @fn:          the body
 * @arg:         handed to @fn
 *
 * When the body has ended, all other tasks are cancelled and waited for, the default executor is
 * shut down, and the loop is closed. In the main thread SIGINT cancels the body, see
 * auv_runner_run().
 *
 * Return: 0, or a negative error: the body's, or one of those below. An error is also told to the
 * loop's exception handler, which writes it to standard error.
 * Errors: AUV_EINVAL, @fn is NULL; AUV_ERUNTIME, a loop is running in this thread; AUV_EDEADLK, see
 * auv_loop_run_until_complete(); AUV_EINTR, SIGINT ended the body, of which the exception handler is
 * not told; AUV_ENOMEM; what auv_new_event_loop() has.
 * Suspends: no; it turns the loop, and returns when all has ended.    Thread: any.
 * Like: asyncio.run(). Differs: returns a status, so that main() may return it; use a runner
 * for a result or for options.
 */
AUV_API int auv_run(auv_coro_fn fn, void *arg);

/**
 * auv_run_stackless() - run a stackless body on a loop of its own, as the main function of a program
 * @fn:          the body
 * @frame, @size: as for auv_create_stackless_task()
 *
 * Return: as auv_run(); AUV_EINVAL also for what auv_create_stackless_task() does not take.
 * Suspends: no; it turns the loop, and returns when all has ended.    Thread: any.
 * Like: auv_run().
 */
AUV_API int auv_run_stackless(auv_stackless_fn fn, const void *frame, size_t size);

/**
 * auv_runner_new() - make a runner
 * @options:     how its loop is made; NULL for the defaults. Copied.
 *
 * The loop is made when it is first needed.
 *
 * Return: the runner, or NULL: there is no memory, or an option has no meaning.
 * Owns: the caller owns the reference; giving up the last one closes the runner.
 * Suspends: no.    Thread: any; the runner then belongs to it.
 * Like: asyncio.Runner().
 */
AUV_API auv_runner *auv_runner_new(const auv_loop_options *options);

/**
 * auv_runner_run() - run a coroutine as a task of a runner's loop
 * @runner:      the runner; NULL is one that could not be made
 * @fn:          the body
 * @arg:         handed to @fn
 * @ret:         receives the result; may be NULL
 *
 * In the main thread, and where SIGINT has its default disposition, the first SIGINT in a run
 * cancels the body, which may clean up; the second ends the process at once, as it would have
 * without a runner. After the run SIGINT has its default disposition again.
 *
 * All runs have one context, a copy of the one in which the runner is first used: context variables
 * that a run sets are set in the next.
 *
 * Return: 0, or a negative error: that of the body, or one of those below.
 * Errors: AUV_EINVAL, @fn is NULL; AUV_ERUNTIME, the runner is closed or a loop is running in this
 * thread; AUV_EINTR, the body ended cancelled because of SIGINT, or had ended when it came;
 * AUV_EDEADLK and AUV_ESTOPPED, see auv_loop_run_until_complete(); AUV_ENOMEM, also for NULL; what
 * auv_new_event_loop() has.
 * Owns: nothing; the result is borrowed from the runner until its next run or its close.
 * Suspends: no; it turns the loop, and returns when the body has ended.    Thread: the runner's.
 * Like: Runner.run(), where SIGINT raises KeyboardInterrupt.
 */
AUV_API int auv_runner_run(auv_runner *runner, auv_coro_fn fn, void *arg, auv_value *ret);

/**
 * auv_runner_run_stackless() - run a stackless body as a task of a runner's loop
 * @runner:      the runner; NULL is one that could not be made
 * @fn:          the body
 * @frame, @size: as for auv_create_stackless_task()
 * @ret:         receives the result; may be NULL
 *
 * Return: as auv_runner_run(); AUV_EINVAL also for what auv_create_stackless_task() does not take.
 * Owns: nothing; the result is borrowed from the runner until its next run or its close.
 * Suspends: no; it turns the loop, and returns when the body has ended.    Thread: the runner's.
 * Like: Runner.run().
 */
AUV_API int auv_runner_run_stackless(auv_runner *runner, auv_stackless_fn fn, const void *frame,
                                     size_t size, auv_value *ret);

/**
 * auv_runner_get_loop() - the loop of a runner
 * @runner:      the runner
 *
 * Return: the loop, or NULL: @runner is NULL or closed, or the loop could not be made.
 * Owns: nothing; the loop is borrowed from @runner.
 * Suspends: no.    Thread: the runner's.
 * Like: Runner.get_loop().
 */
AUV_API auv_loop *auv_runner_get_loop(auv_runner *runner);

/**
 * auv_runner_close() - end what runs, and close the loop
 * @runner:      the runner; NULL does nothing
 *
 * All tasks are cancelled and waited for; one that fails in doing so is told to the exception
 * handler. Then the default executor is shut down, see auv_await_shutdown_default_executor(), with 300
 * seconds. Closing twice is fine.
 *
 * Return: 0, or a negative error; the runner is closed all the same, unless it is running.
 * Errors: AUV_ERUNTIME, a loop is running in this thread; AUV_EDEADLK, a task did not end.
 * Suspends: no; it turns the loop.    Thread: the runner's.
 * Like: Runner.close().
 */
AUV_API int auv_runner_close(auv_runner *runner);

AUV_END_DECLS

#endif

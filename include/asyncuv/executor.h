/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_EXECUTOR_H
#define ASYNCUV_EXECUTOR_H

#include <asyncuv/future.h>
#include <asyncuv/wait.h>

AUV_BEGIN_DECLS

/*
 * Executors
 *
 * What blocks or computes for long would hold up the loop. An executor runs it in another thread,
 * and a future tells how it ended. The default is libuv's pool of threads, which all loops of the
 * process and libuv itself have in common; a program may bring one of its own.
 */

/* What runs functions in other threads. */
typedef struct auv_executor auv_executor;

/**
 * auv_thread_fn - a function that an executor runs
 * @arg:         a copy that belongs to the work, and lives as long as the function runs; or the
 *               caller's own pointer where the size given was 0
 * @ret:         receives the result; all zero at first. With ret->destroy set, the future owns
 *               the result, and destroys it where nobody is left to have it, in any thread.
 *
 * It runs in a thread of the executor's, outside of any task: it cannot await.
 *
 * Return: 0 or more, the future has the result *@ret; a negative error, the future fails with
 *         it, and with the error object that auv_raise() left, where that has the same code.
 * Like: the function given to run_in_executor().
 */
typedef int (*auv_thread_fn)(void *arg, auv_value *ret);

/* What an executor is given to run: to be called once as fn(work), in any thread. */
typedef void (*auv_work_fn)(void *work);

/**
 * struct auv_executor_functions - what makes an executor
 * @size:        sizeof(auv_executor_functions), so that later versions may add fields
 * @submit:      has fn(work) called once, soon, in whatever thread. Returns 0; or a negative error,
 *               and then it is never called. Called in the loop's thread; must not block.
 * @cancel:      takes back what was submitted, where it has not begun: returns 1, and then fn(work)
 *               is never called; or 0. Called in the loop's thread. NULL for an executor
 *               that takes nothing back.
 * @shutdown:    tells the default executor that the loop submits nothing more: called by
 *               auv_await_shutdown_default_executor(), or else by auv_loop_close(), in the loop's
 *               thread; must not block. May be NULL.
 *
 * Each is given the pointer that the executor was made with as its first argument. The
 * AUV_EXECUTOR_FUNCTIONS() macro fills in @size.
 */
typedef struct auv_executor_functions {
        size_t size;
        int (*submit)(void *user, auv_work_fn fn, void *work);
        int (*cancel)(void *user, void *work);
        void (*shutdown)(void *user);
} auv_executor_functions;

/* Functions for auv_executor_new(), as in AUV_EXECUTOR_FUNCTIONS(.submit = submit). */
#define AUV_EXECUTOR_FUNCTIONS(...) AUV_OPTIONS_(auv_executor_functions, __VA_ARGS__)

/**
 * auv_executor_new() - make an executor of the program's own
 * @functions:   what it does; copied
 * @user:        handed to each of @functions; must live as long as the executor and what was
 *               submitted to it
 *
 * Return: the executor, or NULL: there is no memory, or @functions has no submit.
 * Owns: the caller owns the reference; work that is under way holds one, too.
 * Suspends: no.    Thread: any, and any number of loops may use it.
 * Like: a class made from concurrent.futures.Executor.
 */
AUV_API auv_executor *auv_executor_new(const auv_executor_functions *functions, void *user);

/**
 * auv_loop_run_in_executor() - run a function in another thread
 * @loop:        loop of the future; NULL for the running one
 * @executor:    what runs it; NULL for the loop's default
 * @fn:          the function
 * @arg:         handed to @fn
 * @size:        bytes of *@arg to copy; 0 to hand over the pointer itself, and then what it points
 *               to must live until @fn has returned, also where the future is cancelled before
 *
 * Cancelling the future ends it at once. Work that has not begun is taken back then; work that
 * has runs on, and its result is destroyed. While work is under way the loop counts as one that may be
 * woken, and a virtual clock stands still. auv_loop_close() waits for work in libuv's pool,
 * and for none in an executor of the program's own; what it would have resulted in is destroyed.
 *
 * Return: the future, or NULL: @fn is NULL, or @arg is with a @size; there is no loop, or it is
 * closed; there is no memory; the default executor was shut down; the executor's own error.
 * Owns: the caller owns the reference; giving it up cancels nothing.
 * Suspends: no.    Thread: the loop's.
 * Like: loop.run_in_executor().
 */
AUV_API auv_future *auv_loop_run_in_executor(auv_loop *loop, auv_executor *executor, auv_thread_fn fn,
                                             const void *arg, size_t size);

/**
 * auv_loop_set_default_executor() - choose what runs functions in other threads
 * @loop:        the loop; NULL for the running one
 * @executor:    what NULL stands for in auv_loop_run_in_executor() from now on; NULL for libuv's
 *               pool
 *
 * Return: 0, or a negative error, and then nothing has changed.
 * Errors: AUV_ENOLOOP; AUV_ECLOSED; AUV_ENOMEM.
 * Owns: the loop takes a reference to @executor.
 * Suspends: no.    Thread: the loop's.
 * Like: loop.set_default_executor(). Differs: takes any executor.
 */
AUV_API int auv_loop_set_default_executor(auv_loop *loop, auv_executor *executor);

/**
 * auv_await_shutdown_default_executor() - wait for what runs in the default executor
 * @timeout:     seconds to wait at the most; AUV_NO_TIMEOUT for no limit
 *
 * From this call on, the running loop has no default executor any more. It waits for all that the
 * loop handed to it, whether cancelled or not. When the time is over, the exception handler is told,
 * and the call returns 0 all the same. A runner calls this when it is closed, with 300 seconds.
 * libuv's threads themselves stay, for other loops.
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, @timeout is not a number; AUV_ECANCELED; AUV_ENOTASK; AUV_ECLOSED; AUV_ENOMEM.
 * Suspends: yes, unless nothing is under way.    Thread: the loop's.
 * Like: loop.shutdown_default_executor(), which warns.
 */
AUV_API int auv_await_shutdown_default_executor(double timeout);

/**
 * auv_to_thread() - run a function in a thread of the running loop's default executor
 * @fn, @arg, @size: as for auv_loop_run_in_executor()
 *
 * Return: as auv_loop_run_in_executor().
 * Owns: the caller owns the reference; giving it up cancels nothing.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.to_thread(), and its copy of the context. Differs: gives a future, whose function is
 * under way.
 */
AUV_API auv_future *auv_to_thread(auv_thread_fn fn, const void *arg, size_t size);

/**
 * auv_await_to_thread() - run a function in another thread, and wait for it
 * @fn, @arg, @size: as for auv_loop_run_in_executor()
 * @ret:         receives the result; NULL to have it destroyed
 *
 * Where the task is cancelled, this returns at once, while @fn may run on. So an @arg on the task's
 * stack has to be copied: give its @size.
 *
 * Return: 0, or a negative error: that of @fn, or one of those below.
 * Errors: AUV_EINVAL, @fn is NULL, or @arg is with a @size; AUV_ECANCELED; AUV_ENOTASK; AUV_ECLOSED;
 * AUV_ERUNTIME, the default executor was shut down; AUV_ENOMEM; the executor's own error.
 * Owns: the caller owns the result, and calls ret->destroy(ret->p) where it is set.
 * Suspends: yes.    Thread: the loop's.
 * Like: await asyncio.to_thread().
 */
AUV_API int auv_await_to_thread(auv_thread_fn fn, const void *arg, size_t size, auv_value *ret);

/**
 * auv_set_thread_pool_size() - choose how many threads libuv's pool has
 * @n:           threads, from 1 to 1024
 *
 * To be called before anything uses the pool: besides executors, the look-up of a name does, and the
 * sending of a file that the system does not send by itself. By default there are 4, or what the
 * environment variable UV_THREADPOOL_SIZE says, which this sets. Of what the program itself has given
 * to libuv beside this library nothing is known here.
 *
 * Return: 0, or a negative error, and then nothing has changed.
 * Errors: AUV_EINVAL, @n is out of range; AUV_ERUNTIME, the pool has been used already; AUV_ENOMEM.
 * Suspends: no.    Thread: any, while no other looks at the environment.
 * Like: ThreadPoolExecutor(max_workers=n).
 */
AUV_API int auv_set_thread_pool_size(unsigned n);

AUV_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_TASK_H
#define ASYNCUV_TASK_H

#include <asyncuv/coro.h>
#include <asyncuv/future.h>

AUV_BEGIN_DECLS

/*
 * Tasks
 *
 * A task is a future that runs a coroutine. Its loop holds a task until it has ended:
 * giving up the last reference detaches it, and it runs on.
 */

/**
 * struct auv_task_options - how to make a task; all zero but @size is the default
 * @size:        sizeof(auv_task_options), so that later versions may add fields
 * @name:        copied; NULL for "Task-1", "Task-2", ...
 * @stack_size:  bytes of stack for the coroutine, at the least, up to 127 MiB; 0 for the loop's default
 * @eager_start: run up to the first suspension at once, where the loop is running
 * @context:     the context to run in, which the task then holds; NULL for a copy of the current one
 * @stackless:   the body, where it is one without a stack; then @fn is NULL, @arg points to its
 *               frame, and @size is that of the frame. See asyncuv/stackless.h
 *
 * The AUV_TASK_OPTIONS() macro fills in @size.
 */
typedef struct auv_task_options {
        size_t size;
        const char *name;
        size_t stack_size;
        bool eager_start;
        auv_context *context;
        auv_stackless_fn stackless;
} auv_task_options;

/* Options for a task, as in AUV_TASK_OPTIONS(.name = "worker"). */
#define AUV_TASK_OPTIONS(...) AUV_OPTIONS_(auv_task_options, __VA_ARGS__)

/**
 * auv_task_factory_fn - a function that makes the tasks of a loop
 * @loop, @fn, @arg, @size, @options: as given to auv_loop_create_task()
 * @user:        what was given with the function
 *
 * Return: a new reference to a task, as auv_task_new() gives; NULL on failure.
 */
typedef auv_task *(*auv_task_factory_fn)(auv_loop *loop, auv_coro_fn fn, const void *arg, size_t size,
                                         const auv_task_options *options, void *user);

/**
 * auv_create_task() - run a coroutine as a task of the running loop
 * @fn:          the body
 * @arg:         handed to @fn
 * @size:        bytes of *@arg to copy into the task; 0 to hand over the pointer itself, and
 *               then what it points to must live until the task has ended
 *
 * The body starts in the next turn, in the order in which tasks were made.
 *
 * Return: the task, or NULL: there is no memory, no loop is running, or @fn is NULL.
 * Owns: the caller owns the reference; giving it up detaches the task.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.create_task().
 */
AUV_API auv_task *auv_create_task(auv_coro_fn fn, const void *arg, size_t size);

/**
 * auv_loop_create_task() - run a coroutine as a task of a loop
 * @loop:        the loop; NULL for the running one
 * @fn, @arg, @size: as for auv_create_task()
 * @options:     how; NULL for the defaults
 *
 * Return: the task, or NULL: as auv_create_task(), or the loop is closed, or an option has no
 * meaning.
 * Owns: the caller owns the reference; giving it up detaches the task.
 * Suspends: no; with eager_start, the body may run inside of this call, up to its first
 * suspension.    Thread: the loop's.
 * Like: loop.create_task().
 */
AUV_API auv_task *auv_loop_create_task(auv_loop *loop, auv_coro_fn fn, const void *arg, size_t size,
                                       const auv_task_options *options);

/**
 * auv_task_new() - make a task without asking the loop's task factory
 * @loop, @fn, @arg, @size, @options: as for auv_loop_create_task()
 *
 * What a task factory calls.
 *
 * Return: as auv_loop_create_task().
 * Owns: the caller owns the reference.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.Task().
 */
AUV_API auv_task *auv_task_new(auv_loop *loop, auv_coro_fn fn, const void *arg, size_t size,
                               const auv_task_options *options);

/**
 * auv_loop_set_task_factory() - choose the function that makes a loop's tasks
 * @loop:        the loop; NULL for the running one
 * @factory:     called by auv_create_task(), auv_loop_create_task() and all that make
 *               tasks; NULL for auv_task_new()
 * @user:        handed to @factory
 *
 * Return: 0, or a negative error, and then nothing has changed.
 * Errors: AUV_ENOLOOP; AUV_ECLOSED; AUV_ENOMEM.
 * Suspends: no.    Thread: the loop's.
 * Like: loop.set_task_factory().
 */
AUV_API int auv_loop_set_task_factory(auv_loop *loop, auv_task_factory_fn factory, void *user);

/**
 * auv_loop_get_task_factory() - the function that makes a loop's tasks
 * @loop:        the loop
 * @ret_user:    receives what was given with it; may be NULL
 *
 * Return: the factory, or NULL: the default.
 * Suspends: no.    Thread: the loop's.
 * Like: loop.get_task_factory().
 */
AUV_API auv_task_factory_fn auv_loop_get_task_factory(const auv_loop *loop, void **ret_user);

/**
 * auv_eager_task_factory() - a task factory whose tasks start at once
 * @loop, @fn, @arg, @size, @options, @user: see auv_task_factory_fn
 *
 * Return: as auv_loop_create_task() with eager_start.
 * Owns: the caller owns the reference.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.eager_task_factory().
 */
AUV_API auv_task *auv_eager_task_factory(auv_loop *loop, auv_coro_fn fn, const void *arg, size_t size,
                                         const auv_task_options *options, void *user);

/**
 * auv_task_cancel() - ask a task to stop
 * @task:        task to ask
 * @message:     goes with the request; copied; may be NULL
 *
 * The request reaches the task at the suspension point where it waits, or at the next one it
 * comes to, as AUV_ECANCELED. Nothing of the task runs inside this call. The task may clean up,
 * may await while it does so, and may refuse: await it before you rely on its end. Each call
 * counts; see auv_task_uncancel(). A task that has not started never does.
 *
 * Return: 1 if the request was made, 0 if the task was already done, or a negative error.
 * Errors: AUV_EINVAL, @task is NULL; AUV_ENOTATASK, it is a plain future; AUV_ERUNTIME, see
 * auv_future_cancel().
 * Suspends: no.    Thread: the loop's.
 * Like: Task.cancel().
 */
AUV_API int auv_task_cancel(auv_task *task, const char *message);

/**
 * auv_task_cancelling() - how many requests to stop a task has pending
 * @task:        the task
 *
 * Return: auv_task_cancel() calls less auv_task_uncancel() calls, or a negative error.
 * Errors: as auv_task_cancel().
 * Suspends: no.    Thread: the loop's.
 * Like: Task.cancelling().
 */
AUV_API int auv_task_cancelling(const auv_task *task);

/**
 * auv_task_uncancel() - take back one request to stop
 * @task:        the task
 *
 * For whoever asked by auv_task_cancel() and has dealt with it. With the last one goes a
 * request that has not reached the task yet.
 *
 * Return: the requests that remain, or a negative error.
 * Errors: as auv_task_cancel().
 * Suspends: no.    Thread: the loop's.
 * Like: Task.uncancel().
 */
AUV_API int auv_task_uncancel(auv_task *task);

/**
 * auv_task_get_name() - the name of a task
 * @task:        the task
 *
 * Return: the name; NULL where @task is NULL or no task; "Task" where there is no memory to
 * write a number behind it.
 * Owns: nothing; the name is borrowed from @task until it is set anew.
 * Suspends: no.    Thread: the loop's.
 * Like: Task.get_name().
 */
AUV_API const char *auv_task_get_name(auv_task *task);

/**
 * auv_task_set_name() - name a task
 * @task:        the task
 * @name:        copied
 *
 * Return: 0, or a negative error, and then the name is as it was.
 * Errors: AUV_EINVAL, an argument is NULL; AUV_ENOTATASK; AUV_ENOMEM.
 * Suspends: no.    Thread: the loop's.
 * Like: Task.set_name().
 */
AUV_API int auv_task_set_name(auv_task *task, const char *name);

/**
 * auv_current_task() - the task that is running
 * @loop:        its loop; NULL for the running one
 *
 * Return: the task, or NULL: in a callback, or where no loop is running.
 * Owns: nothing; the task is borrowed.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.current_task().
 */
AUV_API auv_task *auv_current_task(const auv_loop *loop);

/**
 * auv_all_tasks() - the tasks of a loop that have not ended
 * @loop:        the loop; NULL for the running one
 * @ret_tasks:   receives the tasks in the order in which they were made; may be NULL
 * @n:           how many @ret_tasks has room for
 *
 * Return: how many there are, also where that is more than @n; 0 where there is no loop.
 * Owns: nothing; the tasks are borrowed from the loop, and valid until they end.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.all_tasks().
 */
AUV_API size_t auv_all_tasks(const auv_loop *loop, auv_task **ret_tasks, size_t n);

/**
 * auv_await_sleep() - let a time pass
 * @delay:       seconds; 0 or less lets the other tasks run for one turn
 *
 * The delay is a lower bound.
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, @delay is not a number; AUV_ECANCELED; AUV_ENOTASK; AUV_ENOSTACK, see
 * AUV_AWAIT_SLEEP; AUV_ECLOSED.
 * Suspends: yes.    Thread: the loop's.
 * Like: asyncio.sleep(). Cost: O(log n) in the number of timers, and no allocation.
 */
AUV_API int auv_await_sleep(double delay);

AUV_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_TASK_GROUP_H
#define ASYNCUV_TASK_GROUP_H

#include <asyncuv/task.h>

AUV_BEGIN_DECLS

/*
 * Task groups
 *
 * A group is a scope in a task whose tasks have all ended when it does. The first of them to
 * fail cancels the others and the body of the scope.
 *
 *      AUV_AUTO auv_task_group *group = auv_task_group_new();
 *
 *      AUV_TRY(auv_task_group_enter(group));
 *      AUV_TRY(auv_await_task_group_exit(group, body(group)));
 *
 * with a body that calls auv_task_group_create_task(), and may await.
 */
typedef struct auv_task_group auv_task_group;

/**
 * auv_task_group_new() - make a group
 *
 * Return: the group, or NULL: there is no memory.
 * Owns: the caller owns the reference.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.TaskGroup().
 */
AUV_API auv_task_group *auv_task_group_new(void);

/**
 * auv_task_group_enter() - begin the scope of a group in the running task
 * @group:       the group, new; NULL is one that could not be made
 *
 * Once begun, the scope has to be ended by auv_await_task_group_exit(), however the body was left.
 *
 * Return: 0, or a negative error, and then the scope has not begun.
 * Errors: AUV_ERUNTIME, it has been entered before; AUV_ENOTASK; AUV_ENOMEM, also for NULL.
 * Suspends: no.    Thread: the loop's.
 * Like: TaskGroup.__aenter__().
 */
AUV_API int auv_task_group_enter(auv_task_group *group);

/**
 * auv_task_group_create_task() - run a coroutine as a task of a group
 * @group:       a group whose scope has begun, and has not ended
 * @fn, @arg, @size: as for auv_create_task()
 * @options:     how; NULL for the defaults
 *
 * Return: the task, or NULL: as auv_loop_create_task(); or the scope has not begun, has ended, or
 * is shutting down because a task has failed (AUV_ERUNTIME).
 * Owns: the caller owns the reference, and may give it up: the group holds its tasks.
 * Suspends: no.    Thread: the loop's.
 * Like: TaskGroup.create_task().
 */
AUV_API auv_task *auv_task_group_create_task(auv_task_group *group, auv_coro_fn fn, const void *arg,
                                             size_t size, const auv_task_options *options);

/**
 * auv_await_task_group_exit() - wait for the tasks of a group, and end its scope
 * @group:       the group
 * @result:      what the body of the scope returned: 0 or more, or a negative error
 *
 * A @result that is an error cancels the tasks.
 *
 * Return: @result, where it is no error and no task failed; AUV_EGROUP, where a task or the body
 * failed: auv_error_members() of auv_error_current() has the errors in the order in which they
 * came, the body's last; AUV_ECANCELED, where the running task was cancelled by somebody else and
 * nothing failed; AUV_ERUNTIME, the scope has not begun or has ended, or the tasks cannot be cancelled
 * because they wait for each other in a cycle, and run on; AUV_EINVAL, @group is NULL.
 * Without memory for the group of errors, AUV_ENOMEM.
 * Suspends: yes, unless all tasks have ended.    Thread: the loop's.
 * Like: TaskGroup.__aexit__().
 */
AUV_API int auv_await_task_group_exit(auv_task_group *group, int result);

AUV_END_DECLS

#endif

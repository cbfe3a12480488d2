/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_STACK_H
#define ASYNCUV_STACK_H

#include <asyncuv/future.h>

#include <stdio.h>

AUV_BEGIN_DECLS

/*
 * Stack use
 *
 * How much of their stacks coroutines need, so that @stack_size of a task or of a loop can be chosen and
 * not guessed. Measured on a loop in debug mode, or one that was made with the option
 * stack_watermark, and for the tasks that are made while it is so; writing a mark to all of the stack
 * for each of them takes time and memory.
 */

/**
 * auv_task_stack_used() - the most that a task has used of its stack so far
 * @task:        the task
 *
 * What lies on the stack beside the frames counts as well: the argument, and some hundred bytes of the
 * library's.
 *
 * Return: bytes; 0 where it is not measured, or has ended.
 * Suspends: no.    Thread: the loop's.
 * Like: nothing in asyncio. Cost: reads what is left of the stack.
 */
AUV_API size_t auv_task_stack_used(const auv_task *task);

/**
 * auv_print_stack_use() - write what the coroutines of a loop have used of their stacks
 * @loop:        the loop; NULL for the running one
 * @file:        the file; NULL for standard output
 *
 * A line for each function: how many tasks of it have ended, the most that one of them has used,
 * and of how large a stack. Those that use most come first. A task that has not ended is not in it.
 *
 * Return: how many functions there are, or a negative error.
 * Errors: AUV_ENOLOOP; AUV_ENOMEM.
 * Suspends: no.    Thread: the loop's.
 * Like: nothing in asyncio.
 */
AUV_API int auv_print_stack_use(auv_loop *loop, FILE *file);

AUV_END_DECLS

#endif

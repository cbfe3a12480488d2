/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_GRAPH_H
#define ASYNCUV_GRAPH_H

#include <asyncuv/coro.h>
#include <asyncuv/future.h>

#include <stdio.h>

AUV_BEGIN_DECLS

/*
 * Call graph
 *
 * Who waits for whom. The graph of a future begins with it, and goes on with the tasks that await it,
 * those that await them, and so on. Through what stands between them, a gather for example, it
 * looks. What is printed has the functions of each task as well, with file and line where the program
 * has debug information and elfutils' libdw.so.1 is installed; by exported names or addresses else.
 */

/**
 * struct auv_call_graph_entry - one future in a call graph
 * @level:       0 for the future that the graph is of; else one more than that of what it awaits, which
 *               is the last entry before it with that level
 * @future:      the future; borrowed, and valid until something of the loop runs again
 * @coro:        the function that it runs; NULL where it is no task, or has ended
 * @site:        where its await returns to; NULL where it is no task, or does not wait
 * @repeated:    it stands in the graph before, and who awaits it is not told again
 * @cycle:       so it is, and what is more, it awaits itself by way of those between
 */
typedef struct auv_call_graph_entry {
        size_t level;
        auv_future *future;
        auv_coro_fn coro;
        const void *site;
        bool repeated;
        bool cycle;
} auv_call_graph_entry;

/**
 * auv_capture_call_graph() - who awaits a future, and who awaits those
 * @future:      the future; NULL for the running task
 * @ret_entries: receives the graph, each future before those that await it; may be NULL
 * @n:           how many @ret_entries has room for
 *
 * Return: how many entries there are, also where that is more than @n, or a negative error.
 * Errors: AUV_ENOTASK, @future is NULL and no task is running; AUV_ENOMEM.
 * Owns: nothing; see struct auv_call_graph_entry.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.capture_call_graph(). Differs: the graph is flat, and without the calls. Cost: one
 * step for each entry; a chain or a cycle of any length is walked without recursion.
 */
AUV_API int auv_capture_call_graph(auv_future *future, auv_call_graph_entry *ret_entries, size_t n);

/**
 * auv_format_call_graph() - write a call graph as text into a buffer
 * @future:      the future; NULL for the running task
 * @buffer:      receives the text and a NUL, cut off where there is no more room; may be NULL
 *               where @size is 0
 * @size:        bytes that @buffer has
 *
 * Return: the length of all of the text, or a negative error.
 * Errors: as auv_capture_call_graph(); AUV_EINVAL, @buffer is NULL and @size is not 0.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.format_call_graph(). Differs: says what a waiting task waits for, too.
 */
AUV_API int auv_format_call_graph(auv_future *future, char *buffer, size_t size);

/**
 * auv_print_call_graph() - write a call graph to a file
 * @future:      the future; NULL for the running task
 * @file:        the file; NULL for standard output
 *
 * Return: 0, or a negative error.
 * Errors: as auv_capture_call_graph().
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.print_call_graph(). Differs: says what a waiting task waits for, too.
 */
AUV_API int auv_print_call_graph(auv_future *future, FILE *file);

/**
 * auv_print_all_tasks() - write all tasks of a loop to a file
 * @loop:        the loop; NULL for the running one
 * @file:        the file; NULL for standard output
 *
 * Of each task that has not ended: what it waits for, where, and who awaits it.
 *
 * Return: how many tasks there are, or a negative error.
 * Errors: AUV_ENOLOOP; AUV_ENOMEM.
 * Suspends: no.    Thread: the loop's.
 * Like: python -m asyncio ps, from within.
 */
AUV_API int auv_print_all_tasks(auv_loop *loop, FILE *file);

/**
 * auv_dump_tasks_on_signal() - write all tasks to standard error whenever a signal arrives
 * @loop:        the loop; NULL for the running one
 * @signum:      the signal, as SIGUSR1
 *
 * For a program that seems to hang: `kill -USR1`, and it says on what. The loop writes it between
 * two turns; a function that keeps the loop busy is not interrupted, and is a matter for
 * tools/asyncuv-gdb.py. Until auv_loop_remove_signal_handler(), the loop counts as one that may
 * be woken, and waits where it would have returned AUV_EDEADLK.
 *
 * Return: 0, or a negative error, and then nothing has changed.
 * Errors: as auv_loop_add_signal_handler().
 * Suspends: no.    Thread: the loop's.
 * Like: faulthandler.register(), but for tasks.
 */
AUV_API int auv_dump_tasks_on_signal(auv_loop *loop, int signum);

AUV_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_WATCHER_H
#define ASYNCUV_WATCHER_H

#include <asyncuv/loop.h>

AUV_BEGIN_DECLS

/*
 * Watched descriptors
 *
 * A loop has at most one reader and one writer for each file descriptor. They are called in a
 * turn of the loop when it finds the descriptor ready, once however ready it is, and again as
 * long as it is. A descriptor that has failed or was hung up is ready for both. While the
 * loop has other work, it looks at descriptors after every few hundred calls, not in each turn.
 *
 * As long as there is a reader or a writer, the loop counts as one that may be woken: it waits
 * where it would have reported AUV_EDEADLK, and a libuv loop of the caller's stays in uv_run().
 */

/**
 * auv_loop_add_reader() - have a function called when a descriptor can be read from
 * @loop:        loop to run it on; NULL for the running one
 * @fd:          the descriptor; a socket, a pipe, a terminal or the like, not a file
 * @fn:          called as fn(arg) in a turn of the loop, before the writer of the same descriptor
 * @arg:         handed to @fn; must live until the reader is removed or replaced, or the loop is
 *               closed
 *
 * A reader that @fd has already is replaced, and is not called any more. Remove the reader before
 * the descriptor is closed. Where it is closed before the loop has looked at it once, the reader is
 * called once; later, it is not called any more.
 *
 * Return: 0, or a negative error, and then nothing has changed.
 * Errors: AUV_EINVAL, @fn is NULL; AUV_EBADF; AUV_EPERM, the descriptor is of a kind that cannot be
 * waited for; AUV_ERUNTIME, a transport or another libuv handle of the loop has the descriptor;
 * AUV_ENOLOOP; AUV_ECLOSED; AUV_ENOMEM; others of the system's.
 * Owns: nothing; @fd stays the caller's, and blocking where it is.
 * Suspends: no.    Thread: the loop's.
 * Like: loop.add_reader().
 */
AUV_API int auv_loop_add_reader(auv_loop *loop, int fd, auv_call_fn fn, void *arg);

/**
 * auv_loop_remove_reader() - do not have a reader called any more
 * @loop:        the loop; NULL for the running one
 * @fd:          the descriptor
 *
 * A call that the loop was about to make is not made.
 *
 * Return: 1, or 0: there was no reader, or the loop is closed; or a negative error.
 * Errors: AUV_ERUNTIME, a transport has the descriptor; AUV_ENOLOOP; in debug mode AUV_ETHREAD.
 * Suspends: no.    Thread: the loop's.
 * Like: loop.remove_reader().
 */
AUV_API int auv_loop_remove_reader(auv_loop *loop, int fd);

/**
 * auv_loop_add_writer() - have a function called when a descriptor can be written to
 * @loop, @fd, @fn, @arg: as for auv_loop_add_reader()
 *
 * Return: as auv_loop_add_reader().
 * Owns: nothing; @fd stays the caller's, and blocking where it is.
 * Suspends: no.    Thread: the loop's.
 * Like: loop.add_writer().
 */
AUV_API int auv_loop_add_writer(auv_loop *loop, int fd, auv_call_fn fn, void *arg);

/**
 * auv_loop_remove_writer() - do not have a writer called any more
 * @loop, @fd:   as for auv_loop_remove_reader()
 *
 * Return: as auv_loop_remove_reader().
 * Suspends: no.    Thread: the loop's.
 * Like: loop.remove_writer().
 */
AUV_API int auv_loop_remove_writer(auv_loop *loop, int fd);

AUV_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_CORO_H
#define ASYNCUV_CORO_H

#include <asyncuv/value.h>

AUV_BEGIN_DECLS

/**
 * auv_coro_fn - the body of a coroutine
 * @arg:         what the task was made with: a copy that belongs to the task and lives as
 *               long as the body runs, or the caller's own pointer where the size given was 0
 * @ret:         receives the result; all zero at first. With ret->destroy set, the future
 *               owns the result, or destroys it where the body fails all the same. What an await
 *               puts here, as in `return auv_await(other, ret)`, belongs to the other future, and
 *               the task holds that.
 *
 * A plain C function on a stack of its own. It may suspend at any call depth, in any
 * function with "await" in its name. What it returns is how the task ends.
 *
 * Return: 0 or more, the task has the result *@ret; AUV_ECANCELED, it ends cancelled; any
 *         other negative error, it fails with that error, and with the error object that
 *         auv_raise() or a failed await left, where that has the same code.
 * Like: the body of an async def.
 */
typedef int (*auv_coro_fn)(void *arg, auv_value *ret);

typedef struct auv_frame auv_frame;

/**
 * auv_stackless_fn - the body of a coroutine without a stack; see asyncuv/stackless.h
 * @frame:       the begin of what the body keeps while it waits
 * @ret:         receives the result; all zero at first
 *
 * Return: AUV_SUSPENDED where it waits; else as an auv_coro_fn.
 */
typedef int (*auv_stackless_fn)(auv_frame *frame, auv_value *ret);

AUV_END_DECLS

#endif

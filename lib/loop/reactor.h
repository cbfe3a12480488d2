/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_REACTOR_H
#define AUV_LOOP_REACTOR_H

#include <asyncuv/loop.h>

/* How a loop waits, on libuv. All but auv__reactor_wake() for the loop's thread. */

struct auv__reactor;
struct uv_loop_s;
struct uv_handle_s;

/* @uv: a libuv loop of the caller's, or NULL for one of its own. Returns 0 or a libuv error. */
int auv__reactor_open(auv_loop *loop, struct uv_loop_s *uv, struct auv__reactor **ret_reactor);

/* Whether auv__reactor_close() would fail: handles that are not the reactor's are still open. */
bool auv__reactor_has_foreign_handles(struct auv__reactor *reactor);

/*
 * A handle of the loop's own, just initialised on the reactor's libuv loop: it is not counted as
 * foreign, and its data is the reactor from now on. It begins a block of auv__malloc()'s.
 */
void auv__reactor_adopt(struct auv__reactor *reactor, struct uv_handle_s *handle);

/* Closes it; its block is freed when libuv has let go of it. At the latest before auv__reactor_close(). */
void auv__reactor_discard(struct auv__reactor *reactor, struct uv_handle_s *handle);

/*
 * The same, where @on_closed sees to the block, and to the auv__reactor_let_go() that the handle stands for.
 */
void auv__reactor_close_handle(struct auv__reactor *reactor, struct uv_handle_s *handle,
                               void (*on_closed)(struct uv_handle_s *handle));

/*
 * A request of libuv's begins, and has ended. The reactor's memory stays until then; on a libuv loop of
 * its own, auv__reactor_close() waits for it.
 */
void auv__reactor_hold(struct auv__reactor *reactor);
void auv__reactor_let_go(struct auv__reactor *reactor);

/*
 * Gives all back. On a libuv loop of the caller's, the memory goes when the caller's next
 * uv_run() has run the close callbacks.
 */
void auv__reactor_close(struct auv__reactor *reactor);

struct uv_loop_s *auv__reactor_uv(struct auv__reactor *reactor);

/* Whether anything but a timer or another thread may make something ready. */
bool auv__reactor_io_is_pending(struct auv__reactor *reactor);

/* Whether work is under way that ends by itself: a request of libuv's, or another thread's. */
bool auv__reactor_work_is_pending(const struct auv__reactor *reactor);

/* Looks at I/O without waiting. */
void auv__reactor_poll(struct auv__reactor *reactor);

/* The same, and then tells whether none is ready any more. */
bool auv__reactor_poll_all(struct auv__reactor *reactor);

/* Waits for I/O, for a wake, or until @deadline_ns on the monotonic clock. May return early. */
void auv__reactor_wait(struct auv__reactor *reactor, int64_t deadline_ns);

/* Within a wait, from a callback of libuv's: do not wait any longer. */
void auv__reactor_stop_waiting(struct auv__reactor *reactor);

/* Ends a wait, from any thread, and from a signal handler. */
void auv__reactor_wake(struct auv__reactor *reactor);

/* Before libuv polls next, auv__watchers_check() is to be called. */
void auv__reactor_check_watchers(struct auv__reactor *reactor);

/* Another thread is going to make something ready: that counts as I/O that is pending. And it has. */
void auv__reactor_expect(struct auv__reactor *reactor);
void auv__reactor_unexpect(struct auv__reactor *reactor);

/*
 * On a libuv loop of the caller's, whose uv_run() is to turn the loop: have a turn as soon
 * as uv_run() comes round; or, with nothing ready, one at @deadline_ns.
 */
void auv__reactor_park(struct auv__reactor *reactor, bool soon, int64_t deadline_ns);

/* The caller's uv_run() no longer turns the loop: a run of the loop does. */
void auv__reactor_unpark(struct auv__reactor *reactor);

/* Whether the libuv loop is the caller's. */
bool auv__reactor_is_embedded(const struct auv__reactor *reactor);

#endif

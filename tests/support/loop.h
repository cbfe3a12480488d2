/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_LOOP_H
#define SUPPORT_LOOP_H

/*
 * Loop
 *
 * The loop that a test runs on: its clock is virtual, it says so when it can never wake
 * again, what it reports is recorded (reports.h), and its memory is counted
 * (failing_allocator.h). When it goes, the test is killed if anything is left: a block, a
 * descriptor, a report that nobody has taken.
 *
 *      TestSuite(future, .init = loop_setup, .fini = loop_teardown);
 */

#include <asyncuv.h>

extern auv_loop *loop;

void loop_setup(void);
void loop_teardown(void);

/* A loop like `loop`, for a test that needs one more, or has another thread make it. */
auv_loop *loop_new(void);

/* The same with the system's clock. */
auv_loop *loop_new_monotonic(void);

/* Make exactly one turn: the clock stands still, and nothing is waited for. */
void loop_turn(void);

/* Make @n turns, with "|" in the trace after each. */
void loop_turns(int n);

/* Make turns until @future is done, at most @n; returns how many, or -1 where it is not done. */
int loop_turns_until_done(auv_future *future, int n);

/*
 * Run a coroutine as a task to its end; returns how it ended. @ret may be NULL; what it
 * receives is a number, for the task is gone.
 */
int loop_run(auv_coro_fn fn, void *arg, auv_value *ret);

/*
 * Run a body in a loop of its own, which goes with it, whatever becomes of either: a scenario for
 * failing_allocator_sweep(), since a loop keeps what it has once needed.
 */
void loop_run_apart(auv_coro_fn fn, void *arg);

#endif

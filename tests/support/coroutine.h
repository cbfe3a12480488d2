/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_COROUTINE_H
#define SUPPORT_COROUTINE_H

/*
 * Coroutine
 *
 * Bodies for tasks, that many tests need. What they take is what @arg points to, but for
 * coro_await(); a task copies it:
 *
 *      auv_create_task(coro_sleep, &(double) { 1.5 }, sizeof(double));
 */

#include <asyncuv.h>

/* Returns at once, with no result. */
int coro_nothing(void *arg, auv_value *ret);

/* Returns an intmax_t. */
int coro_return(void *arg, auv_value *ret);

/* Fails with an int, an error code, and the message "failed". */
int coro_fail(void *arg, auv_value *ret);

/* Sleeps for a double, in seconds. */
int coro_sleep(void *arg, auv_value *ret);

/* A task that does so on any loop. */
auv_task *start_sleep(auv_loop *on, double seconds);

/* Awaits the future that @arg is, and has its result. */
int coro_await(void *arg, auv_value *ret);

struct steps {
        const char *name; /* traced with each step; NULL for no trace */
        int turns;        /* turns to sleep(0) through */
        double sleep;     /* then seconds to sleep */
        int error;        /* then the error to fail with; 0 for none */
        intmax_t value;   /* and else the result */
};

/*
 * Does what a struct steps says. Traces NAME+ at its start, NAME! where it is cancelled,
 * NAME- at its end.
 */
int coro_steps(void *arg, auv_value *ret);

/* Does as coro_steps(), but for being cancelled: then sleeps for the same time again, and goes on. */
int coro_stubborn(void *arg, auv_value *ret);

/* A task of the fixture's loop that does these steps. */
#define start_steps(...) \
        auv_loop_create_task(loop, coro_steps, &(struct steps) { __VA_ARGS__ }, sizeof(struct steps), NULL)
#define start_stubborn(...) \
        auv_loop_create_task(loop, coro_stubborn, &(struct steps) { __VA_ARGS__ }, sizeof(struct steps), \
                             NULL)

/* A task of the fixture's loop that awaits a future; the caller holds the future. */
#define start_await(future) auv_loop_create_task(loop, coro_await, (future), 0, NULL)

/* A number as a value. */
#define NUMBER(n) ((auv_value) { .i = (n) })

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_STACKLESS_H
#define SUPPORT_STACKLESS_H

/*
 * Stackless
 *
 * Tasks without a stack, on the fixture's loop, and bodies for them that many tests need:
 *
 *      start_stackless(stackless_sleep, struct stackless, .n = 2);
 */

#include "support/loop.h"
#include "support/reports.h"
#include "support/trace.h"

struct stackless {
        auv_frame frame;
        auv_future *future;
        int n;
        int r;
        auv_value value;
        auv_error *left;
};

/* Awaits the future, and returns one more than its result. Traces + at its start, - when it has that. */
int stackless_await(auv_frame *frame, auv_value *ret);

/* Sleeps for n seconds, twice on one line. Traces + at its start, - at its end. */
int stackless_sleep(auv_frame *frame, auv_value *ret);

/* A task with this body, whose frame is of the type, with these fields. */
#define start_stackless(fn, type, ...)                                                                  \
        auv_loop_create_task(loop, NULL, &(type) { __VA_ARGS__ }, sizeof(type),                         \
                             AUV_TASK_OPTIONS(.stackless = (fn)))

static inline int run_stackless(auv_task *task, auv_value *ret)
{
        return auv_loop_run_until_complete(loop, task, ret);
}

static inline auv_future *new_future(void)
{
        return auv_loop_create_future(loop);
}

/* Close the loop while the task waits; fail the test unless it is made to return, with this trace. */
#define cr_assert_closing(task, words)                                                  \
        do {                                                                            \
                loop_turn();                                                            \
                trace_clear();                                                          \
                cr_assert(eq(int, auv_loop_close(loop), 0));                            \
                cr_assert_trace(words);                                                 \
                cr_assert(auv_future_done(task));                                       \
                cr_assert(eq(int, auv_future_result((task), NULL), AUV_ECLOSED));       \
                cr_assert(eq(int, reports_drop(), 1));                                  \
        } while (0)

#endif

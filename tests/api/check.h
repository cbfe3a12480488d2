/* SPDX-License-Identifier: MIT */
#ifndef CHECK_H
#define CHECK_H

/*
 * The programs in this folder call each public symbol, and link nothing but the shared library: a
 * symbol that is declared and not exported, or exported and gone, is found here. What the calls
 * do in detail is the matter of the other tests. They are plain programs, so that the exit
 * status of LeakSanitizer counts.
 */

#include <asyncuv.h>
#include <stdio.h>
#include <stdlib.h>

#define check(condition)                                                                        \
        do {                                                                                    \
                if (!(condition)) {                                                             \
                        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);         \
                        exit(EXIT_FAILURE);                                                     \
                }                                                                               \
        } while (0)

/* Runs a coroutine that checks what can only be called in a task. */
static inline void run_in_task(auv_coro_fn fn)
{
        AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL));

        check(auv_runner_run(runner, fn, NULL, NULL) == 0);
        check(auv_runner_close(runner) == 0);
}

#endif

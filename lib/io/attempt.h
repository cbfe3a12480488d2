/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_ATTEMPT_H
#define AUV_IO_ATTEMPT_H

#include "task/arrival.h"
#include "loop/watcher.h"

/*
 * Attempt
 *
 * What is done to a descriptor that does not block, as often as it takes: once at first, and then whenever
 * the descriptor is ready. It stands on the stack of the task, at the beginning of what it needs.
 */
struct auv__attempt {
        struct auv__task *waiting;
        int fd;
        /* Returns 0: it is done; AUV_EAGAIN: not yet; or another negative error. */
        int (*make)(struct auv__attempt *attempt);
};

/* In debug mode: AUV_EINVAL where the descriptor blocks. */
int auv__attempt_check(const struct auv__task *task, int fd);

/*
 * Makes the first attempt, and the others. Returns 0 when it is done; or a negative error, with its
 * object, and then it may be done all the same, where the task was cancelled right thereafter.
 */
int auv__await_attempt(struct auv__task *task, struct auv__attempt *attempt, enum auv__side side);

/* The same after a first attempt that gave AUV_EAGAIN. */
int auv__await_further_attempts(struct auv__task *task, struct auv__attempt *attempt, enum auv__side side);

/* For another watcher of the descriptor: it is ready. Nothing is done for a task that waits no more. */
void auv__attempt_again(struct auv__attempt *attempt);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_LIMIT_H
#define SUPPORT_LIMIT_H

/*
 * Limit
 *
 * A coroutine within a timeout scope that expires when the test says so, in whatever turn that is.
 *
 *      struct limit limit = { .fn = does_recv, .arg = &op };
 *      task = auv_loop_create_task(loop, coro_within_limit, &limit, 0, NULL);
 *      loop_turn();
 *      limit_expire(&limit);
 */

#include <asyncuv.h>

struct limit {
        auv_coro_fn fn;
        void *arg;
        auv_timeout *timeout; /* while its scope is entered */
};

/* The body; @arg is the limit, which has to live as long as the task. */
int coro_within_limit(void *arg, auv_value *ret);

/* The time is up: the coroutine, which has begun and has not ended, is told so in the next turn. */
void limit_expire(struct limit *limit);

#endif

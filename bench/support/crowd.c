/* SPDX-License-Identifier: MIT */

#include "support/crowd.h"

#include <stdlib.h>

auv_task *bench_create_task(enum bench_form form, struct bench_body body, const void *frame, size_t size)
{
        return form == BENCH_STACKLESS ? auv_create_stackless_task(body.stackless, frame, size)
                                       : auv_create_task(body.stackful, frame, size);
}

struct bench_crowd *bench_crowd_new(size_t n)
{
        struct bench_crowd *crowd;

        crowd = calloc(1, sizeof(*crowd) + n * sizeof(crowd->tasks[0]));
        if (crowd)
                crowd->n = n;
        return crowd;
}

void bench_crowd_free(struct bench_crowd *crowd)
{
        if (!crowd)
                return;
        for (size_t i = 0; i < crowd->n; i++)
                auv_unref(crowd->tasks[i]);
        free(crowd);
}

int bench_await_crowd(struct bench_crowd *crowd, int flags)
{
        return auv_await_gather(crowd->tasks, crowd->n, flags, /* ret_results= */ NULL);
}

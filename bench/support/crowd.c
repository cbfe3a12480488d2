/* SPDX-License-Identifier: MIT */

#include "support/crowd.h"

#include <stdlib.h>

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

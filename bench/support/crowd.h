/* SPDX-License-Identifier: MIT */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <asyncuv.h>

/* Many tasks, made by whoever measures, that are awaited and given up together. */
struct bench_crowd {
        size_t n;
        auv_task *tasks[];
};

/* Room for @n tasks, none of which is there yet; NULL where there is no memory. */
struct bench_crowd *bench_crowd_new(size_t n);

/* Gives up the tasks, of which some may be missing; @crowd may be NULL. */
void bench_crowd_free(struct bench_crowd *crowd);

/* Gathers all of them; the first error, with AUV_RETURN_EXCEPTIONS in @flags none of theirs. */
int bench_await_crowd(struct bench_crowd *crowd, int flags);

#endif

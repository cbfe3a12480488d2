/* SPDX-License-Identifier: MIT */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include "support/program.h"

#include <asyncuv.h>

/*
 * One body in both forms. Both have their arguments in the same struct, which begins with an
 * auv_frame; that is of no use to the stackful one.
 */
struct bench_body {
        auv_stackless_fn stackless;
        auv_coro_fn stackful;
};

/* The body with a copy of the @size bytes at @frame. */
auv_task *bench_create_task(enum bench_form form, struct bench_body body, const void *frame, size_t size);

/* Many tasks, made by whoever measures, that are awaited and given up together. */
struct bench_crowd {
        size_t n;
        auv_task *tasks[];
};

/* Room for @n tasks, none of which is there yet; NULL where there is no memory. */
struct bench_crowd *bench_crowd_new(size_t n);

/* Its tasks, which are all alike. */
void bench_crowd_fill(struct bench_crowd *crowd, enum bench_form form, struct bench_body body,
                      const void *frame, size_t size);

/* Gives up the tasks, of which some may be missing. */
void bench_crowd_empty(struct bench_crowd *crowd);

/* @n tasks that are all alike; NULL where there is no memory. */
struct bench_crowd *bench_crowd_of(size_t n, enum bench_form form, struct bench_body body, const void *frame,
                                   size_t size);

/* @n futures in place of tasks; NULL where there is no memory. */
struct bench_crowd *bench_crowd_of_futures(size_t n);

/* Gives up the tasks, and the room for them; @crowd may be NULL. */
void bench_crowd_free(struct bench_crowd *crowd);

/* Gathers all of them: 0, or the first error; with AUV_RETURN_EXCEPTIONS in @flags none of theirs. */
int bench_await_crowd(struct bench_crowd *crowd, int flags);

#endif

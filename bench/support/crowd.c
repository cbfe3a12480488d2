/* SPDX-License-Identifier: MIT */

#include "support/crowd.h"

#include <sys/mman.h>

static size_t size_of(size_t n)
{
        return sizeof(struct bench_crowd) + n * sizeof(auv_task *);
}

auv_task *bench_create_task(enum bench_form form, struct bench_body body, const void *frame, size_t size)
{
        return form == BENCH_STACKLESS ? auv_create_stackless_task(body.stackless, frame, size)
                                       : auv_create_task(body.stackful, frame, size);
}

struct bench_crowd *bench_crowd_new(size_t n)
{
        /* malloc() would keep it, and that would be taken for what the tasks have left. */
        struct bench_crowd *crowd = mmap(/* addr= */ NULL, size_of(n), PROT_READ | PROT_WRITE,
                                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, /* fd= */ -1, /* offset= */ 0);

        if (crowd == MAP_FAILED)
                return NULL;
        crowd->n = n;
        return crowd;
}

void bench_crowd_fill(struct bench_crowd *crowd, enum bench_form form, struct bench_body body,
                      const void *frame, size_t size)
{
        for (size_t i = 0; i < crowd->n; i++)
                crowd->tasks[i] = bench_create_task(form, body, frame, size);
}

void bench_crowd_empty(struct bench_crowd *crowd)
{
        for (size_t i = 0; i < crowd->n; i++)
                crowd->tasks[i] = auv_unref(crowd->tasks[i]);
}

struct bench_crowd *bench_crowd_of(size_t n, enum bench_form form, struct bench_body body, const void *frame,
                                   size_t size)
{
        struct bench_crowd *crowd = bench_crowd_new(n);

        if (crowd)
                bench_crowd_fill(crowd, form, body, frame, size);
        return crowd;
}

struct bench_crowd *bench_crowd_of_futures(size_t n)
{
        struct bench_crowd *crowd = bench_crowd_new(n);

        for (size_t i = 0; crowd && i < n; i++)
                crowd->tasks[i] = auv_loop_create_future(NULL);
        return crowd;
}

void bench_crowd_free(struct bench_crowd *crowd)
{
        if (!crowd)
                return;
        bench_crowd_empty(crowd);
        munmap(crowd, size_of(crowd->n));
}

int bench_await_crowd(struct bench_crowd *crowd, int flags)
{
        return auv_await_gather(crowd->tasks, crowd->n, flags, /* ret_results= */ NULL);
}

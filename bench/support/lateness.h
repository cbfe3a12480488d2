/* SPDX-License-Identifier: MIT */
#ifndef BENCH_LATENESS_H
#define BENCH_LATENESS_H

#include <stddef.h>
#include <stdint.h>

/*
 * How late sleeps ended: one sample for each of them, so that the percentiles are exact. The
 * memory is there, and touched, before anything is measured.
 */
struct bench_lateness {
        int64_t *samples; /* nanoseconds past the due time; below zero is early */
        size_t n;
        size_t n_max;
};

struct bench_lateness_summary {
        double p50_us, p99_us, max_us;
        size_t n_early;
};

int bench_lateness_init(struct bench_lateness *lateness, size_t n_max);
void bench_lateness_deinit(struct bench_lateness *lateness);

static inline void bench_lateness_add(struct bench_lateness *lateness, int64_t late_ns)
{
        if (lateness->n < lateness->n_max)
                lateness->samples[lateness->n++] = late_ns;
}

/* Sorts the samples; all zero where there are none. */
struct bench_lateness_summary bench_lateness_summarize(struct bench_lateness *lateness);

#endif

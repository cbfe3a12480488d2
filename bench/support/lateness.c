/* SPDX-License-Identifier: MIT */

#include "support/lateness.h"

#include <asyncuv/error.h>

#include <stdlib.h>
#include <string.h>

int bench_lateness_init(struct bench_lateness *lateness, size_t n_max)
{
        *lateness = (struct bench_lateness) { .n_max = n_max };
        lateness->samples = malloc(n_max * sizeof(*lateness->samples));
        if (!lateness->samples)
                return AUV_ENOMEM;
        /* Not zero, or the compiler makes a calloc() of it, which touches nothing. */
        memset(lateness->samples, 0xff, n_max * sizeof(*lateness->samples));
        return 0;
}

void bench_lateness_deinit(struct bench_lateness *lateness)
{
        free(lateness->samples);
        *lateness = (struct bench_lateness) { 0 };
}

static int compare(const void *a, const void *b)
{
        const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

        return (x > y) - (x < y);
}

struct bench_lateness_summary bench_lateness_summarize(struct bench_lateness *lateness)
{
        struct bench_lateness_summary summary = { 0 };
        const size_t n = lateness->n;
        const int64_t *samples = lateness->samples;

        if (n == 0)
                return summary;
        qsort(lateness->samples, n, sizeof(*samples), compare);
        while (summary.n_early < n && samples[summary.n_early] < 0)
                summary.n_early++;
        summary.p50_us = (double)samples[n * 50 / 100] / 1000;
        summary.p99_us = (double)samples[n * 99 / 100] / 1000;
        summary.max_us = (double)samples[n - 1] / 1000;
        return summary;
}

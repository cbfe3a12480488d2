/* SPDX-License-Identifier: MIT */

#include "support/sleeps.h"

#include <asyncuv.h>

#include <stdlib.h>
#include <string.h>

static int allocate(struct bench_sleeps *sleeps, uint64_t n_sleeps)
{
        size_t size;

        if (__builtin_mul_overflow(n_sleeps, sizeof(*sleeps->late_ns), &size))
                return AUV_ENOMEM;
        sleeps->late_ns = malloc(size);
        if (!sleeps->late_ns)
                return AUV_ENOMEM;
        /* Not zero, or the compiler makes a calloc() of it, which touches nothing. */
        memset(sleeps->late_ns, 0xff, size);
        sleeps->n_max = n_sleeps;
        return 0;
}

int bench_sleeps_run(struct bench_sleeps *sleeps, const struct bench_options *options, uint64_t n_sleeps,
                     auv_coro_fn fn)
{
        AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_MONOTONIC));
        int64_t cpu_ns;
        int r;

        *sleeps = (struct bench_sleeps) { .options = options };
        AUV_TRY(allocate(sleeps, n_sleeps));
        auv_runner_get_loop(runner);
        cpu_ns = bench_cpu_ns();
        r = auv_runner_run(runner, fn, sleeps, /* ret= */ NULL);
        sleeps->cpu_ns = bench_cpu_ns() - cpu_ns;
        if (r < 0)
                free(sleeps->late_ns);
        return r;
}

static int compare(const void *a, const void *b)
{
        const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

        return (x > y) - (x < y);
}

static double late_us(const struct bench_sleeps *sleeps, size_t rank)
{
        return rank < sleeps->n ? (double)sleeps->late_ns[rank] / 1000 : 0;
}

void bench_sleeps_report(struct bench_sleeps *sleeps, const struct bench_report *report,
                         struct bench_metric cost)
{
        const size_t n = sleeps->n;
        size_t n_early = 0;

        qsort(sleeps->late_ns, n, sizeof(*sleeps->late_ns), compare);
        while (n_early < n && sleeps->late_ns[n_early] < 0)
                n_early++;

        const struct bench_metric metrics[] = {
                cost,
                { "lateness_p50_us", late_us(sleeps, n * 50 / 100), "us" },
                { "lateness_p99_us", late_us(sleeps, n * 99 / 100), "us" },
                { "lateness_max_us", late_us(sleeps, n - 1), "us" },
                { "early", (double)n_early, "fires" },
        };

        bench_report_row(report, sleeps->options->n_tasks, metrics, sizeof(metrics) / sizeof(metrics[0]));
        free(sleeps->late_ns);
}

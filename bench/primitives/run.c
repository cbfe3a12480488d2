/* SPDX-License-Identifier: MIT */

#include "primitives/run.h"

#include <asyncuv/error.h>

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
        const double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

static int run_one(const struct bench_primitives_run *run, const struct bench_primitive *primitive)
{
        const size_t n_runs = run->options->n_runs;
        double *ns;
        int r = 0;

        ns = malloc(n_runs * sizeof(*ns));
        if (!ns)
                return AUV_ENOMEM;
        /* The second half takes the place of the first. */
        for (size_t i = 0; r == 0 && i < 2 * n_runs; i++)
                r = primitive->measure(run->options->form, primitive->n, &ns[i % n_runs]);
        if (r == 0) {
                qsort(ns, n_runs, sizeof(*ns), compare);
                bench_report_line(run->report, primitive->n,
                                  &(struct bench_metric) { primitive->metric, ns[n_runs / 2], "ns" });
        }
        free(ns);
        return r;
}

int bench_run_primitives(const struct bench_primitives_run *run, const struct bench_primitive *primitives)
{
        for (const struct bench_primitive *next = primitives; next->metric; next++)
                if (next->forms == BENCH_BOTH_FORMS || run->options->form == BENCH_STACKFUL)
                        AUV_TRY(run_one(run, next));
        return 0;
}

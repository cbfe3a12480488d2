/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PRIMITIVES_RUN_H
#define BENCH_PRIMITIVES_RUN_H

#include "primitives/primitives.h"

/* One line of results: the median of several runs, after as many to get warm. */
struct bench_primitive {
        const char *metric;
        size_t n;
        bench_measure_fn measure;
        enum { BENCH_BOTH_FORMS, BENCH_STACKFUL_ONLY } forms;
};

struct bench_primitives_run {
        const struct bench_options *options;
        const struct bench_report *report;
};

/* Up to the one without a name, those of the form. Returns 0 or an error. */
int bench_run_primitives(const struct bench_primitives_run *run, const struct bench_primitive *primitives);

#endif

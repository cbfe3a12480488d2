/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PROGRAM_H
#define BENCH_PROGRAM_H

#include "support/report.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A benchmark program: one workload, for one form of coroutines and one number of tasks or
 * for several, each measured in a process of its own, so that its peak of memory is its own.
 */

enum bench_form {
        BENCH_STACKLESS,
        BENCH_STACKFUL,
};

struct bench_options {
        enum bench_form form;
        uint64_t n_tasks;
        double seconds;
        uint64_t n_rounds;
        uint64_t seed;
        uint64_t n_waves;
        uint64_t n_runs;
};

enum { BENCH_MAX_SIZES = 4 };

struct bench_program {
        const char *workload;
        const char *title;    /* what stands above its table */
        const char *accepted; /* letters of the options that it takes, see options in program.c */
        struct bench_options defaults;
        uint64_t sizes[BENCH_MAX_SIZES]; /* of a table without --tasks; zero behind the last */

        /* Measures, and reports; returns 0 or an error. */
        int (*measure)(const struct bench_options *options, const struct bench_report *report);
};

/* All of main(). */
int bench_main(int argc, char **argv, const struct bench_program *program);

#endif

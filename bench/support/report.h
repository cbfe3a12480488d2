/* SPDX-License-Identifier: MIT */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>

/* Results go out as lines of JSON, or as a table that one can read. */

struct bench_metric {
        const char *name;
        double value;
        const char *unit; /* "s", "ns", "us", "bytes", "1/s" or "fires" */
};

struct bench_report {
        const char *workload;
        const char *form;
        bool table;
        bool begun; /* the table has its first line */
};

/* What was measured with @n tasks: a row of a table, with a column for each metric. */
void bench_report_row(const struct bench_report *report, size_t n, const struct bench_metric *metrics,
                      size_t n_metrics);

/* One metric that stands for itself: a row that begins with its name. */
void bench_report_line(const struct bench_report *report, size_t n, const struct bench_metric *metric);

#endif

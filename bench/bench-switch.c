/* SPDX-License-Identifier: MIT */

/*
 * Those of the primitives that a program cannot get at, so that this one is linked against the library's
 * insides: coroutines without a loop, and the sizes of the structures.
 */

#include "primitives/run.h"

#include "task/gather.h"
#include "task/task.h"

#include <asyncuv.h>

static void report_sizes(const struct bench_report *report)
{
        const struct bench_metric sizes[] = {
                { "size_future", sizeof(auv_future), "bytes" },
                { "size_task", sizeof(struct auv__task), "bytes" },
                { "size_gather", sizeof(struct auv__gather), "bytes" },
        };

        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
                bench_report_line(report, 1, &sizes[i]);
}

static int measure(const struct bench_options *options, const struct bench_report *report)
{
        static const struct bench_primitive primitives[] = {
                { "switch_ns", 1, bench_measure_switch, BENCH_BOTH_FORMS },
                { "switch_ns", 1000, bench_measure_switch, BENCH_BOTH_FORMS },
                { "life_ns", 1, bench_measure_life, BENCH_STACKFUL_ONLY },
                { "life_ns", 1000, bench_measure_life, BENCH_STACKFUL_ONLY },
                { 0 },
        };

        report_sizes(report);
        return bench_run_primitives(&(struct bench_primitives_run) { options, report }, primitives);
}

int main(int argc, char **argv)
{
        static const struct bench_program program = {
                .workload = "primitives",
                .title = "What a switch costs, and how large the structures are",
                .accepted = "n",
                .defaults = { .n_runs = 9 },
                .measure = measure,
        };

        return bench_main(argc, argv, &program);
}

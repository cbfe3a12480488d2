/* SPDX-License-Identifier: MIT */

/*
 * What the primitives cost, and the sizes of the structures: for each the median of several
 * runs, after as many to get warm.
 */

#include "primitives/primitives.h"

#include "support/program.h"
#include "task/gather.h"
#include "task/task.h"

#include <asyncuv.h>

#include <stdlib.h>

struct measurement {
        const char *metric;
        size_t n;
        bench_measure_fn fn;
};

struct run {
        const struct bench_options *options;
        const struct bench_report *report;
};

static int compare(const void *a, const void *b)
{
        const double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

static int measure_one(const struct run *run, const struct measurement *measurement)
{
        const size_t n_runs = run->options->n_runs;
        double *ns;
        int r = 0;

        ns = malloc(n_runs * sizeof(*ns));
        if (!ns)
                return AUV_ENOMEM;
        /* The second half takes the place of the first. */
        for (size_t i = 0; r == 0 && i < 2 * n_runs; i++)
                r = measurement->fn(run->options->form, measurement->n, &ns[i % n_runs]);
        if (r == 0) {
                qsort(ns, n_runs, sizeof(*ns), compare);
                bench_report_line(run->report, measurement->n,
                                  &(struct bench_metric) { measurement->metric, ns[n_runs / 2], "ns" });
        }
        free(ns);
        return r;
}

/* Up to the one without a name. */
static int measure_all(const struct run *run, const struct measurement *measurements)
{
        for (const struct measurement *next = measurements; next->metric; next++)
                AUV_TRY(measure_one(run, next));
        return 0;
}

static int measure_switch(const struct run *run)
{
        static const struct measurement both[] = {
                { "switch_ns", 1, bench_measure_switch },
                { "switch_ns", 1000, bench_measure_switch },
                { 0 },
        };
        static const struct measurement stackful[] = {
                { "life_ns", 1, bench_measure_life },
                { "life_ns", 1000, bench_measure_life },
                { 0 },
        };

        AUV_TRY(measure_all(run, both));
        return run->options->form == BENCH_STACKFUL ? measure_all(run, stackful) : 0;
}

static int measure_in_task(void *arg, auv_value *ret)
{
        static const struct measurement both[] = {
                { "yield_ns", 2, bench_measure_yield },
                { "yield_ns", 1000, bench_measure_yield },
                { "create_await_ns", 1, bench_measure_create_await },
                { "eager_await_ns", 1, bench_measure_eager_await },
                { "set_wake_ns", 1, bench_measure_set_wake },
                { "gather_ns", 1000, bench_measure_gather },
                { "sleep_cancel_ns", 1000, bench_measure_sleep_cancel },
                { "lock_ns", 1, bench_measure_lock },
                { "lock_contended_ns", 1, bench_measure_lock_contended },
                { "queue_ns", 1, bench_measure_queue },
                { "queue_unlimited_ns", 1, bench_measure_queue_unlimited },
                { 0 },
        };
        static const struct measurement stackful[] = {
                { "call_soon_ns", 1000, bench_measure_call_soon },
                { "semaphore_ns", 1, bench_measure_semaphore },
                { "event_ns", 1, bench_measure_event },
                { 0 },
        };
        const struct run *run = arg;

        AUV_TRY(measure_all(run, both));
        return run->options->form == BENCH_STACKFUL ? measure_all(run, stackful) : 0;
}

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
        AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_MONOTONIC));
        struct run run = { options, report };

        report_sizes(report);
        AUV_TRY(measure_switch(&run));
        return auv_runner_run(runner, measure_in_task, &run, /* ret= */ NULL);
}

int main(int argc, char **argv)
{
        static const struct bench_program program = {
                .workload = "primitives",
                .title = "What the primitives cost",
                .accepted = "n",
                .defaults = { .n_runs = 9 },
                .measure = measure,
        };

        return bench_main(argc, argv, &program);
}

/* SPDX-License-Identifier: MIT */

/* What the primitives cost. */

#include "primitives/run.h"

#include <asyncuv.h>

static int measure_in_task(void *arg, auv_value *ret)
{
        static const struct bench_primitive both[] = {
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
        static const struct bench_primitive stackful[] = {
                { "call_soon_ns", 1000, bench_measure_call_soon },
                { "semaphore_ns", 1, bench_measure_semaphore },
                { "event_ns", 1, bench_measure_event },
                { 0 },
        };
        const struct bench_primitives_run *run = arg;

        AUV_TRY(bench_run_primitives(run, both));
        return run->options->form == BENCH_STACKFUL ? bench_run_primitives(run, stackful) : 0;
}

static int measure(const struct bench_options *options, const struct bench_report *report)
{
        AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_MONOTONIC));
        struct bench_primitives_run run = { options, report };

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

/* SPDX-License-Identifier: MIT */

/* What the primitives cost. */

#include "primitives/run.h"

#include <asyncuv.h>

static int measure_in_task(void *arg, auv_value *ret)
{
        static const struct bench_primitive primitives[] = {
                { "yield_ns", 2, bench_measure_yield, BENCH_BOTH_FORMS },
                { "yield_ns", 1000, bench_measure_yield, BENCH_BOTH_FORMS },
                { "create_await_ns", 1, bench_measure_create_await, BENCH_BOTH_FORMS },
                { "eager_await_ns", 1, bench_measure_eager_await, BENCH_BOTH_FORMS },
                { "set_wake_ns", 1, bench_measure_set_wake, BENCH_BOTH_FORMS },
                { "gather_ns", 1000, bench_measure_gather, BENCH_BOTH_FORMS },
                { "sleep_cancel_ns", 1000, bench_measure_sleep_cancel, BENCH_BOTH_FORMS },
                { "lock_ns", 1, bench_measure_lock, BENCH_BOTH_FORMS },
                { "lock_contended_ns", 1, bench_measure_lock_contended, BENCH_BOTH_FORMS },
                { "queue_ns", 1, bench_measure_queue, BENCH_BOTH_FORMS },
                { "queue_unlimited_ns", 1, bench_measure_queue_unlimited, BENCH_BOTH_FORMS },
                { "call_soon_ns", 1000, bench_measure_call_soon, BENCH_STACKFUL_ONLY },
                { "semaphore_ns", 1, bench_measure_semaphore, BENCH_STACKFUL_ONLY },
                { "event_ns", 1, bench_measure_event, BENCH_STACKFUL_ONLY },
                { 0 },
        };

        return bench_run_primitives(arg, primitives);
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

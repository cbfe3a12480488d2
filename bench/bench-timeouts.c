/* SPDX-License-Identifier: MIT */
/*
 * N tasks, each of which awaits under a timeout: once one that never fires, 60 s away from what
 * lets the others run and is over; and once one that always does, after 10 ms of a sleep of 60 s.
 */

#include "support/crowd.h"
#include "support/process.h"
#include "support/program.h"

#define LONG_S  60.0
#define SHORT_S 0.01

struct waits {
        size_t n;
        double seconds; /* of each sleep */
        double timeout;
};

static int sleep_under_timeout(const struct waits *waits)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(waits->timeout);

        AUV_TRY(auv_timeout_enter(limit));
        return auv_timeout_exit(limit, auv_await_sleep(waits->seconds));
}

/* Fails where the sleep does not end as it has to. */
static int wait_once(void *arg, auv_value *ret)
{
        const struct waits *waits = *(const struct waits **)arg;
        const int expected = waits->timeout < waits->seconds ? AUV_ETIMEDOUT : 0;

        return sleep_under_timeout(waits) == expected ? 0 : AUV_ERUNTIME;
}

static int run_waits(void *arg, auv_value *ret)
{
        const struct waits *waits = arg;
        struct bench_crowd *crowd;
        int r;

        crowd = bench_crowd_new(waits->n);
        if (!crowd)
                return AUV_ENOMEM;
        for (size_t i = 0; i < crowd->n; i++)
                crowd->tasks[i] = auv_create_task(wait_once, &waits, sizeof(waits));
        r = bench_await_crowd(crowd, /* flags= */ 0);
        bench_crowd_free(crowd);
        return r;
}

/* Nanoseconds of processor time for each wait. */
static int measure_waits(struct waits waits, double *ret_ns)
{
        AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_MONOTONIC));
        int64_t cpu_ns;

        auv_runner_get_loop(runner);
        cpu_ns = bench_cpu_ns();
        AUV_TRY(auv_runner_run(runner, run_waits, &waits, /* ret= */ NULL));
        *ret_ns = (double)(bench_cpu_ns() - cpu_ns) / (double)waits.n;
        return 0;
}

static int measure(const struct bench_options *options, const struct bench_report *report)
{
        struct bench_metric metrics[] = { { "never_ns", 0, "ns" }, { "always_ns", 0, "ns" } };
        const size_t n = options->n_tasks;

        AUV_TRY(measure_waits((struct waits) { n, .seconds = 0, .timeout = LONG_S }, &metrics[0].value));
        AUV_TRY(measure_waits((struct waits) { n, .seconds = LONG_S, .timeout = SHORT_S }, &metrics[1].value));
        bench_report_row(report, options->n_tasks, metrics, sizeof(metrics) / sizeof(metrics[0]));
        return 0;
}

int main(int argc, char **argv)
{
        static const struct bench_program program = {
                .workload = "timeouts",
                .title = "Waits under a timeout that never fires, and under one that always does",
                .accepted = "t",
                .defaults = { .n_tasks = 10000 },
                .measure = measure,
        };

        return bench_main(argc, argv, &program);
}

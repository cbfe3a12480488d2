/* SPDX-License-Identifier: MIT */
/*
 * N tasks, each asleep for D seconds, all gathered: what that costs beyond the sleep.
 *
 * The processor time is that of the whole life of a task, from its making to its result. The
 * memory is the peak of the process, page tables included, with all that stands behind a task:
 * stack, timer, its place in the gather, the library's tables.
 *
 * With several waves, the next begins when the last has ended; what the later ones need
 * beyond the first is its own metric.
 */

#include "support/crowd.h"
#include "support/process.h"
#include "support/program.h"

struct run {
        const struct bench_options *options;
        double page_tables; /* at their highest */
        double first_peak;  /* of the first wave */
};

struct sleeper {
        auv_frame frame;
};

/* All sleep as long, so none of them keeps how long. */
static double sleep_seconds;

static int sleep_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct sleeper, self);
        AUV_AWAIT_SLEEP(sleep_seconds);
        AUV_END;
}

static int sleep_with_stack(void *arg, auv_value *ret)
{
        return auv_await_sleep(sleep_seconds);
}

static const struct bench_body sleep_once = { sleep_without_stack, sleep_with_stack };

static double highest(double a, double b)
{
        return a > b ? a : b;
}

static int run_wave(struct run *run)
{
        const struct sleeper sleeper = { .frame = { 0 } };
        struct bench_crowd *crowd;
        int r;

        crowd = bench_crowd_of(run->options->n_tasks, run->options->form, sleep_once, &sleeper,
                               sizeof(sleeper));
        if (!crowd)
                return AUV_ENOMEM;
        r = auv_await_sleep(0);
        run->page_tables = highest(run->page_tables, bench_read_memory().page_tables); /* all sleep now */
        if (r == 0)
                r = bench_await_crowd(crowd, /* flags= */ 0);
        bench_crowd_free(crowd);
        return r;
}

static int run_waves(void *arg, auv_value *ret)
{
        struct run *run = arg;

        for (uint64_t wave = 0; wave < run->options->n_waves; wave++) {
                AUV_TRY(run_wave(run));
                if (wave == 0)
                        run->first_peak = bench_read_memory().peak;
        }
        return 0;
}

static int measure(const struct bench_options *options, const struct bench_report *report)
{
        auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_MONOTONIC));
        const double n = (double)options->n_tasks;
        struct run run = { .options = options };
        struct bench_memory before, peak;
        int64_t start_ns, cpu_ns, wall_ns;
        int r;

        sleep_seconds = options->seconds;
        auv_runner_get_loop(runner); /* make the loop, which is no part of what a task costs */
        before = bench_read_memory();
        cpu_ns = bench_cpu_ns();
        start_ns = bench_now_ns();
        r = auv_runner_run(runner, run_waves, &run, /* ret= */ NULL);
        wall_ns = bench_now_ns() - start_ns;
        cpu_ns = bench_cpu_ns() - cpu_ns;
        peak = bench_read_memory();
        peak.page_tables = highest(peak.page_tables, run.page_tables);
        auv_unref(runner);
        if (r < 0)
                return r;

        const double waves = (double)options->n_waves;
        const struct bench_metric metrics[] = {
                { "wall_beyond", (double)wall_ns / 1e9 - waves * options->seconds, "s" },
                { "cpu_per_task", (double)cpu_ns / (n * waves), "ns" },
                { "memory_per_task",
                  (peak.peak - before.resident + peak.page_tables - before.page_tables) / n, "bytes" },
                { "memory_per_task_total", (peak.peak + peak.page_tables) / n, "bytes" },
                { "left_per_task", (bench_read_memory().resident - before.resident) / n, "bytes" },
                { "later_waves_per_task", (peak.peak - run.first_peak) / n, "bytes" },
        };

        bench_report_row(report, options->n_tasks, metrics, options->n_waves > 1 ? 6 : 5);
        return 0;
}

int main(int argc, char **argv)
{
        static const struct bench_program program = {
                .workload = "sleep",
                .title = "Tasks that sleep, all gathered",
                .accepted = "tsw",
                .defaults = { .n_tasks = 10000, .seconds = 1, .n_waves = 1 },
                .sizes = { 1000, 10000, 100000 },
                .measure = measure,
        };

        return bench_main(argc, argv, &program);
}

/* SPDX-License-Identifier: MIT */
/*
 * N tasks, each of which sleeps R times, 1 to 10 ms by chance: how many sleeps end for a second of
 * processor time, and how late they end.
 *
 * With few tasks the lateness is that of the loop's wakeups; with many, the loop has more to do
 * than there is time, and the figure that says something is the first.
 */

#include "support/crowd.h"
#include "support/generator.h"
#include "support/lateness.h"
#include "support/process.h"
#include "support/program.h"

struct storm {
        const struct bench_options *options;
        struct bench_lateness lateness;
};

struct sleeper {
        auv_frame frame;
        struct storm *storm;
        uint64_t state; /* of its generator */
        uint64_t round;
        int64_t due_ns;
};

/* The seconds of the next sleep, which begins now. */
static double begin_sleep(struct sleeper *sleeper)
{
        const int64_t delay_ns = bench_draw_ns(&sleeper->state, 1, 10);

        sleeper->due_ns = bench_now_ns() + delay_ns;
        return (double)delay_ns / 1e9;
}

static void end_sleep(const struct sleeper *sleeper)
{
        bench_lateness_add(&sleeper->storm->lateness, bench_now_ns() - sleeper->due_ns);
}

static int storm_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct sleeper, self);
        for (; self->round < self->storm->options->n_rounds; self->round++) {
                AUV_AWAIT_SLEEP(begin_sleep(self));
                end_sleep(self);
        }
        AUV_END;
}

static int storm_with_stack(void *arg, auv_value *ret)
{
        struct sleeper *self = arg;

        for (; self->round < self->storm->options->n_rounds; self->round++) {
                AUV_TRY(auv_await_sleep(begin_sleep(self)));
                end_sleep(self);
        }
        return 0;
}

static const struct bench_body sleep_many_times = { storm_without_stack, storm_with_stack };

static int run_storm(void *arg, auv_value *ret)
{
        struct storm *storm = arg;
        struct bench_crowd *crowd;
        int r;

        crowd = bench_crowd_new(storm->options->n_tasks);
        if (!crowd)
                return AUV_ENOMEM;
        for (size_t i = 0; i < crowd->n; i++) {
                const struct sleeper sleeper = { .storm = storm, .state = storm->options->seed + i };

                crowd->tasks[i] = bench_create_task(storm->options->form, sleep_many_times, &sleeper,
                                                    sizeof(sleeper));
        }
        r = bench_await_crowd(crowd, /* flags= */ 0);
        bench_crowd_free(crowd);
        return r;
}

static int measure(const struct bench_options *options, const struct bench_report *report)
{
        AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_MONOTONIC));
        struct storm storm = { .options = options };
        struct bench_lateness_summary summary;
        double n_fires;
        int64_t cpu_ns;
        int r;

        AUV_TRY(bench_lateness_init(&storm.lateness, options->n_tasks * options->n_rounds));
        auv_runner_get_loop(runner);
        cpu_ns = bench_cpu_ns();
        r = auv_runner_run(runner, run_storm, &storm, /* ret= */ NULL);
        cpu_ns = bench_cpu_ns() - cpu_ns;
        n_fires = (double)storm.lateness.n;
        summary = bench_lateness_summarize(&storm.lateness);
        bench_lateness_deinit(&storm.lateness);
        if (r < 0)
                return r;

        const struct bench_metric metrics[] = {
                { "fires_per_cpu_s", n_fires * 1e9 / (double)cpu_ns, "1/s" },
                { "lateness_p50_us", summary.p50_us, "us" },
                { "lateness_p99_us", summary.p99_us, "us" },
                { "lateness_max_us", summary.max_us, "us" },
                { "early", (double)summary.n_early, "fires" },
        };

        bench_report_row(report, options->n_tasks, metrics, sizeof(metrics) / sizeof(metrics[0]));
        return 0;
}

int main(int argc, char **argv)
{
        static const struct bench_program program = {
                .workload = "storm",
                .title = "Tasks that sleep 1 to 10 ms, many times",
                .accepted = "trS",
                .defaults = { .n_tasks = 1000, .n_rounds = 200, .seed = 1 },
                .measure = measure,
        };

        return bench_main(argc, argv, &program);
}

/* SPDX-License-Identifier: MIT */
/*
 * N tasks, one started each millisecond, each of which sleeps 1 to 100 ms by chance: how late
 * they wake in a loop that is mostly idle, and what that costs.
 */

#include "support/crowd.h"
#include "support/generator.h"
#include "support/lateness.h"
#include "support/process.h"
#include "support/program.h"

struct stagger {
        const struct bench_options *options;
        struct bench_lateness lateness;
};

struct sleeper {
        auv_frame frame;
        struct stagger *stagger;
        int64_t delay_ns;
        int64_t due_ns;
};

static double begin_sleep(struct sleeper *sleeper)
{
        sleeper->due_ns = bench_now_ns() + sleeper->delay_ns;
        return (double)sleeper->delay_ns / 1e9;
}

static void end_sleep(const struct sleeper *sleeper)
{
        bench_lateness_add(&sleeper->stagger->lateness, bench_now_ns() - sleeper->due_ns);
}

static int sleep_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct sleeper, self);
        AUV_AWAIT_SLEEP(begin_sleep(self));
        end_sleep(self);
        AUV_END;
}

static int sleep_with_stack(void *arg, auv_value *ret)
{
        struct sleeper *self = arg;

        AUV_TRY(auv_await_sleep(begin_sleep(self)));
        end_sleep(self);
        return 0;
}

static const struct bench_body sleep_once = { sleep_without_stack, sleep_with_stack };

/* Tasks that would have been started by now are started at once. */
static int start_one_a_millisecond(struct stagger *stagger, struct bench_crowd *crowd)
{
        const int64_t start_ns = bench_now_ns();

        for (size_t i = 0; i < crowd->n; i++) {
                const int64_t until_ns = start_ns + (int64_t)i * 1000000 - bench_now_ns();
                uint64_t state = stagger->options->seed + i;
                const struct sleeper sleeper = {
                        .stagger = stagger,
                        .delay_ns = bench_draw_ns(&state, 1, 100),
                };

                if (until_ns > 0)
                        AUV_TRY(auv_await_sleep((double)until_ns / 1e9));
                crowd->tasks[i] = bench_create_task(stagger->options->form, sleep_once, &sleeper,
                                                    sizeof(sleeper));
        }
        return 0;
}

static int run_stagger(void *arg, auv_value *ret)
{
        struct stagger *stagger = arg;
        struct bench_crowd *crowd;
        int r;

        crowd = bench_crowd_new(stagger->options->n_tasks);
        if (!crowd)
                return AUV_ENOMEM;
        r = start_one_a_millisecond(stagger, crowd);
        if (r == 0)
                r = bench_await_crowd(crowd, /* flags= */ 0);
        bench_crowd_free(crowd);
        return r;
}

static int measure(const struct bench_options *options, const struct bench_report *report)
{
        AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_MONOTONIC));
        struct stagger stagger = { .options = options };
        struct bench_lateness_summary summary;
        int64_t cpu_ns;
        int r;

        AUV_TRY(bench_lateness_init(&stagger.lateness, options->n_tasks));
        auv_runner_get_loop(runner);
        cpu_ns = bench_cpu_ns();
        r = auv_runner_run(runner, run_stagger, &stagger, /* ret= */ NULL);
        cpu_ns = bench_cpu_ns() - cpu_ns;
        summary = bench_lateness_summarize(&stagger.lateness);
        bench_lateness_deinit(&stagger.lateness);
        if (r < 0)
                return r;

        const struct bench_metric metrics[] = {
                { "cpu_per_task", (double)cpu_ns / (double)options->n_tasks, "ns" },
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
                .workload = "stagger",
                .title = "Tasks started one a millisecond that sleep 1 to 100 ms",
                .accepted = "tS",
                .defaults = { .n_tasks = 1000, .seed = 1 },
                .measure = measure,
        };

        return bench_main(argc, argv, &program);
}

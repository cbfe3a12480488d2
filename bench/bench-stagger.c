/* SPDX-License-Identifier: MIT */
/*
 * N tasks, one started each millisecond, each of which sleeps 1 to 100 ms by chance: how late
 * they wake in a loop that is mostly idle, and what that costs.
 */

#include "support/crowd.h"
#include "support/generator.h"
#include "support/process.h"
#include "support/program.h"
#include "support/sleeps.h"

struct sleeper {
        auv_frame frame;
        struct bench_sleeps *sleeps;
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
        bench_sleeps_add(sleeper->sleeps, sleeper->due_ns);
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
static int start_one_a_millisecond(struct bench_sleeps *sleeps, struct bench_crowd *crowd)
{
        const int64_t start_ns = bench_now_ns();

        for (size_t i = 0; i < crowd->n; i++) {
                const int64_t until_ns = start_ns + (int64_t)i * 1000000 - bench_now_ns();
                uint64_t state = sleeps->options->seed + i;
                const struct sleeper sleeper = {
                        .sleeps = sleeps,
                        .delay_ns = bench_draw_ns(&state, 1, 100),
                };

                if (until_ns > 0)
                        AUV_TRY(auv_await_sleep((double)until_ns / 1e9));
                crowd->tasks[i] = bench_create_task(sleeps->options->form, sleep_once, &sleeper,
                                                    sizeof(sleeper));
        }
        return 0;
}

static int run_stagger(void *arg, auv_value *ret)
{
        struct bench_sleeps *sleeps = arg;
        struct bench_crowd *crowd;
        int r;

        crowd = bench_crowd_new(sleeps->options->n_tasks);
        if (!crowd)
                return AUV_ENOMEM;
        r = start_one_a_millisecond(sleeps, crowd);
        if (r == 0)
                r = bench_await_crowd(crowd, /* flags= */ 0);
        bench_crowd_free(crowd);
        return r;
}

static int measure(const struct bench_options *options, const struct bench_report *report)
{
        struct bench_sleeps sleeps;
        double cpu_per_task;

        AUV_TRY(bench_sleeps_run(&sleeps, options, options->n_tasks, run_stagger));
        cpu_per_task = (double)sleeps.cpu_ns / (double)options->n_tasks;
        bench_sleeps_report(&sleeps, report, (struct bench_metric) { "cpu_per_task", cpu_per_task, "ns" });
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

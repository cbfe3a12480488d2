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
#include "support/process.h"
#include "support/program.h"
#include "support/sleeps.h"

struct sleeper {
        auv_frame frame;
        struct bench_sleeps *sleeps;
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
        bench_sleeps_add(sleeper->sleeps, sleeper->due_ns);
}

static int storm_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct sleeper, self);
        for (; self->round < self->sleeps->options->n_rounds; self->round++) {
                AUV_AWAIT_SLEEP(begin_sleep(self));
                end_sleep(self);
        }
        AUV_END;
}

static int storm_with_stack(void *arg, auv_value *ret)
{
        struct sleeper *self = arg;

        for (; self->round < self->sleeps->options->n_rounds; self->round++) {
                AUV_TRY(auv_await_sleep(begin_sleep(self)));
                end_sleep(self);
        }
        return 0;
}

static const struct bench_body sleep_many_times = { storm_without_stack, storm_with_stack };

static int run_storm(void *arg, auv_value *ret)
{
        struct bench_sleeps *sleeps = arg;
        struct bench_crowd *crowd;
        int r;

        crowd = bench_crowd_new(sleeps->options->n_tasks);
        if (!crowd)
                return AUV_ENOMEM;
        for (size_t i = 0; i < crowd->n; i++) {
                const struct sleeper sleeper = { .sleeps = sleeps, .state = sleeps->options->seed + i };

                crowd->tasks[i] = bench_create_task(sleeps->options->form, sleep_many_times, &sleeper,
                                                    sizeof(sleeper));
        }
        r = bench_await_crowd(crowd, /* flags= */ 0);
        bench_crowd_free(crowd);
        return r;
}

static int measure(const struct bench_options *options, const struct bench_report *report)
{
        struct bench_sleeps sleeps;
        uint64_t n_sleeps;
        double fires;

        if (__builtin_mul_overflow(options->n_tasks, options->n_rounds, &n_sleeps))
                return AUV_ENOMEM;
        AUV_TRY(bench_sleeps_run(&sleeps, options, n_sleeps, run_storm));
        fires = (double)sleeps.n * 1e9 / (double)sleeps.cpu_ns;
        bench_sleeps_report(&sleeps, report, (struct bench_metric) { "fires_per_cpu_s", fires, "1/s" });
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

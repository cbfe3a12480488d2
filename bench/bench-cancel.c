/* SPDX-License-Identifier: MIT */
/*
 * N sleeping tasks are cancelled: the processor time from the first request until all have
 * ended and have been given up, for each of them.
 */

#include "support/crowd.h"
#include "support/process.h"
#include "support/program.h"

struct run {
        enum bench_form form;
        size_t n;
        int64_t cpu_ns;
};

struct sleeper {
        auv_frame frame;
};

static int sleep_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct sleeper, self);
        AUV_AWAIT_SLEEP(60);
        AUV_END;
}

static int sleep_with_stack(void *arg, auv_value *ret)
{
        return auv_await_sleep(60);
}

static const struct bench_body sleep_for_a_minute = { sleep_without_stack, sleep_with_stack };

static int cancel_all(struct bench_crowd *crowd)
{
        for (size_t i = 0; i < crowd->n; i++)
                AUV_TRY(auv_task_cancel(crowd->tasks[i], /* message= */ NULL));
        return bench_await_crowd(crowd, AUV_RETURN_EXCEPTIONS);
}

static int run_cancel(void *arg, auv_value *ret)
{
        struct run *run = arg;
        const struct sleeper sleeper = { 0 };
        struct bench_crowd *crowd;
        int64_t start_ns;
        int r;

        crowd = bench_crowd_of(run->n, run->form, sleep_for_a_minute, &sleeper, sizeof(sleeper));
        if (!crowd)
                return AUV_ENOMEM;
        r = auv_await_sleep(0); /* all sleep now */
        start_ns = bench_cpu_ns();
        if (r == 0)
                r = cancel_all(crowd);
        bench_crowd_empty(crowd);
        run->cpu_ns = bench_cpu_ns() - start_ns;
        bench_crowd_free(crowd);
        return r;
}

static int measure(const struct bench_options *options, const struct bench_report *report)
{
        AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_MONOTONIC));
        struct run run = { .form = options->form, .n = options->n_tasks };
        double cancel_ns;

        AUV_TRY(auv_runner_run(runner, run_cancel, &run, /* ret= */ NULL));
        cancel_ns = (double)run.cpu_ns / (double)run.n;
        bench_report_row(report, run.n, &(struct bench_metric) { "cancel_ns", cancel_ns, "ns" }, 1);
        return 0;
}

int main(int argc, char **argv)
{
        static const struct bench_program program = {
                .workload = "cancel",
                .title = "Sleeping tasks that are cancelled",
                .accepted = "t",
                .defaults = { .n_tasks = 10000 },
                .measure = measure,
        };

        return bench_main(argc, argv, &program);
}

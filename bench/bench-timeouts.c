/* SPDX-License-Identifier: MIT */
/*
 * N tasks, each of which awaits a future of its own under a timeout: once one of 60 s, and the
 * futures are set as soon as all wait; and once one of 10 ms, and no future is ever set.
 */

#include "support/crowd.h"
#include "support/process.h"
#include "support/program.h"

#include <stddef.h>

struct waits {
        enum bench_form form;
        size_t n;
        double timeout;
        bool complete; /* before the time is over */
};

struct waiter {
        auv_frame frame;
        const struct waits *waits;
        auv_future *future;
        auv_subframe subframe; /* last: of no use to the stackful one, which is made without */
};

/* Fails where the wait has not ended as it has to. */
static int check_end(const struct waits *waits, int r)
{
        return r == (waits->complete ? 0 : AUV_ETIMEDOUT) ? 0 : AUV_ERUNTIME;
}

static int wait_without_stack(auv_frame *frame, auv_value *ret)
{
        int r;

        AUV_BEGIN(struct waiter, self);
        AUV_AWAIT_CALL_CATCH(r, &self->subframe,
                             auv_await_wait_for(self->future, self->waits->timeout, NULL));
        AUV_CHECK(check_end(self->waits, r));
        AUV_END;
}

static int wait_with_stack(void *arg, auv_value *ret)
{
        const struct waiter *self = arg;

        return check_end(self->waits, auv_await_wait_for(self->future, self->waits->timeout, NULL));
}

static const struct bench_body wait_once = { wait_without_stack, wait_with_stack };

static int wait_for_all(const struct waits *waits, struct bench_crowd *futures, struct bench_crowd *tasks)
{
        const size_t size = waits->form == BENCH_STACKLESS ? sizeof(struct waiter)
                                                           : offsetof(struct waiter, subframe);
        struct waiter waiter = { .waits = waits };

        for (size_t i = 0; i < waits->n; i++) {
                waiter.future = futures->tasks[i];
                tasks->tasks[i] = bench_create_task(waits->form, wait_once, &waiter, size);
        }
        AUV_TRY(auv_await_sleep(0)); /* all wait now */
        for (size_t i = 0; waits->complete && i < waits->n; i++)
                AUV_TRY(auv_future_set_result(futures->tasks[i], (auv_value) { .i = 1 }));
        return bench_await_crowd(tasks, /* flags= */ 0);
}

static int run_waits(void *arg, auv_value *ret)
{
        const struct waits *waits = arg;
        struct bench_crowd *futures = bench_crowd_of_futures(waits->n);
        struct bench_crowd *tasks = bench_crowd_new(waits->n);
        int r;

        r = futures && tasks ? wait_for_all(waits, futures, tasks) : AUV_ENOMEM;
        bench_crowd_free(tasks);
        bench_crowd_free(futures);
        return r;
}

/* Nanoseconds of processor time for each wait. */
static int measure_waits(struct waits *waits, double *ret_ns)
{
        AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_MONOTONIC));
        int64_t cpu_ns;

        auv_runner_get_loop(runner);
        cpu_ns = bench_cpu_ns();
        AUV_TRY(auv_runner_run(runner, run_waits, waits, /* ret= */ NULL));
        *ret_ns = (double)(bench_cpu_ns() - cpu_ns) / (double)waits->n;
        return 0;
}

static int measure(const struct bench_options *options, const struct bench_report *report)
{
        struct bench_metric metrics[] = { { "never_ns", 0, "ns" }, { "always_ns", 0, "ns" } };
        struct waits waits = { .form = options->form, .n = options->n_tasks };

        waits.timeout = 60;
        waits.complete = true;
        AUV_TRY(measure_waits(&waits, &metrics[0].value));
        waits.timeout = 0.01;
        waits.complete = false;
        AUV_TRY(measure_waits(&waits, &metrics[1].value));
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

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
        enum bench_form form;
        size_t n;
        double seconds; /* of each sleep */
        double timeout;
};

struct waiter {
        auv_frame frame;
        const struct waits *waits;
        auv_timeout *limit;
};

/* Fails where the wait has not ended as it has to. */
static int check_end(const struct waits *waits, int r)
{
        return r == (waits->timeout < waits->seconds ? AUV_ETIMEDOUT : 0) ? 0 : AUV_ERUNTIME;
}

static int wait_without_stack(auv_frame *frame, auv_value *ret)
{
        int r;

        AUV_BEGIN(struct waiter, self);
        self->limit = auv_timeout_new(self->waits->timeout);
        AUV_CHECK(auv_timeout_enter(self->limit));
        AUV_AWAIT_SLEEP_CATCH(r, self->waits->seconds);
        AUV_CHECK(check_end(self->waits, auv_timeout_exit(self->limit, r)));
        AUV_FINALLY;
        auv_unref(self->limit);
        AUV_END;
}

static int sleep_under_timeout(const struct waits *waits)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(waits->timeout);

        AUV_TRY(auv_timeout_enter(limit));
        return auv_timeout_exit(limit, auv_await_sleep(waits->seconds));
}

static int wait_with_stack(void *arg, auv_value *ret)
{
        const struct waiter *self = arg;

        return check_end(self->waits, sleep_under_timeout(self->waits));
}

static const struct bench_body wait_once = { wait_without_stack, wait_with_stack };

static int run_waits(void *arg, auv_value *ret)
{
        const struct waits *waits = arg;
        const struct waiter waiter = { .waits = waits };
        struct bench_crowd *crowd;
        int r;

        crowd = bench_crowd_of(waits->n, waits->form, wait_once, &waiter, sizeof(waiter));
        if (!crowd)
                return AUV_ENOMEM;
        r = bench_await_crowd(crowd, /* flags= */ 0);
        bench_crowd_free(crowd);
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

        waits.seconds = 0;
        waits.timeout = LONG_S;
        AUV_TRY(measure_waits(&waits, &metrics[0].value));
        waits.seconds = LONG_S;
        waits.timeout = SHORT_S;
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

/* SPDX-License-Identifier: MIT */

/* What tasks and futures cost, on a loop that never waits. */

#include "primitives/primitives.h"

#include "support/crowd.h"
#include "support/process.h"

enum { N_TIMES = 10000 };

static int yield_many_times(void *arg, auv_value *ret)
{
        for (size_t i = *(const size_t *)arg; i > 0; i--)
                AUV_TRY(auv_await_sleep(0));
        return 0;
}

int bench_measure_yield(size_t n, double *ret_ns)
{
        const size_t rounds = 1000000 / n;
        struct bench_crowd *crowd;
        int64_t start_ns;
        int r;

        crowd = bench_crowd_new(n);
        if (!crowd)
                return AUV_ENOMEM;
        for (size_t i = 0; i < n; i++)
                crowd->tasks[i] = auv_create_task(yield_many_times, &rounds, sizeof(rounds));
        r = auv_await_sleep(0); /* they have started */
        start_ns = bench_now_ns();
        if (r == 0)
                r = bench_await_crowd(crowd, /* flags= */ 0);
        *ret_ns = (double)(bench_now_ns() - start_ns) / (double)(n * rounds);
        bench_crowd_free(crowd);
        return r;
}

static int return_at_once(void *arg, auv_value *ret)
{
        ret->i = 1;
        return 0;
}

int bench_measure_create_await(size_t n, double *ret_ns)
{
        const int64_t start_ns = bench_now_ns();

        for (int i = 0; i < N_TIMES; i++) {
                AUV_AUTO auv_task *task = auv_create_task(return_at_once, NULL, 0);

                AUV_TRY(auv_await(task, NULL));
        }
        *ret_ns = (double)(bench_now_ns() - start_ns) / N_TIMES;
        return 0;
}

static int await_in_turn(void *arg, auv_value *ret)
{
        struct bench_crowd *futures = *(struct bench_crowd **)arg;

        for (size_t i = 0; i < futures->n; i++)
                AUV_TRY(auv_await(futures->tasks[i], NULL));
        return 0;
}

/* A task awaits one future after the other; each is set when the task waits for it. */
int bench_measure_set_wake(size_t n, double *ret_ns)
{
        struct bench_crowd *futures;
        auv_task *task;
        int64_t start_ns;
        int r;

        futures = bench_crowd_new(N_TIMES);
        if (!futures)
                return AUV_ENOMEM;
        for (size_t i = 0; i < futures->n; i++)
                futures->tasks[i] = auv_loop_create_future(NULL);
        task = auv_create_task(await_in_turn, &futures, sizeof(futures));
        r = auv_await_sleep(0);
        start_ns = bench_now_ns();
        for (size_t i = 0; r == 0 && i < futures->n; i++) {
                r = auv_future_set_result(futures->tasks[i], (auv_value) { .i = 1 });
                if (r == 0)
                        r = auv_await_sleep(0);
        }
        *ret_ns = (double)(bench_now_ns() - start_ns) / N_TIMES;
        if (r == 0)
                r = auv_await(task, NULL);
        auv_unref(task);
        bench_crowd_free(futures);
        return r;
}

int bench_measure_gather(size_t n, double *ret_ns)
{
        const int64_t start_ns = bench_now_ns();
        struct bench_crowd *crowd;
        int r;

        crowd = bench_crowd_new(n);
        if (!crowd)
                return AUV_ENOMEM;
        for (size_t i = 0; i < n; i++)
                crowd->tasks[i] = auv_create_task(return_at_once, NULL, 0);
        r = bench_await_crowd(crowd, /* flags= */ 0);
        bench_crowd_free(crowd);
        *ret_ns = (double)(bench_now_ns() - start_ns) / (double)n;
        return r;
}

static int sleep_for_an_hour(void *arg, auv_value *ret)
{
        return auv_await_sleep(3600);
}

static int cancel_crowd(struct bench_crowd *crowd)
{
        AUV_TRY(auv_await_sleep(0)); /* all sleep now */
        for (size_t i = 0; i < crowd->n; i++)
                AUV_TRY(auv_future_cancel(crowd->tasks[i], /* message= */ NULL));
        return bench_await_crowd(crowd, AUV_RETURN_EXCEPTIONS);
}

int bench_measure_sleep_cancel(size_t n, double *ret_ns)
{
        const int64_t start_ns = bench_now_ns();
        struct bench_crowd *crowd;
        int r;

        crowd = bench_crowd_new(n);
        if (!crowd)
                return AUV_ENOMEM;
        for (size_t i = 0; i < n; i++)
                crowd->tasks[i] = auv_create_task(sleep_for_an_hour, NULL, 0);
        r = cancel_crowd(crowd);
        bench_crowd_free(crowd);
        *ret_ns = (double)(bench_now_ns() - start_ns) / (double)n;
        return r;
}

static void nothing(void *arg)
{
}

int bench_measure_call_soon(size_t n, double *ret_ns)
{
        const int64_t start_ns = bench_now_ns();

        for (size_t i = 0; i < n; i++)
                AUV_TRY(auv_loop_call_soon(NULL, nothing, NULL, NULL));
        AUV_TRY(auv_await_sleep(0));
        *ret_ns = (double)(bench_now_ns() - start_ns) / (double)n;
        return 0;
}

/* SPDX-License-Identifier: MIT */

/*
 * A loop in each of several threads, with tasks that sleep, gather, time out and fail: they have nothing
 * to do with each other. Then loops that hand work to each other.
 */

#include "support/check.h"

#include <asyncuv.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { N_LOOPS = 8, N_TASKS = 200, N_ROUNDS = 5, N_LAPS = 2000 };

static int sleeps(void *arg, auv_value *ret)
{
        ret->i = *(int *)arg;
        for (int i = 0; i < 3; i++)
                AUV_TRY(auv_await_sleep(1e-4 * (ret->i % 5)));
        return ret->i % 50 == 49 ? auv_raise(AUV_EUSER, "task %jd", ret->i) : 0;
}

static int sleeps_too_long(void *arg, auv_value *ret)
{
        return auv_await_sleep(3600);
}

static int does_all(void *arg, auv_value *ret)
{
        auv_task *tasks[N_TASKS];
        auv_value results[N_TASKS];
        int failed = 0;

        for (int i = 0; i < N_TASKS; i++)
                tasks[i] = auv_create_task(sleeps, &i, sizeof(i));
        AUV_TRY(auv_await_gather(tasks, N_TASKS, AUV_RETURN_EXCEPTIONS, results));
        for (int i = 0; i < N_TASKS; i++) {
                if (auv_value_error(&results[i]))
                        failed++;
                else
                        CHECK(results[i].i == i);
        }
        CHECK(failed == N_TASKS / 50);
        for (int i = 0; i < N_TASKS; i++)
                auv_unref(tasks[i]);
        CHECK(auv_await_wait_for_coro(sleeps_too_long, NULL, 1e-4, NULL) == AUV_ETIMEDOUT);
        CHECK(auv_get_running_loop() == arg);
        return 0;
}

static void *runs_loop(void *arg)
{
        const enum auv_clock clock = *(enum auv_clock *)arg;

        for (int round = 0; round < N_ROUNDS; round++) {
                AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = clock));
                auv_loop *loop = auv_runner_get_loop(runner);

                CHECK(auv_runner_run(runner, does_all, loop, NULL) == 0);
                CHECK(auv_runner_close(runner) == 0);
                CHECK(auv_get_running_loop() == NULL);
        }
        return NULL;
}

static void loops_on_their_own(void)
{
        pthread_t threads[N_LOOPS];
        enum auv_clock clocks[N_LOOPS];

        for (int i = 0; i < N_LOOPS; i++) {
                clocks[i] = i % 2 ? AUV_CLOCK_VIRTUAL : AUV_CLOCK_MONOTONIC;
                CHECK(pthread_create(&threads[i], NULL, runs_loop, &clocks[i]) == 0);
        }
        for (int i = 0; i < N_LOOPS; i++)
                pthread_join(threads[i], NULL);
}

/* A token that goes round from loop to loop. */

static struct station {
        pthread_t thread;
        auv_loop *loop;
        auv_future *arrival; /* what the task of the station waits for; of its loop */
        int n_arrived;
        struct station *next;
} stations[N_LOOPS];

static atomic_int n_ready;

static void arrive(void *arg)
{
        struct station *station = arg;

        CHECK(auv_future_set_result(station->arrival, (auv_value) { .i = 1 }) == 0);
}

static int hands_on(void *arg, auv_value *ret)
{
        struct station *station = arg;
        struct station *next = station->next;
        auv_future *arrival;

        for (int lap = 0; lap < N_LAPS; lap++) {
                AUV_TRY(auv_await(station->arrival, NULL));
                arrival = station->arrival;
                station->arrival = auv_loop_create_future(NULL);
                auv_unref(arrival);
                station->n_arrived++;
                if (station != &stations[N_LOOPS - 1] || lap < N_LAPS - 1)
                        AUV_TRY(auv_loop_call_soon_threadsafe(next->loop, arrive, next, NULL));
        }
        return 0;
}

static void *runs_station(void *arg)
{
        struct station *station = arg;
        auv_task *task;

        CHECK(auv_new_event_loop(NULL, &station->loop) == 0);
        station->arrival = auv_loop_create_future(station->loop);
        task = auv_loop_create_task(station->loop, hands_on, station, 0, NULL);
        if (station == &stations[0])
                auv_future_set_result(station->arrival, (auv_value) { .i = 1 });
        n_ready++;
        while (n_ready < N_LOOPS)
                sched_yield();
        CHECK(auv_loop_run_until_complete(station->loop, task, NULL) == 0);
        CHECK(station->n_arrived == N_LAPS);
        auv_unref(task);
        auv_unref(station->arrival);
        /* others may still be about to wake it */
        n_ready++;
        while (n_ready < 2 * N_LOOPS)
                sched_yield();
        auv_unref(station->loop);
        return NULL;
}

static void loops_that_call_each_other(void)
{
        for (int i = 0; i < N_LOOPS; i++) {
                stations[i].next = &stations[(i + 1) % N_LOOPS];
                CHECK(pthread_create(&stations[i].thread, NULL, runs_station, &stations[i]) == 0);
        }
        for (int i = 0; i < N_LOOPS; i++)
                pthread_join(stations[i].thread, NULL);
}

int main(void)
{
        loops_on_their_own();
        loops_that_call_each_other();
        return check_report();
}

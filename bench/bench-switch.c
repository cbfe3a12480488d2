/* SPDX-License-Identifier: MIT */

/*
 * What a switch costs, and what a coroutine does that never suspends, without a loop or a
 * task around it. One line of JSON for each result, the median of RUNS runs.
 *
 * n is the number of coroutines that take turns: with one, everything stays in the
 * first-level cache; with many, their stacks compete for the caches and the TLB.
 */

#include "coro/coro.h"
#include "coro/stack.h"
#include "coro/stackful.h"

#include <asyncuv/error.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RUNS          11
#define TURNS_PER_RUN 400000
#define N_MAX         100000

static struct auv__stack_pool pool;
static struct auv__coro *coros[N_MAX];

static double now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void check(int r)
{
        if (r < 0) {
                fprintf(stderr, "bench-switch: error %d\n", r);
                exit(EXIT_FAILURE);
        }
}

static int suspend_until_told(void *arg, auv_value *ret)
{
        struct auv__coro **coro = arg;

        (void)ret;
        while (auv__stackful_suspend(*coro) == 0)
                ;
        return 0;
}

static int return_at_once(void *arg, auv_value *ret)
{
        (void)arg;
        (void)ret;
        return 0;
}

/* Nanoseconds for a resume and the suspend that comes back. */
static double round_trip(int n)
{
        const int turns = TURNS_PER_RUN / n + 1;
        double begin;

        for (int i = 0; i < n; i++) {
                check(auv__stackful_new(&pool, /* stack_size= */ 0, suspend_until_told, &coros[i],
                                        /* size= */ 0,
                                        /* ret= */ NULL, &coros[i]));
                auv__coro_resume(coros[i], 0);
        }
        begin = now_ns();
        for (int turn = 0; turn < turns; turn++)
                for (int i = 0; i < n; i++)
                        auv__coro_resume(coros[i], 0);
        begin = now_ns() - begin;
        for (int i = 0; i < n; i++) {
                auv__coro_resume(coros[i], AUV_ECANCELED);
                auv__coro_destroy(coros[i]);
        }
        return begin / ((double)turns * n);
}

/* Nanoseconds for a coroutine from its creation to its end, n of them at once. */
static double life(int n)
{
        const int turns = TURNS_PER_RUN / n + 1;
        const double begin = now_ns();

        for (int turn = 0; turn < turns; turn++) {
                for (int i = 0; i < n; i++)
                        check(auv__stackful_new(&pool, /* stack_size= */ 0, return_at_once, /* arg= */ NULL,
                                                /* size= */ 0, /* ret= */ NULL, &coros[i]));
                for (int i = 0; i < n; i++) {
                        auv__coro_resume(coros[i], 0);
                        auv__coro_destroy(coros[i]);
                }
        }
        return (now_ns() - begin) / ((double)turns * n);
}

static int compare(const void *a, const void *b)
{
        const double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

static double median(double (*measure)(int n), int n)
{
        double results[RUNS];

        measure(n); /* to warm up */
        for (int i = 0; i < RUNS; i++)
                results[i] = measure(n);
        qsort(results, RUNS, sizeof(*results), compare);
        return results[RUNS / 2];
}

static void print(int n, const char *metric, double value)
{
        printf("{\"workload\":\"switch\",\"form\":\"stackful\",\"n\":%d,\"metric\":\"%s\","
               "\"value\":%.2f,\"unit\":\"ns\"}\n",
               n, metric, value);
        fflush(stdout);
}

int main(void)
{
        static const int round_trip_n[] = { 1, 64, 1000, 10000, N_MAX }, life_n[] = { 1, 64, 1000 };

        check(auv__stack_pool_init(&pool, /* default_size= */ 0));
        for (size_t i = 0; i < sizeof(round_trip_n) / sizeof(*round_trip_n); i++) {
                const double ns = median(round_trip, round_trip_n[i]);

                print(round_trip_n[i], "ns_per_switch", ns / 2);
                print(round_trip_n[i], "ns_per_round_trip", ns);
        }
        for (size_t i = 0; i < sizeof(life_n) / sizeof(*life_n); i++)
                print(life_n[i], "ns_per_life", median(life, life_n[i]));
        auv__stack_pool_deinit(&pool);
        return 0;
}

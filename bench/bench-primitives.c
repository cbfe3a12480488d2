/* SPDX-License-Identifier: MIT */

/*
 * What the primitives cost: yield, create and await, set and wake, gather, start and cancel of a
 * sleep, locks, events, semaphores and queues; and the sizes of the structures. One JSON line for each
 * result, the median of several runs.
 */

#include "task/gather.h"
#include "task/task.h"

#include <asyncuv.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RUNS = 9, N_TASKS = 1000 };

static double now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
        const double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

static void print(const char *metric, size_t n, double value, const char *unit)
{
        printf("{\"workload\":\"primitives\",\"form\":\"stackful\",\"n\":%zu,\"metric\":\"%s\",\"value\":%.1f,"
               "\"unit\":\"%s\"}\n", n, metric, value, unit);
        fflush(stdout);
}

/* A measurement: runs in a task, and returns nanoseconds for each of what it measures, or an error. */
typedef int (*measure_fn)(size_t n, double *ret_ns);

struct measurement {
        const char *metric;
        size_t n;
        measure_fn fn;
};

static int yield_many_times(void *arg, auv_value *ret)
{
        for (size_t i = *(const size_t *)arg; i > 0; i--)
                AUV_TRY(auv_await_sleep(0));
        return 0;
}

/* @n tasks that do nothing but let each other run. */
static int measure_yield(size_t n, double *ret_ns)
{
        const size_t rounds = 1000000 / n;
        auv_future **tasks = calloc(n, sizeof(*tasks));
        double start;
        int r;

        for (size_t i = 0; i < n; i++)
                tasks[i] = auv_create_task(yield_many_times, &rounds, sizeof(rounds));
        AUV_TRY(auv_await_sleep(0)); /* they have started */
        start = now_ns();
        r = auv_await_gather(tasks, n, 0, NULL);
        *ret_ns = (now_ns() - start) / (double)(n * rounds);
        for (size_t i = 0; i < n; i++)
                auv_unref(tasks[i]);
        free(tasks);
        return r;
}

static int return_at_once(void *arg, auv_value *ret)
{
        ret->i = 1;
        return 0;
}

static int measure_create_and_await(size_t n, double *ret_ns)
{
        const double start = now_ns();

        for (size_t i = 0; i < n; i++) {
                AUV_AUTO auv_task *task = auv_create_task(return_at_once, NULL, 0);

                AUV_TRY(auv_await(task, NULL));
        }
        *ret_ns = (now_ns() - start) / (double)n;
        return 0;
}

static int await_in_turn(void *arg, auv_value *ret)
{
        auv_future **future = *(auv_future ***)arg;

        for (; *future; future++)
                AUV_TRY(auv_await(*future, NULL));
        return 0;
}

/* A task awaits one future after the other; each is set when the task waits for it. */
static int measure_set_and_wake(size_t n, double *ret_ns)
{
        auv_future **futures = calloc(n + 1, sizeof(*futures));
        auv_task *task;
        double start;
        int r;

        for (size_t i = 0; i < n; i++)
                futures[i] = auv_loop_create_future(NULL);
        task = auv_create_task(await_in_turn, &futures, sizeof(futures));
        AUV_TRY(auv_await_sleep(0));
        start = now_ns();
        for (size_t i = 0; i < n; i++) {
                AUV_TRY(auv_future_set_result(futures[i], (auv_value) { .i = 1 }));
                AUV_TRY(auv_await_sleep(0));
        }
        *ret_ns = (now_ns() - start) / (double)n;
        r = auv_await(task, NULL);
        auv_unref(task);
        for (size_t i = 0; i < n; i++)
                auv_unref(futures[i]);
        free(futures);
        return r;
}

/* From the creation of @n tasks to the result of their gather, for each of them. */
static int measure_gather(size_t n, double *ret_ns)
{
        auv_future **tasks = calloc(n, sizeof(*tasks));
        const double start = now_ns();
        int r;

        for (size_t i = 0; i < n; i++)
                tasks[i] = auv_create_task(return_at_once, NULL, 0);
        r = auv_await_gather(tasks, n, 0, NULL);
        for (size_t i = 0; i < n; i++)
                auv_unref(tasks[i]);
        *ret_ns = (now_ns() - start) / (double)n;
        free(tasks);
        return r;
}

static int sleep_for_an_hour(void *arg, auv_value *ret)
{
        return auv_await_sleep(3600);
}

/* @n sleeping tasks are cancelled, and have ended. */
static int measure_cancel_sleep(size_t n, double *ret_ns)
{
        auv_future **tasks = calloc(n, sizeof(*tasks));
        double start;
        int r;

        start = now_ns();
        for (size_t i = 0; i < n; i++)
                tasks[i] = auv_create_task(sleep_for_an_hour, NULL, 0);
        AUV_TRY(auv_await_sleep(0));
        for (size_t i = 0; i < n; i++)
                auv_future_cancel(tasks[i], NULL);
        r = auv_await_gather(tasks, n, AUV_RETURN_EXCEPTIONS, NULL);
        for (size_t i = 0; i < n; i++)
                auv_unref(tasks[i]);
        *ret_ns = (now_ns() - start) / (double)n;
        free(tasks);
        return r;
}

static void nothing(void *arg)
{
}

static int measure_call_soon(size_t n, double *ret_ns)
{
        const double start = now_ns();

        for (size_t i = 0; i < n; i++)
                AUV_TRY(auv_loop_call_soon(NULL, nothing, NULL, NULL));
        AUV_TRY(auv_await_sleep(0));
        *ret_ns = (now_ns() - start) / (double)n;
        return 0;
}

/* A lock that is free is taken and given back. */
static int measure_lock(size_t n, double *ret_ns)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        const double start = now_ns();

        for (size_t i = 0; i < n; i++) {
                AUV_TRY(auv_await_lock_acquire(lock));
                AUV_TRY(auv_lock_release(lock));
        }
        *ret_ns = (now_ns() - start) / (double)n;
        return 0;
}

struct lock_user {
        auv_lock *lock;
        size_t n;
};

static int take_lock_many_times(void *arg, auv_value *ret)
{
        const struct lock_user *user = arg;

        for (size_t i = 0; i < user->n; i++) {
                AUV_TRY(auv_await_lock_acquire(user->lock));
                AUV_TRY(auv_lock_release(user->lock));
        }
        return 0;
}

/* Two tasks want the same lock, and wait for it each time; for each time. */
static int measure_lock_contended(size_t n, double *ret_ns)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        const struct lock_user user = { lock, n / 2 };
        AUV_AUTO auv_task *first = auv_create_task(take_lock_many_times, &user, sizeof(user));
        AUV_AUTO auv_task *second = auv_create_task(take_lock_many_times, &user, sizeof(user));
        double start;

        AUV_TRY(auv_await_lock_acquire(lock));
        AUV_TRY(auv_await_sleep(0)); /* both stand in line */
        start = now_ns();
        AUV_TRY(auv_lock_release(lock));
        AUV_TRY(auv_await(first, NULL));
        AUV_TRY(auv_await(second, NULL));
        *ret_ns = (now_ns() - start) / (double)n;
        return 0;
}

struct queue_user {
        auv_queue *queue;
        size_t n;
};

static int put_many_items(void *arg, auv_value *ret)
{
        const struct queue_user *user = arg;

        for (size_t i = 0; i < user->n; i++)
                AUV_TRY(auv_await_queue_put(user->queue, (auv_value) { .u = i }));
        return 0;
}

/* From a task that puts items in to this one that takes them out, for each item. */
static int measure_queue(long maxsize, size_t n, double *ret_ns)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(maxsize);
        AUV_AUTO auv_task *putter = auv_create_task(put_many_items, &(struct queue_user) { queue, n },
                                                    sizeof(struct queue_user));
        const double start = now_ns();
        auv_value item;

        for (size_t i = 0; i < n; i++)
                AUV_TRY(auv_await_queue_get(queue, &item));
        AUV_TRY(auv_await(putter, NULL));
        *ret_ns = (now_ns() - start) / (double)n;
        return 0;
}

static int measure_queue_of_one(size_t n, double *ret_ns)
{
        return measure_queue(1, n, ret_ns);
}

static int measure_queue_without_limit(size_t n, double *ret_ns)
{
        return measure_queue(0, n, ret_ns);
}

struct event_user {
        auv_event *event;
        size_t n;
};

static int wait_many_times(void *arg, auv_value *ret)
{
        const struct event_user *user = arg;

        for (size_t i = 0; i < user->n; i++) {
                AUV_TRY(auv_await_event_wait(user->event));
                auv_event_clear(user->event);
        }
        return 0;
}

/* An event is set each time that a task waits for it. */
static int measure_event(size_t n, double *ret_ns)
{
        AUV_AUTO auv_event *event = auv_event_new();
        AUV_AUTO auv_task *waiter = auv_create_task(wait_many_times, &(struct event_user) { event, n },
                                                    sizeof(struct event_user));
        double start;

        AUV_TRY(auv_await_sleep(0));
        start = now_ns();
        for (size_t i = 0; i < n; i++) {
                auv_event_set(event);
                AUV_TRY(auv_await_sleep(0));
        }
        *ret_ns = (now_ns() - start) / (double)n;
        return auv_await(waiter, NULL);
}

/* A unit that is there is taken and given back. */
static int measure_semaphore(size_t n, double *ret_ns)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(1);
        const double start = now_ns();

        for (size_t i = 0; i < n; i++) {
                AUV_TRY(auv_await_semaphore_acquire(semaphore));
                AUV_TRY(auv_semaphore_release(semaphore));
        }
        *ret_ns = (now_ns() - start) / (double)n;
        return 0;
}

static const struct measurement measurements[] = {
        { "yield", 2, measure_yield },
        { "yield", N_TASKS, measure_yield },
        { "create_and_await", 10000, measure_create_and_await },
        { "set_and_wake", 10000, measure_set_and_wake },
        { "create_and_gather", N_TASKS, measure_gather },
        { "create_sleep_and_cancel", N_TASKS, measure_cancel_sleep },
        { "call_soon", N_TASKS, measure_call_soon },
        { "lock", 100000, measure_lock },
        { "lock_contended", 10000, measure_lock_contended },
        { "queue_of_one", 10000, measure_queue_of_one },
        { "queue_unlimited", 10000, measure_queue_without_limit },
        { "event", 10000, measure_event },
        { "semaphore", 100000, measure_semaphore },
};

static int measure_all(void *arg, auv_value *ret)
{
        double ns[RUNS];

        for (size_t m = 0; m < sizeof(measurements) / sizeof(measurements[0]); m++) {
                AUV_TRY(measurements[m].fn(measurements[m].n, &ns[0])); /* to get warm */
                for (int run = 0; run < RUNS; run++)
                        AUV_TRY(measurements[m].fn(measurements[m].n, &ns[run]));
                qsort(ns, RUNS, sizeof(ns[0]), compare);
                print(measurements[m].metric, measurements[m].n, ns[RUNS / 2], "ns");
        }
        return 0;
}

int main(void)
{
        print("sizeof_future", 1, sizeof(auv_future), "bytes");
        print("sizeof_task", 1, sizeof(struct auv__task), "bytes");
        print("sizeof_gather", 1, sizeof(struct auv__gather), "bytes");
        return auv_run(measure_all, NULL) < 0;
}

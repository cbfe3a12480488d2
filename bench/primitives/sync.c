/* SPDX-License-Identifier: MIT */

/* What locks, semaphores, events and queues cost, between the tasks of one loop. */

#include "primitives/primitives.h"

#include "support/process.h"

#include <asyncuv.h>

enum { N_FREE = 100000, N_HANDED = 10000 };

int bench_measure_lock(enum bench_form form, size_t n, double *ret_ns)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        const int64_t start_ns = bench_now_ns();

        for (int i = 0; i < N_FREE; i++) {
                AUV_TRY(auv_await_lock_acquire(lock));
                AUV_TRY(auv_lock_release(lock));
        }
        *ret_ns = (double)(bench_now_ns() - start_ns) / N_FREE;
        return 0;
}

static int take_lock_many_times(void *arg, auv_value *ret)
{
        auv_lock *lock = *(auv_lock **)arg;

        for (int i = 0; i < N_HANDED / 2; i++) {
                AUV_TRY(auv_await_lock_acquire(lock));
                AUV_TRY(auv_lock_release(lock));
        }
        return 0;
}

/* Two tasks want the same lock, and wait for it each time; for each time. */
int bench_measure_lock_contended(enum bench_form form, size_t n, double *ret_ns)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        AUV_AUTO auv_task *first = auv_create_task(take_lock_many_times, &lock, sizeof(lock));
        AUV_AUTO auv_task *second = auv_create_task(take_lock_many_times, &lock, sizeof(lock));
        int64_t start_ns;

        AUV_TRY(auv_await_lock_acquire(lock));
        AUV_TRY(auv_await_sleep(0)); /* both stand in line */
        start_ns = bench_now_ns();
        AUV_TRY(auv_lock_release(lock));
        AUV_TRY(auv_await(first, NULL));
        AUV_TRY(auv_await(second, NULL));
        *ret_ns = (double)(bench_now_ns() - start_ns) / N_HANDED;
        return 0;
}

int bench_measure_semaphore(enum bench_form form, size_t n, double *ret_ns)
{
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(1);
        const int64_t start_ns = bench_now_ns();

        for (int i = 0; i < N_FREE; i++) {
                AUV_TRY(auv_await_semaphore_acquire(semaphore));
                AUV_TRY(auv_semaphore_release(semaphore));
        }
        *ret_ns = (double)(bench_now_ns() - start_ns) / N_FREE;
        return 0;
}

static int wait_many_times(void *arg, auv_value *ret)
{
        auv_event *event = *(auv_event **)arg;

        for (int i = 0; i < N_HANDED; i++) {
                AUV_TRY(auv_await_event_wait(event));
                auv_event_clear(event);
        }
        return 0;
}

/* An event is set each time that a task waits for it. */
int bench_measure_event(enum bench_form form, size_t n, double *ret_ns)
{
        AUV_AUTO auv_event *event = auv_event_new();
        AUV_AUTO auv_task *waiter = auv_create_task(wait_many_times, &event, sizeof(event));
        int64_t start_ns;

        AUV_TRY(auv_await_sleep(0));
        start_ns = bench_now_ns();
        for (int i = 0; i < N_HANDED; i++) {
                auv_event_set(event);
                AUV_TRY(auv_await_sleep(0));
        }
        *ret_ns = (double)(bench_now_ns() - start_ns) / N_HANDED;
        return auv_await(waiter, NULL);
}

static int put_many_items(void *arg, auv_value *ret)
{
        auv_queue *queue = *(auv_queue **)arg;

        for (unsigned i = 0; i < N_HANDED; i++)
                AUV_TRY(auv_await_queue_put(queue, (auv_value) { .u = i }));
        return 0;
}

/* From a task that puts items in to this one that takes them out, for each item. */
static int measure_queue(long maxsize, double *ret_ns)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(maxsize);
        AUV_AUTO auv_task *putter = auv_create_task(put_many_items, &queue, sizeof(queue));
        const int64_t start_ns = bench_now_ns();
        auv_value item;

        for (int i = 0; i < N_HANDED; i++)
                AUV_TRY(auv_await_queue_get(queue, &item));
        AUV_TRY(auv_await(putter, NULL));
        *ret_ns = (double)(bench_now_ns() - start_ns) / N_HANDED;
        return 0;
}

int bench_measure_queue(enum bench_form form, size_t n, double *ret_ns)
{
        return measure_queue(/* maxsize= */ 1, ret_ns);
}

int bench_measure_queue_unlimited(enum bench_form form, size_t n, double *ret_ns)
{
        return measure_queue(/* maxsize= */ 0, ret_ns);
}

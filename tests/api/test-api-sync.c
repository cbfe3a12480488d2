/* SPDX-License-Identifier: MIT */
/* The public symbols of sync/; see check.h. */

#include "check.h"

static bool is_set(void *arg)
{
        return auv_event_is_set(arg);
}

static int test_locks(void *arg, auv_value *ret)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        AUV_AUTO auv_event *event = auv_event_new();
        AUV_AUTO auv_condition *condition = auv_condition_new(lock);
        AUV_AUTO auv_semaphore *semaphore = auv_semaphore_new(1);
        AUV_AUTO auv_semaphore *bounded = auv_bounded_semaphore_new(1);

        check(auv_await_lock_acquire(lock) == 0 && auv_lock_locked(lock));
        check(auv_lock_release(lock) == 0);

        auv_event_set(event);
        check(auv_await_event_wait(event) == 0 && auv_event_is_set(event));

        check(auv_await_condition_acquire(condition) == 0 && auv_condition_locked(condition));
        check(auv_await_condition_wait_for(condition, is_set, event) == 0);
        auv_event_clear(event);
        check(auv_condition_notify(condition, 1) == 0 && auv_condition_notify_all(condition) == 0);
        check(auv_condition_release(condition) == 0);
        check(auv_await_condition_wait(condition) == AUV_ERUNTIME);

        check(auv_await_semaphore_acquire(semaphore) == 0 && auv_semaphore_locked(semaphore));
        check(auv_semaphore_release(semaphore) == 0 && auv_semaphore_release(semaphore) == 0);
        check(auv_semaphore_release(bounded) == AUV_ERUNTIME);
        return 0;
}

static int test_barrier(void *arg, auv_value *ret)
{
        AUV_AUTO auv_barrier *barrier = auv_barrier_new(1);

        check(auv_barrier_parties(barrier) == 1 && auv_barrier_n_waiting(barrier) == 0);
        check(auv_await_barrier_wait(barrier) == 0);
        check(auv_await_barrier_abort(barrier) == 0 && auv_barrier_broken(barrier));
        check(auv_await_barrier_reset(barrier) == 0 && !auv_barrier_broken(barrier));
        return 0;
}

static int compare_numbers(const auv_value *a, const auv_value *b, void *arg)
{
        return a->i < b->i ? -1 : a->i > b->i;
}

static int test_queues(void *arg, auv_value *ret)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(2);
        AUV_AUTO auv_queue *lifo = auv_lifo_queue_new(0);
        AUV_AUTO auv_queue *priority = auv_priority_queue_new(0, compare_numbers, NULL);
        auv_value item;

        check(auv_queue_maxsize(queue) == 2 && auv_queue_empty(queue));
        check(auv_await_queue_put(queue, (auv_value) { .i = 1 }) == 0);
        check(auv_queue_put_nowait(queue, (auv_value) { .i = 2 }) == 0);
        check(auv_queue_qsize(queue) == 2 && auv_queue_full(queue));
        check(auv_await_queue_get(queue, &item) == 0 && item.i == 1);
        check(auv_queue_get_nowait(queue, &item) == 0 && item.i == 2);
        check(auv_queue_task_done(queue) == 0 && auv_queue_task_done(queue) == 0);
        check(auv_await_queue_join(queue) == 0);
        auv_queue_shutdown(queue, /* immediate= */ false);
        check(auv_await_queue_get(queue, &item) == AUV_EQUEUESHUTDOWN);

        for (int i = 3; i > 0; i--) {
                check(auv_queue_put_nowait(lifo, (auv_value) { .i = i }) == 0);
                check(auv_queue_put_nowait(priority, (auv_value) { .i = i }) == 0);
        }
        check(auv_queue_get_nowait(lifo, &item) == 0 && item.i == 1);
        check(auv_queue_get_nowait(priority, &item) == 0 && item.i == 1);
        return 0;
}

int main(void)
{
        run_in_task(test_locks);
        run_in_task(test_barrier);
        run_in_task(test_queues);
        return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */

/* What locks, semaphores, events and queues cost, between the tasks of one loop. */

#include "primitives/primitives.h"

#include "support/crowd.h"
#include "support/process.h"

#include <asyncuv.h>

enum { N_FREE = 100000, N_HANDED = 10000 };

struct user {
        auv_frame frame;
        auv_subframe subframe;
        void *object; /* a lock or a queue */
        unsigned rounds;
};

static int take_lock_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct user, self);
        while (self->rounds-- > 0) {
                AUV_AWAIT_CALL(&self->subframe, auv_await_lock_acquire(self->object));
                AUV_CHECK(auv_lock_release(self->object));
        }
        AUV_END;
}

static int take_lock_with_stack(void *arg, auv_value *ret)
{
        struct user *self = arg;

        while (self->rounds-- > 0) {
                AUV_TRY(auv_await_lock_acquire(self->object));
                AUV_TRY(auv_lock_release(self->object));
        }
        return 0;
}

static const struct bench_body take_lock_many_times = { take_lock_without_stack, take_lock_with_stack };

static int put_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct user, self);
        while (self->rounds-- > 0)
                AUV_AWAIT_CALL(&self->subframe,
                               auv_await_queue_put(self->object, (auv_value) { .u = self->rounds }));
        AUV_END;
}

static int put_with_stack(void *arg, auv_value *ret)
{
        struct user *self = arg;

        while (self->rounds-- > 0)
                AUV_TRY(auv_await_queue_put(self->object, (auv_value) { .u = self->rounds }));
        return 0;
}

static const struct bench_body put_many_items = { put_without_stack, put_with_stack };

static int get_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct user, self);
        while (self->rounds-- > 0)
                AUV_AWAIT_CALL(&self->subframe, auv_await_queue_get(self->object, ret));
        AUV_END;
}

static int get_with_stack(void *arg, auv_value *ret)
{
        struct user *self = arg;

        while (self->rounds-- > 0)
                AUV_TRY(auv_await_queue_get(self->object, ret));
        return 0;
}

static const struct bench_body get_many_items = { get_without_stack, get_with_stack };

/* A task that does so with @object, so often. */
static auv_task *create_user(enum bench_form form, struct bench_body body, void *object, unsigned rounds)
{
        const struct user user = { .object = object, .rounds = rounds };

        return bench_create_task(form, body, &user, sizeof(user));
}

int bench_measure_lock(enum bench_form form, size_t n, double *ret_ns)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        AUV_AUTO auv_task *task = create_user(form, take_lock_many_times, lock, N_FREE);
        const int64_t start_ns = bench_now_ns();

        AUV_TRY(auv_await(task, NULL));
        *ret_ns = (double)(bench_now_ns() - start_ns) / N_FREE;
        return 0;
}

/* Two tasks want the same lock, and wait for it each time; for each time. */
int bench_measure_lock_contended(enum bench_form form, size_t n, double *ret_ns)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        AUV_AUTO auv_task *first = create_user(form, take_lock_many_times, lock, N_HANDED / 2);
        AUV_AUTO auv_task *second = create_user(form, take_lock_many_times, lock, N_HANDED / 2);
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

/* From a task that puts items in to one that takes them out, for each item. */
static int measure_queue(enum bench_form form, long maxsize, double *ret_ns)
{
        AUV_AUTO auv_queue *queue = auv_queue_new(maxsize);
        AUV_AUTO auv_task *putter = create_user(form, put_many_items, queue, N_HANDED);
        AUV_AUTO auv_task *getter = create_user(form, get_many_items, queue, N_HANDED);
        const int64_t start_ns = bench_now_ns();

        AUV_TRY(auv_await(putter, NULL));
        AUV_TRY(auv_await(getter, NULL));
        *ret_ns = (double)(bench_now_ns() - start_ns) / N_HANDED;
        return 0;
}

int bench_measure_queue(enum bench_form form, size_t n, double *ret_ns)
{
        return measure_queue(form, /* maxsize= */ 1, ret_ns);
}

int bench_measure_queue_unlimited(enum bench_form form, size_t n, double *ret_ns)
{
        return measure_queue(form, /* maxsize= */ 0, ret_ns);
}

/* SPDX-License-Identifier: MIT */

/*
 * Work in other threads, much of it cancelled at one moment or another, in libuv's pool and in a pool
 * of the program's own; and loops that are closed while there is work. Each value that the work
 * makes is destroyed once.
 */

#include "support/check.h"

#include <asyncuv.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

enum { N_ROUNDS = 60, N_WORK = 50, N_POOL_THREADS = 4 };

static atomic_int n_begun;
static atomic_int n_values;

static void free_value(void *p)
{
        n_values--;
        free(p);
}

static int make_value(void *arg, auv_value *ret)
{
        const int number = *(const int *)arg;
        int *p = malloc(sizeof(*p));

        CHECK(p != NULL);
        n_begun++;
        n_values++;
        *p = number;
        *ret = (auv_value) { .p = p, .destroy = free_value };
        return number % 10 == 9 ? auv_raise(AUV_EUSER - number, "number %d", number) : 0;
}

/* A pool of the program's own. */
struct entry {
        struct entry *next;
        auv_work_fn fn;
        void *work;
};

static struct pool {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        struct entry *first;
        bool ending;
        pthread_t threads[N_POOL_THREADS];
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static int pool_submit(void *user, auv_work_fn fn, void *work)
{
        struct entry *entry = malloc(sizeof(*entry));

        CHECK(entry != NULL);
        *entry = (struct entry) { .fn = fn, .work = work };
        pthread_mutex_lock(&pool.lock);
        entry->next = pool.first;
        pool.first = entry;
        pthread_cond_signal(&pool.changed);
        pthread_mutex_unlock(&pool.lock);
        return 0;
}

static int pool_cancel(void *user, void *work)
{
        struct entry **place = &pool.first, *found;

        pthread_mutex_lock(&pool.lock);
        while (*place && (*place)->work != work)
                place = &(*place)->next;
        found = *place;
        if (found)
                *place = found->next;
        pthread_mutex_unlock(&pool.lock);
        free(found);
        return found != NULL;
}

static struct entry *pool_take(void)
{
        struct entry *entry;

        pthread_mutex_lock(&pool.lock);
        while (!pool.first && !pool.ending)
                pthread_cond_wait(&pool.changed, &pool.lock);
        entry = pool.first;
        if (entry)
                pool.first = entry->next;
        pthread_mutex_unlock(&pool.lock);
        return entry;
}

static void *pool_run(void *arg)
{
        struct entry *entry;

        while ((entry = pool_take())) {
                entry->fn(entry->work);
                free(entry);
        }
        return NULL;
}

static void pool_start(void)
{
        for (int i = 0; i < N_POOL_THREADS; i++)
                CHECK(pthread_create(&pool.threads[i], NULL, pool_run, NULL) == 0);
}

static void pool_end(void)
{
        pthread_mutex_lock(&pool.lock);
        pool.ending = true;
        pthread_cond_broadcast(&pool.changed);
        pthread_mutex_unlock(&pool.lock);
        for (int i = 0; i < N_POOL_THREADS; i++)
                CHECK(pthread_join(pool.threads[i], NULL) == 0);
}

/* Numbers that look random, the same in each run. */
static unsigned next_random(void)
{
        static uint32_t state = 1;

        state = state * 1664525 + 1013904223;
        return state >> 16;
}

static void check_end(auv_future *future, int number, bool cancelled)
{
        auv_value value = { 0 };
        const int r = auv_await(future, &value);

        if (cancelled)
                CHECK(r == AUV_ECANCELED);
        else if (number % 10 == 9)
                CHECK(r == AUV_EUSER - number);
        else
                CHECK(r == 0 && *(const int *)value.p == number);
}

static int does_a_round(void *arg, auv_value *ret)
{
        auv_executor *executor = arg;
        auv_future *futures[N_WORK];
        bool cancelled[N_WORK];

        for (int i = 0; i < N_WORK; i++) {
                futures[i] = auv_loop_run_in_executor(NULL, executor, make_value, &i, sizeof(i));
                CHECK(futures[i] != NULL);
                if (next_random() % 8 == 0)
                        AUV_TRY(auv_await_sleep(0));
        }
        for (int i = 0; i < N_WORK; i++)
                cancelled[i] = next_random() % 3 == 0 && auv_future_cancel(futures[i], NULL) == 1;
        for (int i = 0; i < N_WORK; i++) {
                check_end(futures[i], i, cancelled[i]);
                auv_unref(futures[i]);
        }
        return 0;
}

static int does_rounds(void *arg, auv_value *ret)
{
        for (int i = 0; i < N_ROUNDS; i++)
                AUV_TRY(does_a_round(arg, ret));
        return 0;
}

/* Of futures that were given up. */
static void ignore_report(auv_loop *loop, const auv_exception_context *context, void *arg)
{
}

static auv_loop *new_loop(void)
{
        auv_loop *made = NULL;

        CHECK(auv_new_event_loop(AUV_LOOP_OPTIONS(.deadlock = AUV_DEADLOCK_REPORT), &made) == 0);
        auv_loop_set_exception_handler(made, ignore_report, NULL);
        return made;
}

static void ends_and_cancels(auv_executor *executor)
{
        auv_loop *loop = new_loop();
        auv_task *task = auv_loop_create_task(loop, does_rounds, executor, 0, NULL);

        CHECK(auv_loop_run_until_complete(loop, task, NULL) == 0);
        auv_unref(task);
        CHECK(auv_loop_close(loop) == 0);
        auv_unref(loop);
}

/* Nothing is waited for: the loop is closed at once, or after a turn. */
static void closes(auv_executor *executor)
{
        for (int i = 0; i < N_ROUNDS; i++) {
                auv_loop *loop = new_loop();

                for (int k = 0; k < 10; k++) {
                        auv_future *future = auv_loop_run_in_executor(loop, executor, make_value, &k,
                                                                      sizeof(k));

                        if (k % 3 == 2)
                                auv_future_cancel(future, NULL);
                        auv_unref(future);
                }
                if (i % 2) {
                        auv_loop_stop(loop);
                        CHECK(auv_loop_run_forever(loop) == 0);
                }
                CHECK(auv_loop_close(loop) == 0);
                auv_unref(loop);
        }
}

/* Several loops share libuv's pool. */
static void *run_loop(void *arg)
{
        auv_loop *loop = new_loop();
        auv_future *last = NULL;

        for (int i = 0; i < 200; i++) {
                auv_unref(last);
                last = auv_loop_run_in_executor(loop, NULL, make_value, &(int) { i * 10 }, sizeof(int));
        }
        CHECK(auv_loop_run_until_complete(loop, last, NULL) == 0);
        auv_unref(last);
        CHECK(auv_loop_close(loop) == 0);
        auv_unref(loop);
        auv_error_clear();
        return NULL;
}

static void several_loops(void)
{
        pthread_t threads[4];

        for (int i = 0; i < 4; i++)
                CHECK(pthread_create(&threads[i], NULL, run_loop, NULL) == 0);
        for (int i = 0; i < 4; i++)
                CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(void)
{
        auv_executor *executor = auv_executor_new(AUV_EXECUTOR_FUNCTIONS(.submit = pool_submit,
                                                                         .cancel = pool_cancel), NULL);

        CHECK(executor != NULL);
        ends_and_cancels(NULL);
        closes(NULL);
        several_loops();
        CHECK(n_values == 0);

        pool_start();
        ends_and_cancels(executor);
        closes(executor);
        pool_end();
        auv_unref(executor);
        CHECK(n_begun > 0);
        CHECK(n_values == 0);
        auv_error_clear();
        return check_report();
}

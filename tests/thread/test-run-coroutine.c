/* SPDX-License-Identifier: MIT */

/*
 * Coroutines that eight threads run on one loop: each thread has the result of each of its own, or its
 * cancellation; and two loops that run coroutines on each other.
 */

#include "support/check.h"

#include <asyncuv.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { N_THREADS = 8, N_COROUTINES = 500, N_LOOPS = 2, N_CROSSINGS = 300 };

static auv_loop *loop;
static atomic_int n_threads_left;
static atomic_int n_values;

static void free_value(void *p)
{
        n_values--;
        free(p);
}

static void set_value(auv_value *ret, int number)
{
        int *p = malloc(sizeof(*p));

        CHECK(p != NULL);
        *p = number;
        n_values++;
        *ret = (auv_value) { .p = p, .destroy = free_value };
}

/* Ends after some turns, the number of which is that of the coroutine. */
static int returns_number(void *arg, auv_value *ret)
{
        const int number = *(const int *)arg;

        for (int i = 0; i < number % 4; i++)
                AUV_TRY(auv_await_sleep(0));
        if (number % 7 == 3)
                return auv_raise(AUV_EUSER - number, "number %d", number);
        set_value(ret, number);
        return 0;
}

/* Passes on the result of another task; each second of them, one that only the loop can take down. */
static int passes_on(void *arg, auv_value *ret)
{
        const int number = *(const int *)arg;
        AUV_AUTO auv_task *inner = auv_create_task(returns_number, &number, sizeof(number));
        AUV_AUTO auv_future *outer = number % 2 ? auv_ref(inner) : auv_shield(inner);

        return auv_await(outer, ret);
}

static auv_coro_fn body_for(int number)
{
        return number % 3 ? returns_number : passes_on;
}

static void check_end(auv_thread_future *future, int number, bool cancelled)
{
        auv_value value = { 0 };
        const int r = auv_thread_future_result(future, AUV_NO_TIMEOUT, &value);

        CHECK(auv_thread_future_done(future));
        CHECK(auv_thread_future_cancelled(future) == cancelled);
        if (cancelled)
                CHECK(r == AUV_ECANCELED);
        else if (number % 7 == 3)
                CHECK(r == AUV_EUSER - number);
        else
                CHECK(r == 0 && *(const int *)value.p == number);
}

static void run_and_wait(int number)
{
        AUV_AUTO auv_thread_future *future = auv_run_coroutine_threadsafe(loop, body_for(number), &number,
                                                                          sizeof(number));
        bool cancelled = false;

        CHECK(future != NULL);
        if (number % 5 == 4)
                cancelled = auv_thread_future_cancel(future) == 1;
        if (number % 11 == 10)
                return; /* given up while it runs */
        check_end(future, number, cancelled);
}

static void stop(void *arg)
{
        auv_loop_stop(arg);
}

static void *run_coroutines(void *arg)
{
        for (int i = 0; i < N_COROUTINES; i++)
                run_and_wait(i);
        auv_error_clear();
        if (--n_threads_left == 0)
                CHECK(auv_loop_call_soon_threadsafe(loop, stop, loop, NULL) == 0);
        return NULL;
}

static auv_loop *new_loop(void)
{
        auv_loop *made = NULL;

        CHECK(auv_new_event_loop(AUV_LOOP_OPTIONS(.deadlock = AUV_DEADLOCK_WAIT), &made) == 0);
        return made;
}

static void coroutines_from_threads(void)
{
        pthread_t threads[N_THREADS];

        loop = new_loop();
        n_threads_left = N_THREADS;
        for (int i = 0; i < N_THREADS; i++)
                CHECK(pthread_create(&threads[i], NULL, run_coroutines, NULL) == 0);
        CHECK(auv_loop_run_forever(loop) == 0);
        for (int i = 0; i < N_THREADS; i++)
                CHECK(pthread_join(threads[i], NULL) == 0);
        /* What was given up may still run. */
        while (auv_all_tasks(loop, NULL, 0) > 0) {
                auv_loop_stop(loop);
                CHECK(auv_loop_run_forever(loop) == 0);
        }
        CHECK(auv_loop_close(loop) == 0);
        loop = auv_unref(loop);
        CHECK(n_values == 0);
}

/* Two loops, each in a thread of its own. */
static struct side {
        pthread_t thread;
        auv_loop *loop;
        struct side *other;
} sides[N_LOOPS];
static sem_t made;
static sem_t all_made;
static atomic_int n_sides_left;

static int cross(const struct side *other, int number)
{
        AUV_AUTO auv_thread_future *there =
                auv_run_coroutine_threadsafe(other->loop, body_for(number), &number, sizeof(number));
        AUV_AUTO auv_future *here = auv_wrap_future(there);
        auv_value value = { 0 };
        int r;

        if (number % 5 == 4)
                auv_future_cancel(here, NULL);
        r = auv_await(here, &value);
        if (number % 5 == 4)
                CHECK(r == AUV_ECANCELED);
        else if (number % 7 == 3)
                CHECK(r == AUV_EUSER - number);
        else
                CHECK(r == 0 && *(const int *)value.p == number);
        return 0;
}

static int crosses(void *arg, auv_value *ret)
{
        const struct side *side = arg;

        for (int i = 0; i < N_CROSSINGS; i++)
                AUV_TRY(cross(side->other, i));
        if (--n_sides_left == 0)
                for (int i = 0; i < N_LOOPS; i++)
                        CHECK(auv_loop_call_soon_threadsafe(sides[i].loop, stop, sides[i].loop, NULL) == 0);
        return 0;
}

static void *run_side(void *arg)
{
        struct side *side = arg;
        auv_task *task;

        side->loop = new_loop();
        sem_post(&made);
        sem_wait(&all_made);
        task = auv_loop_create_task(side->loop, crosses, side, 0, NULL);
        CHECK(auv_loop_run_forever(side->loop) == 0);
        CHECK(auv_future_done(task) && auv_future_result(task, NULL) == 0);
        auv_unref(task);
        while (auv_all_tasks(side->loop, NULL, 0) > 0) {
                auv_loop_stop(side->loop);
                CHECK(auv_loop_run_forever(side->loop) == 0);
        }
        CHECK(auv_loop_close(side->loop) == 0);
        auv_error_clear();
        return NULL;
}

static void coroutines_between_loops(void)
{
        sem_init(&made, 0, 0);
        sem_init(&all_made, 0, 0);
        n_sides_left = N_LOOPS;
        for (int i = 0; i < N_LOOPS; i++) {
                sides[i].other = &sides[1 - i];
                CHECK(pthread_create(&sides[i].thread, NULL, run_side, &sides[i]) == 0);
        }
        for (int i = 0; i < N_LOOPS; i++)
                sem_wait(&made);
        for (int i = 0; i < N_LOOPS; i++)
                sem_post(&all_made);
        for (int i = 0; i < N_LOOPS; i++)
                CHECK(pthread_join(sides[i].thread, NULL) == 0);
        for (int i = 0; i < N_LOOPS; i++)
                auv_unref(sides[i].loop);
        CHECK(n_values == 0);
}

/* Threads that wait for a loop which is closed under them, whenever it is; what it lends, it takes back. */
static void *run_until_closed(void *arg)
{
        for (int i = 0;; i++) {
                const int number = i % 3;
                AUV_AUTO auv_thread_future *future =
                        auv_run_coroutine_threadsafe(arg, passes_on, &number, sizeof(number));
                const int r = auv_thread_future_result(future, AUV_NO_TIMEOUT, NULL);

                CHECK(r == 0 || r == AUV_ECLOSED);
                if (r == AUV_ECLOSED)
                        break;
        }
        auv_error_clear();
        return NULL;
}

static void ignore_report(auv_loop *on, const auv_exception_context *context, void *arg)
{
}

static void close_under_threads(void)
{
        pthread_t threads[N_THREADS];

        for (int turns = 0; turns < 20; turns++) {
                auv_loop *closed = new_loop();

                auv_loop_set_exception_handler(closed, ignore_report, NULL);
                for (int i = 0; i < N_THREADS; i++)
                        CHECK(pthread_create(&threads[i], NULL, run_until_closed, closed) == 0);
                for (int i = 0; i < turns; i++) {
                        auv_loop_stop(closed);
                        CHECK(auv_loop_run_forever(closed) == 0);
                }
                CHECK(auv_loop_close(closed) == 0);
                for (int i = 0; i < N_THREADS; i++)
                        CHECK(pthread_join(threads[i], NULL) == 0);
                auv_unref(closed);
        }
        CHECK(n_values == 0);
}

int main(void)
{
        coroutines_from_threads();
        coroutines_between_loops();
        close_under_threads();
        return check_report();
}

/* SPDX-License-Identifier: MIT */

/*
 * A thread cancels calls that it has made, while the loop runs them: each has run as a whole
 * before the cancel returns, or never runs; its argument is free afterwards. And tasks are
 * cancelled by a call that a thread makes.
 */

#include "support/check.h"

#include <asyncuv.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { N_THREADS = 3, N_CALLS = 5000, N_TASKS = 2000 };

static auv_loop *loop;

static void stop(void *arg)
{
        auv_loop_stop(loop);
}

struct counted {
        int begun;
        int ended;
        int unused; /* a write after the free is what the sanitizers would see */
};

static void run(void *arg)
{
        struct counted *counted = arg;

        counted->begun++;
        if (counted->begun % 8 == 0)
                sched_yield();
        counted->unused++;
        counted->ended++;
}

static atomic_int n_cancelled;
static atomic_int n_ran;
static atomic_int n_wrong;

static void *make_and_cancel(void *arg)
{
        for (int i = 0; i < N_CALLS; i++) {
                struct counted *counted = calloc(1, sizeof(*counted));
                auv_call *call = NULL;

                if (auv_loop_call_soon_threadsafe(loop, run, counted, &call) != 0)
                        n_wrong++;
                for (int j = i % 7; j > 0; j--)
                        sched_yield();
                auv_call_cancel(call);
                n_wrong += counted->begun != counted->ended;
                n_wrong += counted->begun != !auv_call_cancelled(call);
                if (counted->begun)
                        n_ran++;
                else
                        n_cancelled++;
                free(counted);
                auv_unref(call);
        }
        return NULL;
}

static void *cancel_calls(void *arg)
{
        pthread_t threads[N_THREADS];

        for (int i = 0; i < N_THREADS; i++)
                CHECK(pthread_create(&threads[i], NULL, make_and_cancel, NULL) == 0);
        for (int i = 0; i < N_THREADS; i++)
                pthread_join(threads[i], NULL);
        CHECK(auv_loop_call_soon_threadsafe(loop, stop, NULL, NULL) == 0);
        return NULL;
}

static auv_task *tasks[N_TASKS];

static int sleeps_long(void *arg, auv_value *ret)
{
        return auv_await_sleep(3600);
}

static void cancel_task(void *arg)
{
        CHECK(auv_task_cancel(arg, "from a thread") == 1);
}

static void *cancel_tasks(void *arg)
{
        for (int i = 0; i < N_TASKS; i++)
                if (auv_loop_call_soon_threadsafe(loop, cancel_task, tasks[i], NULL) != 0)
                        n_wrong++;
        return NULL;
}

int main(void)
{
        pthread_t thread;

        CHECK(auv_new_event_loop(NULL, &loop) == 0);
        CHECK(pthread_create(&thread, NULL, cancel_calls, NULL) == 0);
        CHECK(auv_loop_run_forever(loop) == 0);
        pthread_join(thread, NULL);
        CHECK(n_wrong == 0);
        CHECK(n_cancelled + n_ran == N_THREADS * N_CALLS);

        for (int i = 0; i < N_TASKS; i++)
                tasks[i] = auv_loop_create_task(loop, sleeps_long, NULL, 0, NULL);
        CHECK(pthread_create(&thread, NULL, cancel_tasks, NULL) == 0);
        for (int i = 0; i < N_TASKS; i++) {
                CHECK(auv_loop_run_until_complete(loop, tasks[i], NULL) == AUV_ECANCELED);
                auv_unref(tasks[i]);
        }
        pthread_join(thread, NULL);
        CHECK(n_wrong == 0);
        auv_unref(loop);
        return check_report();
}

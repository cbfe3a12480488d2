/* SPDX-License-Identifier: MIT */

/*
 * Eight threads make a million calls on one loop: none is lost, none runs twice, and those of one
 * thread run in the order in which it made them.
 */

#include "support/check.h"

#include <asyncuv.h>

#include <pthread.h>

enum { N_THREADS = 8, N_CALLS = 125000 };

static auv_loop *loop;
static int n_ended; /* threads whose last call has run */

struct caller {
        pthread_t thread;
        int refused;
        /* of the loop's thread */
        int n_run;
        int out_of_order;
        /* one for each call, of which only the address counts */
        struct number {
                struct caller *caller;
        } numbers[N_CALLS];
};

static struct caller callers[N_THREADS];

static void run(void *arg)
{
        const struct number *number = arg;
        struct caller *caller = number->caller;

        caller->out_of_order += number != &caller->numbers[caller->n_run];
        if (++caller->n_run == N_CALLS && ++n_ended == N_THREADS)
                auv_loop_stop(loop);
}

static void *make_calls(void *arg)
{
        struct caller *caller = arg;

        for (int i = 0; i < N_CALLS; i++) {
                caller->numbers[i].caller = caller;
                caller->refused += auv_loop_call_soon_threadsafe(loop, run, &caller->numbers[i], NULL) != 0;
        }
        return NULL;
}

int main(void)
{
        CHECK(auv_new_event_loop(AUV_LOOP_OPTIONS(.deadlock = AUV_DEADLOCK_WAIT), &loop) == 0);
        for (int i = 0; i < N_THREADS; i++)
                CHECK(pthread_create(&callers[i].thread, NULL, make_calls, &callers[i]) == 0);
        CHECK(auv_loop_run_forever(loop) == 0);
        for (int i = 0; i < N_THREADS; i++) {
                CHECK(pthread_join(callers[i].thread, NULL) == 0);
                CHECK(callers[i].refused == 0);
                CHECK(callers[i].n_run == N_CALLS);
                CHECK(callers[i].out_of_order == 0);
        }
        CHECK(auv_loop_close(loop) == 0);
        auv_unref(loop);
        return check_report();
}

/* SPDX-License-Identifier: MIT */

/*
 * Calls from several threads on one loop: none is lost, none runs twice, and those of one
 * thread run in the order in which it made them.
 */

#include "support/check.h"

#include <asyncuv.h>

#include <pthread.h>

enum { N_THREADS = 4, N_CALLS = 50000 };

static auv_loop *loop;
static int n_ended; /* threads whose last call has run */

struct caller {
        pthread_t thread;
        int refused;
        /* of the loop's thread */
        int n_run;
        int out_of_order;
        struct call {
                struct caller *caller;
                int number;
        } calls[N_CALLS];
};

static struct caller callers[N_THREADS];

static void run(void *arg)
{
        const struct call *call = arg;
        struct caller *caller = call->caller;

        caller->out_of_order += call->number != caller->n_run;
        if (++caller->n_run == N_CALLS && ++n_ended == N_THREADS)
                auv_loop_stop(loop);
}

static void *make_calls(void *arg)
{
        struct caller *caller = arg;

        for (int i = 0; i < N_CALLS; i++) {
                caller->calls[i] = (struct call) { caller, i };
                caller->refused += auv_loop_call_soon_threadsafe(loop, run, &caller->calls[i], NULL) != 0;
        }
        return NULL;
}

/* What the loop does meanwhile: tasks that yield, and timers. */
static int is_busy(void *arg, auv_value *ret)
{
        while (n_ended < N_THREADS) {
                AUV_TRY(auv_await_sleep(ret->i % 100 ? 0 : 1e-5));
                ret->i++;
        }
        return 0;
}

static void calls_from_threads(bool busy)
{
        n_ended = 0;
        CHECK(auv_new_event_loop(NULL, &loop) == 0);
        if (busy)
                auv_unref(auv_loop_create_task(loop, is_busy, NULL, 0, NULL));
        for (int i = 0; i < N_THREADS; i++) {
                callers[i].n_run = callers[i].out_of_order = callers[i].refused = 0;
                CHECK(pthread_create(&callers[i].thread, NULL, make_calls, &callers[i]) == 0);
        }
        CHECK(auv_loop_run_forever(loop) == 0);
        for (int i = 0; i < N_THREADS; i++) {
                pthread_join(callers[i].thread, NULL);
                CHECK(callers[i].refused == 0);
                CHECK(callers[i].n_run == N_CALLS);
                CHECK(callers[i].out_of_order == 0);
        }
        while (auv_all_tasks(loop, NULL, 0) > 0) {
                auv_loop_stop(loop);
                CHECK(auv_loop_run_forever(loop) == 0);
        }
        CHECK(auv_loop_close(loop) == 0);
        auv_unref(loop);
}

int main(void)
{
        calls_from_threads(/* busy= */ false);
        calls_from_threads(/* busy= */ true);
        return check_report();
}

/* SPDX-License-Identifier: MIT */

/*
 * A loop is closed, and given up, while threads make calls on it: from some moment on each of them
 * is refused, and what was accepted runs once or never.
 */

#include "support/check.h"

#include <asyncuv.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

enum { N_THREADS = 4, N_ROUNDS = 100, MANY = 1000 };

struct caller {
        pthread_t thread;
        auv_loop *loop;
        atomic_int n_begun;
        int n_accepted;
        int last;
        atomic_int n_run;
};

static void run(void *arg)
{
        ++*(atomic_int *)arg;
}

/* The reference that it takes is given up in this thread, and may be the last one. */
static void *call_until_refused(void *arg)
{
        struct caller *caller = arg;
        auv_call *call = NULL;

        for (;;) {
                const bool keeps = caller->n_accepted % 16 == 0;

                /* or the loop's thread would never come to the end of its turns */
                if (caller->n_accepted - caller->n_run > MANY)
                        usleep(100);
                caller->last = auv_loop_call_soon_threadsafe(caller->loop, run, &caller->n_run,
                                                             keeps ? &call : NULL);
                caller->n_begun++;
                if (caller->last < 0)
                        break;
                caller->n_accepted++;
                if (keeps) {
                        auv_call_cancel(call);
                        auv_unref_at(&call);
                }
        }
        auv_unref(caller->loop);
        return NULL;
}

static void close_while_called(int round)
{
        static struct caller callers[N_THREADS];
        auv_loop *loop = NULL;

        CHECK(auv_new_event_loop(NULL, &loop) == 0);
        for (int i = 0; i < N_THREADS; i++) {
                callers[i] = (struct caller) { .loop = auv_ref(loop) };
                CHECK(pthread_create(&callers[i].thread, NULL, call_until_refused, &callers[i]) == 0);
        }
        for (int i = 0; i < N_THREADS; i++)
                while (callers[i].n_begun == 0)
                        sched_yield();
        for (int turn = 0; turn < round % 5; turn++) {
                auv_loop_stop(loop);
                CHECK(auv_loop_run_forever(loop) == 0);
        }
        CHECK(auv_loop_close(loop) == 0);
        CHECK(auv_loop_is_closed(loop));
        auv_unref(loop);
        for (int i = 0; i < N_THREADS; i++) {
                pthread_join(callers[i].thread, NULL);
                CHECK(callers[i].last == AUV_ECLOSED);
                CHECK(callers[i].n_run <= callers[i].n_accepted);
                CHECK(round % 5 > 0 || callers[i].n_run == 0);
        }
}

int main(void)
{
        for (int round = 0; round < N_ROUNDS; round++)
                close_while_called(round);
        return check_report();
}

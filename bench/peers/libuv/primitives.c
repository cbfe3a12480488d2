/* SPDX-License-Identifier: MIT */
/*
 * The primitives that raw libuv has: to yield is to ask, each time anew, to be called in the next
 * turn of the loop, by an idle handle; a sleep is a timer. Tasks, futures and queues between them it
 * does not have.
 */

#include "peer.h"

#define N_YIELDS 200000

struct yielder {
        uv_idle_t idle;
        size_t n_left;
};

static void yield(uv_idle_t *idle)
{
        struct yielder *yielder = (struct yielder *)idle;

        check(uv_idle_stop(idle));
        if (--yielder->n_left == 0)
                uv_close((uv_handle_t *)idle, /* close_cb= */ NULL);
        else
                check(uv_idle_start(idle, yield));
}

static double measure_yield(size_t n)
{
        struct yielder *yielders = allocate(n, sizeof(*yielders));
        const size_t n_rounds = N_YIELDS / n;
        const int64_t start = now_ns();
        double ns;

        for (size_t i = 0; i < n; i++) {
                yielders[i].n_left = n_rounds;
                check(uv_idle_init(uv_default_loop(), &yielders[i].idle));
                check(uv_idle_start(&yielders[i].idle, yield));
        }
        uv_run(uv_default_loop(), UV_RUN_DEFAULT);
        ns = (double)(now_ns() - start) / (double)(n * n_rounds);
        free(yielders);
        return ns;
}

static void never(uv_timer_t *timer)
{
        (void)timer;
        fail("an hour has passed");
}

static double measure_sleep_cancel(size_t n)
{
        uv_timer_t *timers = allocate(n, sizeof(*timers));
        const int64_t start = now_ns();
        double ns;

        for (size_t i = 0; i < n; i++) {
                check(uv_timer_init(uv_default_loop(), &timers[i]));
                check(uv_timer_start(&timers[i], never, 3600000, /* repeat= */ 0));
        }
        for (size_t i = 0; i < n; i++) {
                check(uv_timer_stop(&timers[i]));
                uv_close((uv_handle_t *)&timers[i], /* close_cb= */ NULL);
        }
        uv_run(uv_default_loop(), UV_RUN_DEFAULT);
        ns = (double)(now_ns() - start) / (double)n;
        free(timers);
        return ns;
}

void measure_primitives(const struct options *options)
{
        report_primitive(options, "yield_ns", 2, measure_yield);
        report_primitive(options, "yield_ns", 1000, measure_yield);
        report_primitive(options, "sleep_cancel_ns", 1000, measure_sleep_cancel);
}

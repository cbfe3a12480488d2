/* SPDX-License-Identifier: MIT */
/*
 * What State Threads' primitives cost. A queue it does not have; its users put one together of a
 * condition and a flag, which need no lock since only a wait switches threads.
 */

#include "peer.h"

#include <stdbool.h>

#define N_REPEATS 100000

static double ns_since(int64_t start, size_t n)
{
        return (double)(now_ns() - start) / (double)n;
}

static void *yield_repeatedly(void *arg)
{
        for (size_t i = *(const size_t *)arg; i > 0; i--)
                st_usleep(0);
        return NULL;
}

static double measure_yield(size_t n)
{
        st_thread_t *threads = allocate(n, sizeof(*threads));
        size_t n_rounds = N_REPEATS / n;
        const int64_t start = now_ns();
        double ns;

        for (size_t i = 0; i < n; i++)
                threads[i] = start_thread(yield_repeatedly, &n_rounds);
        for (size_t i = 0; i < n; i++)
                join(threads[i]);
        ns = ns_since(start, n * n_rounds);
        free(threads);
        return ns;
}

static void *return_at_once(void *arg)
{
        return arg;
}

static double measure_create_await(size_t n)
{
        const int64_t start = now_ns();

        (void)n;
        for (size_t i = 0; i < N_REPEATS; i++)
                join(start_thread(return_at_once, NULL));
        return ns_since(start, N_REPEATS);
}

/* A place for one value. */
struct slot {
        st_cond_t changed;
        bool full;
        size_t value;
};

static void slot_put(struct slot *slot, size_t value)
{
        while (slot->full)
                st_cond_wait(slot->changed);
        slot->value = value;
        slot->full = true;
        st_cond_signal(slot->changed);
}

static size_t slot_get(struct slot *slot)
{
        while (!slot->full)
                st_cond_wait(slot->changed);
        slot->full = false;
        st_cond_signal(slot->changed);
        return slot->value;
}

static void *put_all(void *arg)
{
        for (size_t i = 0; i < N_REPEATS; i++)
                slot_put(arg, i);
        return NULL;
}

static double measure_queue(size_t n)
{
        struct slot slot = { .changed = st_cond_new() };
        const st_thread_t producer = start_thread(put_all, &slot);
        const int64_t start = now_ns();
        double ns;

        (void)n;
        for (size_t i = 0; i < N_REPEATS; i++)
                if (slot_get(&slot) != i)
                        fail("the queue is out of order");
        ns = ns_since(start, N_REPEATS);
        join(producer);
        st_cond_destroy(slot.changed);
        return ns;
}

struct pair {
        struct slot there, back;
};

static void *echo_all(void *arg)
{
        struct pair *pair = arg;

        for (size_t i = 0; i < N_REPEATS; i++)
                slot_put(&pair->back, slot_get(&pair->there));
        return NULL;
}

/* Two threads wake each other: half of there and back. */
static double measure_set_wake(size_t n)
{
        struct pair pair = { .there.changed = st_cond_new(), .back.changed = st_cond_new() };
        const st_thread_t other = start_thread(echo_all, &pair);
        const int64_t start = now_ns();
        double ns;

        (void)n;
        for (size_t i = 0; i < N_REPEATS; i++) {
                slot_put(&pair.there, i);
                slot_get(&pair.back);
        }
        ns = ns_since(start, (size_t)2 * N_REPEATS);
        join(other);
        st_cond_destroy(pair.there.changed);
        st_cond_destroy(pair.back.changed);
        return ns;
}

static double measure_gather(size_t n)
{
        st_thread_t *threads = allocate(n, sizeof(*threads));
        const int64_t start = now_ns();
        double ns;

        for (size_t i = 0; i < n; i++)
                threads[i] = start_thread(return_at_once, NULL);
        for (size_t i = 0; i < n; i++)
                join(threads[i]);
        ns = ns_since(start, n);
        free(threads);
        return ns;
}

static double measure_sleep_cancel(size_t n)
{
        st_thread_t *threads = allocate(n, sizeof(*threads));
        size_t n_cancelled = 0;
        const int64_t start = now_ns();
        double ns;

        for (size_t i = 0; i < n; i++)
                threads[i] = start_thread(sleep_until_cancelled, &n_cancelled);
        st_usleep(0);
        for (size_t i = 0; i < n; i++)
                st_thread_interrupt(threads[i]);
        for (size_t i = 0; i < n; i++)
                join(threads[i]);
        ns = ns_since(start, n);
        if (n_cancelled != n)
                fail("a sleep has not been cancelled");
        free(threads);
        return ns;
}

static double measure_lock(size_t n)
{
        const st_mutex_t lock = st_mutex_new();
        const int64_t start = now_ns();
        double ns;

        (void)n;
        for (size_t i = 0; i < N_REPEATS; i++) {
                st_mutex_lock(lock);
                st_mutex_unlock(lock);
        }
        ns = ns_since(start, N_REPEATS);
        st_mutex_destroy(lock);
        return ns;
}

void measure_primitives(const struct options *options)
{
        report_primitive(options, "yield_ns", 2, measure_yield);
        report_primitive(options, "yield_ns", 1000, measure_yield);
        report_primitive(options, "create_await_ns", 1, measure_create_await);
        report_primitive(options, "set_wake_ns", 1, measure_set_wake);
        report_primitive(options, "gather_ns", 1000, measure_gather);
        report_primitive(options, "sleep_cancel_ns", 1000, measure_sleep_cancel);
        report_primitive(options, "lock_ns", 1, measure_lock);
        report_primitive(options, "queue_ns", 1, measure_queue);
}

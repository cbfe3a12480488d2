/* SPDX-License-Identifier: MIT */
/*
 * The sleep-based workloads in State Threads: a task is a joinable thread of the library, a sleep
 * is st_usleep().
 *
 * A sleep is counted from the time at which the library last looked at the clock, so it may end
 * early. Stacks are mapped without guards between them, and the kernel joins the mappings: there is
 * no limit on threads but memory, a page and the tables that lead to it for each.
 */

#include "peer.h"

#include <errno.h>
#include <stdbool.h>

static st_utime_t us_round_up(int64_t ns)
{
        return (st_utime_t)((ns + 999) / 1000);
}

/* Sleep */

static void *sleep_once(void *arg)
{
        const st_utime_t *us = arg;

        st_usleep(*us);
        return NULL;
}

static void measure_sleep(const struct options *options)
{
        const size_t n = options->n_tasks;
        st_utime_t us = (st_utime_t)(options->seconds * 1e6);
        struct memory memory;
        st_thread_t *threads;
        int64_t start, cpu;

        memory_begin(&memory);
        start = now_ns();
        cpu = cpu_ns();

        threads = allocate(n, sizeof(*threads));
        for (size_t i = 0; i < n; i++)
                threads[i] = start_thread(sleep_once, &us);
        st_usleep(us / 2);
        memory_sample(&memory);
        for (size_t i = 0; i < n; i++)
                join(threads[i]);
        free(threads);

        report("sleep", n, "wall_beyond", (double)(now_ns() - start) / 1e9 - options->seconds, "s");
        report("sleep", n, "cpu_per_task", (double)(cpu_ns() - cpu - memory.cpu_ns) / (double)n, "ns");
        memory_report(&memory, n);
}

/* Storm and stagger */

struct sleeper {
        st_thread_t thread;
        uint64_t random;
        size_t n_rounds;
        int max_ms;
};

static struct lateness lateness;

static void *sleep_repeatedly(void *arg)
{
        struct sleeper *sleeper = arg;

        for (size_t i = 0; i < sleeper->n_rounds; i++) {
                const int64_t ns = draw_duration_ns(&sleeper->random, sleeper->max_ms);
                const int64_t due_ns = now_ns() + ns;

                st_usleep(us_round_up(ns));
                lateness_add(&lateness, due_ns);
        }
        return NULL;
}

static void start_sleeper(struct sleeper *sleeper, uint64_t seed, size_t n_rounds, int max_ms)
{
        sleeper->random = seed;
        sleeper->n_rounds = n_rounds;
        sleeper->max_ms = max_ms;
        sleeper->thread = start_thread(sleep_repeatedly, sleeper);
}

static void measure_storm(const struct options *options)
{
        const size_t n = options->n_tasks;
        struct sleeper *sleepers;
        int64_t cpu;

        lateness_init(&lateness, n * options->n_rounds);
        cpu = cpu_ns();

        sleepers = allocate(n, sizeof(*sleepers));
        for (size_t i = 0; i < n; i++)
                start_sleeper(&sleepers[i], options->seed + i, options->n_rounds, 10);
        for (size_t i = 0; i < n; i++)
                join(sleepers[i].thread);
        free(sleepers);

        report("storm", n, "fires_per_cpu_s", (double)lateness.n / ((double)(cpu_ns() - cpu) / 1e9), "1/s");
        lateness_report(&lateness, "storm", n);
}

static void measure_stagger(const struct options *options)
{
        const size_t n = options->n_tasks;
        struct sleeper *sleepers;
        int64_t cpu, start;

        lateness_init(&lateness, n);
        cpu = cpu_ns();

        sleepers = allocate(n, sizeof(*sleepers));
        start = now_ns();
        for (size_t i = 0; i < n; i++) {
                const int64_t wait = start + (int64_t)i * NS_PER_MS - now_ns();

                if (wait > 0)
                        st_usleep(us_round_up(wait));
                start_sleeper(&sleepers[i], options->seed + i, 1, 100);
        }
        for (size_t i = 0; i < n; i++)
                join(sleepers[i].thread);
        free(sleepers);

        report("stagger", n, "cpu_per_task", (double)(cpu_ns() - cpu) / (double)n, "ns");
        lateness_report(&lateness, "stagger", n);
}

/* Timeouts: an event is a condition and a flag. */

struct wait {
        st_thread_t thread;
        st_cond_t changed;
        st_utime_t timeout_us;
        bool done, timed_out;
};

static void *wait_with_timeout(void *arg)
{
        struct wait *wait = arg;

        while (!wait->done && !wait->timed_out)
                if (st_cond_timedwait(wait->changed, wait->timeout_us) < 0 && errno == ETIME)
                        wait->timed_out = true;
        return NULL;
}

static double measure_waits(size_t n, st_utime_t timeout_us, bool complete)
{
        const int64_t cpu = cpu_ns();
        struct wait *waits = allocate(n, sizeof(*waits));

        for (size_t i = 0; i < n; i++) {
                waits[i].changed = st_cond_new();
                waits[i].timeout_us = timeout_us;
                waits[i].thread = start_thread(wait_with_timeout, &waits[i]);
        }
        if (complete) {
                st_usleep(0); /* all wait */
                for (size_t i = 0; i < n; i++) {
                        waits[i].done = true;
                        st_cond_signal(waits[i].changed);
                }
        }
        for (size_t i = 0; i < n; i++) {
                join(waits[i].thread);
                st_cond_destroy(waits[i].changed);
                if (waits[i].done != complete || waits[i].timed_out == complete)
                        fail("a wait has not ended as it should");
        }
        free(waits);
        return (double)(cpu_ns() - cpu) / (double)n;
}

static void measure_timeouts(const struct options *options)
{
        const size_t n = options->n_tasks;

        report("timeouts", n, "never_ns", measure_waits(n, 60000000, true), "ns");
        report("timeouts", n, "always_ns", measure_waits(n, 10000, false), "ns");
}

/* Cancel */

void *sleep_until_cancelled(void *arg)
{
        size_t *n_cancelled = arg;

        if (st_sleep(3600) < 0 && errno == EINTR)
                ++*n_cancelled;
        return NULL;
}

static void measure_cancel(const struct options *options)
{
        const size_t n = options->n_tasks;
        st_thread_t *threads = allocate(n, sizeof(*threads));
        size_t n_cancelled = 0;
        int64_t cpu;

        for (size_t i = 0; i < n; i++)
                threads[i] = start_thread(sleep_until_cancelled, &n_cancelled);
        st_usleep(0); /* all sleep */

        cpu = cpu_ns();
        for (size_t i = 0; i < n; i++)
                st_thread_interrupt(threads[i]);
        for (size_t i = 0; i < n; i++)
                join(threads[i]);
        if (n_cancelled != n)
                fail("a sleep has not been cancelled");
        report("cancel", n, "cancel_ns", (double)(cpu_ns() - cpu) / (double)n, "ns");
        free(threads);
}

int main(int argc, char **argv)
{
        static const struct workload workloads[] = {
                { "sleep", measure_sleep },       { "storm", measure_storm },
                { "stagger", measure_stagger },   { "timeouts", measure_timeouts },
                { "cancel", measure_cancel },     { "primitives", measure_primitives },
                { "echo", serve_echo },           { NULL, NULL },
        };
        const struct options options = options_parse(argc, argv);

        /* By default select(), whose timeouts are the more precise, but which knows of no more than 1,024
         * descriptors. Of the others, the first that the library was built with is taken: epoll, which
         * it has not in Debian, or poll(). */
        if (strcmp(options.workload, "echo") == 0) {
                st_set_eventsys(ST_EVENTSYS_ALT);
                st_set_eventsys(ST_EVENTSYS_POLL);
        }
        if (st_init() < 0)
                fail("cannot start");
        workload_measure(workloads, &options);
        return EXIT_SUCCESS;
}

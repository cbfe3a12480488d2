/* SPDX-License-Identifier: MIT */
/*
 * Raw libuv, as the floor: a task is a uv_timer_t in an array and a callback, with no more state
 * than the workload needs. A task that ends closes its handle, since its memory is not its own
 * before.
 *
 * libuv's timers count whole milliseconds; a duration is rounded up, as a sleep lasts at least
 * that long. They still fire up to one millisecond early: the loop's time is rounded down.
 */

#include "peer.h"

static uint64_t ms_round_up(int64_t ns)
{
        return (uint64_t)((ns + NS_PER_MS - 1) / NS_PER_MS);
}

static void run_loop(void)
{
        uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}

static void start_timer(uv_timer_t *timer, uv_timer_cb callback, uint64_t ms)
{
        check(uv_timer_init(uv_default_loop(), timer));
        check(uv_timer_start(timer, callback, ms, /* repeat= */ 0));
}

static void close_timer(uv_timer_t *timer)
{
        uv_close((uv_handle_t *)timer, /* close_cb= */ NULL);
}

/* Sleep */

static void sample_memory(uv_timer_t *timer)
{
        memory_sample(timer->data);
        close_timer(timer);
}

static void measure_sleep(const struct options *options)
{
        const size_t n = options->n_tasks;
        struct memory memory;
        uv_timer_t sampler;
        uv_timer_t *timers;
        int64_t start, cpu;

        memory_begin(&memory);
        start = now_ns();
        cpu = cpu_ns();

        timers = malloc(n * sizeof(*timers));
        if (timers == NULL)
                fail("out of memory");
        uv_update_time(uv_default_loop());
        for (size_t i = 0; i < n; i++)
                start_timer(&timers[i], close_timer, (uint64_t)(options->seconds * 1e3));
        sampler.data = &memory;
        start_timer(&sampler, sample_memory, (uint64_t)(options->seconds * 1e3 / 2));
        run_loop();
        free(timers);

        report("sleep", n, "wall_beyond", (double)(now_ns() - start) / 1e9 - options->seconds, "s");
        report("sleep", n, "cpu_per_task", (double)(cpu_ns() - cpu - memory.cpu_ns) / (double)n, "ns");
        memory_report(&memory, n);
}

/* Storm */

struct sleeper {
        uv_timer_t timer;
        uint64_t random;
        int64_t due_ns;
        size_t n_rounds_left;
};

static struct lateness lateness;

static void sleep_once_more(uv_timer_t *timer);

static void sleep_for(struct sleeper *sleeper, int64_t ns)
{
        sleeper->due_ns = now_ns() + ns;
        check(uv_timer_start(&sleeper->timer, sleep_once_more, ms_round_up(ns), /* repeat= */ 0));
}

static void sleep_once_more(uv_timer_t *timer)
{
        struct sleeper *sleeper = (struct sleeper *)timer;

        lateness_add(&lateness, sleeper->due_ns);
        if (--sleeper->n_rounds_left == 0)
                close_timer(timer);
        else
                sleep_for(sleeper, draw_duration_ns(&sleeper->random, 10));
}

static void sleeper_init(struct sleeper *sleeper, uint64_t seed, size_t n_rounds)
{
        check(uv_timer_init(uv_default_loop(), &sleeper->timer));
        sleeper->random = seed;
        sleeper->n_rounds_left = n_rounds;
}

static void measure_storm(const struct options *options)
{
        const size_t n = options->n_tasks;
        struct sleeper *sleepers;
        int64_t cpu;

        lateness_init(&lateness, n * options->n_rounds);
        cpu = cpu_ns();

        sleepers = allocate(n, sizeof(*sleepers));
        uv_update_time(uv_default_loop());
        for (size_t i = 0; i < n; i++) {
                sleeper_init(&sleepers[i], options->seed + i, options->n_rounds);
                sleep_for(&sleepers[i], draw_duration_ns(&sleepers[i].random, 10));
        }
        run_loop();
        free(sleepers);

        report("storm", n, "fires_per_cpu_s", (double)lateness.n / ((double)(cpu_ns() - cpu) / 1e9), "1/s");
        lateness_report(&lateness, "storm", n);
}

/* Stagger */

struct starter {
        uv_timer_t timer;
        struct sleeper *sleepers;
        size_t n, n_started;
        int64_t start_ns;
};

static void start_what_is_due(uv_timer_t *timer)
{
        struct starter *starter = (struct starter *)timer;

        while (starter->n_started < starter->n
               && starter->start_ns + (int64_t)starter->n_started * NS_PER_MS <= now_ns()) {
                struct sleeper *sleeper = &starter->sleepers[starter->n_started++];

                sleep_for(sleeper, draw_duration_ns(&sleeper->random, 100));
        }
        if (starter->n_started == starter->n)
                close_timer(timer);
}

static void measure_stagger(const struct options *options)
{
        const size_t n = options->n_tasks;
        struct starter starter = { .n = n };
        int64_t cpu;

        lateness_init(&lateness, n);
        cpu = cpu_ns();

        starter.sleepers = allocate(n, sizeof(*starter.sleepers));
        for (size_t i = 0; i < n; i++)
                sleeper_init(&starter.sleepers[i], options->seed + i, 1);
        starter.start_ns = now_ns();
        check(uv_timer_init(uv_default_loop(), &starter.timer));
        check(uv_timer_start(&starter.timer, start_what_is_due, 0, /* repeat= */ 1));
        run_loop();
        free(starter.sleepers);

        report("stagger", n, "cpu_per_task", (double)(cpu_ns() - cpu) / (double)n, "ns");
        lateness_report(&lateness, "stagger", n);
}

/* Timeouts: who waits has a timer, and is either told that it is done, or that its time is over. */

struct wait {
        uv_timer_t timer;
        enum { WAITING, DONE, TIMED_OUT } state;
};

static void wait_times_out(uv_timer_t *timer)
{
        struct wait *wait = (struct wait *)timer;

        wait->state = TIMED_OUT;
        close_timer(timer);
}

static void wait_is_done(struct wait *wait)
{
        wait->state = DONE;
        check(uv_timer_stop(&wait->timer));
        close_timer(&wait->timer);
}

static double measure_waits(size_t n, uint64_t timeout_ms, int complete)
{
        const int64_t cpu = cpu_ns();
        struct wait *waits = allocate(n, sizeof(*waits));

        uv_update_time(uv_default_loop());
        for (size_t i = 0; i < n; i++)
                start_timer(&waits[i].timer, wait_times_out, timeout_ms);
        for (size_t i = 0; complete && i < n; i++)
                wait_is_done(&waits[i]);
        run_loop();
        for (size_t i = 0; i < n; i++)
                if (waits[i].state != (complete ? DONE : TIMED_OUT))
                        fail("a wait has not ended as it should");
        free(waits);
        return (double)(cpu_ns() - cpu) / (double)n;
}

static void measure_timeouts(const struct options *options)
{
        const size_t n = options->n_tasks;

        report("timeouts", n, "never_ns", measure_waits(n, 60000, 1), "ns");
        report("timeouts", n, "always_ns", measure_waits(n, 10, 0), "ns");
}

/* Cancel */

static size_t n_closed;

static void count_closed(uv_handle_t *handle)
{
        (void)handle;
        n_closed++;
}

static void measure_cancel(const struct options *options)
{
        const size_t n = options->n_tasks;
        uv_timer_t *timers = allocate(n, sizeof(*timers));
        int64_t cpu;

        for (size_t i = 0; i < n; i++)
                start_timer(&timers[i], close_timer, 3600000);
        uv_run(uv_default_loop(), UV_RUN_NOWAIT);

        cpu = cpu_ns();
        for (size_t i = 0; i < n; i++) {
                check(uv_timer_stop(&timers[i]));
                uv_close((uv_handle_t *)&timers[i], count_closed);
        }
        run_loop();
        if (n_closed != n)
                fail("a timer has not been closed");
        report("cancel", n, "cancel_ns", (double)(cpu_ns() - cpu) / (double)n, "ns");
        free(timers);
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

        workload_measure(workloads, &options);
        check(uv_loop_close(uv_default_loop()));
        return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * The sleep-based workloads in C++20 with Asio: a task is a coroutine that is spawned, a sleep is a
 * steady_timer in it. All have ended when the loop has nothing left to run.
 */

#include "peer.hpp"

#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <chrono>
#include <memory>
#include <vector>

using asio::awaitable;
using asio::use_awaitable;
using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

static awaitable<void> sleep_for(nanoseconds ns)
{
        asio::steady_timer timer(co_await asio::this_coro::executor, ns);

        co_await timer.async_wait(use_awaitable);
}

static void measure_sleep(const options &options)
{
        const size_t n = options.n_tasks;
        const auto ns = std::chrono::duration_cast<nanoseconds>(duration<double>(options.seconds));
        struct memory memory;

        memory_begin(&memory);
        const int64_t start = now_ns(), cpu = cpu_ns();

        for (size_t i = 0; i < n; i++)
                co_spawn(loop, sleep_for(ns), rethrow);
        asio::steady_timer sampler(loop, ns / 2);
        sampler.async_wait([&](asio::error_code) { memory_sample(&memory); });
        run_loop();

        report("sleep", n, "wall_beyond", (double)(now_ns() - start) / 1e9 - options.seconds, "s");
        report("sleep", n, "cpu_per_task", (double)(cpu_ns() - cpu - memory.cpu_ns) / (double)n, "ns");
        memory_report(&memory, n);
}

static awaitable<void> sleep_repeatedly(uint64_t random, int max_ms, size_t n_rounds, lateness &lateness)
{
        asio::steady_timer timer(co_await asio::this_coro::executor);

        while (n_rounds-- > 0) {
                const int64_t ns = draw_duration_ns(&random, max_ms);
                const int64_t due_ns = now_ns() + ns;

                timer.expires_after(nanoseconds(ns));
                co_await timer.async_wait(use_awaitable);
                lateness_add(&lateness, due_ns);
        }
}

static void measure_storm(const options &options)
{
        const size_t n = options.n_tasks;
        lateness lateness;

        lateness_init(&lateness, n * options.n_rounds);
        const int64_t cpu = cpu_ns();
        for (size_t i = 0; i < n; i++)
                co_spawn(loop, sleep_repeatedly(options.seed + i, 10, options.n_rounds, lateness), rethrow);
        run_loop();

        report("storm", n, "fires_per_cpu_s", (double)lateness.n / ((double)(cpu_ns() - cpu) / 1e9), "1/s");
        lateness_report(&lateness, "storm", n);
}

static awaitable<void> start_staggered(const options &options, lateness &lateness)
{
        asio::steady_timer timer(co_await asio::this_coro::executor);
        const auto start = steady_clock::now();

        for (size_t i = 0; i < options.n_tasks; i++) {
                timer.expires_at(start + milliseconds(i));
                co_await timer.async_wait(use_awaitable);
                co_spawn(loop, sleep_repeatedly(options.seed + i, 100, 1, lateness), rethrow);
        }
}

static void measure_stagger(const options &options)
{
        const size_t n = options.n_tasks;
        lateness lateness;

        lateness_init(&lateness, n);
        const int64_t cpu = cpu_ns();
        co_spawn(loop, start_staggered(options, lateness), rethrow);
        run_loop();

        report("stagger", n, "cpu_per_task", (double)(cpu_ns() - cpu) / (double)n, "ns");
        lateness_report(&lateness, "stagger", n);
}

static awaitable<void> wait_with_timeout(event &event, milliseconds timeout, size_t &n_in_time)
{
        using namespace asio::experimental::awaitable_operators;

        asio::steady_timer timer(co_await asio::this_coro::executor, timeout);
        const auto result = co_await (event.async_receive(use_awaitable) || timer.async_wait(use_awaitable));

        if (result.index() == 0)
                n_in_time++;
}

static double measure_waits(size_t n, milliseconds timeout, bool complete)
{
        const int64_t cpu = cpu_ns();
        std::vector<event> events;
        size_t n_in_time = 0;

        events.reserve(n);
        for (size_t i = 0; i < n; i++) {
                events.emplace_back(loop);
                co_spawn(loop, wait_with_timeout(events[i], timeout, n_in_time), rethrow);
        }
        if (complete) {
                loop.restart();
                loop.poll();
                for (event &event : events)
                        if (!event.try_send(asio::error_code(), 1))
                                fail("nobody waits");
        }
        run_loop();
        if (n_in_time != (complete ? n : 0))
                fail("a wait has not ended as it should");
        return (double)(cpu_ns() - cpu) / (double)n;
}

static void measure_timeouts(const options &options)
{
        const size_t n = options.n_tasks;

        report("timeouts", n, "never_ns", measure_waits(n, milliseconds(60000), true), "ns");
        report("timeouts", n, "always_ns", measure_waits(n, milliseconds(10), false), "ns");
}

awaitable<void> sleep_until_cancelled(size_t &n_cancelled)
{
        asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
        const auto [error] = co_await timer.async_wait(asio::experimental::as_tuple(use_awaitable));

        if (error == asio::error::operation_aborted)
                n_cancelled++;
}

static void measure_cancel(const options &options)
{
        const size_t n = options.n_tasks;
        std::vector<asio::cancellation_signal> signals(n);
        size_t n_cancelled = 0;

        for (asio::cancellation_signal &signal : signals)
                co_spawn(loop, sleep_until_cancelled(n_cancelled),
                         asio::bind_cancellation_slot(signal.slot(), rethrow));
        loop.poll();

        const int64_t cpu = cpu_ns();
        for (asio::cancellation_signal &signal : signals)
                signal.emit(asio::cancellation_type::terminal);
        run_loop();
        if (n_cancelled != n)
                fail("a sleep has not been cancelled");
        report("cancel", n, "cancel_ns", (double)(cpu_ns() - cpu) / (double)n, "ns");
}

int main(int argc, char **argv)
{
        static const struct {
                const char *name;
                void (*fn)(const options &options);
        } workloads[] = {
                { "sleep", measure_sleep },       { "storm", measure_storm },
                { "stagger", measure_stagger },   { "timeouts", measure_timeouts },
                { "cancel", measure_cancel },     { "primitives", measure_primitives },
                { "echo", serve_echo },
        };
        const options options = options_parse(argc, argv);

        for (const auto &workload : workloads)
                if (strcmp(options.workload, workload.name) == 0) {
                        workload.fn(options);
                        return EXIT_SUCCESS;
                }
        usage();
}

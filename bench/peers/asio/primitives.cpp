/* SPDX-License-Identifier: MIT */
/*
 * What the primitives of Asio's coroutines cost: to yield is to post oneself, an event and a queue
 * are channels. A lock for coroutines it does not have.
 */

#include "peer.hpp"

#include <vector>

using asio::awaitable;
using asio::use_awaitable;

static constexpr size_t n_repeats = 100000;

static double ns_since(int64_t start, size_t n)
{
        return (double)(now_ns() - start) / (double)n;
}

static awaitable<void> yield_repeatedly(size_t n_rounds)
{
        while (n_rounds-- > 0)
                co_await asio::post(use_awaitable);
}

static double measure_yield(size_t n)
{
        const size_t n_rounds = 2 * n_repeats / n;
        const int64_t start = now_ns();

        for (size_t i = 0; i < n; i++)
                co_spawn(loop, yield_repeatedly(n_rounds), rethrow);
        run_loop();
        return ns_since(start, n * n_rounds);
}

static awaitable<int> return_at_once()
{
        co_return 1;
}

static awaitable<void> create_and_await()
{
        for (size_t i = 0; i < n_repeats; i++)
                co_await co_spawn(loop, return_at_once(), use_awaitable);
}

static double measure_create_await(size_t)
{
        co_spawn(loop, create_and_await(), rethrow);
        const int64_t start = now_ns();
        run_loop();
        return ns_since(start, n_repeats);
}

static void set(event &event)
{
        if (!event.try_send(asio::error_code(), 1))
                fail("nobody waits");
}

static awaitable<void> wait_and_go(std::vector<event> &there, std::vector<event> &back)
{
        for (size_t i = 0; i < there.size(); i++) {
                co_await there[i].async_receive(use_awaitable);
                set(back[i]);
        }
}

static awaitable<void> go_and_wait(std::vector<event> &there, std::vector<event> &back)
{
        for (size_t i = 0; i < there.size(); i++) {
                set(there[i]);
                co_await back[i].async_receive(use_awaitable);
        }
}

static std::vector<event> make_events(size_t n)
{
        std::vector<event> events;

        events.reserve(n);
        while (n-- > 0)
                events.emplace_back(loop);
        return events;
}

/* Two coroutines wake each other: half of there and back. */
static double measure_set_wake(size_t)
{
        static constexpr size_t n_batch = 1000; /* of what there is one for each time */
        double sum = 0;

        for (size_t i = 0; i < n_repeats / n_batch; i++) {
                std::vector<event> there = make_events(n_batch), back = make_events(n_batch);

                co_spawn(loop, wait_and_go(there, back), rethrow);
                co_spawn(loop, go_and_wait(there, back), rethrow);
                const int64_t start = now_ns();
                run_loop();
                sum += ns_since(start, 2 * n_repeats);
        }
        return sum;
}

static double measure_gather(size_t n)
{
        size_t n_ended = 0;
        const int64_t start = now_ns();

        for (size_t i = 0; i < n; i++)
                co_spawn(loop, return_at_once(), [&n_ended](std::exception_ptr exception, int) {
                        rethrow(exception);
                        n_ended++;
                });
        run_loop();
        if (n_ended != n)
                fail("a coroutine has not ended");
        return ns_since(start, n);
}

static double measure_sleep_cancel(size_t n)
{
        std::vector<asio::cancellation_signal> signals(n);
        size_t n_cancelled = 0;
        const int64_t start = now_ns();

        for (asio::cancellation_signal &signal : signals)
                co_spawn(loop, sleep_until_cancelled(n_cancelled),
                         asio::bind_cancellation_slot(signal.slot(), rethrow));
        loop.restart();
        loop.poll();
        for (asio::cancellation_signal &signal : signals)
                signal.emit(asio::cancellation_type::terminal);
        run_loop();
        if (n_cancelled != n)
                fail("a sleep has not been cancelled");
        return ns_since(start, n);
}

using queue = asio::experimental::channel<void(asio::error_code, size_t)>;

static awaitable<void> put_all(queue &queue)
{
        for (size_t i = 0; i < n_repeats; i++)
                co_await queue.async_send(asio::error_code(), i, use_awaitable);
}

static awaitable<void> get_all(queue &queue)
{
        for (size_t i = 0; i < n_repeats; i++)
                if (co_await queue.async_receive(use_awaitable) != i)
                        fail("the queue is out of order");
}

static double measure_queue(size_t)
{
        queue queue(loop, 1);

        co_spawn(loop, put_all(queue), rethrow);
        co_spawn(loop, get_all(queue), rethrow);
        const int64_t start = now_ns();
        run_loop();
        return ns_since(start, n_repeats);
}

void measure_primitives(const options &options)
{
        report_primitive(&options, "yield_ns", 2, measure_yield);
        report_primitive(&options, "yield_ns", 1000, measure_yield);
        report_primitive(&options, "create_await_ns", 1, measure_create_await);
        report_primitive(&options, "set_wake_ns", 1, measure_set_wake);
        report_primitive(&options, "gather_ns", 1000, measure_gather);
        report_primitive(&options, "sleep_cancel_ns", 1000, measure_sleep_cancel);
        report_primitive(&options, "queue_ns", 1, measure_queue);
}

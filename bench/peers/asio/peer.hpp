/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PEERS_ASIO_PEER_HPP
#define BENCH_PEERS_ASIO_PEER_HPP

#define PEER "asio"
#include "../measure.h"

#include <asio.hpp>
#include <asio/experimental/channel.hpp>
#include <exception>

/* The loop of all, on one thread. */
inline asio::io_context loop(1);

/* Sent once; with a value, since in Asio 1.22 a channel of void(error_code) does not compile. */
using event = asio::experimental::channel<void(asio::error_code, int)>;

/* Where a coroutine ends that is not awaited: its exception goes on, and ends the program. */
inline void rethrow(std::exception_ptr exception)
{
        if (exception)
                std::rethrow_exception(exception);
}

/* Runs until everything that was spawned has ended. */
inline void run_loop()
{
        loop.restart();
        loop.run();
}

asio::awaitable<void> sleep_until_cancelled(size_t &n_cancelled);
void measure_primitives(const options &options);
void serve_echo(const options &options);

#endif

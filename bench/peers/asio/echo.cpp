/* SPDX-License-Identifier: MIT */
/*
 * A TCP echo server, a coroutine for each connection.
 */

#include "peer.hpp"

#include <array>
#include <csignal>

using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;

static constexpr size_t buffer_size = 65536;

static size_t n_connections;

static awaitable<void> echo(tcp::socket socket)
{
        std::array<char, buffer_size> buffer;

        try {
                socket.set_option(tcp::no_delay(true));
                for (;;) {
                        const auto n = co_await socket.async_read_some(asio::buffer(buffer), use_awaitable);

                        co_await asio::async_write(socket, asio::buffer(buffer, n), use_awaitable);
                }
        } catch (const asio::system_error &) {
                /* The peer has closed. */
        }
}

static awaitable<void> accept_all(tcp::acceptor acceptor)
{
        for (;;) {
                co_spawn(loop, echo(co_await acceptor.async_accept(use_awaitable)), rethrow);
                n_connections++;
        }
}

void serve_echo(const options &options)
{
        asio::signal_set signals(loop, SIGTERM);
        tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), options.port));
        const int64_t cpu = cpu_ns();

        signals.async_wait([](asio::error_code, int) { loop.stop(); });
        printf("port %d\n", acceptor.local_endpoint().port());
        fflush(stdout);
        co_spawn(loop, accept_all(std::move(acceptor)), rethrow);
        run_loop();
        report("echo", n_connections, "cpu_s", (double)(cpu_ns() - cpu) / 1e9, "s");
}

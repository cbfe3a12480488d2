/* SPDX-License-Identifier: MIT */
#include "service.h"
#include "support/descriptors.h"
#include "support/loop.h"
#include "support/recorder.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

TestSuite(server, .init = loop_setup, .fini = loop_teardown);

static int await_wait_closed(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await_server_wait_closed(arg));
        trace("closed");
        return 0;
}

static int await_serve_forever(void *arg, auv_value *ret)
{
        const int r = auv_await_server_serve_forever(arg);

        trace("served(%s)", auv_error_name(r));
        return r;
}

static int await_start_serving(void *arg, auv_value *ret)
{
        return auv_await_server_start_serving(arg);
}

static auv_task *start_task(auv_coro_fn fn, void *arg)
{
        return auv_loop_create_task(loop, fn, arg, 0, NULL);
}

Test(server, makes_a_protocol_and_a_transport_for_each_connection)
{
        struct service service = { .recorders = { { .name = "a" }, { .name = "b" } } };
        AUV_AUTO auv_server *server = service_start(&service, NULL);
        int a, b;

        cr_assert(auv_server_is_serving(server));
        cr_assert(auv_server_get_loop(server) == loop);
        a = service_dial(server);
        b = service_dial(server);
        peer_send(a, "one");
        loop_turns(2);
        peer_send(b, "two");
        loop_turns(1);
        cr_assert_trace("a:made b:made | a:data(one) | b:data(two) |");
        auv_transport_write(service.recorders[0].transport, "1", 1);
        cr_assert(eq(str, peer_text(a), "1"));
        close(a);
        close(b);
        recorder_until_lost(&service.recorders[0]);
        recorder_until_lost(&service.recorders[1]);
        auv_server_close(server);
}

Test(server, accepts_with_the_largest_backlog)
{
        struct service service = { .recorders = { { .name = "a" } } };
        AUV_AUTO auv_server *server = service_start(&service, AUV_SERVER_OPTIONS(.backlog = INT_MAX));
        const int client = service_dial(server);

        loop_turns(2);
        cr_assert_trace("a:made | |");
        close(client);
        recorder_until_lost(&service.recorders[0]);
        auv_server_close(server);
}

Test(server, tells_who_its_clients_are_and_sends_at_once)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *server = service_start(&service, AUV_SERVER_OPTIONS(.keep_alive = true));
        const int client = service_dial(server);
        char text[AUV_ADDRESS_SIZE], expected[AUV_ADDRESS_SIZE];
        auv_value peer, own, fd;
        int on = 0;
        socklen_t size = sizeof(on);

        loop_turn();
        auv_transport_get_extra_info(service.recorders[0].transport, "peername", &peer);
        auv_format_address(peer.p, text, sizeof(text));
        snprintf(expected, sizeof(expected), "127.0.0.1:%d", service_port_of(client));
        cr_assert(eq(str, text, expected));
        auv_transport_get_extra_info(service.recorders[0].transport, "sockname", &own);
        auv_format_address(own.p, text, sizeof(text));
        snprintf(expected, sizeof(expected), "127.0.0.1:%d", service_port_of(service_socket(server)));
        cr_assert(eq(str, text, expected));
        auv_transport_get_extra_info(service.recorders[0].transport, "socket", &fd);
        getsockopt((int)fd.i, IPPROTO_TCP, TCP_NODELAY, &on, &size);
        cr_assert(on);
        on = 0;
        getsockopt((int)fd.i, SOL_SOCKET, SO_KEEPALIVE, &on, &size);
        cr_assert(on);
        close(client);
        recorder_until_lost(&service.recorders[0]);
        auv_server_close(server);
}

Test(server, does_not_listen_before_it_is_told_to)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *server = service_start(&service, AUV_SERVER_OPTIONS(.defer_serving = true));
        const struct sockaddr_in address = service_address(server);
        const int client = socket(AF_INET, SOCK_STREAM, 0);

        cr_assert(eq(int, auv_server_is_serving(server), 0));
        cr_assert(ne(int, connect(client, (const struct sockaddr *)&address, sizeof(address)), 0));
        close(client);
        cr_assert(eq(int, loop_run(await_start_serving, server, NULL), 0));
        cr_assert(eq(int, loop_run(await_start_serving, server, NULL), 0));
        cr_assert(auv_server_is_serving(server));
        close(service_dial(server));
        auv_server_close(server);
        cr_assert(eq(int, loop_run(await_start_serving, server, NULL), AUV_ERUNTIME));
}

Test(server, that_does_not_listen_goes_with_its_last_reference)
{
        struct service service = { .n = 0 };

        auv_unref(service_start(&service, AUV_SERVER_OPTIONS(.defer_serving = true)));
}

Test(server, that_is_not_closed_is_reported_in_debug_mode_with_its_last_reference)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *closed = NULL;

        auv_loop_set_debug(loop, true);
        auv_unref(service_start(&service, AUV_SERVER_OPTIONS(.defer_serving = true)));
        cr_assert_text(reports_take()->message, "unclosed server");
        closed = service_start(&service, NULL);
        auv_server_close(closed);
        closed = auv_unref(closed);
        cr_assert(eq(int, reports_pending(), 0));
}

static void close_server(auv_loop *of, const auv_exception_context *context, void *arg)
{
        trace("%s", context->message);
        auv_server_close(arg);
}

Test(server, that_serves_is_reported_in_debug_mode_when_its_loop_is_closed)
{
        struct service service = { .n = 0 };
        auv_server *server = service_start(&service, NULL);

        /* which has no other reference than its listener's */
        auv_unref(server);
        auv_loop_set_debug(loop, true);
        auv_loop_set_exception_handler(loop, close_server, server);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_trace("unclosed server");
}

Test(server, is_not_reported_to_a_loop_that_was_closed_before)
{
        struct service service = { .n = 0 };
        auv_server *server = service_start(&service, AUV_SERVER_OPTIONS(.defer_serving = true));

        auv_loop_set_debug(loop, true);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        auv_unref(server);
        cr_assert(eq(int, reports_pending(), 0));
}

Test(server, that_listens_lives_by_itself)
{
        struct service service = { .n = 0 };
        auv_server *server = service_start(&service, NULL);
        const int client = service_dial(server);

        auv_unref(server);
        loop_turn();
        cr_assert_trace("made");
        /* and goes with its loop */
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_trace("made released");
        close(client);
}

Test(server, leaves_connections_alone_when_it_is_closed)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *server = service_start(&service, NULL);
        const int client = service_dial(server);

        loop_turn();
        auv_server_close(server);
        auv_server_close(server);
        cr_assert(eq(int, auv_server_is_serving(server), 0));
        cr_assert(eq(sz, auv_server_sockets(server, NULL, 0), 0));
        peer_send(client, "x");
        loop_turn();
        cr_assert_trace("made data(x)");
        close(client);
        recorder_until_lost(&service.recorders[0]);
}

Test(server, is_waited_for_until_it_is_closed_and_its_connections_are_gone)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *server = service_start(&service, NULL);
        AUV_AUTO auv_task *first = start_task(await_wait_closed, server);
        AUV_AUTO auv_task *second = start_task(await_wait_closed, server);
        const int client = service_dial(server);

        loop_turns(2);
        trace_clear();
        auv_server_close(server);
        loop_turns(3);
        cr_assert_trace("| | |");
        close(client);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, first, NULL), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, second, NULL), 0));
        cr_assert_trace("| | | eof lost released closed closed");
        cr_assert(eq(int, loop_run(await_wait_closed, server, NULL), 0));
}

Test(server, without_connections_is_waited_for_until_it_is_closed)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *server = service_start(&service, NULL);
        AUV_AUTO auv_task *waiter = start_task(await_wait_closed, server);
        AUV_AUTO auv_task *impatient = start_task(await_wait_closed, server);

        loop_turns(3);
        auv_task_cancel(impatient, NULL);
        loop_turns(2);
        cr_assert(auv_future_cancelled(impatient));
        cr_assert(eq(int, auv_future_done(waiter), 0));
        auv_server_close(server);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, waiter, NULL), 0));
}

Test(server, closes_its_clients_or_aborts_them)
{
        for (int how = 0; how < 2; how++) {
                struct service service = { .recorders = { { .name = "a" }, { .name = "b" } } };
                AUV_AUTO auv_server *server = service_start(&service, NULL);
                const int a = service_dial(server), b = service_dial(server);

                loop_turn();
                (how ? auv_server_abort_clients : auv_server_close_clients)(server);
                cr_assert_trace("a:made b:made");
                loop_turn();
                cr_assert_trace("a:made b:made b:lost b:released a:lost a:released");
                cr_assert(auv_server_is_serving(server));
                auv_server_close(server);
                trace_clear();
                close(a);
                close(b);
        }
}

Test(server, serves_until_it_is_closed_by_another_task)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *server = service_start(&service, AUV_SERVER_OPTIONS(.defer_serving = true));
        AUV_AUTO auv_task *task = start_task(await_serve_forever, server);
        AUV_AUTO auv_task *too_many = start_task(await_serve_forever, server);

        cr_assert(eq(int, auv_loop_run_until_complete(loop, too_many, NULL), AUV_ERUNTIME));
        cr_assert(auv_server_is_serving(server));
        auv_server_close(server);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert_trace("served(ERUNTIME) served(ECANCELED)");
        cr_assert(eq(int, loop_run(await_serve_forever, server, NULL), AUV_ERUNTIME));
}

Test(server, that_is_cancelled_closes_and_waits_for_its_connections)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *server = service_start(&service, NULL);
        AUV_AUTO auv_task *task = start_task(await_serve_forever, server);
        const int client = service_dial(server);

        loop_turns(2);
        trace_clear();
        auv_task_cancel(task, "enough");
        loop_turns(3);
        cr_assert(eq(int, auv_server_is_serving(server), 0));
        cr_assert(eq(int, auv_future_done(task), 0));
        close(client);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert(eq(str, text_or_none(auv_error_message(auv_error_current())), "enough"));
        cr_assert_trace("| | | eof lost released served(ECANCELED)");
}

Test(server, that_is_cancelled_twice_does_not_wait)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *server = service_start(&service, NULL);
        AUV_AUTO auv_task *task = start_task(await_serve_forever, server);
        const int client = service_dial(server);

        loop_turns(2);
        auv_task_cancel(task, NULL);
        loop_turns(2);
        auv_task_cancel(task, NULL);
        loop_turns(2);
        cr_assert(auv_future_cancelled(task));
        close(client);
        recorder_until_lost(&service.recorders[0]);
}

Test(server, goes_with_a_loop_that_is_closed_while_it_serves)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *server = service_start(&service, NULL);
        AUV_AUTO auv_task *task = start_task(await_serve_forever, server);
        AUV_AUTO auv_task *waiter = start_task(await_wait_closed, server);
        const int client = service_dial(server);

        loop_turns(2);
        trace_clear();
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_trace("served(ECLOSED) released");
        cr_assert(eq(int, auv_server_is_serving(server), 0));
        reports_drop();
        close(client);
}

Test(server, tells_of_a_connection_that_it_cannot_serve)
{
        struct service service = { .refuses = AUV_EUSER };
        AUV_AUTO auv_server *server = service_start(&service, NULL);
        const int client = service_dial(server);

        loop_turn();
        cr_assert_has(reports_take()->message, "Error on transport creation for incoming connection");
        cr_assert(eq(long, peer_drain(client, NULL), -1));
        close(client);
        service.refuses = 0;
        close(service_dial(server));
        loop_turns(3);
        cr_assert_has(trace_text(), "made");
        auv_server_close(server);
}

Test(server, may_be_closed_by_its_factory)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *server = service_start(&service, NULL);
        const int client = service_dial(server);

        service.closes = server;
        loop_turn();
        cr_assert(eq(int, reports_take()->code, AUV_ERUNTIME));
        cr_assert_trace("released");
        cr_assert(eq(int, auv_server_is_serving(server), 0));
        close(client);
}

static void stop_loop(struct recorder *recorder)
{
        auv_loop_stop(loop);
}

Test(server, goes_on_when_it_has_run_out_of_descriptors)
{
        struct service service = { .recorders[0].on_made = stop_loop };
        AUV_AUTO auv_server *server = service_start(&service, NULL);
        const int client = service_dial(server);
        const double now = auv_loop_time(loop);
        struct rlimit before = descriptors_limit(0);

        loop_turn();
        setrlimit(RLIMIT_NOFILE, &before);
        cr_assert_has(reports_take()->message, "out of system resource");
        cr_assert(eq(int, reports_pending(), 0));
        loop_turns(2);
        cr_assert_trace("| |");
        cr_assert(eq(int, auv_loop_run_until(loop, now + 0.9), 0));
        cr_assert_trace("| |");
        cr_assert(eq(int, auv_loop_run_forever(loop), 0));
        cr_assert_trace("| | made");
        cr_assert(ge(dbl, auv_loop_time(loop), now + 1));
        close(client);
        while (!strstr(trace_text(), "released"))
                loop_turn();
        auv_server_close(server);
}

Test(server, can_be_closed_while_it_has_no_descriptors)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *server = service_start(&service, NULL);
        const int client = service_dial(server);
        struct rlimit before = descriptors_limit(0);

        loop_turn();
        setrlimit(RLIMIT_NOFILE, &before);
        reports_drop();
        auv_server_close(server);
        auv_loop_run_until(loop, auv_loop_time(loop) + 5);
        cr_assert_trace("");
        close(client);
}

Test(server, accepts_many_connections_in_one_turn)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *server = service_start(&service, NULL);
        int clients[8];

        for (int i = 0; i < 8; i++) {
                service.recorders[i].is_quiet = true;
                clients[i] = service_dial(server);
        }
        loop_turn();
        cr_assert(eq(int, service.n, 8));
        auv_server_abort_clients(server);
        auv_server_close(server);
        loop_turn();
        for (int i = 0; i < 8; i++)
                close(clients[i]);
}

Test(server, of_null_is_asked_safely)
{
        cr_assert(eq(int, loop_run(await_wait_closed, NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, loop_run(await_serve_forever, NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, loop_run(await_start_serving, NULL, NULL), AUV_EINVAL));
        auv_server_close(NULL);
        auv_server_close_clients(NULL);
        auv_server_abort_clients(NULL);
        cr_assert(eq(sz, auv_server_sockets(NULL, NULL, 0), 0));
        cr_assert(eq(int, auv_server_is_serving(NULL), 0));
        cr_assert(auv_server_get_loop(NULL) == NULL);
}

/* A peer that sends bytes one at a time, and one that goes at each step. */
Test(server, bears_with_peers_that_go_at_any_time)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *server = service_start(&service, NULL);

        for (int i = 0; i < 8; i++)
                service.recorders[i].is_quiet = true;
        for (int step = 0; step < 24; step++) {
                const int client = service_dial(server);
                const struct linger at_once = { .l_onoff = 1 };

                for (int i = 0; i < step / 3; i++) {
                        peer_send(client, "x");
                        loop_turn();
                }
                if (step % 3 == 1)
                        setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
                if (step % 3 == 2)
                        shutdown(client, SHUT_WR);
                close(client);
                loop_turn();
        }
        auv_server_close(server);
        cr_assert(eq(int, loop_run(await_wait_closed, server, NULL), 0));
        cr_assert(eq(int, service.n, 24));
}

Test(server, of_another_loop_cannot_be_awaited)
{
        static const auv_coro_fn awaits[] = { await_start_serving, await_serve_forever, await_wait_closed };
        struct service service = { .recorders = { { .name = "a" } } };
        AUV_AUTO auv_server *server = service_start(&service, NULL);
        AUV_AUTO auv_loop *other = loop_new();

        for (size_t i = 0; i < sizeof(awaits) / sizeof(*awaits); i++) {
                AUV_AUTO auv_task *task = auv_loop_create_task(other, awaits[i], server, 0, NULL);

                cr_assert(eq(int, auv_loop_run_until_complete(other, task, NULL), AUV_ERUNTIME));
        }
        auv_server_close(server);
        cr_assert_trace("served(ERUNTIME)");
}

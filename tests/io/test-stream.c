/* SPDX-License-Identifier: MIT */

/* Streams from end to end: servers, clients, and peers that do what they should not. */

#include "far.h"
#include "form.h"
#include "serving.h"
#include "support/coroutine.h"
#include "support/descriptors.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(stream, .init = loop_setup, .fini = loop_teardown);

/* Servers for the peers */

static auv_server *server;
static int port;

struct start {
        struct serving serving;
        const auv_server_options *options;
};

static int starts(void *arg, auv_value *ret)
{
        const struct start *start = arg;

        AUV_TRY(serving_start(start->serving, "127.0.0.1", start->options, &server));
        port = serving_port(server);
        return 0;
}

static void start_server(struct serving serving, const auv_server_options *options)
{
        cr_assert(eq(int, loop_run(starts, &(struct start) { serving, options }, NULL), 0));
}

static int stops(void *arg, auv_value *ret)
{
        auv_server_close(server);
        return auv_await_server_wait_closed(server);
}

/* All connections have to have ended, or do so by themselves. */
static void stop_server(void)
{
        cr_assert(eq(int, far_finish(auv_loop_create_task(loop, stops, NULL, 0, NULL)), 0));
        server = auv_unref(server);
}

static void turns(int n)
{
        while (n-- > 0)
                loop_turn();
}

/* Data that are told from each other by their place. */
static unsigned char byte_at(size_t place)
{
        return (unsigned char)(place * 2654435761u >> 13);
}

static void write_bytes(unsigned char *to, size_t place, size_t n)
{
        for (size_t i = 0; i < n; i++)
                to[i] = byte_at(place + i);
}

static bool are_bytes(const void *data, size_t place, size_t n)
{
        const unsigned char *bytes = data;

        for (size_t i = 0; i < n; i++)
                if (bytes[i] != byte_at(place + i))
                        return false;
        return true;
}

/* Both ends with the library */

enum { TOTAL = 700000 };

static int sends_all(void *arg, auv_value *ret)
{
        auv_stream_writer *writer = arg;
        unsigned char piece[9000];
        size_t sent = 0;

        while (sent < TOTAL) {
                size_t n = 1 + (size_t)rand() % sizeof(piece);

                if (n > TOTAL - sent)
                        n = TOTAL - sent;
                write_bytes(piece, sent, n);
                AUV_TRY(auv_stream_write(writer, piece, n));
                sent += n;
                AUV_TRY(auv_await_stream_drain(writer));
        }
        return auv_stream_write_eof(writer);
}

static int receives_all(auv_stream_reader *reader)
{
        size_t received = 0, size;
        const char *data;

        for (;;) {
                AUV_TRY(auv_await_stream_read(reader, 1 + (size_t)rand() % 20000, &data, &size));
                if (size == 0)
                        break;
                cr_assert(are_bytes(data, received, size));
                received += size;
        }
        cr_assert(eq(sz, received, TOTAL));
        return 0;
}

static int talks(auv_stream_reader *reader, auv_stream_writer *writer)
{
        AUV_AUTO auv_task *sender = auv_create_task(sends_all, writer, 0);

        AUV_TRY(receives_all(reader));
        AUV_TRY(auv_await(sender, NULL));
        auv_stream_close(writer);
        return auv_await_stream_wait_closed(writer);
}

static int talks_by_tcp(void *arg, auv_value *ret)
{
        AUV_AUTO auv_stream_reader *reader = NULL;
        AUV_AUTO auv_stream_writer *writer = NULL;

        AUV_TRY(auv_await_open_connection("127.0.0.1", port, NULL, &reader, &writer));
        return talks(reader, writer);
}

IN_BOTH_FORMS(stream, loses_nothing_and_has_nothing_twice)
{
        srand(1);
        start_server(echoes, NULL);
        for (int i = 0; i < 3; i++)
                cr_assert(eq(int, loop_run(talks_by_tcp, NULL, NULL), 0));
        stop_server();
        cr_assert_trace("end end end");
}

static int talks_by_unix(void *arg, auv_value *ret)
{
        AUV_AUTO auv_stream_reader *reader = NULL;
        AUV_AUTO auv_stream_writer *writer = NULL;
        AUV_AUTO auv_server *at_path = NULL;
        char path[64];

        snprintf(path, sizeof(path), "@test-stream-%d", getpid());
        AUV_TRY(serving_start_unix(echoes, path, &at_path));
        AUV_TRY(auv_await_open_unix_connection(path, NULL, &reader, &writer));
        AUV_TRY(talks(reader, writer));
        auv_server_close(at_path);
        return auv_await_server_wait_closed(at_path);
}

IN_BOTH_FORMS(stream, goes_through_unix_sockets_as_well)
{
        srand(2);
        cr_assert(eq(int, loop_run(talks_by_unix, NULL, NULL), 0));
        cr_assert_trace("end");
}

static int talks_by_ipv6(void *arg, auv_value *ret)
{
        AUV_AUTO auv_stream_reader *reader = NULL;
        AUV_AUTO auv_stream_writer *writer = NULL;
        AUV_AUTO auv_server *of_ipv6 = NULL;

        AUV_TRY(serving_start(echoes, "::1", NULL, &of_ipv6));
        AUV_TRY(auv_await_open_connection("::1", serving_port(of_ipv6), NULL, &reader, &writer));
        AUV_TRY(talks(reader, writer));
        auv_server_close(of_ipv6);
        return auv_await_server_wait_closed(of_ipv6);
}

IN_BOTH_FORMS(stream, goes_over_ipv6_as_well)
{
        int r;

        srand(3);
        r = loop_run(talks_by_ipv6, NULL, NULL);
        if (r == AUV_EADDRNOTAVAIL)
                cr_skip_test("there is no IPv6 here");
        cr_assert(eq(int, r, 0));
        cr_assert_trace("end");
}

static int overruns(void *arg, auv_value *ret)
{
        AUV_AUTO auv_stream_reader *reader = NULL;
        AUV_AUTO auv_stream_writer *writer = NULL;
        const char *line;
        size_t size;

        AUV_TRY(auv_await_open_connection("127.0.0.1", port, AUV_CONNECTION_OPTIONS(.limit = 10), &reader,
                                          &writer));
        AUV_TRY(auv_stream_write(writer, "0123456789\n0123456789a\n", 23));
        AUV_TRY(auv_stream_write_eof(writer));
        AUV_TRY(auv_await_stream_readline(reader, &line, &size));
        cr_assert(eq(sz, size, 11));
        cr_assert(eq(int, auv_await_stream_readline(reader, &line, &size), AUV_EINVAL));
        return 0;
}

Test(stream, of_a_client_has_the_limit_of_its_options)
{
        start_server(echoes, NULL);
        cr_assert(eq(int, loop_run(overruns, NULL, NULL), 0));
        stop_server();
}

IN_BOTH_FORMS(stream, of_a_server_has_the_limit_of_its_options)
{
        int peer;

        start_server(echoes_lines, AUV_SERVER_OPTIONS(.limit = 10));
        peer = far_connect(port);
        far_send(peer, "0123456789\n0123456789a\n", 23);
        cr_assert(far_receive(peer, (char[11]) { 0 }, 11));
        cr_assert(far_sees_end(peer));
        close(peer);
        stop_server();
        cr_assert_text(reports_take()->message, "Unhandled exception in client_connected_cb");
}

/* What happens to a connection of a server */

IN_BOTH_FORMS(stream, comes_a_byte_at_a_time)
{
        const char text[] = "one\ntwo\n\nthree\n";
        char answer[sizeof(text)] = "";
        int peer;

        start_server(echoes_lines, NULL);
        peer = far_connect(port);
        for (size_t i = 0; i < sizeof(text) - 1; i++)
                far_send(peer, text + i, 1);
        cr_assert(far_receive(peer, answer, sizeof(text) - 1));
        cr_assert_text(answer, text);
        shutdown(peer, SHUT_WR);
        cr_assert(far_sees_end(peer));
        close(peer);
        stop_server();
}

IN_BOTH_FORMS(stream, is_closed_when_its_task_returns)
{
        int peer;

        start_server(returns_at_once, NULL);
        peer = far_connect(port);
        cr_assert(far_receive(peer, (char[3]) { 0 }, 3));
        cr_assert(far_sees_end(peer));
        close(peer);
        stop_server();
}

IN_BOTH_FORMS(stream, stays_open_when_its_writer_is_held)
{
        int peer;

        start_server(keeps_the_writer, NULL);
        peer = far_connect(port);
        turns(10);
        cr_assert(not(auv_stream_is_closing(serving_kept)));
        cr_assert(eq(int, auv_stream_write(serving_kept, "still", 5), 0));
        cr_assert(far_receive(peer, (char[5]) { 0 }, 5));
        serving_kept = auv_unref(serving_kept);
        cr_assert(far_sees_end(peer));
        close(peer);
        stop_server();
}

IN_BOTH_FORMS(stream, is_closed_and_reported_when_its_task_fails)
{
        const struct report *report;
        int peer;

        start_server(fails, NULL);
        peer = far_connect(port);
        cr_assert(far_sees_end(peer));
        cr_assert(auv_stream_is_closing(serving_kept));
        serving_kept = auv_unref(serving_kept);
        report = reports_take();
        cr_assert_text(report->message, "Unhandled exception in client_connected_cb");
        cr_assert(eq(int, report->code, AUV_EUSER));
        cr_assert_text(report->error_message, "no service");
        close(peer);
        stop_server();
}

IN_BOTH_FORMS(stream, is_closed_and_not_reported_when_its_task_is_cancelled)
{
        int peer;

        start_server(waits_to_be_cancelled, NULL);
        peer = far_connect(port);
        while (!serving_task)
                loop_turn();
        auv_task_cancel(serving_task, NULL);
        cr_assert(far_sees_end(peer));
        cr_assert(auv_stream_is_closing(serving_kept));
        serving_kept = auv_unref(serving_kept);
        serving_task = auv_unref(serving_task);
        close(peer);
        stop_server();
}

/* Cancels the task of a connection before it has begun. */
static auv_task *makes_and_cancels(auv_loop *on, auv_coro_fn fn, const void *arg, size_t size,
                                   const auv_task_options *options, void *user)
{
        auv_task *task = auv_task_new(on, fn, arg, size, options);

        auv_task_cancel(task, NULL);
        return task;
}

IN_BOTH_FORMS(stream, is_closed_when_its_task_never_begins)
{
        int peer;

        start_server(fails, NULL);
        auv_loop_set_task_factory(loop, makes_and_cancels, NULL);
        peer = far_connect(port);
        cr_assert(far_sees_end(peer));
        auv_loop_set_task_factory(loop, NULL, NULL);
        close(peer);
        stop_server();
}

IN_BOTH_FORMS(stream, may_be_served_by_an_eager_task)
{
        int peer;

        start_server(returns_at_once, NULL);
        auv_loop_set_task_factory(loop, auv_eager_task_factory, NULL);
        peer = far_connect(port);
        cr_assert(far_receive(peer, (char[3]) { 0 }, 3));
        cr_assert(far_sees_end(peer));
        auv_loop_set_task_factory(loop, NULL, NULL);
        close(peer);
        stop_server();
}

IN_BOTH_FORMS(stream, is_waited_for_by_its_server)
{
        auv_task *stop;
        int peer;

        start_server(echoes, NULL);
        peer = far_connect(port);
        far_send(peer, "a", 1);
        cr_assert(far_receive(peer, (char[1]) { 0 }, 1));
        stop = auv_loop_create_task(loop, stops, NULL, 0, NULL);
        turns(10);
        cr_assert(not(auv_future_done(stop)));
        auv_server_close_clients(server);
        cr_assert(eq(int, far_finish(stop), 0));
        cr_assert(far_sees_end(peer));
        close(peer);
        server = auv_unref(server);
        turns(2);
        cr_assert_trace("end");
}

/* Peers that reset */

IN_BOTH_FORMS(stream, survives_a_reset_at_every_step)
{
        char *data = calloc(1, 300000);

        start_server(echoes, NULL);
        for (int step = 0; step < 8; step++) {
                int peer = far_connect(port);

                turns(step); /* before it is accepted, made, served, read from */
                if (step >= 4)
                        far_send(peer, "abc", 3);
                if (step == 5)
                        cr_assert(far_receive(peer, data, 3));
                if (step == 6) /* with much on its way that nobody reads */
                        cr_assert(send(peer, data, 300000, MSG_NOSIGNAL) > 0);
                if (step == 7)
                        shutdown(peer, SHUT_WR);
                turns(step == 6 ? 5 : 0);
                far_reset(peer);
                turns(20);
        }
        stop_server();
        free(data);
        cr_assert(strstr(trace_text(), "ECONNRESET") != NULL);
}

IN_BOTH_FORMS(stream, keeps_within_the_water_mark_until_the_peer_is_gone)
{
        int peer;

        start_server(writes_without_end, NULL);
        peer = far_connect(port);
        turns(300);
        cr_assert_trace("");
        far_reset(peer);
        stop_server();
        cr_assert(strcmp(trace_text(), "ECONNRESET") == 0 || strcmp(trace_text(), "EPIPE") == 0);
}

/* A frame of its own for each connection, with what the server was started with. */
struct counting {
        auv_stream_frame frame;
        char digit;
};

static int counts_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct counting, self);
        self->digit++;
        AUV_CHECK(auv_stream_write(self->frame.writer, &self->digit, 1));
        AUV_END;
}

static int starts_counting(void *arg, auv_value *ret)
{
        struct counting counting = { .digit = '7' };

        AUV_TRY(auv_await_start_server(NULL, &counting, "127.0.0.1", 0,
                                       AUV_SERVER_OPTIONS(.stackless = counts_without_stack,
                                                          .frame_size = sizeof(counting)), &server));
        counting.digit = 'x';
        port = serving_port(server);
        return 0;
}

Test(stream, is_served_with_a_copy_of_the_frame)
{
        char digit;

        cr_assert(eq(int, loop_run(starts_counting, NULL, NULL), 0));
        for (int i = 0; i < 3; i++) {
                int peer = far_connect(port);

                cr_assert(far_receive(peer, &digit, 1));
                cr_assert(eq(chr, digit, '8'));
                cr_assert(far_sees_end(peer));
                close(peer);
        }
        stop_server();
}

/* Between the moment in which it is accepted and that in which its task begins, too. */
IN_BOTH_FORMS(stream, is_served_though_its_server_is_closed_in_any_turn)
{
        for (int when = 0; when < 6; when++) {
                char data[3] = "";
                int peer;

                start_server(returns_at_once, NULL);
                peer = far_connect(port);
                turns(when);
                auv_server_close(server);
                if (far_receive(peer, data, 3))
                        cr_assert(zero(int, memcmp(data, "bye", 3)));
                else
                        cr_assert(eq(int, when, 0)); /* not accepted any more */
                close(peer);
                stop_server();
        }
}

/* A reader whose task does something else: what comes in stays within twice the limit and one read. */
IN_BOTH_FORMS(stream, does_not_read_what_nobody_takes)
{
        static char data[1 << 20];
        long live;
        ssize_t n, sent = 0;
        int peer;

        start_server(keeps_the_writer, AUV_SERVER_OPTIONS(.limit = 1000));
        peer = far_connect(port);
        turns(10);
        live = failing_allocator_live();
        for (int i = 0; i < 200; i++) {
                n = send(peer, data, sizeof(data), MSG_NOSIGNAL);
                sent += n > 0 ? n : 0;
                loop_turn();
        }
        cr_assert(gt(long, sent, 100000));
        cr_assert(le(long, failing_allocator_live(), live + 1));
        cr_assert(not(auv_transport_is_reading(auv_stream_transport(serving_kept))));
        serving_kept = auv_unref(serving_kept);
        close(peer);
        turns(5);
        stop_server();
}

/* Clients */

struct open {
        int at;
        const auv_connection_options *options;
        auv_stream_reader **reader;
        auv_stream_writer **writer;
};

static int opens(void *arg, auv_value *ret)
{
        const struct open *open = arg;
        AUV_AUTO auv_stream_reader *reader = NULL;
        AUV_AUTO auv_stream_writer *writer = NULL;

        AUV_TRY(auv_await_open_connection(open->at ? "127.0.0.1" : NULL, open->at, open->options,
                                          open->reader ? open->reader : &reader,
                                          open->writer ? open->writer : &writer));
        cr_assert(reader && writer);
        trace("open");
        return 0;
}

Test(stream, that_is_refused_is_none)
{
        auv_stream_reader *reader = NULL;
        auv_stream_writer *writer = NULL;
        int listening = far_listen(&port);
        struct open open = { .at = port, .reader = &reader, .writer = &writer };

        close(listening);
        cr_assert(eq(int, loop_run(opens, &open, NULL), AUV_ECONNREFUSED));
        cr_assert(reader == NULL && writer == NULL);
}

/* With a body without a stack. */
static int start_odd(auv_client_connected_fn fn, void *arg, size_t frame_size)
{
        return auv_await_start_server(fn, arg, "127.0.0.1", 0,
                                      AUV_SERVER_OPTIONS(.stackless = counts_without_stack,
                                                         .frame_size = frame_size), &server);
}

static int opens_nowhere(void *arg, auv_value *ret)
{
        auv_stream_reader *reader;
        auv_stream_writer *writer;
        auv_stream_frame frame = { .reader = NULL };
        int pair[2], r;

        cr_assert(eq(int, auv_await_open_connection("127.0.0.1", port, NULL, NULL, &writer), AUV_EINVAL));
        cr_assert(eq(int, auv_await_open_connection("127.0.0.1", port, NULL, &reader, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_await_open_unix_connection("@x", NULL, NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_await_open_unix_connection(NULL, NULL, &reader, &writer), AUV_EINVAL));
        cr_assert(eq(int, auv_await_open_connection("127.0.0.1", -1, NULL, &reader, &writer), AUV_EINVAL));
        cr_assert(eq(int, auv_await_start_server(NULL, NULL, "127.0.0.1", 0, NULL, &server), AUV_EINVAL));
        cr_assert(eq(int, auv_await_start_server(echoes.fn, NULL, "127.0.0.1", 0, NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_await_start_unix_server(NULL, NULL, "@x", NULL, &server), AUV_EINVAL));
        cr_assert(eq(int, start_odd(echoes.fn, &frame, sizeof(frame)), AUV_EINVAL));
        cr_assert(eq(int, start_odd(NULL, NULL, sizeof(frame)), AUV_EINVAL));
        cr_assert(eq(int, start_odd(NULL, &frame, sizeof(frame) - 1), AUV_EINVAL));
        cr_assert(eq(int, start_odd(NULL, &frame, SIZE_MAX), AUV_ENOMEM));
        /* A socket is taken over also where the call fails. */
        cr_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
        r = auv_await_open_connection(NULL, 0, AUV_CONNECTION_OPTIONS(.use_sock = true, .sock = pair[0]),
                                      NULL, NULL);
        cr_assert(eq(int, r, AUV_EINVAL));
        close(pair[1]);
        return 0;
}

Test(stream, says_what_is_missing_to_open_it)
{
        cr_assert(eq(int, loop_run(opens_nowhere, NULL, NULL), 0));
        cr_assert(eq(int, auv_await_open_connection("127.0.0.1", 1, NULL, NULL, NULL), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_start_server(echoes.fn, NULL, NULL, 1, NULL, &server), AUV_ENOTASK));
}

Test(stream, may_be_opened_on_a_socket_of_the_programs_own)
{
        int near, peer = far_pair(&near);

        cr_assert(eq(int, loop_run(opens, &(struct open) {
                .options = AUV_CONNECTION_OPTIONS(.use_sock = true, .sock = near) }, NULL), 0));
        cr_assert(far_sees_end(peer));
        close(peer);
}

/* Whatever was opened by then is closed again; the fixture counts. */
IN_BOTH_FORMS(stream, can_be_cancelled_while_it_opens)
{
        start_server(echoes, NULL);
        for (int when = 0; when < 12; when++) {
                struct open open = { .at = port };
                auv_task *task = auv_loop_create_task(loop, opens, &open, sizeof(open), NULL);

                turns(when);
                auv_task_cancel(task, NULL);
                far_finish(task);
                turns(5);
        }
        stop_server();
        cr_assert(strstr(trace_text(), "open") != NULL);
}

static int starts_and_leaves(void *arg, auv_value *ret)
{
        AUV_AUTO auv_server *started = NULL;

        AUV_TRY(serving_start(echoes, "127.0.0.1", NULL, &started));
        auv_server_close(started);
        return 0;
}

IN_BOTH_FORMS(stream, can_be_cancelled_while_its_server_starts)
{
        for (int when = 0; when < 8; when++) {
                auv_task *task = auv_loop_create_task(loop, starts_and_leaves, NULL, 0, NULL);

                turns(when);
                auv_task_cancel(task, NULL);
                far_finish(task);
                turns(3);
        }
}

/* A peer that listens and never accepts: the connection is made, nothing comes. */
static int reads_for_a_moment(void *arg, auv_value *ret)
{
        AUV_AUTO auv_stream_reader *reader = NULL;
        AUV_AUTO auv_stream_writer *writer = NULL;
        AUV_AUTO auv_timeout *limit = auv_timeout_new(1e-3);
        const char *data;
        size_t size;
        int r;

        AUV_TRY(auv_await_open_connection("127.0.0.1", port, NULL, &reader, &writer));
        AUV_TRY(auv_timeout_enter(limit));
        r = auv_timeout_exit(limit, auv_await_stream_read(reader, 1, &data, &size));
        cr_assert(eq(int, r, AUV_ETIMEDOUT));
        cr_assert(not(auv_stream_is_closing(writer)));
        return 0;
}

Test(stream, can_be_read_with_a_timeout)
{
        const int listening = far_listen(&port);

        auv_unref(loop); /* a virtual clock stands still as long as there is I/O to wait for */
        loop = loop_new_monotonic();
        cr_assert(eq(int, loop_run(reads_for_a_moment, NULL, NULL), 0));
        turns(3);
        close(listening);
}

static int starts_with_older_options(void *arg, auv_value *ret)
{
        auv_server_options options = { .size = offsetof(auv_server_options, stackless),
                                       .limit = 10,
                                       .stackless = counts_without_stack };

        return auv_await_start_server(echoes_lines.fn, NULL, "127.0.0.1", 0, &options, &server);
}

Test(stream, is_served_with_the_options_that_the_program_knew)
{
        cr_assert(eq(int, loop_run(starts_with_older_options, NULL, NULL), 0));
        stop_server();
}

/* The end of the loop, and no memory */

IN_BOTH_FORMS(stream, goes_with_its_loop)
{
        int peers[3];

        start_server(echoes, NULL);
        for (int i = 0; i < 3; i++) {
                peers[i] = far_connect(port);
                far_send(peers[i], "a", 1);
        }
        turns(5);
        server = auv_unref(server);
        auv_loop_close(loop);
        cr_assert(eq(int, reports_drop(), 3));
        cr_assert_trace("ECLOSED ECLOSED ECLOSED");
        for (int i = 0; i < 3; i++)
                close(peers[i]);
}

/* A client and a server that exchange a line, on a loop of their own. */
static int exchanges(void *arg, auv_value *ret)
{
        AUV_AUTO auv_server *line_server = NULL;
        AUV_AUTO auv_stream_reader *reader = NULL;
        AUV_AUTO auv_stream_writer *writer = NULL;
        const char *line;
        size_t size;

        AUV_TRY(serving_start(echoes_lines, "127.0.0.1", NULL, &line_server));
        AUV_TRY(auv_await_open_connection("127.0.0.1", serving_port(line_server), NULL, &reader, &writer));
        AUV_TRY(auv_stream_write(writer, "line\n", 5));
        AUV_TRY(auv_await_stream_drain(writer));
        AUV_TRY(auv_await_stream_readline(reader, &line, &size));
        cr_assert(size == 5 || size == 0); /* the server may have had no memory for the connection */
        auv_stream_close(writer);
        auv_server_close(line_server);
        AUV_TRY(auv_await_stream_wait_closed(writer));
        return auv_await_server_wait_closed(line_server);
}

static void exchange(void)
{
        AUV_AUTO auv_loop *own = NULL;
        AUV_AUTO auv_task *task = NULL;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_MONOTONIC), &own) < 0)
                return;
        reports_record(own);
        task = auv_loop_create_task(own, exchanges, NULL, 0, NULL);
        if (task)
                auv_loop_run_until_complete(own, task, NULL);
        auv_unref_at(&task);
        auv_loop_close(own);
        reports_drop();
        auv_error_clear();
}

IN_BOTH_FORMS(stream, leaves_nothing_behind_without_memory)
{
        const int before = descriptors_open();

        cr_assert(gt(long, failing_allocator_sweep(exchange), 15));
        cr_assert(eq(int, descriptors_open(), before));
}

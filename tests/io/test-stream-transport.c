/* SPDX-License-Identifier: MIT */
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/recorder.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A recorder and its transport, and the other end of the connection; each test begins with them. */
static struct recorder recorder;
static auv_transport *transport;
static int peer;

static void setup(void)
{
        loop_setup();
        transport = recorder_connect(&recorder, &peer);
}

static void peer_leaves(void)
{
        if (peer >= 0)
                close(peer);
        peer = -1;
}

static void teardown(void)
{
        peer_leaves();
        transport = auv_unref(transport);
        loop_teardown();
}

TestSuite(stream_transport, .init = setup, .fini = teardown);

enum { MUCH = 8 * 1024 * 1024 }; /* more than any buffer of the system's holds */

static char *much(void)
{
        static char data[MUCH];

        for (size_t i = 0; i < MUCH && !data[MUCH - 1]; i++)
                data[i] = (char)(i * 2654435761u >> 24);
        return data;
}

Test(stream_transport, receives_and_sends)
{
        cr_assert(transport == recorder.transport);
        peer_send(peer, "ping");
        loop_turn();
        cr_assert(eq(int, auv_transport_write(transport, "pong", 4), 0));
        cr_assert_trace("made data(ping)");
        cr_assert(eq(str, peer_text(peer), "pong"));
        peer_leaves();
        recorder_until_lost(&recorder);
        cr_assert_trace("made data(ping) eof lost released");
}

Test(stream_transport, sends_all_that_was_written_before_it_closes)
{
        uint64_t sum = 0;
        long total = 0;

        cr_assert(eq(int, auv_transport_write(transport, much(), MUCH), 0));
        auv_transport_close(transport);
        auv_transport_close(transport);
        cr_assert(auv_transport_is_closing(transport));
        loop_turn();
        cr_assert_trace("made pause");
        while (recorder.transport) {
                total += peer_drain(peer, &sum);
                loop_turn();
        }
        total += peer_drain(peer, &sum);
        cr_assert(eq(long, total, MUCH));
        cr_assert(eq(u64, sum, recorder_sum(0, much(), MUCH)));
        cr_assert(eq(long, peer_drain(peer, NULL), -1));
        cr_assert_trace("made pause resume lost released");
}

Test(stream_transport, still_sends_what_is_written_while_it_closes)
{
        long total = 0;

        auv_transport_write(transport, much(), MUCH);
        auv_transport_close(transport);
        cr_assert(eq(int, auv_transport_write(transport, "more", 4), 0));
        while (recorder.transport) {
                total += peer_drain(peer, NULL);
                loop_turn();
        }
        cr_assert(eq(long, total + peer_drain(peer, NULL), MUCH + 4));
}

Test(stream_transport, drops_what_was_not_sent_when_it_is_aborted)
{
        auv_transport_write(transport, much(), MUCH);
        cr_assert(gt(sz, auv_transport_get_write_buffer_size(transport), 0));
        auv_transport_abort(transport);
        auv_transport_abort(transport);
        cr_assert(eq(sz, auv_transport_get_write_buffer_size(transport), 0));
        cr_assert_trace("made pause");
        loop_turn();
        cr_assert_trace("made pause lost released");
        cr_assert(lt(long, peer_drain(peer, NULL), MUCH));
}

Test(stream_transport, can_be_aborted_while_it_closes)
{
        auv_transport_write(transport, much(), MUCH);
        auv_transport_close(transport);
        loop_turn();
        auv_transport_abort(transport);
        loop_turn();
        cr_assert_trace("made pause lost released");
}

Test(stream_transport, pauses_its_writer_above_the_high_mark_and_resumes_it_at_the_low_one)
{
        size_t low, high, size;

        cr_assert(eq(int, auv_transport_get_write_buffer_limits(transport, &low, &high), 0));
        cr_assert(eq(sz, high, 64 * 1024));
        cr_assert(eq(sz, low, 16 * 1024));
        /* fills what the system holds, and a little of the transport's */
        while (auv_transport_get_write_buffer_size(transport) == 0)
                auv_transport_write(transport, much(), 1000);
        size = auv_transport_get_write_buffer_size(transport);
        auv_transport_write(transport, much(), high - size);
        cr_assert(eq(sz, auv_transport_get_write_buffer_size(transport), high));
        cr_assert_trace("made");
        auv_transport_write(transport, "x", 1);
        cr_assert_trace("made pause");
        auv_transport_write(transport, "x", 1);
        cr_assert_trace("made pause");
        while (auv_transport_get_write_buffer_size(transport) > low) {
                char byte[4096];

                cr_assert_trace("made pause");
                (void)!read(peer, byte, sizeof(byte));
                loop_turn();
        }
        cr_assert_trace("made pause resume");
        peer_leaves();
        recorder_until_lost(&recorder);
}

Test(stream_transport, keeps_to_the_water_marks_that_are_set)
{
        size_t low = 0, high = 0;

        cr_assert(eq(int, auv_transport_set_write_buffer_limits(transport, 100, AUV_DEFAULT_LIMIT), 0));
        auv_transport_get_write_buffer_limits(transport, &low, &high);
        cr_assert(low == 25 && high == 100);
        cr_assert(eq(int, auv_transport_set_write_buffer_limits(transport, AUV_DEFAULT_LIMIT, 100), 0));
        auv_transport_get_write_buffer_limits(transport, &low, &high);
        cr_assert(low == 100 && high == 400);
        cr_assert(eq(int,
                     auv_transport_set_write_buffer_limits(transport, AUV_DEFAULT_LIMIT, AUV_DEFAULT_LIMIT),
                     0));
        auv_transport_get_write_buffer_limits(transport, &low, &high);
        cr_assert(low == 16384 && high == 65536);
        cr_assert(eq(int, auv_transport_set_write_buffer_limits(transport, 10, 11), AUV_EINVAL));
        cr_assert(eq(int, auv_transport_set_write_buffer_limits(transport, 10, 10), 0));
        cr_assert(eq(int, auv_transport_set_write_buffer_limits(transport, SIZE_MAX - 1, 0), 0));
        while (auv_transport_get_write_buffer_size(transport) == 0)
                auv_transport_write(transport, much(), 1000);
        cr_assert_trace("made");
        auv_transport_set_write_buffer_limits(transport, 0, AUV_DEFAULT_LIMIT);
        cr_assert_trace("made pause");
        while (auv_transport_get_write_buffer_size(transport) > 0) {
                peer_drain(peer, NULL);
                loop_turn();
        }
        cr_assert_trace("made pause resume");
        auv_transport_abort(transport);
        loop_turn();
}

Test(stream_transport, sends_its_end_behind_what_was_written_and_still_receives)
{
        long total = 0, n;

        cr_assert(auv_transport_can_write_eof(transport));
        auv_transport_write(transport, much(), MUCH);
        cr_assert(eq(int, auv_transport_write_eof(transport), 0));
        cr_assert(eq(int, auv_transport_write_eof(transport), 0));
        cr_assert(eq(int, auv_transport_write(transport, "x", 1), AUV_ERUNTIME));
        cr_assert(eq(int, auv_transport_writelines(transport, &(auv_buffer) { "x", 1 }, 1), AUV_ERUNTIME));
        while ((n = peer_drain(peer, NULL)) >= 0) {
                total += n;
                loop_turn();
        }
        cr_assert(eq(long, total, MUCH));
        peer_send(peer, "answer");
        loop_turn();
        cr_assert_trace("made pause resume data(answer)");
        peer_leaves();
        recorder_until_lost(&recorder);
        cr_assert_trace("made pause resume data(answer) eof lost released");
}

/* A connection by TCP, for a Unix socket can always be shut down. */
static int tcp_pair(int *ret_near)
{
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
        const int listener = socket(AF_INET, SOCK_STREAM, 0);
        socklen_t size = sizeof(address);
        int end;

        *ret_near = socket(AF_INET, SOCK_STREAM, 0);
        if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 1) < 0
            || getsockname(listener, (struct sockaddr *)&address, &size) < 0
            || connect(*ret_near, (struct sockaddr *)&address, size) < 0)
                abort();
        end = accept(listener, NULL, NULL);
        close(listener);
        return end;
}

Test(stream_transport, says_that_it_has_no_end_to_send_where_the_connection_was_reset)
{
        const struct linger at_once = { .l_onoff = 1 };
        struct recorder other = { .name = "tcp" };
        AUV_AUTO auv_task *task = NULL;
        int near, far = tcp_pair(&near);

        task = recorder_start(loop, &other, near);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        setsockopt(far, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(far);
        /* not before the reset has come */
        poll(&(struct pollfd) { .fd = near }, 1, /* timeout= */ -1);
        cr_assert(eq(int, auv_transport_write_eof(other.transport), AUV_ENOTCONN));
        recorder_until_lost(&other);
        cr_assert_trace("made tcp:made tcp:lost(ECONNRESET) tcp:released");
}

Test(stream_transport, stays_half_open_where_its_protocol_wants_it)
{
        recorder.keeps_open = true;
        shutdown(peer, SHUT_WR);
        loop_turns(3);
        trace_clear();
        cr_assert(eq(int, auv_transport_is_closing(transport), 0));
        auv_transport_write(transport, "more", 4);
        cr_assert(eq(str, peer_text(peer), "more"));
        loop_turn();
        cr_assert_trace("");
        auv_transport_close(transport);
        loop_turn();
        cr_assert_trace("lost released");
}

Test(stream_transport, tells_of_a_peer_that_resets_the_connection)
{
        /* A Unix socket that is closed with unread data resets. */
        auv_transport_write(transport, "unread", 6);
        peer_leaves();
        recorder_until_lost(&recorder);
        cr_assert_trace("made lost(ECONNRESET) released");
}

Test(stream_transport, writes_to_a_peer_that_is_gone_without_a_signal)
{
        peer_leaves();
        cr_assert(eq(int, auv_transport_write(transport, "x", 1), 0));
        cr_assert(auv_transport_is_closing(transport));
        cr_assert_trace("made");
        loop_turn();
        cr_assert_trace("made lost(EPIPE) released");
}

Test(stream_transport, writes_many_lines_to_a_peer_that_is_gone)
{
        auv_buffer buffers[100];

        for (int i = 0; i < 100; i++)
                buffers[i] = (auv_buffer) { "x", 1 };
        peer_leaves();
        cr_assert(eq(int, auv_transport_writelines(transport, buffers, 100), 0));
        loop_turn();
        cr_assert_trace("made lost(EPIPE) released");
}

Test(stream_transport, finds_a_peer_gone_that_it_does_not_read_from)
{
        auv_transport_pause_reading(transport);
        auv_transport_write(transport, much(), MUCH);
        peer_leaves();
        recorder_until_lost(&recorder);
        cr_assert_has(trace_text(), "made pause lost(E");
}

Test(stream_transport, drops_writes_to_a_lost_connection_and_warns_from_the_fifth)
{
        auv_transport_abort(transport);
        for (int i = 1; i <= 4; i++)
                cr_assert(eq(int, auv_transport_write(transport, "x", 1), 0));
        loop_turn();
        cr_assert(eq(int, reports_pending(), 0));
        cr_assert(eq(int, auv_transport_write(transport, "x", 1), 0));
        cr_assert(eq(int, reports_pending(), 1));
        cr_assert(eq(int, auv_transport_writelines(transport, &(auv_buffer) { "x", 1 }, 1), 0));
        cr_assert(eq(int, reports_drop(), 2));
}

Test(stream_transport, writes_lines_in_their_order)
{
        const auv_buffer buffers[] = { { "a", 1 }, { NULL, 0 }, { "bcd", 3 }, { "", 0 }, { "e", 1 } };

        cr_assert(eq(int, auv_transport_writelines(transport, buffers, 5), 0));
        cr_assert(eq(int, auv_transport_writelines(transport, buffers, 0), 0));
        cr_assert(eq(int, auv_transport_writelines(transport, NULL, 0), 0));
        cr_assert(eq(str, peer_text(peer), "abcde"));
        peer_leaves();
        recorder_until_lost(&recorder);
}

Test(stream_transport, writes_more_lines_than_the_system_takes_at_once)
{
        enum { N = 5000, SIZE = 1000 };

        static auv_buffer buffers[N];
        uint64_t sum = 0;
        long total = 0;

        for (int i = 0; i < N; i++)
                buffers[i] = (auv_buffer) { much() + i * SIZE, SIZE };
        cr_assert(eq(int, auv_transport_writelines(transport, buffers, N), 0));
        auv_transport_close(transport);
        while (recorder.transport) {
                total += peer_drain(peer, &sum);
                loop_turn();
        }
        total += peer_drain(peer, &sum);
        cr_assert(eq(long, total, N * SIZE));
        cr_assert(eq(u64, sum, recorder_sum(0, much(), N * SIZE)));
}

Test(stream_transport, without_memory_for_what_waits_to_be_sent_is_lost)
{
        failing_allocator_arm(1);
        cr_assert(eq(int, auv_transport_write(transport, much(), MUCH), AUV_ENOMEM));
        failing_allocator_disarm();
        cr_assert(eq(int, reports_take()->code, AUV_ENOMEM));
        loop_turn();
        cr_assert_trace("made lost(ENOMEM) released");
}

/* Buffered protocols, which are others than the one that each test above begins with */

TestSuite(buffered_protocol, .init = loop_setup, .fini = loop_teardown);

Test(buffered_protocol, has_its_buffer_filled)
{
        struct recorder recorder = { .takes_buffer = true, .room = 4 };
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);

        peer_send(peer, "abcdef");
        loop_turns(2);
        cr_assert_trace("made data(abcd) | data(ef) |");
        close(peer);
        recorder_until_lost(&recorder);
        cr_assert_trace("made data(abcd) | data(ef) | eof lost released");
}

Test(buffered_protocol, loses_its_connection_where_it_has_no_room)
{
        struct recorder recorder = { .takes_buffer = true, .room = 0 };
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);

        peer_send(peer, "abcdef");
        loop_turn();
        cr_assert_trace("made lost(ERUNTIME) released");
        cr_assert_has(reports_take()->message, "get_buffer() call failed");
        close(peer);
}

Test(buffered_protocol, loses_its_connection_where_it_has_no_memory)
{
        struct recorder recorder = { .takes_buffer = true, .room = SIZE_MAX };
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);

        peer_send(peer, "abcdef");
        loop_turn();
        cr_assert_trace("made lost(ENOMEM) released");
        cr_assert(eq(int, reports_take()->code, AUV_ENOMEM));
        close(peer);
}

static void give_way(struct recorder *asked)
{
        static struct recorder successor = { .name = "b" };
        const auv_protocol protocol = recorder_protocol(&successor);

        successor.transport = asked->transport;
        cr_assert(eq(int, auv_transport_set_protocol(asked->transport, &protocol), 0));
        asked->transport = NULL;
}

Test(buffered_protocol, may_give_way_to_another_when_it_is_asked_for_a_buffer)
{
        struct recorder recorder = {
                .name = "a", .takes_buffer = true, .room = 4, .on_get_buffer = give_way };
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);

        peer_send(peer, "abcdef");
        loop_turns(2);
        cr_assert_trace("a:made a:released | b:data(abcdef) |");
        auv_transport_close(transport);
        loop_turn();
        cr_assert_trace("a:made a:released | b:data(abcdef) | b:lost b:released");
        close(peer);
}

static void raise_an_error(struct recorder *asked)
{
        auv_raise(AUV_EUSER, "that does not matter for receiving");
}

/* It goes when data have come in; the fixture counts. */
Test(buffered_protocol, may_raise_an_error_and_still_have_room)
{
        struct recorder recorder = { .takes_buffer = true, .room = 4, .on_get_buffer = raise_an_error };
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);

        peer_send(peer, "abcdef");
        loop_turns(2);
        cr_assert_trace("made data(abcd) | data(ef) |");
        cr_assert(auv_error_current() == NULL);
        close(peer);
        recorder_until_lost(&recorder);
}

static void abort_it(struct recorder *asked)
{
        auv_transport_abort(asked->transport);
        trace("aborted");
}

Test(buffered_protocol, may_abort_when_it_is_asked_for_a_buffer)
{
        struct recorder recorder = { .takes_buffer = true, .room = 4, .on_get_buffer = abort_it };
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);

        peer_send(peer, "abcdef");
        loop_turn();
        cr_assert_trace("made aborted lost released");
        close(peer);
}

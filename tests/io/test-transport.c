/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/recorder.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

TestSuite(transport, .init = loop_setup, .fini = loop_teardown);

enum { MUCH = 8 * 1024 * 1024 }; /* more than any buffer of the system's holds */

static char much[MUCH];

static int connect_waiting_socket(void *arg, auv_value *ret)
{
        struct recorder *recorder = arg;
        int pair[2];

        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        peer_send(pair[1], "early");
        close(pair[1]);
        AUV_TRY(auv_await_connect_accepted_socket(recorder_factory, recorder, pair[0], NULL));
        trace("connected");
        return 0;
}

Test(transport, tells_of_the_connection_before_its_data)
{
        struct recorder recorder = { .transport = NULL };

        cr_assert(eq(int, loop_run(connect_waiting_socket, &recorder, NULL), 0));
        recorder_until_lost(&recorder);
        cr_assert_trace("made connected data(early) eof lost released");
}

Test(transport, never_tells_of_the_loss_within_close)
{
        for (int how = 0; how < 2; how++) {
                struct recorder recorder = { .transport = NULL };
                int peer;
                AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);

                (how ? auv_transport_abort : auv_transport_close)(transport);
                cr_assert_trace("made");
                loop_turn();
                cr_assert_trace("made lost released");
                auv_transport_close(transport);
                auv_transport_abort(transport);
                loop_turn();
                cr_assert_trace("made lost released");
                trace_clear();
                close(peer);
        }
}

static void close_it(struct recorder *recorder)
{
        auv_transport_close(recorder->transport);
        trace("closed");
}

static void abort_it(struct recorder *recorder)
{
        auv_transport_abort(recorder->transport);
        trace("aborted");
}

Test(transport, can_be_closed_when_it_is_made)
{
        struct recorder recorder = { .on_made = close_it };

        cr_assert(eq(int, loop_run(connect_waiting_socket, &recorder, NULL), 0));
        loop_turn();
        cr_assert_trace("made closed lost released connected");
}

Test(transport, receives_nothing_after_it_was_closed_on_data)
{
        for (int how = 0; how < 2; how++) {
                struct recorder recorder = { .on_data = how ? abort_it : close_it };
                int peer;
                AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);

                peer_send(peer, "one");
                loop_turn();
                cr_assert_trace(how ? "made data(one) aborted lost released"
                                    : "made data(one) closed lost released");
                trace_clear();
                close(peer);
        }
}

Test(transport, receives_nothing_while_it_is_paused)
{
        struct recorder recorder = { .transport = NULL };
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);

        cr_assert(auv_transport_is_reading(transport));
        auv_transport_resume_reading(transport);
        auv_transport_pause_reading(transport);
        auv_transport_pause_reading(transport);
        cr_assert(eq(int, auv_transport_is_reading(transport), 0));
        peer_send(peer, "late");
        loop_turns(3);
        cr_assert_trace("made | | |");
        auv_transport_resume_reading(transport);
        loop_turn();
        cr_assert_trace("made | | | data(late)");
        auv_transport_close(transport);
        cr_assert(eq(int, auv_transport_is_reading(transport), 0));
        auv_transport_pause_reading(transport);
        auv_transport_resume_reading(transport);
        loop_turn();
        cr_assert_trace("made | | | data(late) lost released");
        close(peer);
}

Test(transport, tells_another_protocol_from_when_it_is_set)
{
        struct recorder first = { .name = "a" }, second = { .name = "b" };
        const auv_protocol protocol = recorder_protocol(&second);
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&first, &peer);

        cr_assert(auv_transport_get_protocol(transport).user == &first);
        cr_assert(eq(int, auv_transport_set_protocol(transport, &protocol), 0));
        cr_assert(auv_transport_get_protocol(transport).user == &second);
        peer_send(peer, "x");
        loop_turn();
        auv_transport_close(transport);
        loop_turn();
        cr_assert_trace("a:made a:released b:data(x) b:lost b:released");
        cr_assert(auv_transport_get_protocol(transport).functions == NULL);
        cr_assert(eq(int, auv_transport_set_protocol(transport, &protocol), AUV_ERUNTIME));
        close(peer);
}

Test(transport, knows_its_socket)
{
        struct recorder recorder = { .transport = NULL };
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);
        auv_value value = { .i = -7 };

        cr_assert(eq(int, auv_transport_get_extra_info(transport, "socket", &value), 1));
        cr_assert(ge(int, (int)value.i, 0));
        cr_assert(eq(int, auv_transport_get_extra_info(transport, "peername", &value), 1));
        cr_assert(eq(int, ((const struct sockaddr *)value.p)->sa_family, AF_UNIX));
        value.i = -7;
        cr_assert(eq(int, auv_transport_get_extra_info(transport, "pipe", &value), 0));
        cr_assert(eq(int, auv_transport_get_extra_info(transport, "no such thing", &value), 0));
        cr_assert(eq(int, auv_transport_get_extra_info(transport, NULL, &value), 0));
        cr_assert(eq(int, (int)value.i, -7));
        cr_assert(auv_transport_get_loop(transport) == loop);
        auv_transport_close(transport);
        loop_turn();
        cr_assert(eq(int, auv_transport_get_extra_info(transport, "socket", &value), 0));
        cr_assert(eq(int, auv_transport_get_extra_info(transport, "sockname", &value), 1));
        close(peer);
}

Test(transport, refuses_what_has_no_meaning)
{
        struct recorder recorder = { .transport = NULL };
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);
        auv_protocol none = { .functions = NULL };

        auv_transport_close(NULL);
        auv_transport_abort(NULL);
        auv_transport_pause_reading(NULL);
        auv_transport_resume_reading(NULL);
        cr_assert(auv_transport_is_closing(NULL));
        cr_assert(eq(int, auv_transport_is_reading(NULL), 0));
        cr_assert(eq(int, auv_transport_can_write_eof(NULL), 0));
        cr_assert(eq(int, auv_transport_write(NULL, "x", 1), AUV_EINVAL));
        cr_assert(eq(int, auv_transport_write(transport, NULL, 1), AUV_EINVAL));
        cr_assert(eq(int, auv_transport_write(transport, NULL, 0), 0));
        cr_assert(eq(int, auv_transport_writelines(transport, NULL, 1), AUV_EINVAL));
        cr_assert(eq(int, auv_transport_writelines(transport, &(auv_buffer) { NULL, 1 }, 1), AUV_EINVAL));
        cr_assert(eq(int, auv_transport_writelines(NULL, NULL, 0), AUV_EINVAL));
        cr_assert(eq(int, auv_transport_write_eof(NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_transport_get_write_buffer_limits(NULL, NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_transport_set_write_buffer_limits(NULL, 0, 0), AUV_EINVAL));
        cr_assert(eq(int, auv_transport_set_protocol(transport, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_transport_set_protocol(transport, &none), AUV_EINVAL));
        cr_assert(auv_transport_get_protocol(NULL).functions == NULL);
        cr_assert(auv_transport_get_loop(NULL) == NULL);
        close(peer);
        recorder_until_lost(&recorder);
}

Test(transport, lives_by_itself_until_it_is_lost)
{
        struct recorder recorder = { .transport = NULL };
        int peer;

        auv_unref(recorder_connect(&recorder, &peer));
        peer_send(peer, "x");
        loop_turn();
        close(peer);
        recorder_until_lost(&recorder);
        cr_assert_trace("made data(x) eof lost released");
}

Test(transport, is_closed_without_a_word_with_its_loop)
{
        struct recorder recorder = { .transport = NULL };
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);

        auv_transport_write(transport, much, MUCH);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_trace("made pause released");
        cr_assert(auv_transport_is_closing(transport));
        cr_assert(eq(int, auv_transport_write(transport, "x", 1), 0));
        auv_transport_close(transport);
        auv_transport_abort(transport);
        close(peer);
}

Test(transport, that_closes_goes_with_its_loop)
{
        struct recorder recorder = { .transport = NULL };
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);

        auv_transport_close(transport);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_trace("made released");
        close(peer);
}

static int close_when_it_ends(void *arg, auv_value *ret)
{
        auv_transport *transport = arg;
        const int r = auv_await_sleep(1000);

        auv_transport_write(transport, "bye", 3);
        auv_transport_close(transport);
        return r;
}

Test(transport, can_be_closed_by_a_task_that_ends_with_the_loop)
{
        struct recorder recorder = { .transport = NULL };
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, close_when_it_ends, transport, 0, NULL);

        loop_turn();
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_trace("made released");
        cr_assert(eq(str, peer_text(peer), "bye"));
        reports_drop();
        close(peer);
}

static auv_context_var *var;

static void note_var(struct recorder *recorder)
{
        auv_value value = { .i = 0 };

        auv_context_var_get(var, &value);
        trace("var=%d", (int)value.i);
}

static int connect_with_var(void *arg, auv_value *ret)
{
        int *pair = (int *)arg;
        static struct recorder recorder = { .on_made = note_var, .on_data = note_var, .on_lost = note_var };

        AUV_TRY(auv_context_var_set(var, NUMBER(5), NULL));
        return auv_await_connect_accepted_socket(recorder_factory, &recorder, *pair, NULL);
}

Test(transport, calls_its_protocol_in_the_context_in_which_it_was_made)
{
        int pair[2];

        var = auv_context_var_new("var", NULL);
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        cr_assert(eq(int, loop_run(connect_with_var, pair, NULL), 0));
        peer_send(pair[1], "x");
        loop_turn();
        close(pair[1]);
        loop_turns(3);
        cr_assert_trace("made var=5 data(x) var=5 eof lost var=5 released | | |");
        var = auv_unref(var);
}

Test(transport, that_nobody_waits_for_any_more_is_closed)
{
        for (int turns = 0; turns < 4; turns++) {
                struct recorder recorder = { .transport = NULL };
                auv_task *task;
                int pair[2];

                socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
                task = recorder_start(loop, &recorder, pair[0]);
                for (int i = 0; i < turns; i++)
                        loop_turn();
                auv_task_cancel(task, NULL);
                for (int i = 0; i < 5; i++)
                        loop_turn();
                cr_assert(auv_future_done(task));
                if (turns == 0) {
                        /* its body has never begun */
                        close(pair[0]);
                        cr_assert_trace("");
                } else if (turns < 3) {
                        cr_assert(auv_future_cancelled(task));
                        cr_assert_trace("made lost released");
                } else {
                        cr_assert_trace("made");
                        close(pair[1]);
                        recorder_until_lost(&recorder);
                        pair[1] = -1;
                }
                if (pair[1] >= 0)
                        close(pair[1]);
                auv_unref(task);
                trace_clear();
        }
}

Test(transport, goes_with_a_loop_that_is_closed_before_it_is_made)
{
        struct recorder recorder = { .transport = NULL };
        AUV_AUTO auv_task *task = NULL;
        int pair[2];

        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        task = recorder_start(loop, &recorder, pair[0]);
        loop_turn();
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_trace("released");
        reports_drop();
        close(pair[1]);
}

Test(transport, refuses_what_is_no_stream_socket)
{
        struct recorder recorder = { .transport = NULL };
        AUV_AUTO auv_task *of_pipe = NULL, *of_datagrams = NULL, *of_nothing = NULL;
        int pair[2];

        (void)!pipe(pair);
        of_pipe = recorder_start(loop, &recorder, pair[0]);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, of_pipe, NULL), AUV_ENOTSOCK));
        close(pair[1]);
        of_datagrams = recorder_start(loop, &recorder, socket(AF_INET, SOCK_DGRAM, 0));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, of_datagrams, NULL), AUV_EINVAL));
        of_nothing = recorder_start(loop, &recorder, -1);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, of_nothing, NULL), AUV_EBADF));
        cr_assert_trace("");
}

Test(transport, is_not_made_where_the_factory_fails)
{
        struct recorder recorder = { .refuses = AUV_EUSER };
        AUV_AUTO auv_task *task = NULL;
        int pair[2];

        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        task = recorder_start(loop, &recorder, pair[0]);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_EUSER));
        cr_assert(eq(long, peer_drain(pair[1], NULL), -1));
        close(pair[1]);
        cr_assert_trace("");
}

static int make_nothing(void *arg, auv_protocol *ret_protocol)
{
        return 0;
}

static int connect_for_nothing(void *arg, auv_value *ret)
{
        return auv_await_connect_accepted_socket(make_nothing, NULL, *(int *)arg, NULL);
}

static int connect_without_factory(void *arg, auv_value *ret)
{
        return auv_await_connect_accepted_socket(NULL, NULL, *(int *)arg, NULL);
}

Test(transport, is_not_made_where_there_is_no_protocol)
{
        for (int how = 0; how < 2; how++) {
                int pair[2];

                socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
                cr_assert(eq(int,
                             loop_run(how ? connect_for_nothing : connect_without_factory, &pair[0], NULL),
                             AUV_EINVAL));
                cr_assert(eq(long, peer_drain(pair[1], NULL), -1));
                close(pair[1]);
        }
}

Test(transport, survives_any_allocation_that_fails)
{
        bool failed = true;

        for (long n = 1; failed; n++) {
                struct recorder recorder = { .is_quiet = true };
                auv_loop *other = loop_new();
                auv_task *task;
                int pair[2], r = AUV_ENOMEM;

                socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
                failing_allocator_arm(n);
                task = recorder_start(other, &recorder, pair[0]);
                if (task)
                        r = auv_loop_run_until_complete(other, task, NULL);
                else
                        close(pair[0]);
                if (r == 0)
                        r = auv_transport_write(recorder.transport, much, MUCH);
                failed = failing_allocator_disarm();
                cr_assert(failed ? r == AUV_ENOMEM : r == 0, "allocation %ld: %d", n, r);
                for (int i = 0; i < 3; i++) {
                        auv_loop_stop(other);
                        auv_loop_run_forever(other);
                }
                auv_unref(task);
                auv_unref(other);
                close(pair[1]);
                auv_error_clear();
                reports_drop();
        }
}

Test(transport, works_in_a_loop_that_the_programs_uv_run_turns)
{
        struct recorder recorder = { .transport = NULL };
        auv_loop *embedded;
        auv_task *task;
        uv_loop_t uv;
        int pair[2];

        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        uv_loop_init(&uv);
        cr_assert(eq(int, auv_new_event_loop(AUV_LOOP_OPTIONS(.uv_loop = &uv), &embedded), 0));
        task = recorder_start(embedded, &recorder, pair[0]);
        peer_send(pair[1], "x");
        while (recorder.received == 0)
                uv_run(&uv, UV_RUN_ONCE);
        close(pair[1]);
        uv_run(&uv, UV_RUN_DEFAULT);
        cr_assert_trace("made data(x) eof lost released");
        cr_assert(auv_future_done(task));
        auv_unref(task);
        cr_assert(eq(int, auv_loop_close(embedded), 0));
        auv_unref(embedded);
        uv_run(&uv, UV_RUN_DEFAULT);
        cr_assert(eq(int, uv_loop_close(&uv), 0));
}

static void stall(struct recorder *recorder)
{
        usleep(2000);
}

Test(transport, that_keeps_the_loop_for_long_is_reported_in_debug_mode)
{
        struct recorder recorder = { .on_data = stall };
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);

        auv_loop_set_slow_callback_duration(loop, 0.001);
        auv_loop_set_debug(loop, true);
        peer_send(peer, "x");
        loop_turn();
        auv_loop_set_debug(loop, false);
        cr_assert_has(reports_take()->message, "Executing");
        reports_drop();
        close(peer);
        recorder_until_lost(&recorder);
}

Test(transport, that_is_open_is_reported_in_debug_mode_when_its_loop_is_closed)
{
        struct recorder recorder = { .transport = NULL };
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);
        char expected[64];
        auv_value fd;

        auv_transport_get_extra_info(transport, "socket", &fd);
        snprintf(expected, sizeof(expected), "unclosed transport <socket fd=%d>", (int)fd.i);
        auv_loop_set_debug(loop, true);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_text(reports_take()->message, expected);
        cr_assert(eq(int, reports_pending(), 0));
        cr_assert_trace("made released");
        close(peer);
}

Test(transport, that_still_has_to_send_is_reported_in_debug_mode_when_its_loop_is_closed)
{
        struct recorder recorder = { .transport = NULL };
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);

        auv_transport_write(transport, much, MUCH);
        auv_transport_close(transport);
        auv_loop_set_debug(loop, true);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_has(reports_take()->message, "unclosed transport");
        close(peer);
}

Test(transport, that_was_closed_is_not_reported_in_debug_mode)
{
        struct recorder gone = { .transport = NULL }, going = { .transport = NULL };
        int peers[2];
        AUV_AUTO auv_transport *first = recorder_connect(&gone, &peers[0]);
        AUV_AUTO auv_transport *second = recorder_connect(&going, &peers[1]);

        auv_loop_set_debug(loop, true);
        auv_transport_close(first);
        loop_turn();
        auv_transport_close(second);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, reports_pending(), 0));
        close(peers[0]);
        close(peers[1]);
}

Test(transport, cannot_be_watched_by_a_reader)
{
        struct recorder recorder = { .transport = NULL };
        int peer;
        AUV_AUTO auv_transport *transport = recorder_connect(&recorder, &peer);
        auv_value fd;

        auv_transport_get_extra_info(transport, "socket", &fd);
        cr_assert(eq(int, auv_loop_add_reader(loop, (int)fd.i, (auv_call_fn)abort, NULL), AUV_ERUNTIME));
        close(peer);
        recorder_until_lost(&recorder);
}

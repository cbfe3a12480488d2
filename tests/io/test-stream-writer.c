/* SPDX-License-Identifier: MIT */
#include "far.h"
#include "form.h"
#include "reading.h"
#include "support/coroutine.h"
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

/* One end of a connection as a stream, and the peer at the other. */
static int peer;
static auv_stream_reader *reader;
static auv_stream_writer *writer;

enum { HIGH = 4000, LOW = 1000 };

static void open_stream(void)
{
        AUV_AUTO auv_transport *transport = NULL;
        int near;

        peer = far_pair(&near);
        reader = auv_stream_reader_new(loop, 0);
        transport = reading_transport(reader, near);
        writer = auv_stream_writer_new(transport, reader);
        auv_transport_set_write_buffer_limits(transport, HIGH, LOW);
}

static void setup(void)
{
        loop_setup();
        open_stream();
}

static void teardown(void)
{
        auv_unref(writer);
        auv_unref(reader);
        for (int i = 0; i < 3; i++)
                loop_turn();
        if (peer >= 0)
                close(peer);
        loop_teardown();
}

TestSuite(stream_writer, .init = setup, .fini = teardown);

/* Writes until so much waits in the transport that it pauses its writers. Returns how much was written. */
static size_t fill(void)
{
        static const char data[1000];
        size_t size = 0;

        while (auv_transport_get_write_buffer_size(auv_stream_transport(writer)) <= HIGH) {
                cr_assert(eq(int, auv_stream_write(writer, data, sizeof(data)), 0));
                size += sizeof(data);
        }
        return size;
}

static void drop_peer(void)
{
        close(peer);
        peer = -1;
}

/* The awaits, in bodies of both forms; what they trace is how they end. */

static void trace_end(const char *what, int r)
{
        trace("%s%s%s", what, r < 0 ? ":" : "", r < 0 ? auv_error_name(r) : "");
}

static int drains_on_stack(void *arg, auv_value *ret)
{
        trace_end("drained", auv_await_stream_drain(writer));
        return 0;
}

static int waits_on_stack(void *arg, auv_value *ret)
{
        trace_end("closed", auv_await_stream_wait_closed(writer));
        return 0;
}

struct calling {
        auv_frame frame;
        auv_subframe subframe;
};

static int drains_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct calling, self);
        int r;

        AUV_AWAIT_CALL_CATCH(r, &self->subframe, auv_await_stream_drain(writer));
        trace_end("drained", r);
        AUV_END;
}

static int waits_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct calling, self);
        int r;

        AUV_AWAIT_CALL_CATCH(r, &self->subframe, auv_await_stream_wait_closed(writer));
        trace_end("closed", r);
        AUV_END;
}

/* What a task does, in the form that form.h tells. */
struct body {
        auv_coro_fn on_stack;
        auv_stackless_fn stackless;
};

static const struct body drains = { drains_on_stack, drains_without_stack };
static const struct body waits = { waits_on_stack, waits_without_stack };

static auv_task *create_on(auv_loop *on, struct body body)
{
        if (!without_stack || !body.stackless)
                return auv_loop_create_task(on, body.on_stack, NULL, 0, NULL);
        return auv_loop_create_task(on, NULL, &(struct calling) { .frame = { 0 } }, sizeof(struct calling),
                                    AUV_TASK_OPTIONS(.stackless = body.stackless));
}

static auv_task *create(struct body body)
{
        return create_on(loop, body);
}

static auv_task *start(struct body body)
{
        auv_task *task = create(body);

        loop_turn();
        return task;
}

static void run(struct body body)
{
        cr_assert(eq(int, far_finish(start(body)), 0));
}

/* Making */

static void release(void *user)
{
        trace("released");
}

static int makes_another_protocol(void *arg, auv_protocol *ret_protocol)
{
        static const auv_protocol_functions functions = AUV_PROTOCOL_FUNCTIONS(.released = release);

        *ret_protocol = (auv_protocol) { .functions = &functions };
        return 0;
}

static int makes_writer_of_another(void *arg, auv_value *ret)
{
        AUV_AUTO auv_transport *transport = NULL;

        AUV_TRY(auv_await_connect_accepted_socket(makes_another_protocol, NULL, *(int *)arg, &transport));
        cr_assert(auv_stream_writer_new(transport, NULL) == NULL);
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EINVAL));
        auv_transport_abort(transport);
        return 0;
}

Test(stream_writer, is_made_for_a_transport_of_a_reader_alone)
{
        int near, other = far_pair(&near);

        cr_assert(auv_stream_writer_new(NULL, NULL) == NULL);
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EINVAL));
        cr_assert(eq(int, loop_run(makes_writer_of_another, &near, NULL), 0));
        loop_turns(2);
        close(other);
}

Test(stream_writer, needs_no_reader_of_its_own)
{
        auv_stream_writer *another = auv_stream_writer_new(auv_stream_transport(writer), NULL);
        char data[3];

        cr_assert(eq(int, auv_stream_write(another, "abc", 3), 0));
        cr_assert(far_receive(peer, data, 3));
        cr_assert(not(auv_stream_is_closing(another)));
        auv_unref(another);
        cr_assert(auv_stream_is_closing(writer));
}

Test(stream_writer, has_one_transport_for_each_reader)
{
        auv_protocol protocol;

        cr_assert(eq(int, auv_stream_reader_protocol(reader, &protocol), AUV_ERUNTIME));
}

Test(stream_writer, that_is_null_is_closed)
{
        const auv_buffer buffer = { "a", 1 };
        auv_value value = { .i = 7 };

        cr_assert(eq(int, auv_stream_write(NULL, "a", 1), AUV_EINVAL));
        cr_assert(eq(int, auv_stream_writelines(NULL, &buffer, 1), AUV_EINVAL));
        cr_assert(eq(int, auv_stream_write_eof(NULL), AUV_EINVAL));
        cr_assert(not(auv_stream_can_write_eof(NULL)));
        cr_assert(auv_stream_is_closing(NULL));
        cr_assert(auv_stream_transport(NULL) == NULL);
        cr_assert(eq(int, auv_stream_get_extra_info(NULL, "socket", &value), 0));
        cr_assert(eq(i64, value.i, 7));
        auv_stream_close(NULL);
}

static int awaits_none(void *arg, auv_value *ret)
{
        cr_assert(eq(int, auv_await_stream_drain(NULL), AUV_ENOMEM));
        cr_assert(eq(int, auv_await_stream_wait_closed(NULL), AUV_ENOMEM));
        return 0;
}

Test(stream_writer, that_is_null_could_not_be_made)
{
        run((struct body) { .on_stack = awaits_none });
}

Test(stream_writer, is_awaited_in_tasks)
{
        cr_assert(eq(int, auv_await_stream_drain(writer), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_stream_wait_closed(writer), AUV_ENOTASK));
}

static int calls_without_a_subframe(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct calling, self);
        const char *data;
        size_t size;

        cr_assert(eq(int, auv_await_stream_read(reader, 1, &data, &size), AUV_ENOSTACK));
        cr_assert(eq(int, auv_await_stream_readline(reader, &data, &size), AUV_ENOSTACK));
        cr_assert(eq(int, auv_await_stream_readexactly(reader, (char[1]) { 0 }, 1), AUV_ENOSTACK));
        cr_assert(eq(int, auv_await_stream_drain(writer), AUV_ENOSTACK));
        cr_assert(eq(int, auv_await_stream_wait_closed(writer), AUV_ENOSTACK));
        AUV_END;
}

Test(stream_writer, is_not_awaited_without_a_stack_and_a_subframe)
{
        without_stack = true;
        run((struct body) { .stackless = calls_without_a_subframe });
}

IN_BOTH_FORMS(stream_writer, is_not_awaited_on_another_loop)
{
        auv_loop *other = loop_new();
        auv_task *drain, *wait;

        drain = create_on(other, drains);
        wait = create_on(other, waits);
        cr_assert(eq(int, auv_loop_run_until_complete(other, drain, NULL), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(other, wait, NULL), 0));
        auv_unref(drain);
        auv_unref(wait);
        auv_loop_close(other);
        auv_unref(other);
        cr_assert_trace("drained:ERUNTIME closed:ERUNTIME");
}

/* Writing */

Test(stream_writer, sends_what_is_written_in_order)
{
        const auv_buffer lines[] = {{ "def", 3 }, { "", 0 }, { "gh", 2 }};
        char data[9] = "";

        cr_assert(eq(int, auv_stream_write(writer, "abc", 3), 0));
        cr_assert(eq(int, auv_stream_writelines(writer, lines, 3), 0));
        cr_assert(far_receive(peer, data, 8));
        cr_assert_text(data, "abcdefgh");
}

Test(stream_writer, tells_what_its_transport_knows)
{
        auv_value value = { .i = -1 };

        cr_assert(eq(int, auv_stream_get_extra_info(writer, "socket", &value), 1));
        cr_assert(ge(i64, value.i, 0));
        cr_assert(eq(int, auv_stream_get_extra_info(writer, "weather", &value), 0));
        cr_assert(auv_stream_transport(writer) != NULL);
}

IN_BOTH_FORMS(stream_writer, may_end_what_it_sends_and_go_on_reading)
{
        auv_task *task = reading_start(reader, 0, "r*");

        cr_assert(auv_stream_can_write_eof(writer));
        cr_assert(eq(int, auv_stream_write(writer, "abc", 3), 0));
        cr_assert(eq(int, auv_stream_write_eof(writer), 0));
        cr_assert(eq(int, auv_stream_write(writer, "d", 1), AUV_ERUNTIME));
        cr_assert(far_receive(peer, (char[3]) { 0 }, 3));
        cr_assert(far_sees_end(peer));
        far_send(peer, "still", 5);
        drop_peer();
        cr_assert(eq(int, far_finish(task), 0));
        cr_assert_trace("0=still");
        cr_assert(auv_stream_at_eof(reader));
}

IN_BOTH_FORMS(stream_writer, may_write_on_when_the_peer_has_ended)
{
        auv_task *task = reading_start(reader, 0, "r*");
        char data[5];

        shutdown(peer, SHUT_WR);
        cr_assert(eq(int, far_finish(task), 0));
        cr_assert_trace("0=");
        cr_assert(not(auv_stream_is_closing(writer)));
        cr_assert(eq(int, auv_stream_write(writer, "still", 5), 0));
        cr_assert(far_receive(peer, data, 5));
}

/* drain() */

IN_BOTH_FORMS(stream_writer, drains_at_once_where_little_is_unsent)
{
        auv_task *task;

        cr_assert(eq(int, auv_stream_write(writer, "abc", 3), 0));
        task = start(drains);
        cr_assert(auv_future_done(task));
        auv_unref(task);
        cr_assert_trace("drained");
}

IN_BOTH_FORMS(stream_writer, lets_many_drain_when_the_peer_has_read)
{
        const size_t size = fill();
        auv_task *first = start(drains), *second = start(drains);
        char *data = malloc(size);

        loop_turns(3);
        trace_clear();
        cr_assert(not(auv_future_done(first)));
        cr_assert(far_receive(peer, data, size));
        cr_assert(eq(int, far_finish(first), 0));
        cr_assert(eq(int, far_finish(second), 0));
        cr_assert_trace("drained drained");
        free(data);
}

/* It writes as fast as it may to a peer that never reads. */
static int floods(void *arg, auv_value *ret)
{
        static const char data[700];
        auv_transport *transport = auv_stream_transport(writer);

        for (;;) {
                AUV_TRY(auv_stream_write(writer, data, sizeof(data)));
                cr_assert(le(sz, auv_transport_get_write_buffer_size(transport), HIGH + sizeof(data)));
                AUV_TRY(auv_await_stream_drain(writer));
        }
}

Test(stream_writer, keeps_within_the_water_mark_when_the_peer_never_reads)
{
        auv_task *task = start((struct body) { .on_stack = floods });
        long live;

        loop_turn();
        live = failing_allocator_live();
        for (int i = 0; i < 100; i++)
                loop_turn();
        cr_assert(not(auv_future_done(task)));
        cr_assert(eq(long, failing_allocator_live(), live));
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, far_finish(task), AUV_ECANCELED));
        auv_transport_abort(auv_stream_transport(writer));
}

IN_BOTH_FORMS(stream_writer, fails_to_drain_with_the_readers_error)
{
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, "gone");

        auv_stream_set_exception(reader, error);
        run(drains);
        cr_assert_trace("drained:EUSER");
}

IN_BOTH_FORMS(stream_writer, fails_to_drain_when_the_connection_is_lost)
{
        auv_task *task;

        fill();
        task = start(drains);
        drop_peer();
        cr_assert(eq(int, far_finish(task), 0));
        cr_assert_trace("drained:ECONNRESET");
        trace_clear();
        run(drains);
        cr_assert_trace("drained:ECONNRESET");
}

static int drains_in_words(void *arg, auv_value *ret)
{
        cr_assert(eq(int, auv_await_stream_drain(writer), AUV_ECONNRESET));
        cr_assert_text(auv_error_message(auv_error_current()), "Connection lost");
        return 0;
}

IN_BOTH_FORMS(stream_writer, drains_no_more_when_it_was_aborted)
{
        auv_task *task;

        fill();
        task = start(drains);
        auv_transport_abort(auv_stream_transport(writer));
        cr_assert(eq(int, far_finish(task), 0));
        cr_assert_trace("drained");
        run((struct body) { .on_stack = drains_in_words });
}

/* Or a loop of writes and drains would never see that the connection is lost. */
IN_BOTH_FORMS(stream_writer, lets_the_connection_end_while_it_drains)
{
        auv_stream_close(writer);
        cr_assert(auv_stream_is_closing(writer));
        run(drains);
        cr_assert_trace("drained:ECONNRESET");
}

/* close() and wait_closed() */

IN_BOTH_FORMS(stream_writer, sends_what_was_written_before_it_closes)
{
        const size_t size = fill();
        char *data = malloc(size);
        auv_task *task = start(waits);

        auv_stream_close(writer);
        auv_stream_close(writer);
        loop_turn();
        cr_assert(not(auv_future_done(task)));
        cr_assert(far_receive(peer, data, size));
        cr_assert(far_sees_end(peer));
        cr_assert(eq(int, far_finish(task), 0));
        cr_assert_trace("closed");
        trace_clear();
        run(waits);
        cr_assert_trace("closed");
        cr_assert(auv_stream_at_eof(reader));
        free(data);
}

IN_BOTH_FORMS(stream_writer, tells_by_what_the_connection_was_lost)
{
        auv_task *task = start(waits);

        fill();
        drop_peer();
        cr_assert(eq(int, far_finish(task), 0));
        run(waits);
        cr_assert_trace("closed:ECONNRESET closed:ECONNRESET");
        cr_assert(eq(int, auv_error_code(auv_stream_exception(reader)), AUV_ECONNRESET));
}

IN_BOTH_FORMS(stream_writer, cancels_one_of_its_waiters_and_not_the_others)
{
        auv_task *first = start(waits), *second = start(waits);

        auv_task_cancel(first, NULL);
        cr_assert(eq(int, far_finish(first), 0));
        auv_stream_close(writer);
        cr_assert(eq(int, far_finish(second), 0));
        cr_assert_trace("closed:ECANCELED closed");
}

Test(stream_writer, that_nobody_holds_closes)
{
        writer = auv_unref(writer);
        cr_assert(far_sees_end(peer));
}

Test(stream_writer, that_nobody_holds_still_sends_what_was_written)
{
        const size_t size = fill();
        char *data = malloc(size);

        writer = auv_unref(writer);
        reader = auv_unref(reader);
        cr_assert(far_receive(peer, data, size));
        cr_assert(far_sees_end(peer));
        free(data);
}

/* Data for a reader that nobody has go nowhere, and the peer's end is still seen. */
Test(stream_writer, does_not_keep_what_nobody_will_read)
{
        static const char data[300000];
        AUV_AUTO auv_transport *transport = auv_ref(auv_stream_transport(writer));
        long live;

        auv_transport_set_write_buffer_limits(transport, 0, 0);
        reader = auv_unref(reader);
        live = failing_allocator_live();
        far_send(peer, data, 1000);
        cr_assert(le(long, failing_allocator_live(), live + 1));
        writer = auv_unref(writer);
        loop_turns(3);
        drop_peer();
}

/* In every turn, and at timeouts */

/* Between the turn in which there is something to read, and that in which the task reads it, too. */
IN_BOTH_FORMS(stream_writer, has_data_once_when_a_read_is_cancelled_in_any_turn)
{
        int n_cancelled = 0;

        for (int when = 0; when < 6; when++) {
                auv_task *task = reading_start(reader, 0, "n3");

                trace_clear();
                loop_turn();
                cr_assert(eq(long, send(peer, "abc", 3, MSG_NOSIGNAL), 3));
                for (int turn = 0; turn < when; turn++)
                        loop_turn();
                auv_task_cancel(task, NULL);
                far_finish(task);
                if (strcmp(trace_text(), "0=abc") == 0)
                        continue;
                n_cancelled++;
                cr_assert(eq(int, far_finish(reading_start(reader, 1, "n3")), 0));
                cr_assert_trace("0!cancelled 1=abc");
        }
        cr_assert(ge(int, n_cancelled, 1));
        cr_assert(lt(int, n_cancelled, 6));
}

/* Each operation that may wait is cancelled in each turn of its life; then the stream still does what it
 * should. */
IN_BOTH_FORMS(stream_writer, can_be_cancelled_while_it_drains)
{
        const size_t size = fill();
        char *data = malloc(size);

        for (int when = 0; when < 5; when++) {
                auv_task *task = create(drains);

                for (int turn = 0; turn < when; turn++)
                        loop_turn();
                auv_task_cancel(task, NULL);
                far_finish(task);
        }
        cr_assert_trace("drained:ECANCELED drained:ECANCELED drained:ECANCELED drained:ECANCELED");
        trace_clear();
        cr_assert(far_receive(peer, data, size));
        run(drains);
        cr_assert_trace("drained");
        free(data);
}

IN_BOTH_FORMS(stream_writer, can_be_cancelled_while_it_drains_and_closes)
{
        for (int when = 0; when < 5; when++) {
                auv_task *task;

                auv_stream_close(writer);
                task = create(drains);
                for (int turn = 0; turn < when; turn++)
                        loop_turn();
                auv_task_cancel(task, NULL);
                far_finish(task);
                run(waits);
                auv_unref(writer);
                auv_unref(reader);
                close(peer);
                open_stream();
        }
        cr_assert_trace(
                "closed drained:ECANCELED closed drained:ECONNRESET closed drained:ECONNRESET closed "
                "drained:ECONNRESET closed");
}

static int just_drains(void *arg, auv_value *ret)
{
        return auv_await_stream_drain(writer);
}

static int just_waits(void *arg, auv_value *ret)
{
        return auv_await_stream_wait_closed(writer);
}

static int drains_for_a_moment(void *arg, auv_value *ret)
{
        cr_assert(eq(int, auv_await_wait_for_coro(just_drains, NULL, 1e-3, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(int, auv_await_wait_for_coro(just_waits, NULL, 1e-3, NULL), AUV_ETIMEDOUT));
        return 0;
}

/* After the suite's own. A virtual clock stands still as long as there is I/O to wait for. */
static void setup_with_time(void)
{
        teardown();
        loop_setup();
        auv_unref(loop);
        loop = loop_new_monotonic();
        open_stream();
}

Test(stream_writer, can_be_awaited_with_a_timeout, .init = setup_with_time)
{
        const size_t size = fill();
        char *data = malloc(size);

        cr_assert(eq(int, loop_run(drains_for_a_moment, NULL, NULL), 0));
        cr_assert(far_receive(peer, data, size));
        run(drains);
        cr_assert_trace("drained");
        free(data);
}

IN_BOTH_FORMS(stream_writer, lets_its_waits_end_with_the_loop)
{
        auv_task *drain, *wait;

        fill();
        drain = start(drains);
        wait = start(waits);
        auv_loop_close(loop);
        auv_unref(drain);
        auv_unref(wait);
        cr_assert_trace("drained:ECLOSED closed:ECLOSED");
        cr_assert(eq(int, reports_drop(), 2));
        writer = auv_unref(writer);
        reader = auv_unref(reader);
        auv_unref(loop);
        loop = loop_new();
}

/* SPDX-License-Identifier: MIT */

/*
 * What a look at the descriptors finds for tasks that read from streams: they run when all has been
 * found, or many have, and what happens in between is seen then.
 */

#include "far.h"
#include "support/loop.h"
#include "support/reports.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

TestSuite(stream_found, .init = loop_setup, .fini = loop_teardown);

/* A stream with a task that reads, and its peer. */
struct stream {
        auv_loop *loop;
        auv_stream_reader *reader;
        auv_transport *transport;
        int near;
        int peer;
};

/* A connection whose protocol does something to all of it when data come in. */
struct meddler {
        auv_transport *transport;
        int near;
        int peer;
        struct stream *stream;
        void (*meddle)(struct stream *stream);
};

static void data_received(void *user, const void *data, size_t size)
{
        const struct meddler *meddler = user;

        meddler->meddle(meddler->stream);
}

static const auv_protocol_functions meddling = AUV_PROTOCOL_FUNCTIONS(.data_received = data_received);

static int make_meddling(void *arg, auv_protocol *ret_protocol)
{
        *ret_protocol = (auv_protocol) { .functions = &meddling, .user = arg };
        return 0;
}

static int make_reading(void *arg, auv_protocol *ret_protocol)
{
        return auv_stream_reader_protocol(((struct stream *)arg)->reader, ret_protocol);
}

static int opens_stream(void *arg, auv_value *ret)
{
        struct stream *stream = arg;

        return auv_await_connect_accepted_socket(make_reading, stream, stream->near, &stream->transport);
}

static int opens_meddler(void *arg, auv_value *ret)
{
        struct meddler *meddler = arg;

        return auv_await_connect_accepted_socket(make_meddling, meddler, meddler->near, &meddler->transport);
}

static void open_on(auv_loop *on, auv_coro_fn fn, void *arg)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(on, fn, arg, 0, NULL);

        cr_assert(eq(int, auv_loop_run_until_complete(on, task, NULL), 0));
}

static struct stream open_stream(auv_loop *on)
{
        struct stream stream = { .loop = on, .reader = auv_stream_reader_new(on, 0) };

        stream.peer = far_pair(&stream.near);
        open_on(on, opens_stream, &stream);
        return stream;
}

static void close_stream(struct stream *stream)
{
        auv_transport_abort(stream->transport);
        auv_unref(stream->transport);
        auv_unref(stream->reader);
        close(stream->peer);
}

static void say(int peer, const char *text)
{
        cr_assert(eq(int, (int)send(peer, text, 1, MSG_NOSIGNAL), 1));
}

static int reads_a_byte(void *arg, auv_value *ret)
{
        const char *data;
        size_t size;

        AUV_TRY(auv_await_stream_read(arg, 1, &data, &size));
        ret->i = size == 1 ? *data : -1;
        return 0;
}

Test(stream_found, wakes_all_of_many)
{
        enum { N = 150 };
        struct stream streams[N];
        auv_task *tasks[N];

        for (int i = 0; i < N; i++) {
                streams[i] = open_stream(loop);
                tasks[i] = auv_loop_create_task(loop, reads_a_byte, streams[i].reader, 0, NULL);
        }
        loop_turn();
        for (int i = 0; i < N; i++)
                say(streams[i].peer, "x");
        for (int i = 0; i < N; i++) {
                auv_value byte = { 0 };

                cr_assert(eq(int, auv_loop_run_until_complete(loop, tasks[i], &byte), 0));
                cr_assert(eq(chr, (char)byte.i, 'x'));
                auv_unref(tasks[i]);
        }
        for (int i = 0; i < N; i++)
                close_stream(&streams[i]);
        loop_turns(3);
}

static void feed(struct stream *stream)
{
        cr_assert(eq(int, auv_stream_feed_data(stream->reader, "f", 1), 0));
}

/* Whichever is found first. The task has what was fed, and then what has come. */
static void feed_what_is_found(bool stream_first)
{
        struct stream stream = open_stream(loop);
        struct meddler meddler = { .stream = &stream, .meddle = feed };
        AUV_AUTO auv_task *first = NULL, *second = NULL, *third = NULL;
        auv_value bytes[3];

        meddler.peer = far_pair(&meddler.near);
        open_on(loop, opens_meddler, &meddler);
        first = auv_loop_create_task(loop, reads_a_byte, stream.reader, 0, NULL);
        loop_turn();
        say(stream_first ? stream.peer : meddler.peer, "x");
        say(stream_first ? meddler.peer : stream.peer, "x");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, first, &bytes[0]), 0));
        cr_assert(eq(chr, (char)bytes[0].i, 'f'));
        second = auv_loop_create_task(loop, reads_a_byte, stream.reader, 0, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, second, &bytes[1]), 0));
        cr_assert(eq(chr, (char)bytes[1].i, 'x'));
        /* It is looked for as before. */
        third = auv_loop_create_task(loop, reads_a_byte, stream.reader, 0, NULL);
        loop_turn();
        say(stream.peer, "y");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, third, &bytes[2]), 0));
        cr_assert(eq(chr, (char)bytes[2].i, 'y'));
        close_stream(&stream);
        auv_transport_abort(meddler.transport);
        auv_unref(meddler.transport);
        close(meddler.peer);
        loop_turns(3);
}

Test(stream_found, may_be_fed_before_its_task_runs)
{
        feed_what_is_found(/* stream_first= */ true);
        feed_what_is_found(/* stream_first= */ false);
}

static void close_loop(struct stream *stream)
{
        cr_assert(eq(int, auv_loop_close(stream->loop), 0));
}

/* A program's uv_run() finds both at once, and the second closes the loop. */
Test(stream_found, may_be_closed_with_its_loop_before_its_task_runs)
{
        auv_loop *embedded;
        uv_loop_t uv;
        struct stream stream;
        struct meddler meddler = { .stream = &stream, .meddle = close_loop };
        AUV_AUTO auv_task *task = NULL;

        uv_loop_init(&uv);
        cr_assert(eq(int, auv_new_event_loop(AUV_LOOP_OPTIONS(.uv_loop = &uv), &embedded), 0));
        reports_record(embedded);
        stream = open_stream(embedded);
        meddler.peer = far_pair(&meddler.near);
        open_on(embedded, opens_meddler, &meddler);
        task = auv_loop_create_task(embedded, reads_a_byte, stream.reader, 0, NULL);
        for (int i = 0; i < 3; i++)
                uv_run(&uv, UV_RUN_NOWAIT);
        cr_assert(not(auv_future_done(task)));
        say(stream.peer, "x");
        say(meddler.peer, "x");
        uv_run(&uv, UV_RUN_ONCE);
        cr_assert(eq(int, auv_future_result(task, NULL), AUV_ECLOSED));
        close_stream(&stream);
        auv_unref(meddler.transport);
        close(meddler.peer);
        auv_unref(embedded);
        uv_run(&uv, UV_RUN_DEFAULT);
        cr_assert(eq(int, uv_loop_close(&uv), 0));
        cr_assert(eq(int, reports_drop(), 1)); /* the task was pending */
}

/* What the second connection does to the first, which has a byte for a task that has not run yet. */
static void meddle_before_the_task_runs(struct stream *stream, void (*meddle)(struct stream *stream))
{
        struct meddler meddler = { .stream = stream, .meddle = meddle };
        AUV_AUTO auv_task *task = NULL;
        auv_value byte = { 0 };

        *stream = open_stream(loop);
        meddler.peer = far_pair(&meddler.near);
        open_on(loop, opens_meddler, &meddler);
        task = auv_loop_create_task(loop, reads_a_byte, stream->reader, 0, NULL);
        loop_turn();
        say(stream->peer, "x");
        say(meddler.peer, "x");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, &byte), 0));
        cr_assert(eq(chr, (char)byte.i, 'x'));
        auv_transport_abort(meddler.transport);
        auv_unref(meddler.transport);
        close(meddler.peer);
}

static void close_connection(struct stream *stream)
{
        auv_transport_close(stream->transport);
}

static void abort_connection(struct stream *stream)
{
        auv_transport_abort(stream->transport);
}

Test(stream_found, is_read_though_the_connection_is_closed_before_its_task_runs)
{
        struct stream closed, aborted;

        meddle_before_the_task_runs(&closed, close_connection);
        close_stream(&closed);
        meddle_before_the_task_runs(&aborted, abort_connection);
        close_stream(&aborted);
        loop_turns(3);
}

static int n_received;

static void count_received(void *user, const void *data, size_t size)
{
        n_received += (int)size;
}

static void set_counting_protocol(struct stream *stream)
{
        static const auv_protocol_functions counting = AUV_PROTOCOL_FUNCTIONS(
                .data_received = count_received);
        const auv_protocol protocol = { .functions = &counting };

        cr_assert(eq(int, auv_transport_set_protocol(stream->transport, &protocol), 0));
}

Test(stream_found, is_the_tasks_though_another_protocol_is_set_before_it_runs)
{
        struct stream stream;

        meddle_before_the_task_runs(&stream, set_counting_protocol);
        cr_assert(eq(int, n_received, 0));
        say(stream.peer, "y");
        loop_turn();
        loop_turn();
        cr_assert(eq(int, n_received, 1));
        close_stream(&stream);
        loop_turns(3);
}

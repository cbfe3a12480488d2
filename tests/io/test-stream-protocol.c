/* SPDX-License-Identifier: MIT */

/* What a reader and its transport have of each other, from the factory to the end. */

#include "far.h"
#include "reading.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(stream_protocol, .init = loop_setup, .fini = loop_teardown);

static char received[16];

static void keep_received(void *user, const void *data, size_t size)
{
        strncat(received, data, size);
}

static const auv_protocol_functions keeping_functions = AUV_PROTOCOL_FUNCTIONS(
        .data_received = keep_received);
static const auv_protocol keeping = { .functions = &keeping_functions };

/* Reading */

static int reads_with_an_error(void *arg, auv_value *ret)
{
        const char *data;
        size_t size;

        auv_raise(AUV_EUSER, "no such room");
        AUV_TRY(auv_await_stream_read(arg, 1, &data, &size));
        cr_assert_text(auv_error_message(auv_error_current()), "no such room");
        return 0;
}

Test(stream_protocol, leaves_the_error_of_the_task_that_waited)
{
        AUV_AUTO auv_stream_reader *reader = auv_stream_reader_new(loop, 0);
        int near, peer = far_pair(&near);
        AUV_AUTO auv_transport *transport = reading_transport(reader, near);
        auv_task *task = auv_loop_create_task(loop, reads_with_an_error, reader, 0, NULL);

        loop_turn();
        far_send(peer, "x", 1);
        cr_assert(eq(int, far_finish(task), 0));
        auv_transport_abort(transport);
        close(peer);
        loop_turns(3);
}

Test(stream_protocol, that_is_replaced_does_not_keep_its_transport_paused)
{
        AUV_AUTO auv_stream_reader *reader = auv_stream_reader_new(loop, /* limit= */ 4);
        int near, peer = far_pair(&near);
        AUV_AUTO auv_transport *transport = reading_transport(reader, near);

        far_send(peer, "much more than that", 19);
        loop_turns(3);
        cr_assert(not(auv_transport_is_reading(transport)));
        cr_assert(eq(int, auv_transport_set_protocol(transport, &keeping), 0));
        cr_assert(auv_transport_is_reading(transport));
        far_send(peer, "hello", 5);
        loop_turns(3);
        cr_assert_text(received, "hello");
        auv_transport_abort(transport);
        close(peer);
        loop_turns(3);
}

/* Making */

static int make_reading(void *arg, auv_protocol *ret_protocol)
{
        return auv_stream_reader_protocol(arg, ret_protocol);
}

static int reads_pipes(void *arg, auv_value *ret)
{
        AUV_AUTO auv_transport *transport = NULL;
        const int device = open("/dev/null", O_RDONLY | O_CLOEXEC);
        int ends[2];

        cr_assert(eq(int, auv_await_connect_read_pipe(make_reading, arg, device, &transport), AUV_EPERM));
        cr_assert(zero(int, pipe(ends)));
        AUV_TRY(auv_await_connect_read_pipe(make_reading, arg, ends[0], &transport));
        close(ends[1]);
        auv_transport_abort(transport);
        return auv_await_sleep(0);
}

Test(stream_protocol, may_be_given_to_another_transport_where_one_could_not_be_made)
{
        AUV_AUTO auv_stream_reader *reader = auv_stream_reader_new(loop, 0);
        auv_protocol protocol;

        cr_assert(eq(int, loop_run(reads_pipes, reader, NULL), 0));
        loop_turns(3);
        cr_assert(eq(int, auv_stream_reader_protocol(reader, &protocol), AUV_ERUNTIME));
}

/* The service */

static auv_server *server;

static int starts_server(void *arg, auv_value *ret)
{
        return auv_await_start_server((auv_client_connected_fn)arg, NULL, "127.0.0.1", 0, NULL, &server);
}

/* A client of a server whose connections @fn serves, in a task that @factory makes. */
static int serve_one(auv_client_connected_fn fn, auv_task_factory_fn factory)
{
        struct sockaddr_in address;
        socklen_t size = sizeof(address);
        int fd, peer;

        cr_assert(eq(int, loop_run(starts_server, (void *)fn, NULL), 0));
        auv_server_sockets(server, &fd, 1);
        getsockname(fd, (struct sockaddr *)&address, &size);
        auv_loop_set_task_factory(loop, factory, NULL);
        peer = far_connect(ntohs(address.sin_port));
        loop_turns(4);
        auv_loop_set_task_factory(loop, NULL, NULL);
        return peer;
}

static void end_service(int peer)
{
        auv_server_abort_clients(server);
        auv_server_close(server);
        server = auv_unref(server);
        close(peer);
        loop_turns(3);
}

static int hands_over(void *arg, auv_stream_reader *reader, auv_stream_writer *writer)
{
        return auv_transport_set_protocol(auv_stream_transport(writer), &keeping);
}

Test(stream_protocol, may_be_given_up_by_an_eager_task_that_ends_at_once)
{
        const int peer = serve_one(hands_over, auv_eager_task_factory);

        cr_assert(far_sees_end(peer)); /* the task was the last that had the writer */
        end_service(peer);
}

static int serves_nobody(void *arg, auv_stream_reader *reader, auv_stream_writer *writer)
{
        return 0;
}

static auv_task *refuse(auv_loop *of, auv_coro_fn fn, const void *arg, size_t size,
                        const auv_task_options *options, void *user)
{
        auv_raise(AUV_EUSER, "the factory refuses");
        return NULL;
}

Test(stream_protocol, reports_what_the_task_factory_has_failed_with)
{
        const int peer = serve_one(serves_nobody, refuse);
        const struct report *report = reports_take();

        cr_assert(eq(int, report->code, AUV_EUSER));
        cr_assert_text(report->error_message, "the factory refuses");
        cr_assert(far_sees_end(peer));
        end_service(peer);
}

/* SPDX-License-Identifier: MIT */

/*
 * Stream protocol
 *
 * What a transport calls for a stream. It reads right into the reader's buffer: in the step of the task that
 * waits for it (auv__transport_take()), or where none does, when there is something to be read. All else is
 * called while no task runs; who waits is made ready.
 *
 * The transport has a reference to the reader, its protocol's user, from the factory to released().
 * The reader has one to its transport from connection_made() to connection_lost(), or to released()
 * where the loop is closed in between.
 */

#include "io/stream_protocol.h"

#include "base/alloc.h"
#include "base/error.h"
#include "io/stream_reader.h"
#include "io/stream_writer.h"
#include "io/transport.h"

#include <asyncuv/task.h>

/* The service */

void auv__stream_service_release(void *given)
{
        struct auv__stream_service *service = given;

        if (service && --service->refs == 0)
                auv__free(service);
}

void auv__stream_protocol_deinit(struct auv__stream_protocol *protocol)
{
        auv__stream_service_release(protocol->service);
        auv_unref(protocol->lost_by);
}

/* Whoever else has the writer keeps the connection. */
static void drop_writer(struct auv__stream_protocol *protocol)
{
        auv_stream_writer *writer = protocol->writer;

        protocol->writer = NULL;
        auv_unref(writer);
}

/* The body of the task that serves a connection, where it is one with a stack. */
static int serve(void *arg, auv_value *ret)
{
        auv_stream_reader *reader = arg;
        struct auv__stream_protocol *protocol = &reader->protocol;
        const int r = protocol->service->fn(protocol->service->arg, reader, protocol->writer);

        drop_writer(protocol);
        return r;
}

/* The task has ended; it may have been cancelled before it began. Gives up its hold of the reader. */
static void on_task(struct auv__item *item, bool dropped)
{
        struct auv__waiter *waiter = auv__container_of(item, struct auv__waiter, item);
        auv_stream_reader *reader = auv__container_of(waiter, auv_stream_reader, protocol.on_task);
        auv_future *task = waiter->future;
        auv_error *error = !dropped && task->object.state == AUV__FAILED ? auv__future_outcome(task) : NULL;

        if (error)
                auv_loop_call_exception_handler(reader->buffer.loop, &(auv_exception_context) {
                        .message = "Unhandled exception in client_connected_cb", .error = error });
        if (!dropped && task->object.state != AUV__HAS_RESULT && reader->transport)
                auv_transport_close(reader->transport);
        auv_unref(error);
        if (task)
                auv__drop(&task->object);
        drop_writer(&reader->protocol);
        auv__drop(&reader->object);
}

/* Without the writer or the task, which could not be made, there is nobody to serve the connection. */
static void refuse(auv_stream_reader *reader, auv_transport *transport)
{
        const auv_error *reason = auv_error_current();
        auv_error *error = auv__error_for(reason ? auv_error_code(reason) : AUV_ENOMEM);

        auv_loop_call_exception_handler(reader->buffer.loop, &(auv_exception_context) {
                .message = "Unhandled exception in client_connected_cb", .error = error });
        auv_unref(error);
        auv_transport_abort(transport);
}

/*
 * The task that serves a connection; NULL for one that could not be made. It has its own copy of the frame, in
 * which the streams of each connection stand in turn.
 */
static auv_task *make_task(auv_stream_reader *reader)
{
        struct auv__stream_service *service = reader->protocol.service;
        auv_stream_frame *frame = (void *)service->frame;

        if (service->fn)
                return auv_loop_create_task(service->loop, serve, reader, /* size= */ 0, /* options= */ NULL);
        frame->reader = reader;
        frame->writer = reader->protocol.writer;
        return auv_loop_create_task(service->loop, /* fn= */ NULL, frame, service->frame_size,
                                    AUV_TASK_OPTIONS(.stackless = service->stackless));
}

static void start_service(auv_stream_reader *reader, auv_transport *transport)
{
        struct auv__stream_protocol *protocol = &reader->protocol;
        auv_task *task = NULL;

        auv_error_clear();
        auv__keep(&reader->object); /* an eager task may end at once, and with it all that holds the reader */
        protocol->writer = auv__stream_writer_make(transport, reader, /* flow= */ reader);
        if (protocol->writer)
                task = make_task(reader);
        if (!task) {
                refuse(reader, transport);
                drop_writer(protocol);
                auv__drop(&reader->object);
                return;
        }
        protocol->on_task.item.run = on_task;
        auv__future_watch(task, &protocol->on_task);
        /* An eager task may have ended already. */
        if (auv__future_is_done(task))
                auv__future_schedule_callbacks(task);
        auv_unref(task);
}

/* What the transport calls */

static void connection_made(void *user, auv_transport *transport)
{
        auv_stream_reader *reader = user;

        reader->transport = auv_ref(transport);
        transport->taker = &reader->waiting;
        if (reader->protocol.service)
                start_service(reader, transport);
}

/* The transport gives the reader no more. */
static void detach(auv_stream_reader *reader)
{
        if (reader->transport) {
                reader->transport->taker = NULL;
                reader->transport->is_readable = false;
                if (reader->paused)
                        auv_transport_resume_reading(reader->transport);
                reader->paused = false;
        }
        auv_unref_at(&reader->transport);
}

/* Where the transport alone has the reader, nobody will ever read: what comes in is not kept. */
static bool is_abandoned(const auv_stream_reader *reader)
{
        return reader->object.refs == 1;
}

AUV__HOT static void *get_buffer(void *user, size_t size_hint, size_t *ret_size)
{
        auv_stream_reader *reader = user;

        return auv__read_buffer_reserve(&reader->buffer, /* size= */ 0, ret_size);
}

AUV__HOT static void buffer_updated(void *user, size_t size)
{
        auv_stream_reader *reader = user;

        if (auv__likely(!is_abandoned(reader) && !reader->eof))
                auv__stream_reader_commit(reader, size);
        else
                auv__read_buffer_trim(&reader->buffer);
}

static bool eof_received(void *user)
{
        auv__stream_reader_end(user);
        return true;
}

static void pause_writing(void *user)
{
        auv_stream_reader *reader = user;

        reader->protocol.writing_paused = true;
}

static void resume_writing(void *user)
{
        auv_stream_reader *reader = user;

        reader->protocol.writing_paused = false;
        auv__line_wake_all(&reader->protocol.drainers);
}

/* As auv__line_wake_all(), with an error; NULL for none. */
static void wake_all_with(struct auv__line *line, auv_error *error)
{
        struct auv__place *place;

        if (!error)
                auv__line_wake_all(line);
        while ((place = line->unwoken)) {
                line->unwoken = place->next;
                if (!auv__future_is_done(&place->turn))
                        auv__future_fail(&place->turn, auv_ref(error));
        }
}

static void connection_lost(void *user, auv_error *error)
{
        auv_stream_reader *reader = user;
        struct auv__stream_protocol *protocol = &reader->protocol;

        if (error)
                auv__stream_reader_fail(reader, error);
        else
                auv__stream_reader_end(reader);
        protocol->lost = true;
        protocol->lost_by = auv_ref(error);
        auv__line_wake_all(&protocol->closers);
        if (protocol->writing_paused)
                wake_all_with(&protocol->drainers, error);
        detach(reader);
}

static void released(void *user)
{
        auv_stream_reader *reader = user;

        if (!reader->transport && !reader->protocol.lost)
                reader->has_protocol = false; /* the transport could not be made: another may be */
        detach(reader);
        auv__drop(&reader->object);
}

const auv_protocol_functions auv__stream_protocol_functions = AUV_PROTOCOL_FUNCTIONS(
        .connection_made = connection_made,
        .connection_lost = connection_lost,
        .pause_writing = pause_writing,
        .resume_writing = resume_writing,
        .get_buffer = get_buffer,
        .buffer_updated = buffer_updated,
        .eof_received = eof_received,
        .released = released);

int auv_stream_reader_protocol(auv_stream_reader *reader, auv_protocol *ret)
{
        if (!reader || !ret)
                return auv_raise(AUV_EINVAL, "no reader, or no place for its protocol");
        if (reader->has_protocol)
                return auv_raise(AUV_ERUNTIME, "the reader has its transport already");
        reader->has_protocol = true;
        *ret = (auv_protocol) { .functions = &auv__stream_protocol_functions, .user = auv_ref(reader) };
        return 0;
}

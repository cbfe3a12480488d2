/* SPDX-License-Identifier: MIT */

/* Stream writer: a transport, and its protocol's flow control as something to await. */

#include "io/stream_writer.h"

#include "base/alloc.h"
#include "io/stream_reader.h"
#include "sync/bind.h"

struct auv_stream_writer {
        struct auv__object object;
        auv_transport *transport;
        auv_stream_reader *flow;   /* has the transport's protocol */
        auv_stream_reader *reader; /* the same; or, made for a transport of the program's, another or NULL */
};

auv_stream_writer *auv__stream_writer_make(auv_transport *transport, auv_stream_reader *reader,
                                           auv_stream_reader *flow)
{
        auv_stream_writer *writer = auv__malloc(sizeof(*writer));

        if (!writer) {
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        *writer = (auv_stream_writer) { .object = auv__object_init(AUV__STREAM_WRITER, 0),
                                        .transport = auv_ref(transport),
                                        .flow = auv_ref(flow),
                                        .reader = auv_ref(reader) };
        return writer;
}

auv_stream_writer *auv_stream_writer_new(auv_transport *transport, auv_stream_reader *reader)
{
        const auv_protocol protocol = auv_transport_get_protocol(transport);

        if (protocol.functions != &auv__stream_protocol_functions) {
                auv_raise(AUV_EINVAL, "no transport, or its protocol is none of a reader's");
                return NULL;
        }
        return auv__stream_writer_make(transport, reader, protocol.user);
}

void auv__stream_writer_free(struct auv__object *object)
{
        auv_stream_writer *writer = auv__container_of(object, auv_stream_writer, object);

        if (!writer->flow->buffer.loop->closed && !auv_transport_is_closing(writer->transport))
                auv_transport_close(writer->transport);
        auv_unref(writer->transport);
        auv_unref(writer->flow);
        auv_unref(writer->reader);
        auv__free(writer);
}

static int fail_without_writer(void)
{
        return auv_raise(AUV_EINVAL, "no writer");
}

AUV__HOT int auv_stream_write(auv_stream_writer *writer, const void *data, size_t size)
{
        return writer ? auv_transport_write(writer->transport, data, size) : fail_without_writer();
}

int auv_stream_writelines(auv_stream_writer *writer, const auv_buffer *buffers, size_t n)
{
        return writer ? auv_transport_writelines(writer->transport, buffers, n) : fail_without_writer();
}

int auv_stream_write_eof(auv_stream_writer *writer)
{
        return writer ? auv_transport_write_eof(writer->transport) : fail_without_writer();
}

bool auv_stream_can_write_eof(const auv_stream_writer *writer)
{
        return writer && auv_transport_can_write_eof(writer->transport);
}

void auv_stream_close(auv_stream_writer *writer)
{
        if (writer)
                auv_transport_close(writer->transport);
}

bool auv_stream_is_closing(const auv_stream_writer *writer)
{
        return !writer || auv_transport_is_closing(writer->transport);
}

int auv_stream_get_extra_info(const auv_stream_writer *writer, const char *name, auv_value *ret)
{
        return writer ? auv_transport_get_extra_info(writer->transport, name, ret) : 0;
}

auv_transport *auv_stream_transport(const auv_stream_writer *writer)
{
        return writer ? writer->transport : NULL;
}

/* asyncio's _drain_helper(), as far as it does not wait. */
static int bind_and_check(auv_stream_writer *writer, const struct auv__task *task)
{
        AUV_TRY(auv__sync_bind(&writer->flow->buffer.loop, task));
        return writer->flow->protocol.lost ? auv_raise(AUV_ECONNRESET, "Connection lost") : 0;
}

/* A drain, or a wait_closed(). */
struct wait {
        auv_frame frame;
        auv_stream_writer *writer;
        struct auv__place place;
};

/* What is needed to begin with; the place is made when it is taken. */
static void wait_init(struct wait *wait, auv_stream_writer *writer)
{
        wait->frame = (auv_frame) { 0 };
        wait->writer = writer;
}

static int drain_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct wait, self);
        int r = 0;

        auv__keep(&self->writer->object);
        if (auv_transport_is_closing(self->writer->transport)) {
                /* connection_lost() is called: who writes and drains in a loop would never see it otherwise. */
                auv__task_make_ready(auv__steps_task());
                AUV__SUSPEND_CATCH(r);
        }
        if (r == 0)
                r = bind_and_check(self->writer, auv__steps_task());
        if (r == 0 && self->writer->flow->protocol.writing_paused)
                AUV__WAIT_IN_LINE_CATCH(r, &self->writer->flow->protocol.drainers, &self->place);
        auv__drop(&self->writer->object);
        AUV_LEAVE(r);
        AUV_END;
}

AUV__HOT int auv_await_stream_drain(auv_stream_writer *writer)
{
        struct auv__task *task;
        struct wait wait;

        AUV_TRY(auv__sync_begin(writer, &task));
        if (writer->reader && auv__unlikely(writer->reader->error))
                return auv_reraise(writer->reader->error);
        if (auv__likely(!auv_transport_is_closing(writer->transport))) {
                AUV_TRY(bind_and_check(writer, task));
                if (auv__likely(!writer->flow->protocol.writing_paused))
                        return 0;
        }
        wait_init(&wait, writer);
        return auv__run_steps(task, drain_steps, &wait);
}

/* How the connection has ended: 0, or what it was lost by. */
static int read_end(const auv_stream_writer *writer)
{
        auv_error *error = writer->flow->protocol.lost_by;

        return error ? auv_reraise(error) : 0;
}

static int wait_closed_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct wait, self);
        int r;

        auv__keep(&self->writer->object);
        AUV__WAIT_IN_LINE_CATCH(r, &self->writer->flow->protocol.closers, &self->place);
        if (r == 0)
                r = read_end(self->writer);
        auv__drop(&self->writer->object);
        AUV_LEAVE(r);
        AUV_END;
}

int auv_await_stream_wait_closed(auv_stream_writer *writer)
{
        struct auv__task *task;
        struct wait wait;

        AUV_TRY(auv__sync_begin(writer, &task));
        AUV_TRY(auv__sync_bind(&writer->flow->buffer.loop, task));
        if (writer->flow->protocol.lost)
                return read_end(writer);
        wait_init(&wait, writer);
        return auv__run_steps(task, wait_closed_steps, &wait);
}

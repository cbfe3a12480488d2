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

/* Lets connection_lost() be called: who writes and drains in a loop would never see it otherwise. */
static int yield(struct auv__task *task)
{
        auv__task_make_ready(task);
        return auv__task_suspend(task);
}

static int drain(auv_stream_writer *writer, struct auv__task *task)
{
        if (writer->reader && writer->reader->error)
                return auv_reraise(writer->reader->error);
        if (auv_transport_is_closing(writer->transport))
                AUV_TRY(yield(task));
        AUV_TRY(auv__sync_bind(&writer->flow->buffer.loop, task));
        return auv__await_stream_drainable(task, &writer->flow->protocol);
}

AUV__HOT int auv_await_stream_drain(auv_stream_writer *writer)
{
        struct auv__task *task;
        int r;

        AUV_TRY(auv__sync_await_begin(writer, &task));
        auv__keep(&writer->object);
        r = drain(writer, task);
        auv__drop(&writer->object);
        return r;
}

int auv_await_stream_wait_closed(auv_stream_writer *writer)
{
        struct auv__task *task;
        int r;

        AUV_TRY(auv__sync_await_begin(writer, &task));
        AUV_TRY(auv__sync_bind(&writer->flow->buffer.loop, task));
        auv__keep(&writer->object);
        r = auv__await_stream_lost(task, &writer->flow->protocol);
        auv__drop(&writer->object);
        return r;
}

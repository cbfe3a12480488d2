/* SPDX-License-Identifier: MIT */
#include "serving.h"

#include "form.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <netinet/in.h>
#include <sys/socket.h>

auv_stream_writer *serving_kept;
auv_task *serving_task;

/* The frame of all of those without a stack. */
struct session {
        auv_stream_frame frame;
        const char *data;
        size_t size;
        auv_subframe subframe;
};

/* What a body ends with, whose peer may do what it likes. */
static int end_echo(int r)
{
        trace("%s", r < 0 ? auv_error_name(r) : "end");
        return r == AUV_ECANCELED || r == AUV_ECLOSED ? r : 0;
}

static int echo(void *arg, auv_stream_reader *reader, auv_stream_writer *writer)
{
        const char *data;
        size_t size;
        int r;

        do {
                r = auv_await_stream_read(reader, 5000, &data, &size);
                if (r < 0 || size == 0)
                        break;
                r = auv_stream_write(writer, data, size);
                if (r == 0)
                        r = auv_await_stream_drain(writer);
        } while (r == 0);
        return end_echo(r);
}

static int echo_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct session, self);
        int r;

        do {
                AUV_AWAIT_CALL_CATCH(r, &self->subframe, auv_await_stream_read(self->frame.reader, 5000,
                                                                               &self->data, &self->size));
                if (r < 0 || self->size == 0)
                        break;
                r = auv_stream_write(self->frame.writer, self->data, self->size);
                if (r == 0)
                        AUV_AWAIT_CALL_CATCH(r, &self->subframe, auv_await_stream_drain(self->frame.writer));
        } while (r == 0);
        AUV_LEAVE(end_echo(r));
        AUV_END;
}

const struct serving echoes = { echo, echo_without_stack };

static int echo_lines(void *arg, auv_stream_reader *reader, auv_stream_writer *writer)
{
        const char *line;
        size_t size;

        for (;;) {
                AUV_TRY(auv_await_stream_readline(reader, &line, &size));
                if (size == 0)
                        return 0;
                AUV_TRY(auv_stream_write(writer, line, size));
        }
}

static int echo_lines_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct session, self);
        for (;;) {
                AUV_AWAIT_CALL(&self->subframe,
                               auv_await_stream_readline(self->frame.reader, &self->data, &self->size));
                if (self->size == 0)
                        AUV_RETURN();
                AUV_CHECK(auv_stream_write(self->frame.writer, self->data, self->size));
        }
        AUV_END;
}

const struct serving echoes_lines = { echo_lines, echo_lines_without_stack };

static int return_at_once(void *arg, auv_stream_reader *reader, auv_stream_writer *writer)
{
        return auv_stream_write(writer, "bye", 3);
}

static int return_at_once_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct session, self);
        AUV_CHECK(auv_stream_write(self->frame.writer, "bye", 3));
        AUV_END;
}

const struct serving returns_at_once = { return_at_once, return_at_once_without_stack };

static int keep_the_writer(void *arg, auv_stream_reader *reader, auv_stream_writer *writer)
{
        serving_kept = auv_ref(writer);
        return 0;
}

static int keep_the_writer_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct session, self);
        serving_kept = auv_ref(self->frame.writer);
        AUV_END;
}

const struct serving keeps_the_writer = { keep_the_writer, keep_the_writer_without_stack };

static int fail(void *arg, auv_stream_reader *reader, auv_stream_writer *writer)
{
        serving_kept = auv_ref(writer);
        return auv_raise(AUV_EUSER, "no service");
}

static int fail_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct session, self);
        serving_kept = auv_ref(self->frame.writer);
        AUV_RAISE(AUV_EUSER, "no service");
        AUV_END;
}

const struct serving fails = { fail, fail_without_stack };

static int wait_to_be_cancelled(void *arg, auv_stream_reader *reader, auv_stream_writer *writer)
{
        const char *data;
        size_t size;

        serving_kept = auv_ref(writer);
        serving_task = auv_ref(auv_current_task(NULL));
        return auv_await_stream_read(reader, 1, &data, &size);
}

static int wait_to_be_cancelled_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct session, self);
        serving_kept = auv_ref(self->frame.writer);
        serving_task = auv_ref(auv_current_task(NULL));
        AUV_AWAIT_CALL(&self->subframe,
                       auv_await_stream_read(self->frame.reader, 1, &self->data, &self->size));
        AUV_END;
}

const struct serving waits_to_be_cancelled = { wait_to_be_cancelled, wait_to_be_cancelled_without_stack };

static int write_more(auv_stream_writer *writer)
{
        static const char data[10000];
        auv_transport *transport = auv_stream_transport(writer);
        size_t high;
        const int r = auv_stream_write(writer, data, sizeof(data));

        auv_transport_get_write_buffer_limits(transport, NULL, &high);
        cr_assert(le(sz, auv_transport_get_write_buffer_size(transport), high + sizeof(data)));
        return r;
}

static int end_writes(int r)
{
        trace("%s", auv_error_name(r));
        return r == AUV_ECANCELED ? r : 0;
}

static int write_without_end(void *arg, auv_stream_reader *reader, auv_stream_writer *writer)
{
        int r;

        do {
                r = write_more(writer);
                if (r == 0)
                        r = auv_await_stream_drain(writer);
        } while (r == 0);
        return end_writes(r);
}

static int write_without_end_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct session, self);
        int r;

        do {
                r = write_more(self->frame.writer);
                if (r == 0)
                        AUV_AWAIT_CALL_CATCH(r, &self->subframe, auv_await_stream_drain(self->frame.writer));
        } while (r == 0);
        AUV_LEAVE(end_writes(r));
        AUV_END;
}

const struct serving writes_without_end = { write_without_end, write_without_end_without_stack };

/* Starting */

static auv_server_options in_its_form(struct serving serving, const auv_server_options *options)
{
        auv_server_options o = options ? *options : (auv_server_options) { .size = sizeof(o) };

        if (without_stack) {
                o.stackless = serving.stackless;
                o.frame_size = sizeof(struct session);
        }
        return o;
}

int serving_start(struct serving serving, const char *host, const auv_server_options *options,
                  auv_server **ret_server)
{
        const auv_server_options o = in_its_form(serving, options);
        struct session session = { .size = 0 };

        return auv_await_start_server(without_stack ? NULL : serving.fn, without_stack ? &session : NULL, host,
                                      0, &o, ret_server);
}

int serving_start_unix(struct serving serving, const char *path, auv_server **ret_server)
{
        const auv_server_options o = in_its_form(serving, NULL);
        struct session session = { .size = 0 };

        return auv_await_start_unix_server(without_stack ? NULL : serving.fn, without_stack ? &session : NULL,
                                           path, &o, ret_server);
}

int serving_port(auv_server *server)
{
        struct sockaddr_in address;
        socklen_t size = sizeof(address);
        int fd;

        cr_assert(eq(sz, auv_server_sockets(server, &fd, 1), 1));
        cr_assert(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
        return ntohs(address.sin_port);
}

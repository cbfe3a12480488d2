/* SPDX-License-Identifier: MIT */
/* The public symbols of streams; see check.h. */

#include "check.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Answers each line with itself. */
static int echo(void *arg, auv_stream_reader *reader, auv_stream_writer *writer)
{
        const char *line;
        size_t size;

        for (;;) {
                AUV_TRY(auv_await_stream_readline(reader, &line, &size));
                if (size == 0)
                        return 0;
                AUV_TRY(auv_stream_write(writer, line, size));
                AUV_TRY(auv_await_stream_drain(writer));
        }
}

/* The same without a stack, as asyncuv/stream.h has it. */
struct echo_frame {
        auv_stream_frame frame;
        auv_subframe subframe;
        const char *line;
        size_t size;
};

static int echo_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct echo_frame, self);
        for (;;) {
                AUV_AWAIT_CALL(&self->subframe,
                               auv_await_stream_readline(self->frame.reader, &self->line, &self->size));
                if (self->size == 0)
                        break;
                AUV_CHECK(auv_stream_write(self->frame.writer, self->line, self->size));
                AUV_AWAIT_CALL(&self->subframe, auv_await_stream_drain(self->frame.writer));
        }
        AUV_END;
}

/* A client of the echo server. */
static void talk(auv_stream_reader *reader, auv_stream_writer *writer)
{
        const auv_buffer parts[] = { { "two;th", 6 }, { "ree;four\n", 9 } };
        const auv_buffer separators[] = { { ";", 1 }, { "\n", 1 } };
        auv_value value = { .i = -1 };
        const char *data;
        char bytes[4];
        size_t size;

        check(auv_stream_get_extra_info(writer, "socket", &value) == 1 && value.i >= 0);
        check(auv_stream_transport(writer) != NULL);
        check(auv_stream_write(writer, "one\n", 4) == 0);
        check(auv_stream_writelines(writer, parts, 2) == 0);
        check(auv_stream_can_write_eof(writer));
        check(auv_stream_write_eof(writer) == 0);
        check(auv_await_stream_drain(writer) == 0);
        check(auv_await_stream_readline(reader, &data, &size) == 0 && size == 4 &&
              memcmp(data, "one\n", 4) == 0);
        check(auv_await_stream_readexactly(reader, bytes, 4) == 0 && memcmp(bytes, "two;", 4) == 0);
        check(auv_await_stream_readuntil(reader, separators, 2, &data, &size) == 0 && size == 6);
        check(memcmp(data, "three;", 6) == 0);
        check(!auv_stream_at_eof(reader));
        check(auv_await_stream_read(reader, AUV_STREAM_ALL, &data, &size) == 0 && size == 5);
        check(auv_stream_at_eof(reader));
        check(auv_stream_exception(reader) == NULL);
        check(!auv_stream_is_closing(writer));
        auv_stream_close(writer);
        check(auv_stream_is_closing(writer));
        check(auv_await_stream_wait_closed(writer) == 0);
}

static void talk_to(auv_server *server)
{
        AUV_AUTO auv_stream_reader *reader = NULL;
        AUV_AUTO auv_stream_writer *writer = NULL;
        struct sockaddr_in address;
        socklen_t size = sizeof(address);
        int fd;

        check(auv_server_sockets(server, &fd, 1) == 1);
        check(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
        check(auv_await_open_connection("127.0.0.1", ntohs(address.sin_port), NULL, &reader, &writer) == 0);
        talk(reader, writer);
        auv_server_close(server);
        check(auv_await_server_wait_closed(server) == 0);
}

static int test_tcp(void *arg, auv_value *ret)
{
        AUV_AUTO auv_server *server = NULL;
        AUV_AUTO auv_server *without_stacks = NULL;

        check(auv_await_start_server(echo, NULL, "127.0.0.1", 0, NULL, &server) == 0);
        talk_to(server);
        check(auv_await_start_server(NULL, &(struct echo_frame) { .size = 0 }, "127.0.0.1", 0,
                                     AUV_SERVER_OPTIONS(.stackless = echo_without_stack,
                                                        .frame_size = sizeof(struct echo_frame)),
                                     &without_stacks) == 0);
        talk_to(without_stacks);
        return 0;
}

static int test_unix(void *arg, auv_value *ret)
{
        AUV_AUTO auv_server *server = NULL;
        AUV_AUTO auv_stream_reader *reader = NULL;
        AUV_AUTO auv_stream_writer *writer = NULL;
        char path[64];

        snprintf(path, sizeof(path), "@test-api-stream-%d", getpid());
        check(auv_await_start_unix_server(echo, NULL, path, NULL, &server) == 0);
        check(auv_await_open_unix_connection(path, NULL, &reader, &writer) == 0);
        talk(reader, writer);
        auv_server_close(server);
        check(auv_await_server_wait_closed(server) == 0);
        return 0;
}

static int make(void *arg, auv_protocol *ret_protocol)
{
        return auv_stream_reader_protocol(arg, ret_protocol);
}

/* A reader and a writer on the two ends of a pipe, made by hand. */
static int test_pipe(void *arg, auv_value *ret)
{
        AUV_AUTO auv_stream_reader *in = auv_stream_reader_new(/* loop= */ NULL, /* limit= */ 0);
        AUV_AUTO auv_stream_reader *out = auv_stream_reader_new(/* loop= */ NULL, /* limit= */ 0);
        AUV_AUTO auv_transport *from = NULL;
        AUV_AUTO auv_transport *to = NULL;
        AUV_AUTO auv_stream_writer *writer = NULL;
        const char *line;
        size_t size;
        int ends[2];

        check(pipe(ends) == 0);
        check(auv_await_connect_read_pipe(make, in, ends[0], &from) == 0);
        check(auv_await_connect_write_pipe(make, out, ends[1], &to) == 0);
        writer = auv_stream_writer_new(to, /* reader= */ NULL);
        check(auv_stream_write(writer, "hello\n", 6) == 0);
        check(auv_await_stream_drain(writer) == 0);
        check(auv_await_stream_readline(in, &line, &size) == 0 && size == 6);
        auv_stream_close(writer);
        check(auv_await_stream_read(in, 1, &line, &size) == 0 && size == 0);
        return 0;
}

static int test_fed(void *arg, auv_value *ret)
{
        AUV_AUTO auv_stream_reader *reader = auv_stream_reader_new(/* loop= */ NULL, /* limit= */ 10);
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, NULL);
        const char *data;
        size_t size;

        check(auv_stream_feed_data(reader, "abc", 3) == 0);
        check(auv_stream_feed_eof(reader) == 0);
        check(auv_await_stream_read(reader, 2, &data, &size) == 0 && size == 2);
        check(auv_stream_set_exception(reader, error) == 0);
        check(auv_await_stream_read(reader, 2, &data, &size) == AUV_EUSER);
        return 0;
}

int main(void)
{
        run_in_task(test_tcp);
        run_in_task(test_unix);
        run_in_task(test_pipe);
        run_in_task(test_fed);
        return 0;
}

/* SPDX-License-Identifier: MIT */
#include "reading.h"

#include "form.h"
#include "support/loop.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORD = 128 };

enum { MAX_SEPARATORS = 8, MAX_EXACTLY = 64 };

/* A task that reads as a word says; its frame, where it has no stack. */
struct reading {
        auv_frame frame;
        auv_stream_reader *reader;
        int number;
        char word[MAX_WORD];
        auv_buffer separators[MAX_SEPARATORS];
        size_t n; /* of the separators, or how many bytes */
        char exactly[MAX_EXACTLY];
        const char *data;
        size_t size;
        auv_subframe subframe;
};

static void replace(char *text, size_t size, char from, char to)
{
        for (size_t i = 0; i < size; i++)
                if (text[i] == from)
                        text[i] = to;
}

/* As the trace has it. The caller frees it. */
static char *shown(const char *data, size_t size)
{
        char *text = strndup(data, size);

        replace(text, size, '\n', '/');
        return text;
}

/* Whether the message of the current error has a text in it. */
static bool tells(const char *part)
{
        const char *message = auv_error_message(auv_error_current());

        return message && strstr(message, part) == message + strlen(message) - strlen(part);
}

static const char *distance(void)
{
        cr_assert(tells("not found, and chunk exceed the limit") ||
                  tells("found, but chunk is longer than limit"));
        return tells("not found, and chunk exceed the limit") ? "no" : "far";
}

static void trace_error(int number, int code)
{
        const auv_error *error = auv_error_current();
        const char *partial;
        size_t size, expected;
        char *text;

        cr_assert(eq(int, auv_error_code(error), code));
        switch (code) {
        case AUV_ECANCELED:
                trace("%d!cancelled", number);
                break;
        case AUV_EUSER:
                trace("%d!fed", number);
                break;
        case AUV_EINCOMPLETEREAD:
                partial = auv_error_partial(error, &size, &expected);
                text = shown(partial, size);
                trace("%d!incomplete:%s:%zu", number, text, expected);
                free(text);
                break;
        case AUV_ELIMITOVERRUN:
                trace("%d!overrun:%zu:%s", number, auv_error_consumed(error), distance());
                break;
        case AUV_EINVAL:
                trace("%d!value:%s", number, distance());
                break;
        case AUV_ERUNTIME:
                cr_assert(tells("() called while another coroutine is already waiting for incoming data"));
                trace("%d!busy:%.*s", number, (int)strcspn(auv_error_message(error), "("),
                      auv_error_message(error));
                break;
        default:
                trace("%d!%s", number, auv_error_name(code));
                break;
        }
}

/* Takes the word apart. */
static void prepare(struct reading *reading)
{
        char *separator;

        switch (reading->word[0]) {
        case 'r':
        case 'n':
                reading->n = reading->word[1] == '*' ? AUV_STREAM_ALL : strtoul(reading->word + 1, NULL, 10);
                break;
        case 'u':
                for (separator = strtok(reading->word + 1, ","); separator; separator = strtok(NULL, ",")) {
                        reading->separators[reading->n++] =
                                (auv_buffer) { .data = separator, .size = strlen(separator) };
                        replace(separator, strlen(separator), '/', '\n');
                }
                break;
        }
}

static void trace_outcome(struct reading *reading, int r)
{
        const bool is_exactly = reading->word[0] == 'n';
        char *text;

        if (r < 0) {
                trace_error(reading->number, r);
                return;
        }
        text = is_exactly ? shown(reading->exactly, reading->n) : shown(reading->data, reading->size);
        trace("%d=%s", reading->number, text);
        free(text);
}

static int read_word(struct reading *reading)
{
        switch (reading->word[0]) {
        case 'r':
                return auv_await_stream_read(reading->reader, reading->n, &reading->data, &reading->size);
        case 'l':
                return auv_await_stream_readline(reading->reader, &reading->data, &reading->size);
        case 'n':
                return auv_await_stream_readexactly(reading->reader, reading->exactly, reading->n);
        default:
                return auv_await_stream_readuntil(reading->reader, reading->separators, reading->n,
                                                  &reading->data, &reading->size);
        }
}

static int reads(void *arg, auv_value *ret)
{
        struct reading *reading = arg;

        prepare(reading);
        trace_outcome(reading, read_word(reading));
        return 0;
}

static int reads_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct reading, self);
        int r;

        prepare(self);
        AUV_AWAIT_CALL_CATCH(r, &self->subframe, read_word(self));
        trace_outcome(self, r);
        AUV_END;
}

auv_task *reading_start(auv_stream_reader *reader, int number, const char *word)
{
        struct reading reading = { .reader = reader, .number = number };

        snprintf(reading.word, sizeof(reading.word), "%s", word);
        if (without_stack)
                return auv_loop_create_task(loop, NULL, &reading, sizeof(reading),
                                            AUV_TASK_OPTIONS(.stackless = reads_without_stack));
        return auv_loop_create_task(loop, reads, &reading, sizeof(reading), NULL);
}

void reading_feed(auv_stream_reader *reader, const char *data)
{
        char copy[MAX_WORD];

        snprintf(copy, sizeof(copy), "%s", data);
        replace(copy, strlen(copy), '/', '\n');
        cr_assert(eq(int, auv_stream_feed_data(reader, copy, strlen(copy)), 0));
}

static int make_protocol(void *arg, auv_protocol *ret_protocol)
{
        return auv_stream_reader_protocol(arg, ret_protocol);
}

/* A transport, and what it is made of. */
struct connection {
        auv_stream_reader *reader;
        int fd;
};

static int connects(void *arg, auv_value *ret)
{
        const struct connection *connection = arg;
        auv_transport *transport;

        AUV_TRY(auv_await_connect_accepted_socket(make_protocol, connection->reader, connection->fd,
                                                  &transport));
        ret->p = transport;
        return 0;
}

auv_transport *reading_transport(auv_stream_reader *reader, int fd)
{
        struct connection connection = { .reader = reader, .fd = fd };
        auv_value transport;

        cr_assert(eq(int, loop_run(connects, &connection, &transport), 0));
        return transport.p;
}

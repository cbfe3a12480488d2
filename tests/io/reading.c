/* SPDX-License-Identifier: MIT */
#include "reading.h"

#include "support/loop.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORD = 128 };

/* A task that reads as a word says. */
struct reading {
        auv_stream_reader *reader;
        int number;
        char word[MAX_WORD];
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

static int read_until(auv_stream_reader *reader, char *word, const char **data, size_t *size)
{
        auv_buffer separators[8];
        size_t n = 0;

        for (char *separator = strtok(word, ","); separator; separator = strtok(NULL, ",")) {
                separators[n++] = (auv_buffer) { .data = separator, .size = strlen(separator) };
                replace(separator, strlen(separator), '/', '\n');
        }
        return auv_await_stream_readuntil(reader, separators, n, data, size);
}

static int read_exactly(auv_stream_reader *reader, size_t n, char *buffer, const char **data, size_t *size)
{
        AUV_TRY(auv_await_stream_readexactly(reader, buffer, n));
        *data = buffer;
        *size = n;
        return 0;
}

static int reads(void *arg, auv_value *ret)
{
        struct reading *reading = arg;
        const char *data = NULL, *word = reading->word;
        char buffer[64], *text;
        size_t size = 0;
        int r;

        switch (word[0]) {
        case 'r':
                r = auv_await_stream_read(reading->reader,
                                          word[1] == '*' ? AUV_STREAM_ALL : strtoul(word + 1, NULL, 10),
                                          &data, &size);
                break;
        case 'l':
                r = auv_await_stream_readline(reading->reader, &data, &size);
                break;
        case 'n':
                r = read_exactly(reading->reader, strtoul(word + 1, NULL, 10), buffer, &data, &size);
                break;
        default:
                r = read_until(reading->reader, reading->word + 1, &data, &size);
                break;
        }
        if (r < 0) {
                trace_error(reading->number, r);
                return 0;
        }
        text = shown(data, size);
        trace("%d=%s", reading->number, text);
        free(text);
        return 0;
}

auv_task *reading_start(auv_stream_reader *reader, int number, const char *word)
{
        struct reading reading = { .reader = reader, .number = number };

        snprintf(reading.word, sizeof(reading.word), "%s", word);
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

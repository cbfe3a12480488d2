/* SPDX-License-Identifier: MIT */

#include "http.h"

#include <string.h>
#include <strings.h>

static int on_message_begin(http_parser *parser)
{
        struct http_message *message = parser->data;

        if (message->has_begun)
                return -1;
        message->has_begun = true;
        return 0;
}

/* The parser lets blanks stand in names, and some of them in URLs. Others end the name or the URL there. */
static bool has_blank(const char *data, size_t size)
{
        for (size_t i = 0; i < size; i++)
                if ((unsigned char)data[i] <= ' ')
                        return true;
        return false;
}

static int on_url(http_parser *parser, const char *data, size_t size)
{
        struct http_message *message = parser->data;

        if (has_blank(data, size))
                return -1;
        message->url = (struct http_text) { data, size };
        return 0;
}

static int on_status(http_parser *parser, const char *data, size_t size)
{
        struct http_message *message = parser->data;

        message->reason = (struct http_text) { data, size };
        return 0;
}

/* After the body, fields may follow. They have no meaning here. */
static int on_header_field(http_parser *parser, const char *data, size_t size)
{
        struct http_message *message = parser->data;

        if (message->has_head)
                return 0;
        if (message->n_fields == HTTP_MAX_FIELDS || has_blank(data, size))
                return -1;
        message->fields[message->n_fields++].name = (struct http_text) { data, size };
        return 0;
}

/* A value in several pieces is one that is continued on the next line, which nobody needs to accept. */
static int on_header_value(http_parser *parser, const char *data, size_t size)
{
        struct http_message *message = parser->data;
        struct http_field *field;

        if (message->has_head)
                return 0;
        field = &message->fields[message->n_fields - 1];
        if (field->value.data)
                return -1;
        field->value = (struct http_text) { data, size };
        return 0;
}

/* A request of HTTP/1.1 has one Host. No request has two: who answers may not be whom it was checked for. */
static bool has_good_host(const struct http_message *message)
{
        size_t n = 0;

        for (size_t i = 0; i < message->n_fields; i++)
                n += http_text_is(&message->fields[i].name, "Host");
        return n == 1 || (n == 0 && message->parser.http_minor == 0);
}

/* The parser asks here whether to skip a body; it does not know by itself that these have none. */
static bool is_without_body(const struct http_message *message)
{
        const unsigned int status = message->parser.status_code;

        return message->without_body || (message->parser.type == HTTP_RESPONSE &&
                                         (status / 100 == 1 || status == 204 || status == 304));
}

static int on_headers_complete(http_parser *parser)
{
        struct http_message *message = parser->data;
        const struct http_text *coding = http_find(message, "Transfer-Encoding");

        /* What is not understood must not be passed on as if it were. HTTP/1.0 has no codings. */
        if (coding && (!http_text_is(coding, "chunked") || parser->http_minor == 0))
                return -1;
        if (parser->type == HTTP_REQUEST && !has_good_host(message))
                return -1;
        message->has_head = true;
        message->is_chunked = coding;
        message->is_kept_alive = http_should_keep_alive(parser);
        message->remaining = coding ? 0 : parser->content_length;
        return is_without_body(message) ? 1 : 0;
}

static int on_chunk_header(http_parser *parser)
{
        struct http_message *message = parser->data;

        message->remaining = parser->content_length;
        message->is_in_chunk = message->remaining > 0;
        return 0;
}

static int on_chunk_complete(http_parser *parser)
{
        struct http_message *message = parser->data;

        message->is_in_chunk = false;
        return 0;
}

static int on_body(http_parser *parser, const char *data, size_t size)
{
        struct http_message *message = parser->data;

        message->piece = (struct http_text) { data, size };
        if (message->remaining != UINT64_MAX)
                message->remaining -= size;
        return 0;
}

static int on_message_complete(http_parser *parser)
{
        struct http_message *message = parser->data;

        message->is_complete = true;
        return 0;
}

static const http_parser_settings settings = {
        .on_message_begin = on_message_begin,
        .on_url = on_url,
        .on_status = on_status,
        .on_header_field = on_header_field,
        .on_header_value = on_header_value,
        .on_headers_complete = on_headers_complete,
        .on_chunk_header = on_chunk_header,
        .on_chunk_complete = on_chunk_complete,
        .on_body = on_body,
        .on_message_complete = on_message_complete,
};

/* No bytes tell the parser that the stream has ended. */
static int parse(struct http_message *message, const char *data, size_t size)
{
        const size_t parsed = http_parser_execute(&message->parser, &settings, data, size);
        const enum http_errno error = HTTP_PARSER_ERRNO(&message->parser);

        if (error != HPE_OK)
                return auv_raise(AUV_EPROTO, "not HTTP: %s", http_errno_description(error));
        if (parsed != size)
                return auv_raise(AUV_EPROTO, "not HTTP: something follows where the message has ended");
        return 0;
}

void http_init(struct http_message *message, enum http_parser_type type, auv_stream_reader *reader)
{
        *message = (struct http_message) { .reader = reader };
        http_parser_init(&message->parser, type);
        message->parser.data = message;
}

/* The parser takes what comes after a CR for the LF, whatever it is. Others read on, to another message. */
static bool has_bare_cr(const char *data, size_t size)
{
        for (size_t i = 0; i < size; i++)
                if (data[i] == '\r' && (i + 1 == size || data[i + 1] != '\n'))
                        return true;
        return false;
}

/*
 * The reader returns all up to an empty line, so the parser sees the whole head in one place, and its
 * pieces are views into that. Empty lines may come before a message.
 */
int http_await_head(struct http_message *message)
{
        static const auv_buffer ends[] = { { "\n\r\n", 3 }, { "\n\n", 2 } };
        const char *data;
        size_t size;
        int r;

        while (!message->has_begun) {
                r = auv_await_stream_readuntil(message->reader, ends, 2, &data, &size);
                if (r == AUV_EINCOMPLETEREAD) {
                        auv_error_partial(auv_error_current(), &size, /* ret_expected= */ NULL);
                        return size == 0 ? 0 : r;
                }
                AUV_TRY(r);
                if (has_bare_cr(data, size))
                        return auv_raise(AUV_EPROTO, "not HTTP: the head has a CR without LF");
                AUV_TRY(parse(message, data, size));
        }
        if (!message->has_head)
                return auv_raise(AUV_EPROTO, "not HTTP: the head has an empty line in it");
        return 1;
}

/*
 * A line of a chunked body: all of it ends with CR and LF. Behind the data of a chunk it is empty, but the
 * parser would take any two bytes there.
 */
static int await_line(struct http_message *message, const char **ret_data, size_t *ret_size)
{
        AUV_TRY(auv_await_stream_readline(message->reader, ret_data, ret_size));
        if (*ret_size < 2 || memcmp(*ret_data + *ret_size - 2, "\r\n", 2) != 0 ||
            has_bare_cr(*ret_data, *ret_size) || (message->is_in_chunk && *ret_size > 2))
                return auv_raise(AUV_EPROTO, "not HTTP: a line of a chunked body does not end as it should");
        return 0;
}

/*
 * Where the parser is in the midst of data, what comes is data, up to the end of the body or of the
 * chunk; else it is at a line that tells how long a chunk is, or that ends one.
 */
static int await_more(struct http_message *message, const char **ret_data, size_t *ret_size)
{
        const size_t n = message->remaining < AUV_STREAM_ALL ? message->remaining : AUV_STREAM_ALL - 1;

        if (n == 0)
                return await_line(message, ret_data, ret_size);
        return auv_await_stream_read(message->reader, n, ret_data, ret_size);
}

int http_await_body(struct http_message *message, struct http_text *ret_piece)
{
        const char *data;
        size_t size;

        message->piece.size = 0;
        while (!message->is_complete) {
                AUV_TRY(await_more(message, &data, &size));
                AUV_TRY(parse(message, data, size));
                if (message->piece.size > 0) {
                        *ret_piece = message->piece;
                        return 1;
                }
        }
        return 0;
}

enum http_status http_status_of(int error)
{
        switch (error) {
        case AUV_EPROTO:
        case AUV_EINCOMPLETEREAD:
        case AUV_EINVAL: /* a line of a chunked body is too long */
                return HTTP_STATUS_BAD_REQUEST;
        case AUV_ETIMEDOUT:
                return HTTP_STATUS_REQUEST_TIMEOUT;
        case AUV_EFBIG:
                return HTTP_STATUS_PAYLOAD_TOO_LARGE;
        case AUV_ELIMITOVERRUN:
                return HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE;
        case AUV_ENOMEM:
                return HTTP_STATUS_SERVICE_UNAVAILABLE;
        default:
                return 0;
        }
}

bool http_text_is(const struct http_text *text, const char *other)
{
        return text->size == strlen(other) && !strncasecmp(text->data, other, text->size);
}

const struct http_text *http_find(const struct http_message *message, const char *name)
{
        for (size_t i = 0; i < message->n_fields; i++)
                if (http_text_is(&message->fields[i].name, name))
                        return &message->fields[i].value;
        return NULL;
}

/* Whether a list, separated by commas, has a text as a member. */
static bool has_member(const struct http_text *list, const struct http_text *text)
{
        const char *const end = list->data + list->size;
        struct http_text member = { list->data, 0 };

        for (; member.data < end; member.data += member.size + 1) {
                for (member.size = 0; member.data + member.size < end; member.size++)
                        if (strchr(", \t", member.data[member.size]))
                                break;
                if (member.size == text->size && !strncasecmp(member.data, text->data, text->size))
                        return true;
        }
        return false;
}

/* Whether a field is meant for the neighbour alone, and is not to be passed on. */
static bool is_for_one_hop(const struct http_message *message, const struct http_field *field)
{
        static const char *const names[] = { "Connection", "Keep-Alive",        "Proxy-Connection", "TE",
                                             "Trailer",    "Transfer-Encoding", "Upgrade" };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (http_text_is(&field->name, names[i]))
                        return true;
        /* Connection may not take these away: a body is passed on behind a head that tells its length. */
        if (http_text_is(&field->name, "Content-Length") || http_text_is(&field->name, "Host"))
                return false;
        for (size_t i = 0; i < message->n_fields; i++)
                if (http_text_is(&message->fields[i].name, "Connection") &&
                    has_member(&message->fields[i].value, &field->name))
                        return true;
        return false;
}

void http_print_fields(FILE *file, const struct http_message *message)
{
        for (size_t i = 0; i < message->n_fields; i++) {
                const struct http_field *field = &message->fields[i];

                if (!is_for_one_hop(message, field))
                        fprintf(file, "%.*s: %.*s\r\n", (int)field->name.size, field->name.data,
                                (int)field->value.size, field->value.data);
        }
}

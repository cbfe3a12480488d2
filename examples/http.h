/* SPDX-License-Identifier: MIT */
#ifndef EXAMPLES_HTTP_H
#define EXAMPLES_HTTP_H

/*
 * HTTP messages, read from a stream
 *
 * http_parser calls back with what it finds; here that is turned round, so that a task asks for the
 * head of a message, and then for its body piece by piece. Nothing is copied: what is returned
 * are views into the reader's buffer, each valid until the next call on the same message.
 *
 * Exactly the bytes of one message are taken from the reader, so the next message is where it begins.
 */

#include <asyncuv.h>
#include <http_parser.h>
#include <stdio.h>

/* More than this in a head is refused. How long a head may be is the reader's limit. */
enum { HTTP_MAX_FIELDS = 64 };

/* A piece of text in a view, not ended by a zero byte. */
struct http_text {
        const char *data;
        size_t size;
};

struct http_field {
        struct http_text name;
        struct http_text value;
};

struct http_message {
        auv_stream_reader *reader;
        http_parser parser; /* has the method, the status and the version */
        bool without_body;  /* set by the user: the answer to a HEAD has none, whatever its head says */
        bool has_begun;
        bool has_head;
        bool is_complete;
        bool is_kept_alive;
        bool is_chunked;
        bool is_in_chunk;   /* one that has data, and whose end has not come yet */
        uint64_t remaining; /* bytes of the body, or of the current chunk; UINT64_MAX: until the stream ends
                             */
        struct http_text url;    /* of a request */
        struct http_text reason; /* of an answer */
        struct http_field fields[HTTP_MAX_FIELDS];
        size_t n_fields;
        struct http_text piece; /* of the body */
};

/* Begins a message; the one before it on the same reader has been read to its end. */
void http_init(struct http_message *message, enum http_parser_type type, auv_stream_reader *reader);

/*
 * Reads the head. Returns 1; or 0, the stream ended before the message began; or a negative error:
 * AUV_EPROTO, this is not HTTP; AUV_ELIMITOVERRUN, the head is too long; AUV_EINCOMPLETEREAD, the
 * stream ended within it.
 */
int http_await_head(struct http_message *message);

/*
 * Reads the next piece of the body. Returns 1; or 0, that was all; or a negative error: AUV_EPROTO,
 * this is not HTTP, or the stream ended within it.
 */
int http_await_body(struct http_message *message, struct http_text *ret_piece);

/* What a client is told of an error in its request; 0 where there is nobody to tell. */
enum http_status http_status_of(int error);

/* The first field of a head with this name, or NULL. */
const struct http_text *http_find(const struct http_message *message, const char *name);

/* Whether two texts are the same, upper and lower case being the same. */
bool http_text_is(const struct http_text *text, const char *other);

/* Prints the fields of a head as they stand in one, but for those that are meant for the neighbour alone. */
void http_print_fields(FILE *file, const struct http_message *message);

#endif

/* SPDX-License-Identifier: MIT */

#include "redis.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 16 };

static int fail(const char *what)
{
        return auv_raise(AUV_EPROTO, "the server does not talk as Redis: %s", what);
}

/* A line without its end. */
static int await_line(const struct redis_printer *printer, const char **ret_line, size_t *ret_size)
{
        AUV_TRY(auv_await_stream_readline(printer->reader, ret_line, ret_size));
        if (*ret_size < 3 || memcmp(*ret_line + *ret_size - 2, "\r\n", 2))
                return fail(*ret_size == 0 ? "it has closed the connection" : "a line is not complete");
        *ret_size -= 2;
        return 0;
}

/* Lengths and counts: a number, and nothing else. -1 stands for what is not there. */
static int parse_length(const char *line, size_t size, long *ret_length)
{
        char text[24], *end;

        if (size < 2 || size > sizeof(text) || isspace((unsigned char)line[1]))
                return fail("a length is no number");
        memcpy(text, line + 1, size - 1);
        text[size - 1] = '\0';
        errno = 0;
        *ret_length = strtol(text, &end, 10);
        if (*end || errno || *ret_length < -1)
                return fail("a length is no number");
        return 0;
}

/* Bytes as they would be written in C. */
static void print_quoted(FILE *file, const char *data, size_t size)
{
        static const char escaped[] = "\\\"\n\r\t\a\b";
        static const char letters[] = "\\\"nrtab";

        for (size_t i = 0; i < size; i++) {
                const char *place = data[i] ? strchr(escaped, data[i]) : NULL;

                if (place)
                        fprintf(file, "\\%c", letters[place - escaped]);
                else if (isprint((unsigned char)data[i]))
                        fputc(data[i], file);
                else
                        fprintf(file, "\\x%02x", (unsigned char)data[i]);
        }
}

/* A string of a length that is known. What is verbatim begins with its kind, and is meant for people. */
static int await_string(const struct redis_printer *printer, long length, bool is_verbatim)
{
        size_t remaining = (size_t)length;
        const char *data;
        size_t size;
        char end[4];

        if (is_verbatim) {
                if (remaining < sizeof(end))
                        return fail("a text has no kind");
                AUV_TRY(auv_await_stream_readexactly(printer->reader, end, sizeof(end)));
                remaining -= sizeof(end);
        } else
                fputc('"', printer->output);

        for (; remaining > 0; remaining -= size) {
                AUV_TRY(auv_await_stream_read(printer->reader, remaining, &data, &size));
                if (size == 0)
                        return fail("a string is not complete");
                if (is_verbatim)
                        fwrite(data, 1, size, printer->output);
                else
                        print_quoted(printer->output, data, size);
        }
        if (!is_verbatim)
                fputc('"', printer->output);

        AUV_TRY(auv_await_stream_readexactly(printer->reader, end, 2));
        return memcmp(end, "\r\n", 2) ? fail("a string does not end where it should") : 0;
}

/* Where a reply stands in another one, and on the screen. */
struct place {
        int depth;
        int indent;
        bool is_value; /* behind its name */
};

static int await_reply(const struct redis_printer *printer, struct place place);

/* The kinds of replies that have members. */
static const struct kind {
        char type;
        char mark; /* behind the number of a member */
        const char *name;
} kinds[] = {
        { '*', ')', "array" }, { '%', '#', "hash" },      { '~', '~', "set" },
        { '>', ')', "push" },  { '|', '#', "attribute" },
};

static const struct kind *find_kind(char type)
{
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
                if (kinds[i].type == type)
                        return &kinds[i];
        return NULL;
}

/* The members stand below each other, each with its number, as far to the right as the list is. */
static int await_list(const struct redis_printer *printer, const struct kind *kind, long n,
                      struct place place)
{
        const int width = snprintf(NULL, 0, "%ld", n);
        const struct place member = { place.depth + 1, place.indent + width + 2, /* is_value= */ false };
        const struct place value = { place.depth + 1, place.indent + width + 2, /* is_value= */ true };

        if (place.depth == MAX_DEPTH)
                return fail("a reply is nested too deeply");
        if (n == 0)
                fprintf(printer->output, "(empty %s)", kind->name);
        for (long i = 0; i < n; i++) {
                if (i > 0 || (place.is_value && n > 1))
                        fprintf(printer->output, "\n%*s", place.indent, "");
                fprintf(printer->output, "%*ld%c ", width, i + 1, kind->mark);
                AUV_TRY(await_reply(printer, member));
                if (kind->mark == '#') {
                        fputs(" => ", printer->output);
                        AUV_TRY(await_reply(printer, value));
                }
        }
        return 0;
}

/* What is said about a reply comes before it, and is not shown. */
static int await_attributed(const struct redis_printer *printer, const struct kind *kind, long n,
                            struct place place)
{
        struct redis_printer silent = *printer;

        silent.output = printer->nowhere;
        AUV_TRY(await_list(&silent, kind, n, place));
        place.depth++;
        return await_reply(printer, place);
}

/* What stands before a reply that is one line; NULL where it is not. */
static const char *find_label(char type)
{
        switch (type) {
        case '+':
        case '(':
                return "";
        case '-':
                return "(error) ";
        case ':':
                return "(integer) ";
        case ',':
                return "(double) ";
        default:
                return NULL;
        }
}

/* The line with the type is gone when something else is read. */
static int await_reply(const struct redis_printer *printer, struct place place)
{
        const struct kind *kind;
        const char *line, *label;
        size_t size;
        long length = 0;
        char type;

        AUV_TRY(await_line(printer, &line, &size));
        type = line[0];
        label = find_label(type);
        if (label) {
                fprintf(printer->output, "%s%.*s", label, (int)size - 1, line + 1);
                return type == '-';
        }
        if (type == '#') {
                fputs(size > 1 && line[1] == 't' ? "(true)" : "(false)", printer->output);
                return 0;
        }

        kind = find_kind(type);
        if (!kind && type != '$' && type != '=' && type != '!' && type != '_')
                return fail("there is no such type");
        if (type != '_')
                AUV_TRY(parse_length(line, size, &length));
        if (type == '_' || length < 0) {
                fputs("(nil)", printer->output);
                return 0;
        }
        if (type == '|')
                return await_attributed(printer, kind, length, place);
        if (kind)
                return await_list(printer, kind, length, place);

        if (type == '!')
                fputs("(error) ", printer->output);
        AUV_TRY(await_string(printer, length, type == '='));
        return type == '!';
}

int redis_await_reply(const struct redis_printer *printer)
{
        return await_reply(printer, (struct place) { 0 });
}

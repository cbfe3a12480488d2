/* SPDX-License-Identifier: MIT */

#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must_have(void *memory)
{
        if (!memory) {
                fputs("replay: out of memory\n", stderr);
                abort();
        }
        return memory;
}

void *must_alloc(size_t size)
{
        return must_have(calloc(1, size ? size : 1));
}

char *must_copy(const char *from, size_t length)
{
        char *copy = must_alloc(length + 1);

        return memcpy(copy, from, length);
}

/* Room for length bytes more and the zero byte behind them. */
static char *text_reserve(struct text *text, size_t length)
{
        if (text->length + length + 1 > text->room) {
                text->room = 2 * (text->length + length + 1);
                text->data = must_have(realloc(text->data, text->room));
        }
        return text->data + text->length;
}

void text_add_bytes(struct text *text, const char *bytes, size_t length)
{
        char *end = text_reserve(text, length);

        if (length)
                memcpy(end, bytes, length);
        end[length] = '\0';
        text->length += length;
}

void text_add(struct text *text, const char *format, ...)
{
        va_list args, again;
        int length;

        va_start(args, format);
        va_copy(again, args);
        length = vsnprintf(NULL, 0, format, args);
        vsnprintf(text_reserve(text, (size_t)length), (size_t)length + 1, format, again);
        text->length += (size_t)length;
        va_end(again);
        va_end(args);
}

const char *text_string(const struct text *text)
{
        return text->data ? text->data : "";
}

void text_clear(struct text *text)
{
        text->length = 0;
        if (text->data)
                text->data[0] = '\0';
}

void text_deinit(struct text *text)
{
        free(text->data);
        *text = (struct text) { 0 };
}

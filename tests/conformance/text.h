/* SPDX-License-Identifier: MIT */
#ifndef CONFORMANCE_TEXT_H
#define CONFORMANCE_TEXT_H

#include <asyncuv/macros.h>

#include <stddef.h>

/*
 * A text that grows, all zero at first. The interpreter's own memory comes from the C
 * library and not from asyncuv's allocator, so that a failing allocation is never one of
 * the test's; where the C library has none, the program ends.
 */
struct text {
        char *data; /* ended by a zero byte; NULL while empty */
        size_t length, room;
};

void *must_alloc(size_t size); /* zeroed */
char *must_copy(const char *from, size_t length);

void text_add_bytes(struct text *text, const char *bytes, size_t length);
void text_add(struct text *text, const char *format, ...) AUV_PRINTF(2, 3);
const char *text_string(const struct text *text); /* never NULL */
void text_clear(struct text *text);
void text_deinit(struct text *text);

#endif

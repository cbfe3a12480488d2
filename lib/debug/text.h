/* SPDX-License-Identifier: MIT */
#ifndef AUV_DEBUG_TEXT_H
#define AUV_DEBUG_TEXT_H

#include <asyncuv/macros.h>

#include <stddef.h>
#include <stdio.h>

/* Where text goes: to a file, or to a buffer with as much of it as it has room for, and a NUL. */
struct auv__text {
        FILE *file;   /* NULL: to the buffer */
        char *buffer; /* may be NULL where size is 0 */
        size_t size;
        size_t length; /* of all, whether there was room or not */
};

void auv__text_add(struct auv__text *text, const char *format, ...) AUV_PRINTF(2, 3);

/*
 * A line on one frame: "  File 'x.c', line 12, in async fn()\n", behind @indent spaces and @lead, or as
 * much of it as is known. @address: of an instruction, see auv__symbol_find(). Needs room.
 */
void auv__text_add_frame(struct auv__text *text, int indent, const char *lead, const void *address,
                         const char *tag);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_WRITE_BUFFER_H
#define AUV_IO_WRITE_BUFFER_H

#include <stddef.h>

/*
 * Write buffer
 *
 * What could not be sent at once: bytes in a row, appended at the end, taken from the front. It has memory
 * only while it has bytes, for most connections have nothing to wait for most of the time.
 */
struct auv__write_buffer {
        char *memory; /* NULL where it is empty */
        size_t begin;
        size_t end;
        size_t room;
};

static inline size_t auv__write_buffer_size(const struct auv__write_buffer *buffer)
{
        return buffer->end - buffer->begin;
}

/* Makes room for @size bytes more, so that the appends that follow cannot fail. Returns 0 or AUV_ENOMEM. */
int auv__write_buffer_reserve(struct auv__write_buffer *buffer, size_t size);

/* Appends bytes that there is room for. */
void auv__write_buffer_append(struct auv__write_buffer *buffer, const void *data, size_t size);

/* Takes bytes from the front, and gives up the memory with the last of them. */
void auv__write_buffer_consume(struct auv__write_buffer *buffer, size_t size);

void auv__write_buffer_clear(struct auv__write_buffer *buffer);

#endif

/* SPDX-License-Identifier: MIT */

#include "io/write_buffer.h"

#include "base/alloc.h"

#include <asyncuv/error.h>

#include <stdint.h>
#include <string.h>

enum { LEAST_ROOM = 4096 };

int auv__write_buffer_reserve(struct auv__write_buffer *buffer, size_t size)
{
        const size_t used = auv__write_buffer_size(buffer);
        size_t room = buffer->room > 0 ? 2 * buffer->room : LEAST_ROOM;
        char *memory;

        if (size <= buffer->room - buffer->end)
                return 0;
        if (size > SIZE_MAX / 4 - used)
                return AUV_ENOMEM;
        /* Moved only where that gains half of the room, so that a byte is moved no more than twice. */
        if (buffer->begin >= buffer->room / 2 && used + size <= buffer->room) {
                memmove(buffer->memory, buffer->memory + buffer->begin, used);
                buffer->begin = 0;
                buffer->end = used;
                return 0;
        }
        while (room < used + size)
                room *= 2;
        memory = auv__malloc(room);
        if (!memory)
                return AUV_ENOMEM;
        if (used > 0)
                memcpy(memory, buffer->memory + buffer->begin, used);
        auv__free(buffer->memory);
        *buffer = (struct auv__write_buffer) { .memory = memory, .end = used, .room = room };
        return 0;
}

void auv__write_buffer_append(struct auv__write_buffer *buffer, const void *data, size_t size)
{
        memcpy(buffer->memory + buffer->end, data, size);
        buffer->end += size;
}

void auv__write_buffer_consume(struct auv__write_buffer *buffer, size_t size)
{
        buffer->begin += size;
        if (buffer->begin == buffer->end)
                auv__write_buffer_clear(buffer);
}

void auv__write_buffer_clear(struct auv__write_buffer *buffer)
{
        auv__free(buffer->memory);
        *buffer = (struct auv__write_buffer) { .memory = NULL };
}

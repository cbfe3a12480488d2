/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_STREAM_READER_H
#define AUV_IO_STREAM_READER_H

#include "task/arrival.h"
#include "io/read_buffer.h"
#include "io/stream_protocol.h"

#include <asyncuv/stream.h>

/*
 * A reader and the protocol that feeds it are one block: asyncio's StreamReader and
 * StreamReaderProtocol. The program holds it, its writer does, and the transport's protocol, until it
 * is released. What a read needs stands first, and fits into two cache lines with what a drain needs.
 */
struct auv_stream_reader {
        struct auv__object object;
        size_t limit;
        struct auv__read_buffer buffer;
        struct auv__task *waiting; /* the task that waits for data; NULL for none */
        auv_error *error;             /* what each read fails with from now on */
        auv_transport *transport;     /* with a reference; NULL where none feeds it, or none any more */
        unsigned n_takes;             /* how often something was taken out of the buffer */
        bool eof;
        bool paused;                  /* the transport, for there is too much in the buffer */
        bool gathering;               /* a read to the end of the stream is on */
        bool has_protocol;            /* some transport has, or had, its protocol */
        size_t gathered;              /* at the buffer's front, by a read to the end of the stream */
        struct auv__stream_protocol protocol;
};

/* What the protocol feeds the reader with, beside its public functions. */

/* Data have been written into the room that the buffer has reserved. */
void auv__stream_reader_commit(auv_stream_reader *reader, size_t size);

/* As auv_stream_set_exception(). */
void auv__stream_reader_fail(auv_stream_reader *reader, auv_error *error);
void auv__stream_reader_end(auv_stream_reader *reader);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_STREAM_WRITER_H
#define AUV_IO_STREAM_WRITER_H

#include <asyncuv/stream.h>

/*
 * A writer for a transport whose protocol is that of the reader @flow. @reader is whose errors it gives,
 * too; it may be NULL. Or NULL: there is no memory, which has been raised.
 */
auv_stream_writer *auv__stream_writer_make(auv_transport *transport, auv_stream_reader *reader,
                                           auv_stream_reader *flow);

#endif

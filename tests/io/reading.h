/* SPDX-License-Identifier: MIT */
#ifndef TESTS_IO_READING_H
#define TESTS_IO_READING_H

/*
 * Reading
 *
 * Reads as words, whose outcome is traced. rN reads up to N bytes, r* all; l reads a line, nN exactly N
 * bytes, uSEPARATOR,SEPARATOR... up to a separator. In a word and in the trace a "/" stands for a newline.
 */

#include <asyncuv.h>
#include <asyncuv/stream.h>

/*
 * A task that reads as a word says, of the form that form.h tells. Traces NUMBER=DATA, or NUMBER!ERROR with
 * what the error carries.
 */
auv_task *reading_start(auv_stream_reader *reader, int number, const char *word);

void reading_feed(auv_stream_reader *reader, const char *data);

/* A transport of a connected socket, which it takes over, that feeds a reader. The caller owns the
 * reference. */
auv_transport *reading_transport(auv_stream_reader *reader, int fd);

#endif

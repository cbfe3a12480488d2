/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_TRACE_H
#define SUPPORT_TRACE_H

/*
 * Trace
 *
 * What happened in a test, in order: words with a space between them, to be compared
 * as a whole. One for the process, empty at the start of each test, which is a
 * process of its own.
 */

/* Add a word. */
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The words so far, until the next call of a function here. Not const, for Criterion's sake. */
char *trace_text(void);

/* Forget them. */
void trace_clear(void);

/* Fail the test unless exactly these words were added since the last clear. */
#define cr_assert_trace(words) cr_assert(eq(str, trace_text(), (char *)(words)))

#endif

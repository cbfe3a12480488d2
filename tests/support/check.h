/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_CHECK_H
#define SUPPORT_CHECK_H

/*
 * Check
 *
 * For programs that are tests without a framework: Criterion does not run under
 * ThreadSanitizer. Checks may be made in any thread.
 */

#include <stdbool.h>

/* Count a condition; tell where it does not hold. Returns it. */
bool check(bool condition, const char *file, int line, const char *text);

#define CHECK(condition) check((condition), __FILE__, __LINE__, #condition)

/* Write "N passed, N failed"; returns the exit status for it. */
int check_report(void);

#endif

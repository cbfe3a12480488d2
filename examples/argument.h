/* SPDX-License-Identifier: MIT */
#ifndef EXAMPLES_ARGUMENT_H
#define EXAMPLES_ARGUMENT_H

/* What stands on a command line. Each returns whether the text is one; and else stores nothing. */

#include <stdbool.h>

/* A port; 0 is one. */
bool argument_port(const char *text, int *ret_port);

/* A time in seconds, more than 0. */
bool argument_seconds(const char *text, double *ret_seconds);

/* A number of things, more than 0. */
bool argument_count(const char *text, long *ret_count);

#endif

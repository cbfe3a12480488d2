/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_DESCRIPTORS_H
#define SUPPORT_DESCRIPTORS_H

#include <sys/resource.h>

/* How many file descriptors the process has open. */
int descriptors_open(void);

/* Leaves the process room for as many as it has, and @more; returns the limit that there was before. */
struct rlimit descriptors_limit(int more);

#endif

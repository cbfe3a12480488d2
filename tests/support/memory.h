/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_MEMORY_H
#define SUPPORT_MEMORY_H

#include <stddef.h>

/* What the process has, in bytes. */
struct memory {
        size_t mapped;   /* address space */
        size_t resident; /* what of it is in memory */
};

struct memory memory_in_use(void);

#endif

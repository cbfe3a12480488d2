/* SPDX-License-Identifier: MIT */
#ifndef AUV_BASE_SINGLE_THREADED_H
#define AUV_BASE_SINGLE_THREADED_H

#include <stdbool.h>

/* Whether the process is known to have no thread but this one; false where the C library does not tell. */
#if defined(__has_include)
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define AUV__SINGLE_THREADED __libc_single_threaded
#endif
#endif
#ifndef AUV__SINGLE_THREADED
#define AUV__SINGLE_THREADED false
#endif

#endif

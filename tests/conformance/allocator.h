/* SPDX-License-Identifier: MIT */
#ifndef CONFORMANCE_ALLOCATOR_H
#define CONFORMANCE_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The library's failing allocator, counted anew for each run of a scenario.
 */

/* Have the library use it, before any other call of the library. */
void allocator_install(void);

/* Count from 0 again, and fail the n-th allocation; with sticky, also those behind it. n 0: none. */
void allocator_fail(size_t n, bool sticky);

/* With sticky, fail no more: what cleans up may have memory. */
void allocator_relent(void);

/* Allocations since allocator_fail(), the failed ones included. */
size_t allocator_count(void);

/* How many of them failed. */
size_t allocator_failed(void);

/* Allocations that have not been freed. */
size_t allocator_live(void);

#endif

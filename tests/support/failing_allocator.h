/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_FAILING_ALLOCATOR_H
#define SUPPORT_FAILING_ALLOCATOR_H

/*
 * Failing allocator
 *
 * The library's own, in the words of the tests, and a sweep over all allocations of a
 * scenario.
 */

#include <stdbool.h>

void failing_allocator_install(void);

/* How many blocks have been allocated and not been freed. */
long failing_allocator_live(void);

/* How many allocations there have been. */
long failing_allocator_total(void);

/* The n-th allocation from now, counted from 1, fails; those before and after it do not. */
void failing_allocator_arm(long n);

/* Every allocation from now on fails. */
void failing_allocator_arm_all(void);

/* No allocation fails any more. Returns whether one has failed since it was armed. */
bool failing_allocator_disarm(void);

/* Whether an allocation has failed since it was armed. */
bool failing_allocator_fired(void);

/*
 * Runs a scenario again and again: the first time its first allocation fails, then its
 * second, until nothing fails any more. After each run all that was allocated must have been freed.
 * Returns how many of the runs had a failure; -1 where one of them left a block behind.
 */
long failing_allocator_sweep(void (*scenario)(void));

#endif

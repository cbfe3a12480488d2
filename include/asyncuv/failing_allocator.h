/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_FAILING_ALLOCATOR_H
#define ASYNCUV_FAILING_ALLOCATOR_H

#include <asyncuv/alloc.h>

#include <stdbool.h>

AUV_BEGIN_DECLS

/*
 * Failing allocator
 *
 * For tests of what a program does when memory runs out, and of whether all of it is given back: the
 * library's allocations are counted, and those that are chosen fail. A test runs its scenario
 * with the first allocation failing, then with the second, until none fails any more.
 */

/**
 * auv_failing_allocator_install() - have the library's allocations counted
 *
 * As auv_set_allocator(), which also takes it away again.
 *
 * Return: 0.
 * Suspends: no.    Thread: any, while no other uses the library.
 */
AUV_API int auv_failing_allocator_install(void);

/**
 * auv_failing_allocator_arm() - let allocations fail
 * @first:       the first one to fail, counted from now on; the next one is 1
 * @n:           how many fail from there; less than 0 for all
 *
 * Suspends: no.    Thread: any; one at a time.
 */
AUV_API void auv_failing_allocator_arm(long first, long n);

/**
 * auv_failing_allocator_disarm() - let no allocation fail any more
 *
 * Return: as auv_failing_allocator_failed().
 * Suspends: no.    Thread: any; one at a time.
 */
AUV_API long auv_failing_allocator_disarm(void);

/**
 * auv_failing_allocator_failed() - how many allocations have failed
 *
 * Return: the number, since auv_failing_allocator_arm() was last called.
 * Suspends: no.    Thread: any.
 */
AUV_API long auv_failing_allocator_failed(void);

/**
 * auv_failing_allocator_live() - how many blocks have been allocated and not been freed
 *
 * Return: the number, since auv_failing_allocator_install() was first called.
 * Suspends: no.    Thread: any.
 */
AUV_API long auv_failing_allocator_live(void);

/**
 * auv_failing_allocator_total() - how many allocations there have been, failed ones included
 *
 * Return: the number, since auv_failing_allocator_install() was first called.
 * Suspends: no.    Thread: any.
 */
AUV_API long auv_failing_allocator_total(void);

AUV_END_DECLS

#endif

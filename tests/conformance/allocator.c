/* SPDX-License-Identifier: MIT */

#include "allocator.h"

#include <asyncuv/failing_allocator.h>

static long n_before; /* allocations when the count began */
static bool failing_sticky;

void allocator_install(void)
{
        auv_failing_allocator_install();
}

void allocator_fail(size_t n, bool sticky)
{
        n_before = auv_failing_allocator_total();
        failing_sticky = sticky;
        auv_failing_allocator_arm((long)n, n == 0 ? 0 : sticky ? -1 : 1);
}

void allocator_relent(void)
{
        if (failing_sticky)
                auv_failing_allocator_disarm();
}

size_t allocator_count(void)
{
        return (size_t)(auv_failing_allocator_total() - n_before);
}

size_t allocator_failed(void)
{
        return (size_t)auv_failing_allocator_failed();
}

size_t allocator_live(void)
{
        return (size_t)auv_failing_allocator_live();
}

/* SPDX-License-Identifier: MIT */

/* Failing allocator: counts the library's allocations, and lets chosen ones fail. For tests. */

#include <asyncuv/failing_allocator.h>

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_long live;
static atomic_long total;
static atomic_long failed;        /* since armed */
static atomic_long first_to_fail; /* counted as total is; 0 where none is to fail */
static atomic_long last_to_fail;

static bool fails(void)
{
        const long number = atomic_fetch_add(&total, 1) + 1;

        if (first_to_fail == 0 || number < first_to_fail || number > last_to_fail)
                return false;
        failed++;
        return true;
}

static void *counted_malloc(size_t size)
{
        void *memory = fails() ? NULL : malloc(size);

        if (memory)
                live++;
        return memory;
}

static void *counted_realloc(void *memory, size_t size)
{
        void *bigger = fails() ? NULL : realloc(memory, size);

        if (bigger && !memory)
                live++;
        return bigger;
}

static void counted_free(void *memory)
{
        if (memory)
                live--;
        free(memory);
}

int auv_failing_allocator_install(void)
{
        return auv_set_allocator(counted_malloc, counted_realloc, counted_free);
}

void auv_failing_allocator_arm(long first, long n)
{
        failed = 0;
        last_to_fail = n < 0 ? LONG_MAX : total + first + n - 1;
        first_to_fail = total + first;
}

long auv_failing_allocator_disarm(void)
{
        first_to_fail = 0;
        return failed;
}

long auv_failing_allocator_failed(void)
{
        return failed;
}

long auv_failing_allocator_live(void)
{
        return live;
}

long auv_failing_allocator_total(void)
{
        return total;
}

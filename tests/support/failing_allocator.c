/* SPDX-License-Identifier: MIT */
#include "support/failing_allocator.h"

#include <asyncuv.h>

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_long live;
static atomic_long total;
static atomic_long first_to_fail; /* counted as total is; 0 where none is to fail */
static atomic_long last_to_fail;
static atomic_bool fired;

static bool fails(void)
{
        long number = ++total;

        if (first_to_fail == 0 || number < first_to_fail || number > last_to_fail)
                return false;
        fired = true;
        return true;
}

static void *counted_malloc(size_t size)
{
        void *memory;

        if (fails())
                return NULL;
        memory = malloc(size);
        if (memory)
                live++;
        return memory;
}

static void *counted_realloc(void *memory, size_t size)
{
        void *bigger;

        if (fails())
                return NULL;
        bigger = realloc(memory, size);
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

void failing_allocator_install(void)
{
        if (auv_set_allocator(counted_malloc, counted_realloc, counted_free) < 0)
                abort();
}

long failing_allocator_live(void)
{
        return live;
}

long failing_allocator_total(void)
{
        return total;
}

static void arm(long from_now, long last)
{
        fired = false;
        last_to_fail = last;
        first_to_fail = total + from_now;
}

void failing_allocator_arm(long n)
{
        arm(n, total + n);
}

void failing_allocator_arm_all(void)
{
        arm(1, LONG_MAX);
}

bool failing_allocator_disarm(void)
{
        first_to_fail = 0;
        return fired;
}

bool failing_allocator_fired(void)
{
        return fired;
}

long failing_allocator_sweep(void (*scenario)(void))
{
        for (long n = 1;; n++) {
                const long before = live;

                failing_allocator_arm(n);
                scenario();
                if (!failing_allocator_disarm())
                        return live == before ? n - 1 : -1;
                if (live != before) {
                        fprintf(stderr, "%ld blocks left after failure %ld\n", live - before, n);
                        return -1;
                }
        }
}

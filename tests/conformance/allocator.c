/* SPDX-License-Identifier: MIT */

#include "allocator.h"

#include <asyncuv/alloc.h>

#include <stdlib.h>

static size_t n_calls, n_failed, n_live;
static size_t failing; /* which allocation fails; 0 for none */
static bool failing_sticky; /* those behind it as well */

static bool may_allocate(void)
{
        n_calls++;
        if (!failing || (failing_sticky ? n_calls < failing : n_calls != failing))
                return true;
        n_failed++;
        return false;
}

static void *counting_malloc(size_t size)
{
        void *memory = may_allocate() ? malloc(size) : NULL;

        n_live += memory != NULL;
        return memory;
}

static void *counting_realloc(void *memory, size_t size)
{
        void *moved = may_allocate() ? realloc(memory, size) : NULL;

        n_live += moved && !memory;
        return moved;
}

static void counting_free(void *memory)
{
        n_live -= memory != NULL;
        free(memory);
}

void allocator_install(void)
{
        auv_set_allocator(counting_malloc, counting_realloc, counting_free);
}

void allocator_fail(size_t n, bool sticky)
{
        n_calls = 0;
        n_failed = 0;
        failing = n;
        failing_sticky = sticky;
}

void allocator_relent(void)
{
        if (failing_sticky)
                failing = 0;
}

size_t allocator_count(void)
{
        return n_calls;
}

size_t allocator_failed(void)
{
        return n_failed;
}

size_t allocator_live(void)
{
        return n_live;
}

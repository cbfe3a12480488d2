/* SPDX-License-Identifier: MIT */
#include "support/failing_allocator.h"

#include "base/alloc.h"

#include <asyncuv.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

Test(alloc, takes_memory_from_the_functions_given)
{
        auv_error *error;

        failing_allocator_install();
        error = auv_error_new(AUV_EUSER, "message");
        cr_assert(gt(long, failing_allocator_live(), 0));
        auv_unref(error);
        cr_assert(eq(long, failing_allocator_live(), 0));
}

Test(alloc, gives_up_functions_for_three_nulls)
{
        auv_error *error;

        failing_allocator_install();
        cr_assert(eq(int, auv_set_allocator(NULL, NULL, NULL), 0));
        error = auv_error_new(AUV_EUSER, "message");
        cr_assert(eq(long, failing_allocator_total(), 0));
        auv_unref(error);
}

Test(alloc, refuses_some_nulls_and_changes_nothing)
{
        auv_error *error;

        failing_allocator_install();
        cr_assert(eq(int, auv_set_allocator(NULL, realloc, free), AUV_EINVAL));
        cr_assert(eq(int, auv_set_allocator(malloc, NULL, free), AUV_EINVAL));
        cr_assert(eq(int, auv_set_allocator(malloc, realloc, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_set_allocator(malloc, NULL, NULL), AUV_EINVAL));
        error = auv_error_new(AUV_EUSER, "message");
        cr_assert(eq(long, failing_allocator_live(), 1));
        auv_unref(error);
}

Test(alloc, of_a_line_begins_where_a_cache_line_does)
{
        failing_allocator_install();
        for (size_t size = 0; size < 300; size++) {
                char *memory = auv__malloc_line(size);

                cr_assert(zero(sz, (size_t)((uintptr_t)memory % AUV__CACHE_LINE)));
                memset(memory, 0x5a, size);
                cr_assert(eq(long, failing_allocator_live(), 1));
                auv__free_line(memory);
                cr_assert(eq(long, failing_allocator_live(), 0));
        }
        auv__free_line(NULL);
}

Test(alloc, of_a_line_fails_without_memory)
{
        failing_allocator_install();
        failing_allocator_arm(1);
        cr_assert(zero(ptr, auv__malloc_line(1)));
        cr_assert(eq(long, failing_allocator_live(), 0));
}

/* SPDX-License-Identifier: MIT */
#include "support/failing_allocator.h"

#include <asyncuv.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>

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

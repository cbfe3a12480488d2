/* SPDX-License-Identifier: MIT */
#include <asyncuv.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static void install(void)
{
        auv_failing_allocator_install();
}

TestSuite(failing_allocator, .init = install);

/* One allocation of the library's; whether it could be made. */
static bool allocate(void)
{
        AUV_AUTO auv_error *error = auv_error_new(AUV_EINVAL, "text");

        return error;
}

Test(failing_allocator, fails_the_one_that_was_chosen)
{
        auv_failing_allocator_arm(3, 1);
        cr_assert(allocate());
        cr_assert(allocate());
        cr_assert(not(allocate()));
        cr_assert(allocate());
        cr_assert(eq(long, auv_failing_allocator_disarm(), 1));
}

Test(failing_allocator, fails_as_many_as_were_chosen)
{
        auv_failing_allocator_arm(2, 2);
        cr_assert(allocate());
        cr_assert(not(allocate()));
        cr_assert(not(allocate()));
        cr_assert(allocate());
        cr_assert(eq(long, auv_failing_allocator_disarm(), 2));
}

Test(failing_allocator, fails_all_from_one_on)
{
        auv_failing_allocator_arm(1, -1);
        for (int i = 0; i < 100; i++)
                cr_assert(not(allocate()));
        cr_assert(eq(long, auv_failing_allocator_disarm(), 100));
        cr_assert(allocate());
}

Test(failing_allocator, counts_what_lives_and_what_was_asked_for)
{
        const long live = auv_failing_allocator_live(), total = auv_failing_allocator_total();
        auv_error *error = auv_error_new(AUV_EINVAL, "text");

        cr_assert(eq(long, auv_failing_allocator_live(), live + 1));
        auv_unref(error);
        cr_assert(eq(long, auv_failing_allocator_live(), live));
        auv_failing_allocator_arm(1, 1);
        allocate();
        cr_assert(eq(long, auv_failing_allocator_disarm(), 1));
        cr_assert(eq(long, auv_failing_allocator_total(), total + 2));
}

Test(failing_allocator, is_taken_away_by_another_allocator)
{
        const long total = auv_failing_allocator_total();

        cr_assert(eq(int, auv_set_allocator(NULL, NULL, NULL), 0));
        cr_assert(allocate());
        cr_assert(eq(long, auv_failing_allocator_total(), total));
}

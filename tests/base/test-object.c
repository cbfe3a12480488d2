/* SPDX-License-Identifier: MIT */
#include "support/failing_allocator.h"
#include "support/loop.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(object, .init = loop_setup, .fini = loop_teardown);

Test(object, of_null_has_no_references)
{
        void *nothing = NULL;

        cr_assert(zero(ptr, (auv_ref)(NULL)));
        cr_assert(zero(ptr, auv_unref(NULL)));
        auv_unref_at(&nothing);
        cr_assert(zero(ptr, nothing));
}

Test(object, is_returned_by_ref_with_its_type)
{
        auv_error *error = auv_error_new(AUV_EUSER, "message");
        auv_error *again = auv_ref(error);

        cr_assert(eq(ptr, again, error));
        cr_assert(zero(ptr, auv_unref(error)));
        cr_assert(eq(int, auv_error_code(again), AUV_EUSER));
        cr_assert(zero(ptr, auv_unref(again)));
}

Test(object, goes_with_its_last_reference)
{
        const long before = failing_allocator_live();
        auv_future *future = auv_loop_create_future(loop);

        cr_assert(gt(long, failing_allocator_live(), before));
        auv_ref(future);
        auv_unref(future);
        cr_assert(gt(long, failing_allocator_live(), before));
        auv_unref(future);
        cr_assert(eq(long, failing_allocator_live(), before));
}

Test(object, goes_at_the_end_of_the_scope_of_auto)
{
        const long before = failing_allocator_live();

        {
                AUV_AUTO auv_future *future = auv_loop_create_future(loop);
                AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, NULL);
                AUV_AUTO auv_call *none = NULL;

                cr_assert(not(zero(ptr, future)));
                cr_assert(not(zero(ptr, error)));
                cr_assert(zero(ptr, none));
        }
        cr_assert(eq(long, failing_allocator_live(), before));
}

Test(object, is_forgotten_by_unref_at)
{
        auv_future *future = auv_loop_create_future(loop);

        auv_unref_at(&future);
        cr_assert(zero(ptr, future));
        auv_unref_at(&future);
        cr_assert(zero(ptr, future));
}

/* 2^17 references: a count of sixteen bits would not do. */
Test(object, counts_many_references)
{
        enum { MANY = 1 << 17 };
        const long before = failing_allocator_live();
        auv_future *future = auv_loop_create_future(loop);

        for (int i = 0; i < MANY; i++)
                auv_ref(future);
        for (int i = 0; i < MANY; i++)
                auv_unref(future);
        cr_assert(not(auv_future_done(future)));
        cr_assert(gt(long, failing_allocator_live(), before));
        auv_unref(future);
        cr_assert(eq(long, failing_allocator_live(), before));
}

static void does_nothing(void *arg)
{
}

Test(object, may_be_of_any_kind)
{
        auv_call *call = NULL;
        auv_runner *runner = auv_runner_new(NULL);
        auv_task_group *group = auv_task_group_new();
        auv_future *future = auv_loop_create_future(loop);
        auv_future *gather = auv_gather(&future, 1, 0);
        auv_future *shield = auv_shield(future);

        cr_assert(eq(int, auv_loop_call_soon(loop, does_nothing, NULL, &call), 0));
        cr_assert(eq(ptr, auv_ref(call), call));
        cr_assert(eq(ptr, auv_ref(runner), runner));
        cr_assert(eq(ptr, auv_ref(group), group));
        cr_assert(eq(ptr, auv_ref(gather), gather));
        cr_assert(eq(ptr, auv_ref(shield), shield));
        cr_assert(eq(ptr, auv_ref(loop), loop));
        auv_unref(loop);
        for (int i = 0; i < 2; i++) {
                auv_unref(shield);
                auv_unref(gather);
                auv_unref(group);
                auv_unref(runner);
                auv_unref(call);
        }
        auv_unref(future);
}

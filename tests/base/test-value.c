/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/loop.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(value, .init = loop_setup, .fini = loop_teardown);

static void ignore(void *p)
{
}

static auv_future *gather_two(int flags)
{
        AUV_AUTO auv_future *good = auv_loop_create_future(loop);
        AUV_AUTO auv_future *bad = auv_loop_create_future(loop);

        auv_future_set_result(good, NUMBER(1));
        auv_future_fail(bad, AUV_EUSER, "bad");
        return auv_gather((auv_future *[]) { good, bad }, 2, flags);
}

Test(value, is_no_error_and_no_list_by_itself)
{
        static int object;
        const auv_value values[] = {
                { 0 }, NUMBER(1), NUMBER(-125), { .p = &object }, { .p = &object, .destroy = ignore },
        };
        size_t n = 7;

        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
                cr_assert(zero(ptr, auv_value_error(&values[i])));
                cr_assert(zero(ptr, (void *)auv_value_list(&values[i], &n)));
        }
        cr_assert(eq(sz, n, 7));
}

Test(value, of_null_is_neither)
{
        size_t n = 7;

        cr_assert(zero(ptr, auv_value_error(NULL)));
        cr_assert(zero(ptr, (void *)auv_value_list(NULL, &n)));
        cr_assert(eq(sz, n, 7));
}

Test(value, of_a_gather_is_a_list)
{
        AUV_AUTO auv_future *gather = gather_two(AUV_RETURN_EXCEPTIONS);
        auv_value result = { 0 };
        const auv_value *list;
        size_t n = 0;

        cr_assert(auv_future_done(gather));
        cr_assert(eq(int, auv_future_result(gather, &result), 0));
        cr_assert(zero(ptr, auv_value_error(&result)));
        list = auv_value_list(&result, &n);
        cr_assert(not(zero(ptr, (void *)list)));
        cr_assert(eq(sz, n, 2));
        cr_assert(eq(i64, list[0].i, 1));
        cr_assert(zero(ptr, auv_value_error(&list[0])));
        cr_assert(eq(int, auv_error_code(auv_value_error(&list[1])), AUV_EUSER));
        list[1].destroy(list[1].p); /* does nothing: the error is the gather's */
        cr_assert(eq(int, auv_error_code(auv_value_error(&list[1])), AUV_EUSER));
        cr_assert(zero(ptr, (void *)auv_value_list(&list[1], &n)));
}

Test(value, of_a_gather_of_none_is_an_empty_list)
{
        AUV_AUTO auv_future *gather = NULL;
        auv_value result = { 0 };
        size_t n = 7;

        auv_set_event_loop(loop);
        gather = auv_gather(NULL, 0, 0);
        auv_set_event_loop(NULL);
        cr_assert(eq(int, auv_future_result(gather, &result), 0));
        cr_assert(not(zero(ptr, (void *)auv_value_list(&result, &n))));
        cr_assert(eq(sz, n, 0));
}

Test(value, list_may_be_asked_for_without_its_length)
{
        AUV_AUTO auv_future *gather = gather_two(AUV_RETURN_EXCEPTIONS);
        auv_value result = { 0 };

        auv_future_result(gather, &result);
        cr_assert(not(zero(ptr, (void *)auv_value_list(&result, NULL))));
}

Test(value, list_may_have_a_list_in_it)
{
        AUV_AUTO auv_future *inner = gather_two(AUV_RETURN_EXCEPTIONS);
        AUV_AUTO auv_future *outer = auv_gather(&inner, 1, 0);
        auv_value result = { 0 };
        const auv_value *list;
        size_t n = 0;

        cr_assert(eq(int, auv_future_result(outer, &result), 0));
        list = auv_value_list(&result, &n);
        cr_assert(eq(sz, n, 1));
        list = auv_value_list(&list[0], &n);
        cr_assert(eq(sz, n, 2));
        cr_assert(eq(i64, list[0].i, 1));
}

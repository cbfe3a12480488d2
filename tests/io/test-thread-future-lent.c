/* SPDX-License-Identifier: MIT */

/* A thread future whose task has passed on a result that is not its own. */

#include "support/coroutine.h"
#include "support/loop.h"
#include "support/owned.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <pthread.h>

TestSuite(thread_future_lent, .init = loop_setup, .fini = loop_teardown);

static int passes_on(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *inner = auv_create_task(coro_own, NULL, 0);

        return auv_await(inner, ret);
}

static int passes_on_twice(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *inner = auv_create_task(passes_on, NULL, 0);

        return auv_await(inner, ret);
}

static int passes_on_what_is_given(void *arg, auv_value *ret)
{
        return auv_await(*(auv_future **)arg, ret);
}

static int passes_on_a_list(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *inner = auv_create_task(coro_own, NULL, 0);
        AUV_AUTO auv_future *all = auv_gather((auv_future *[]) { inner }, 1, 0);

        return auv_await(all, ret);
}

static void expect_result(auv_thread_future *future)
{
        auv_value result = { 0 };

        cr_assert(eq(int, auv_thread_future_result(future, 0, &result), 0));
        cr_assert(eq(ptr, result.p, &n_destroyed));
        cr_assert(zero(ptr, result.destroy));
        cr_assert(eq(int, n_destroyed, 0));
}

static void expect_handed_over(auv_coro_fn fn)
{
        auv_thread_future *future = auv_run_coroutine_threadsafe(loop, fn, NULL, 0);

        loop_turns(8);
        expect_result(future);
        auv_loop_close(loop);
        expect_result(future);
        auv_unref(future);
        cr_assert(eq(int, n_destroyed, 1));
}

Test(thread_future_lent, owns_a_result_that_was_passed_on)
{
        expect_handed_over(passes_on);
}

Test(thread_future_lent, owns_a_result_that_was_passed_on_twice)
{
        expect_handed_over(passes_on_twice);
}

/* A thread future whose result belongs to *ret_lender, which has it already. */
static auv_thread_future *borrow_from(auv_future **ret_lender)
{
        auv_thread_future *future;

        *ret_lender = auv_loop_create_future(loop);
        auv_future_set_result(*ret_lender, (auv_value) { .p = &n_destroyed, .destroy = count_destroyed });
        future = auv_run_coroutine_threadsafe(loop, passes_on_what_is_given, ret_lender,
                                              sizeof(*ret_lender));
        loop_turns(3);
        cr_assert(auv_thread_future_done(future));
        return future;
}

Test(thread_future_lent, leaves_a_result_to_a_future_that_others_hold)
{
        auv_future *lender;
        auv_thread_future *future = borrow_from(&lender);
        auv_value result = { 0 };

        expect_result(future);
        auv_unref(future);
        loop_turn();
        cr_assert(eq(int, auv_future_result(lender, &result), 0));
        cr_assert(eq(ptr, result.p, &n_destroyed));
        cr_assert(eq(int, n_destroyed, 0));
        auv_unref(lender);
        cr_assert(eq(int, n_destroyed, 1));
}

Test(thread_future_lent, holds_a_result_that_it_borrows)
{
        auv_future *lender;
        auv_thread_future *future = borrow_from(&lender);

        auv_unref(lender);
        loop_turn();
        expect_result(future);
        auv_unref(future);
        loop_turn();
        cr_assert(eq(int, n_destroyed, 1));
}

static pthread_t destroyed_in;

static void note_thread(void *p)
{
        destroyed_in = pthread_self();
        n_destroyed++;
}

static void *give_up(void *future)
{
        return auv_unref(future);
}

static void give_up_in_a_thread(auv_thread_future *future)
{
        pthread_t thread;

        pthread_create(&thread, NULL, give_up, future);
        pthread_join(thread, NULL);
}

Test(thread_future_lent, gives_back_in_the_thread_of_the_loop)
{
        auv_future *lender = auv_loop_create_future(loop);
        auv_thread_future *future = auv_run_coroutine_threadsafe(loop, passes_on_what_is_given, &lender,
                                                                 sizeof(lender));

        auv_future_set_result(lender, (auv_value) { .p = &n_destroyed, .destroy = note_thread });
        loop_turns(3);
        auv_unref(lender);
        give_up_in_a_thread(future);
        cr_assert(eq(int, n_destroyed, 0));
        loop_turn();
        cr_assert(eq(int, n_destroyed, 1));
        cr_assert(pthread_equal(destroyed_in, pthread_self()));
}

Test(thread_future_lent, holds_the_list_of_a_gather)
{
        auv_thread_future *future = auv_run_coroutine_threadsafe(loop, passes_on_a_list, NULL, 0);
        const auv_value *list;
        auv_value result = { 0 };
        size_t n = 0;

        loop_turns(8);
        cr_assert(eq(int, auv_thread_future_result(future, 0, &result), 0));
        list = auv_value_list(&result, &n);
        cr_assert(eq(sz, n, 1));
        cr_assert(eq(ptr, list[0].p, &n_destroyed));
        cr_assert(eq(int, n_destroyed, 0));
        auv_unref(future);
        loop_turn();
        cr_assert(eq(int, n_destroyed, 1));
}

Test(thread_future_lent, borrows_no_longer_than_the_loop_is_open)
{
        auv_future *first, *second;
        AUV_AUTO auv_thread_future *future = borrow_from(&first);
        auv_thread_future *other = borrow_from(&second);
        auv_value result = { 0 };
        auv_error *error;

        auv_unref(first);
        auv_unref(second);
        auv_loop_close(loop);
        cr_assert(eq(int, n_destroyed, 2));
        cr_assert(eq(int, auv_thread_future_result(future, 0, &result), AUV_ECLOSED));
        cr_assert(eq(int, auv_thread_future_exception(future, 0, &error), 0));
        cr_assert(eq(int, auv_error_code(error), AUV_ECLOSED));
        cr_assert(zero(ptr, result.p));
        give_up_in_a_thread(other);
        cr_assert(eq(int, n_destroyed, 2));
}

Test(thread_future_lent, given_up_right_before_the_loop_is_closed_gives_back)
{
        auv_future *lender;
        auv_thread_future *here = borrow_from(&lender), *there;

        auv_unref(lender);
        there = borrow_from(&lender);
        auv_unref(lender);
        auv_unref(here);
        give_up_in_a_thread(there);
        auv_loop_close(loop);
        cr_assert(eq(int, n_destroyed, 2));
}

static void give_up_and_count(void *future)
{
        auv_unref(future);
        n_destroyed++;
}

/* Two that borrow, each of a result that has the other: whichever the loop comes to first. */
Test(thread_future_lent, given_up_while_the_loop_is_being_closed_gives_back)
{
        auv_future *lenders[] = { auv_loop_create_future(loop), auv_loop_create_future(loop) };
        auv_thread_future *futures[2];

        for (int i = 0; i < 2; i++)
                futures[i] = auv_run_coroutine_threadsafe(loop, passes_on_what_is_given, &lenders[i],
                                                          sizeof(lenders[i]));
        for (int i = 0; i < 2; i++)
                auv_future_set_result(lenders[i], (auv_value) { .p = futures[1 - i],
                                                                .destroy = give_up_and_count });
        loop_turns(3);
        for (int i = 0; i < 2; i++)
                auv_unref(lenders[i]);
        cr_assert(eq(int, n_destroyed, 0));
        auv_loop_close(loop);
        cr_assert(eq(int, n_destroyed, 2));
}

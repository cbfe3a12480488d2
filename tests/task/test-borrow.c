/* SPDX-License-Identifier: MIT */

/* A body may return what it has awaited, as `return await other` does; the result stays the other's. */

#include "support/coroutine.h"
#include "support/loop.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

TestSuite(borrow, .init = loop_setup, .fini = loop_teardown);

static void destroy_text(void *text)
{
        trace("free-%s", (char *)text);
        free(text);
}

static int makes_text(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await_sleep(1));
        *ret = (auv_value) { .p = strdup(arg), .destroy = destroy_text };
        return 0;
}

static int hands_on(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *inner = auv_create_task(makes_text, "a", 0);

        return auv_await(inner, ret);
}

static int hands_on_within_a_time(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *inner = auv_create_task(makes_text, "a", 0);

        return auv_await_wait_for(inner, 10, ret);
}

static int calls_within_a_time(void *arg, auv_value *ret)
{
        return auv_await_wait_for_coro(hands_on, NULL, 10, ret);
}

static int makes_another(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *inner = auv_create_task(makes_text, "a", 0);

        AUV_TRY(auv_await(inner, ret));
        *ret = (auv_value) { .p = strdup("b"), .destroy = destroy_text };
        return 0;
}

static int hands_on_the_second(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *first = auv_create_task(makes_text, "a", 0);
        AUV_AUTO auv_task *second = auv_create_task(makes_text, "b", 0);

        AUV_TRY(auv_await(first, ret));
        return auv_await(second, ret);
}

static int fails_with_it(void *arg, auv_value *ret)
{
        AUV_TRY(hands_on(arg, ret));
        return auv_raise(AUV_EIO, NULL);
}

static int hands_on_a_list(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *inner = auv_create_task(makes_text, "a", 0);
        AUV_AUTO auv_future *all = auv_gather((auv_future *[]) { inner }, 1, 0);

        return auv_await(all, ret);
}

static int hands_on_what_is_gathered(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *inner = auv_create_task(makes_text, "a", 0);

        return auv_await_gather((auv_future *[]) { inner }, 1, 0, ret);
}

static int hands_on_a_gathered_error(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *inner = auv_create_task(coro_fail, &(int) { AUV_EIO }, sizeof(int));

        return auv_await_gather((auv_future *[]) { inner }, 1, AUV_RETURN_EXCEPTIONS, ret);
}

/* A body that was called within a time, and whose result nobody wants: it stays with whom it belongs to. */

static int hands_on_what_is_given(void *arg, auv_value *ret)
{
        return auv_await(arg, ret);
}

static int hands_on_too_slowly(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await(arg, ret));
        return auv_await_sleep(9);
}

static int wants_no_result(void *arg, auv_value *ret)
{
        auv_value value = NUMBER(0);

        cr_assert(eq(int, auv_await_wait_for_coro(hands_on_what_is_given, arg, 1, NULL), 0));
        cr_assert(eq(int, auv_await_wait_for_coro(hands_on_too_slowly, arg, 1, &value), AUV_ETIMEDOUT));
        return 0;
}

static int wants_result(void *arg, auv_value *ret)
{
        auv_value value = NUMBER(0);

        cr_assert(eq(int, auv_await_wait_for_coro(hands_on_what_is_given, arg, 1, &value), 0));
        cr_assert(eq(str, value.p, (char *)"a"));
        cr_assert(zero(ptr, value.destroy));
        return 0;
}

/* A future that has a text, and which the test holds while the body runs. */
static void expect_left_alone(auv_coro_fn fn)
{
        auv_future *future = auv_loop_create_future(loop);

        auv_future_set_result(future, (auv_value) { .p = strdup("a"), .destroy = destroy_text });
        cr_assert(eq(int, loop_run(fn, future, NULL), 0));
        trace("|");
        auv_unref(future);
        cr_assert_trace("| free-a");
}

/* Runs the body as a task; its text is @text, and what was freed by then and afterwards is traced. */
static void expect_text(auv_coro_fn fn, const char *text, const char *freed)
{
        auv_task *task = auv_loop_create_task(loop, fn, NULL, 0, NULL);
        auv_value value;

        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, &value), 0));
        cr_assert(eq(str, value.p, (char *)text));
        trace("|");
        auv_unref(task);
        cr_assert_trace(freed);
}

Test(borrow, result_of_another_task_is_freed_once)
{
        expect_text(hands_on, "a", "| free-a");
}

Test(borrow, result_that_came_within_a_time_is_freed_once)
{
        expect_text(hands_on_within_a_time, "a", "| free-a");
}

Test(borrow, result_of_a_coroutine_within_a_time_is_freed_once)
{
        expect_text(calls_within_a_time, "a", "| free-a");
}

Test(borrow, result_that_a_call_within_a_time_hands_on_for_nothing_is_left_alone)
{
        expect_left_alone(wants_no_result);
}

Test(borrow, result_that_was_read_has_no_destructor)
{
        expect_left_alone(wants_result);
}

Test(borrow, result_that_was_replaced_is_freed_with_its_task)
{
        expect_text(makes_another, "b", "free-a | free-b");
}

Test(borrow, only_the_last_result_is_held)
{
        expect_text(hands_on_the_second, "b", "free-a | free-b");
}

Test(borrow, result_of_a_body_that_fails_is_freed_once)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, fails_with_it, NULL, 0, NULL);

        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_EIO));
        task = auv_unref(task);
        cr_assert_trace("free-a");
}

Test(borrow, result_of_the_only_child_of_a_gather_is_freed_once)
{
        expect_text(hands_on_what_is_gathered, "a", "| free-a");
}

Test(borrow, error_of_the_only_child_of_a_gather_lives_as_long_as_the_task)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, hands_on_a_gathered_error, NULL, 0, NULL);
        auv_value value;

        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, &value), 0));
        cr_assert(eq(int, auv_error_code(auv_value_error(&value)), AUV_EIO));
        cr_assert_text(auv_error_message(auv_value_error(&value)), "failed");
}

Test(borrow, list_of_a_gather_lives_as_long_as_the_task)
{
        auv_task *task = auv_loop_create_task(loop, hands_on_a_list, NULL, 0, NULL);
        const auv_value *list;
        auv_value value;
        size_t n;

        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, &value), 0));
        list = auv_value_list(&value, &n);
        cr_assert(eq(sz, n, 1));
        cr_assert(eq(str, list[0].p, (char *)"a"));
        cr_assert_trace("");
        auv_unref(task);
        cr_assert_trace("free-a");
}

Test(borrow, reference_as_a_value_is_given_up_with_its_future)
{
        auv_future *outer = auv_loop_create_future(loop), *inner = auv_loop_create_future(loop);

        auv_future_set_result(inner, (auv_value) { .p = strdup("a"), .destroy = destroy_text });
        auv_future_set_result(outer, (auv_value) { .p = inner, .destroy = auv_value_unref });
        cr_assert_trace("");
        auv_unref(outer);
        cr_assert_trace("free-a");
}

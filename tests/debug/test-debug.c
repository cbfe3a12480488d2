/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "symbols.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void setup(void)
{
        loop_setup();
        auv_loop_set_debug(loop, true);
}

TestSuite(debug, .init = setup, .fini = loop_teardown);

#define EXPECT_REPORT(report, expected_message)                         \
        const struct report *report = reports_take();                   \
        cr_assert_text(report->message, expected_message)

/* Keeps the processor busy. */
static void waste(int milliseconds)
{
        struct timespec start, now;

        clock_gettime(CLOCK_MONOTONIC, &start);
        do
                clock_gettime(CLOCK_MONOTONIC, &now);
        while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < milliseconds);
}

__attribute__((noinline)) static void make_failing_task(void)
{
        auv_unref(auv_loop_create_task(loop, coro_fail, &(int) { AUV_EINVAL }, sizeof(int), NULL));
}

Test(debug, says_where_a_task_was_made_whose_error_was_lost)
{
        SKIP_WITHOUT_SYMBOLS();
        make_failing_task();
        loop_turn();
        EXPECT_REPORT(report, "Task exception was never retrieved");
        cr_assert_has(report->source, "Object created at (most recent call last):\n");
        cr_assert_has(report->source, "test-debug.c', line ");
        cr_assert_has(report->source, "in make_failing_task()\n");
        cr_assert(zero(ptr, strstr(report->source, "auv_")), "functions of the library: %s", report->source);
}

Test(debug, says_where_a_future_was_made_whose_error_was_lost)
{
        auv_future *future = auv_loop_create_future(loop);

        SKIP_WITHOUT_SYMBOLS();
        auv_future_fail(future, AUV_EINVAL, NULL);
        auv_unref(future);
        EXPECT_REPORT(report, "Future exception was never retrieved");
        cr_assert_has(report->source, "test-debug.c', line ");
}

Test(debug, says_where_a_task_was_made_that_is_pending_when_the_loop_is_closed)
{
        auv_unref(start_sleep(loop, 1));
        loop_turn();
        cr_assert(eq(int, auv_loop_close(loop), 0));
        EXPECT_REPORT(report, "Task was destroyed but it is pending!");
        if (symbols_are_known())
                cr_assert_has(report->source, "in start_sleep()\n");
}

Test(debug, knows_no_origin_of_what_was_made_before)
{
        auv_loop_set_debug(loop, false);
        make_failing_task();
        auv_loop_set_debug(loop, true);
        loop_turn();
        EXPECT_REPORT(report, "Task exception was never retrieved");
        cr_assert_text(report->source, "");
}

Test(debug, may_be_left_while_what_was_made_in_it_lives)
{
        auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = start_await(future);
        AUV_AUTO auv_future *gather = auv_gather(&task, 1, 0);
        AUV_AUTO auv_future *shield = auv_shield(task);
        auv_call *call;

        cr_assert(eq(int, auv_loop_call_soon_threadsafe(loop, (auv_call_fn)auv_loop_stop, loop, &call), 0));
        auv_loop_set_debug(loop, false);
        cr_assert(not(auv_loop_get_debug(loop)));
        auv_future_set_result(future, NUMBER(1));
        loop_turns(5);
        cr_assert(auv_future_done(gather));
        cr_assert(auv_future_done(shield));
        auv_unref(call);
        auv_unref(future);
}

static void slow_call(void *arg)
{
        waste(50);
}

static void slow_callback(auv_future *future, void *arg)
{
        waste(50);
}

static int slow_step(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await_sleep(0));
        waste(50);
        AUV_TRY(auv_await_sleep(0));
        return 0;
}

/* On a busy machine others may have been slow as well: theirs are reports of the same kind. */
static void expect_slow(const char *what)
{
        const struct report *report = reports_take();

        while (symbols_are_known() && !strstr(report->message, what) && reports_pending() > 0) {
                cr_assert(eq(int, strncmp(report->message, "Executing <", 11), 0), "%s", report->message);
                report = reports_take();
        }
        cr_assert(eq(int, strncmp(report->message, "Executing <", 11), 0), "%s", report->message);
        cr_assert(not(zero(ptr, (void *)strstr(report->message, " took "))), "%s", report->message);
        cr_assert(eq(int, strcmp(report->message + strlen(report->message) - 8, " seconds"), 0));
        if (symbols_are_known())
                cr_assert_has(report->message, what);
        while (reports_pending() > 0)
                cr_assert(eq(int, strncmp(reports_take()->message, "Executing <", 11), 0));
}

Test(debug, reports_a_slow_call_and_where_it_was_made)
{
        auv_loop_set_slow_callback_duration(loop, 0.04);
        auv_loop_call_soon(loop, slow_call, NULL, NULL);
        loop_turn();
        expect_slow("<Call slow_call()>");
}

Test(debug, reports_a_slow_done_callback)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        auv_loop_set_slow_callback_duration(loop, 0.04);
        auv_future_add_done_callback(future, slow_callback, NULL);
        auv_future_set_result(future, NUMBER(1));
        loop_turn();
        expect_slow("<Call slow_callback()>");
}

Test(debug, reports_a_slow_step_of_a_task_once)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, slow_step, NULL, 0,
                                                       AUV_TASK_OPTIONS(.name = "t"));

        auv_loop_set_slow_callback_duration(loop, 0.04);
        loop_turns(4);
        expect_slow("<Task name='t' slow_step()>");
}

/* A task that goes with its last step is still named. */
Test(debug, reports_a_slow_task_that_has_ended)
{
        auv_loop_set_slow_callback_duration(loop, 0);
        auv_unref(auv_loop_create_task(loop, coro_nothing, NULL, 0, AUV_TASK_OPTIONS(.name = "t")));
        loop_turn();
        cr_assert_has(reports_take()->message, "<Task name='t' ");
}

Test(debug, counts_real_time_where_the_clock_is_virtual)
{
        AUV_AUTO auv_task *task = start_sleep(loop, 3600);

        auv_loop_set_slow_callback_duration(loop, 60);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert(eq(int, reports_pending(), 0));
}

Test(debug, reports_nothing_slow_when_it_is_off)
{
        auv_loop_set_debug(loop, false);
        auv_loop_set_slow_callback_duration(loop, 0);
        auv_loop_call_soon(loop, slow_call, NULL, NULL);
        loop_turn();
}

Test(debug, has_a_tenth_of_a_second_for_slow_and_keeps_what_is_set)
{
        cr_assert(epsilon_eq(dbl, auv_loop_get_slow_callback_duration(loop), 0.1, 1e-9));
        cr_assert(epsilon_eq(dbl, auv_loop_get_slow_callback_duration(NULL), 0.1, 1e-9));
        auv_loop_set_slow_callback_duration(loop, 1.5);
        auv_loop_set_slow_callback_duration(loop, -1);
        auv_loop_set_slow_callback_duration(NULL, 2);
        cr_assert(epsilon_eq(dbl, auv_loop_get_slow_callback_duration(loop), 1.5, 1e-9));
}

static void nothing(auv_future *future, void *arg)
{
}

/* Counts the calls that are refused. */
static void *call_from_elsewhere(void *arg)
{
        auv_future *future = arg;
        AUV_AUTO auv_error *error = auv_error_new(AUV_EINVAL, NULL);
        size_t n = 0;

        n += auv_future_set_result(future, NUMBER(1)) == AUV_ETHREAD;
        n += auv_future_set_exception(future, error) == AUV_ETHREAD;
        n += auv_future_fail(future, AUV_EINVAL, NULL) == AUV_ETHREAD;
        n += auv_future_cancel(future, NULL) == AUV_ETHREAD;
        n += auv_future_add_done_callback(future, nothing, NULL) == AUV_ETHREAD;
        n += auv_future_remove_done_callback(future, nothing, NULL) == AUV_ETHREAD;
        n += auv_loop_call_soon(loop, slow_call, NULL, NULL) == AUV_ETHREAD;
        n += auv_loop_create_future(loop) == NULL && auv_error_code(auv_error_current()) == AUV_ETHREAD;
        n += auv_loop_create_task(loop, coro_nothing, NULL, 0, NULL) == NULL;
        auv_error_clear();
        return (void *)n;
}

Test(debug, refuses_calls_from_other_threads)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        pthread_t thread;
        void *refused;

        cr_assert(eq(int, pthread_create(&thread, NULL, call_from_elsewhere, future), 0));
        pthread_join(thread, &refused);
        cr_assert(eq(sz, (size_t)refused, 9));
        cr_assert(not(auv_future_done(future)));
        cr_assert(eq(int, auv_future_set_result(future, NUMBER(1)), 0));
}

static void await_in_call(void *arg)
{
        *(int *)arg = auv_await_sleep(1);
}

Test(debug, reports_an_await_outside_of_a_task)
{
        int r = 0;

        auv_loop_call_soon(loop, await_in_call, &r, NULL);
        loop_turn();
        cr_assert(eq(int, r, AUV_ENOTASK));
        EXPECT_REPORT(report, "an await outside of a task");
        if (symbols_are_known())
                cr_assert_has(report->source, "in await_in_call()\n");
}

Test(debug, leaves_nothing_to_a_thread_without_a_loop)
{
        cr_assert(eq(int, auv_await_sleep(1), AUV_ENOTASK));
}

static void run_all_in_debug_mode(void)
{
        auv_loop *own = NULL;
        AUV_AUTO auv_future *future = NULL, *gather = NULL;
        AUV_AUTO auv_task *task = NULL;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.debug = 1, .clock = AUV_CLOCK_VIRTUAL), &own) < 0)
                return;
        reports_record(own);
        future = auv_loop_create_future(own);
        task = future ? auv_loop_create_task(own, coro_await, future, 0, NULL) : NULL;
        gather = task ? auv_gather(&task, 1, 0) : NULL;
        auv_loop_call_soon(own, slow_call, NULL, NULL);
        if (gather) {
                auv_future_fail(future, AUV_EINVAL, "lost");
                auv_loop_run_until_complete(own, gather, NULL);
        }
        auv_loop_close(own);
        reports_drop();
        gather = auv_unref(gather);
        task = auv_unref(task);
        future = auv_unref(future);
        auv_unref(own);
        auv_error_clear();
        reports_drop();
}

Test(debug, loses_no_memory_when_there_is_none)
{
        cr_assert(gt(long, failing_allocator_sweep(run_all_in_debug_mode), 5));
}

Test(debug, writes_the_source_below_the_message)
{
        char text[256] = "";
        FILE *file = tmpfile(), *saved = stderr;

        stderr = file;
        auv_loop_default_exception_handler(loop, &(auv_exception_context) {
                .message = "it has happened", .source = "Object created at:\n  here\n" });
        stderr = saved;
        rewind(file);
        text[fread(text, 1, sizeof(text) - 1, file)] = 0;
        fclose(file);
        cr_assert_text(text, "it has happened\nObject created at:\n  here\n");
}

/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

TestSuite(exception, .init = loop_setup, .fini = loop_teardown);

static void handle(auv_loop *on, const auv_exception_context *context, void *arg)
{
        trace("%s:%s", (const char *)arg, context->message);
        cr_assert(eq(ptr, on, loop));
}

Test(exception, goes_to_the_handler_with_its_argument)
{
        void *arg = NULL;
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, "mine");
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        const auv_exception_context context = { .message = "trouble", .error = error, .future = future };

        auv_loop_set_exception_handler(loop, handle, "arg");
        cr_assert(auv_loop_get_exception_handler(loop, &arg) == handle);
        cr_assert_text(arg, "arg");
        cr_assert(auv_loop_get_exception_handler(loop, NULL) == handle);
        auv_loop_call_exception_handler(loop, &context);
        cr_assert_trace("arg:trouble");
}

Test(exception, context_goes_to_the_handler_whole)
{
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, "mine");
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        const struct report *report;

        auv_loop_call_exception_handler(
                loop, &(auv_exception_context) { .message = "trouble", .error = error, .future = future });
        report = reports_take();
        cr_assert_text(report->message, "trouble");
        cr_assert(eq(int, report->code, AUV_EUSER));
        cr_assert_text(report->error_message, "mine");
        cr_assert(eq(ptr, (void *)report->future, future));
        cr_assert(eq(ptr, (void *)report->loop, loop));
}

Test(exception, handler_is_the_default_at_first)
{
        AUV_AUTO auv_loop *made = NULL;

        cr_assert(eq(int, auv_new_event_loop(NULL, &made), 0));
        cr_assert(auv_loop_get_exception_handler(made, NULL) == NULL);
        auv_loop_set_exception_handler(made, handle, NULL);
        auv_loop_set_exception_handler(made, NULL, NULL);
        cr_assert(auv_loop_get_exception_handler(made, NULL) == NULL);
}

Test(exception, of_null_is_harmless)
{
        auv_loop_set_exception_handler(NULL, handle, NULL);
        cr_assert(auv_loop_get_exception_handler(NULL, NULL) == NULL);
        auv_loop_call_exception_handler(NULL, &(auv_exception_context) { .message = "trouble" });
}

/* What fn writes to standard error. */
static char *standard_error_of(void (*fn)(void))
{
        static char text[4096];
        FILE *file = tmpfile();
        const int kept = dup(STDERR_FILENO);
        size_t length;

        fflush(stderr);
        dup2(fileno(file), STDERR_FILENO);
        fn();
        fflush(stderr);
        dup2(kept, STDERR_FILENO);
        close(kept);
        rewind(file);
        length = fread(text, 1, sizeof(text) - 1, file);
        text[length] = 0;
        fclose(file);
        return text;
}

static void report_in_full(void)
{
        AUV_AUTO auv_error *cause = auv_error_new(AUV_ENOENT, "origin");
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, "mine");
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, coro_nothing, NULL, 0,
                                                       AUV_TASK_OPTIONS(.name = "worker"));

        auv_error_set_cause(error, cause);
        auv_loop_call_exception_handler(
                loop, &(auv_exception_context) { .message = "trouble", .error = error, .future = task });
}

Test(exception, is_written_to_standard_error_by_default)
{
        char *text;

        auv_loop_set_exception_handler(loop, NULL, NULL);
        text = standard_error_of(report_in_full);
        cr_assert_has(text, "trouble");
        cr_assert_has(text, "EUSER");
        cr_assert_has(text, "mine");
        cr_assert_has(text, "origin");
        cr_assert_has(text, "worker");
        cr_assert(eq(int, text[strlen(text) - 1], '\n'));
        loop_turn();
}

static void report_by_default_handler(void)
{
        auv_loop_default_exception_handler(loop, &(auv_exception_context) { .message = "trouble" });
        auv_loop_default_exception_handler(loop, &(auv_exception_context) { .message = NULL });
}

Test(exception, default_handler_may_be_called_from_another)
{
        auv_loop_set_exception_handler(loop, handle, "arg");
        cr_assert_has(standard_error_of(report_by_default_handler), "trouble");
        cr_assert_trace("");
}

/* never retrieved */

static auv_task *failed_task(void)
{
        auv_task *task = start_steps(.error = AUV_EUSER);

        loop_turn();
        cr_assert(auv_future_done(task));
        return task;
}

static auv_future *failed_future(void)
{
        auv_future *future = auv_loop_create_future(loop);

        auv_future_fail(future, AUV_EUSER, "failed");
        return future;
}

/* rule 32 */
Test(exception, that_nobody_asked_for_is_told_when_the_task_goes)
{
        auv_task *task = failed_task();
        const struct report *report;

        cr_assert(eq(int, reports_pending(), 0));
        auv_unref(task);
        cr_assert(eq(int, reports_pending(), 1));
        report = reports_take();
        cr_assert_text(report->message, "Task exception was never retrieved");
        cr_assert(eq(int, report->code, AUV_EUSER));
        cr_assert_text(report->error_message, "failed");
        cr_assert(eq(ptr, (void *)report->future, task));
}

Test(exception, that_nobody_asked_for_is_told_when_the_future_goes)
{
        const struct report *report;

        auv_unref(failed_future());
        cr_assert(eq(int, reports_pending(), 1));
        report = reports_take();
        cr_assert_text(report->message, "Future exception was never retrieved");
        cr_assert(eq(int, report->code, AUV_EUSER));
}

Test(exception, of_a_detached_task_is_told_once)
{
        auv_unref(start_steps(.error = AUV_EUSER));
        loop_turn();
        loop_turn();
        cr_assert_text(reports_take()->message, "Task exception was never retrieved");
        cr_assert(eq(int, reports_pending(), 0));
}

/* rule 31 */
Test(exception, that_was_asked_for_is_not_told)
{
        AUV_AUTO auv_future *by_result = failed_future();
        AUV_AUTO auv_future *by_exception = failed_future();
        AUV_AUTO auv_task *task_by_result = failed_task();
        auv_error *error = NULL;

        cr_assert(eq(int, auv_future_result(by_result, NULL), AUV_EUSER));
        cr_assert(eq(int, auv_future_exception(by_exception, NULL), 0));
        cr_assert(eq(int, auv_future_exception(by_exception, &error), 0));
        cr_assert(eq(int, auv_error_code(error), AUV_EUSER));
        cr_assert(eq(int, auv_future_result(task_by_result, NULL), AUV_EUSER));
}

Test(exception, that_was_awaited_is_not_told)
{
        AUV_AUTO auv_future *future = failed_future();

        cr_assert(eq(int, loop_run(coro_await, future, NULL), AUV_EUSER));
}

static int gathers_two_failures(void *arg, auv_value *ret)
{
        auv_task *tasks[2] = {
                auv_create_task(coro_fail, &(int) { AUV_EUSER }, sizeof(int)),
                auv_create_task(coro_fail, &(int) { AUV_EUSER - 1 }, sizeof(int)),
        };
        int r = auv_await_gather(tasks, 2, 0, NULL);

        auv_await_sleep(0);
        auv_unref(tasks[0]);
        auv_unref(tasks[1]);
        return r;
}

/* rule 64: the gather's children count as asked, the second failure too */
Test(exception, of_a_gathered_task_is_not_told)
{
        cr_assert(eq(int, loop_run(gathers_two_failures, NULL, NULL), AUV_EUSER));
}

/* rule 52 */
Test(exception, of_a_task_that_was_cancelled_too_late_is_not_told)
{
        AUV_AUTO auv_task *task = failed_task();
        AUV_AUTO auv_future *future = failed_future();

        cr_assert(eq(int, auv_task_cancel(task, NULL), 0));
        cr_assert(eq(int, auv_future_cancel(future, NULL), 0));
}

static void ignore(auv_future *future, void *arg)
{
        trace("done");
}

/* rule 33 */
Test(exception, is_told_though_a_callback_was_called)
{
        auv_task *task = start_steps(.error = AUV_EUSER);

        auv_future_add_done_callback(task, ignore, NULL);
        auv_unref(task);
        loop_turn();
        loop_turn();
        cr_assert_trace("done");
        cr_assert_text(reports_take()->message, "Task exception was never retrieved");
}

static int waits_for_arg(void *arg, auv_value *ret)
{
        return auv_await_wait((auv_future *[]) { arg }, 1, AUV_NO_TIMEOUT, AUV_ALL_COMPLETED, NULL);
}

Test(exception, is_told_though_the_task_was_waited_for)
{
        auv_future *future = failed_future();

        cr_assert(eq(int, loop_run(waits_for_arg, future, NULL), 0));
        cr_assert(eq(int, reports_pending(), 0));
        auv_unref(future);
        cr_assert_text(reports_take()->message, "Future exception was never retrieved");
}

Test(exception, of_a_cancelled_task_is_not_told)
{
        AUV_AUTO auv_task *task = start_steps(.sleep = 1);

        loop_turn();
        auv_task_cancel(task, "message");
        loop_turn();
        cr_assert(auv_future_cancelled(task));
}

Test(exception, of_a_gather_is_told_when_nobody_asked)
{
        AUV_AUTO auv_task *task = start_steps(.error = AUV_EUSER);

        auv_unref(auv_gather(&task, 1, 0));
        for (int i = 0; i < 4; i++)
                loop_turn();
        cr_assert(eq(int, reports_pending(), 1));
        cr_assert_has(reports_take()->message, "exception was never retrieved");
}

/* A handler may use the loop, and may report again. */
static void use_loop(auv_loop *on, const auv_exception_context *context, void *arg)
{
        trace("%s", context->message);
        if (strcmp(context->message, "again") != 0)
                auv_loop_call_exception_handler(on, &(auv_exception_context) { .message = "again" });
        auv_unref(start_steps(.name = "t"));
}

Test(exception, handler_may_use_the_loop)
{
        auv_loop_set_exception_handler(loop, use_loop, NULL);
        auv_loop_call_exception_handler(loop, &(auv_exception_context) { .message = "first" });
        loop_turn();
        cr_assert_trace("first again t+ t- t+ t-");
}

/* The error that is current in the test is not that of the handler. */
static void raise_another(auv_loop *on, const auv_exception_context *context, void *arg)
{
        auv_raise(AUV_EIO, "in the handler");
}

static int drops_a_failure(void *arg, auv_value *ret)
{
        auv_raise(AUV_EUSER, "of the task");
        auv_unref(failed_future());
        return AUV_EUSER;
}

Test(exception, handler_leaves_the_current_error_to_the_task)
{
        auv_loop_set_exception_handler(loop, raise_another, NULL);
        cr_assert(eq(int, loop_run(drops_a_failure, NULL, NULL), AUV_EUSER));
        cr_assert_text(auv_error_message(auv_error_current()), "of the task");
}

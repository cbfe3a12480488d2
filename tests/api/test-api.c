/* SPDX-License-Identifier: MIT */
/* The public symbols of base/, coro/, loop/ and task/; see check.h. */

#include "check.h"

#include <string.h>

/* Memory that the library has taken and not given back. */
static size_t n_blocks;

static void *count_malloc(size_t size)
{
        n_blocks++;
        return malloc(size);
}

static void *count_realloc(void *memory, size_t size)
{
        n_blocks += memory == NULL;
        return realloc(memory, size);
}

static void count_free(void *memory)
{
        n_blocks -= memory != NULL;
        free(memory);
}

static void count_call(void *arg)
{
        ++*(int *)arg;
}

static void count_done(auv_future *future, void *arg)
{
        check(auv_future_done(future));
        ++*(int *)arg;
}

static void stop_loop(void *arg)
{
        auv_loop_stop(arg);
}

static auv_loop *new_loop(void)
{
        auv_loop *loop;

        check(auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &loop) == 0);
        return loop;
}

static void end_loop(auv_loop *loop)
{
        check(auv_loop_close(loop) == 0);
        check(auv_unref(loop) == NULL);
}

static void test_errors(void)
{
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, "no room %d", 101);
        AUV_AUTO auv_error *cause = auv_error_new(AUV_EIO, NULL);
        AUV_AUTO auv_error *group = auv_error_new_group("two", (auv_error *[]) { error, cause }, 2);
        AUV_AUTO auv_error *incomplete = auv_error_new_incomplete_read("ab", 2, /* expected= */ 3);
        AUV_AUTO auv_error *overrun = auv_error_new_limit_overrun("too long", 9);
        char text[64];
        size_t n;

        check(strcmp(auv_error_name(AUV_ETIMEDOUT), "ETIMEDOUT") == 0);
        check(strcmp(auv_strerror(AUV_ETIMEDOUT), "timed out") == 0);

        check(auv_error_set_cause(error, cause) == 0);
        check(auv_error_code(error) == AUV_EUSER);
        check(strcmp(auv_error_message(error), "no room 101") == 0);
        check(auv_error_cause(error) == cause);
        check(auv_error_format(error, text, sizeof(text)) < sizeof(text));
        check(strstr(text, "no room 101") != NULL);

        check(auv_error_code(group) == AUV_EGROUP);
        check(auv_error_members(group, &n)[1] == cause && n == 2);

        check(auv_error_partial(incomplete, &n, NULL) != NULL && n == 2);
        check(auv_error_consumed(overrun) == 9);

        check(auv_raise(AUV_EUSER, "raised") == AUV_EUSER);
        check(strcmp(auv_error_message(auv_error_current()), "raised") == 0);
        check(auv_reraise(error) == AUV_EUSER && auv_error_current() == error);
        auv_error_clear();
        check(auv_error_current() == NULL);
}

static void test_references(void)
{
        auv_error *error = auv_error_new(AUV_EUSER, NULL);
        auv_error *other = auv_ref(error);

        check(other == error);
        check(auv_unref(other) == NULL);
        auv_unref_at(&error);
        check(error == NULL);
}

static void test_loop(void)
{
        auv_loop *loop = new_loop();

        check(auv_get_running_loop() == NULL);
        auv_set_event_loop(loop);
        check(auv_get_event_loop() == loop);
        auv_set_event_loop(NULL);

        check(auv_loop_time(loop) == 0);
        check(auv_loop_uv(loop) != NULL);
        check(!auv_loop_is_running(loop) && !auv_loop_is_closed(loop));
        auv_loop_set_debug(loop, true);
        check(auv_loop_get_debug(loop));

        auv_loop_stop(loop);
        check(auv_loop_run_forever(loop) == 0);
        check(auv_loop_close(loop) == 0);
        check(auv_loop_is_closed(loop));
        check(auv_unref(loop) == NULL);
}

static void test_run_until(void)
{
        auv_loop *loop = new_loop();
        int n = 0;

        check(auv_loop_call_at(loop, 1, count_call, &n, NULL) == 0);
        check(auv_loop_call_at(loop, 3, count_call, &n, NULL) == 0);
        check(auv_loop_run_until(loop, 2) == 0);
        check(n == 1 && auv_loop_time(loop) == 2);
        end_loop(loop);
}

static void test_calls(void)
{
        auv_loop *loop = new_loop();
        auv_call *soon, *later, *at, *threadsafe, *cancelled;
        int n = 0;

        check(auv_loop_call_soon(loop, count_call, &n, &soon) == 0);
        check(auv_loop_call_later(loop, 1, count_call, &n, &later) == 0);
        check(auv_loop_call_at(loop, 2, count_call, &n, &at) == 0);
        check(auv_loop_call_soon_threadsafe(loop, count_call, &n, &threadsafe) == 0);
        check(auv_loop_call_soon(loop, count_call, &n, &cancelled) == 0);
        check(auv_loop_call_at(loop, 3, stop_loop, loop, NULL) == 0);

        auv_call_cancel(cancelled);
        check(auv_call_cancelled(cancelled) && !auv_call_cancelled(soon));
        check(auv_call_when(later) == 1 && auv_call_when(at) == 2);

        check(auv_loop_run_forever(loop) == 0);
        check(n == 4 && auv_loop_time(loop) == 3);

        auv_unref(soon);
        auv_unref(later);
        auv_unref(at);
        auv_unref(threadsafe);
        auv_unref(cancelled);
        end_loop(loop);
}

static void count_report(auv_loop *loop, const auv_exception_context *context, void *arg)
{
        check(strcmp(context->message, "told") == 0);
        ++*(int *)arg;
}

static void test_exception_handler(void)
{
        const auv_exception_context told = { .message = "told" };
        auv_loop *loop = new_loop();
        void *arg;
        int n = 0;

        auv_loop_set_exception_handler(loop, count_report, &n);
        check(auv_loop_get_exception_handler(loop, &arg) == count_report && arg == &n);
        auv_loop_call_exception_handler(loop, &told);
        check(n == 1);

        fputs("a report by the default handler: ", stderr);
        auv_loop_default_exception_handler(loop, &told);
        end_loop(loop);
}

static void test_futures(void)
{
        auv_loop *loop = new_loop();
        auv_future *with_result = auv_loop_create_future(loop);
        auv_future *with_exception = auv_loop_create_future(loop);
        auv_future *failed = auv_loop_create_future(loop);
        auv_future *cancelled = auv_loop_create_future(loop);
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, "an error");
        auv_error *stored;
        auv_value value;
        int n = 0;

        check(auv_future_get_loop(with_result) == loop);
        check(auv_future_add_done_callback(with_result, count_done, &n) == 0);
        check(auv_future_remove_done_callback(with_result, count_done, &n) == 1);
        check(auv_future_add_done_callback(with_result, count_done, &n) == 0);

        check(auv_future_set_result(with_result, (auv_value) { .i = 42 }) == 0);
        check(auv_future_result(with_result, &value) == 0 && value.i == 42);
        check(auv_loop_run_until_complete(loop, with_result, NULL) == 0 && n == 1);

        check(auv_future_set_exception(with_exception, error) == 0);
        check(auv_future_exception(with_exception, &stored) == 0 && stored == error);
        check(auv_future_fail(failed, AUV_EIO, "a reason") == 0);
        check(auv_future_result(failed, NULL) == AUV_EIO);
        check(auv_future_cancel(cancelled, "a message") == 1);
        check(auv_future_cancelled(cancelled));

        auv_unref(with_result);
        auv_unref(with_exception);
        auv_unref(failed);
        auv_unref(cancelled);
        end_loop(loop);
}

static int answer(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await_sleep(1));
        ret->i = 42;
        return 0;
}

static auv_task *count_factory(auv_loop *loop, auv_coro_fn fn, const void *arg, size_t size,
                               const auv_task_options *options, void *user)
{
        ++*(int *)user;
        return auv_task_new(loop, fn, arg, size, options);
}

static int test_tasks(void *arg, auv_value *ret)
{
        auv_loop *loop = auv_get_running_loop();
        AUV_AUTO auv_task *plain = auv_create_task(answer, NULL, 0);
        AUV_AUTO auv_task *named = auv_loop_create_task(loop, answer, NULL, 0,
                                                        AUV_TASK_OPTIONS(.name = "one"));
        AUV_AUTO auv_task *eager = auv_eager_task_factory(loop, answer, NULL, 0, NULL, NULL);
        AUV_AUTO auv_task *made = NULL;
        auv_task *tasks[4];
        auv_value value;
        void *user;
        int n = 0;

        check(auv_loop_is_running(loop));
        check(strcmp(auv_task_get_name(named), "one") == 0);
        check(auv_task_set_name(named, "other") == 0);
        check(strcmp(auv_task_get_name(named), "other") == 0);

        check(auv_all_tasks(loop, tasks, 4) == 4);
        check(auv_current_task(loop) == tasks[0]);

        check(auv_loop_set_task_factory(loop, count_factory, &n) == 0);
        check(auv_loop_get_task_factory(loop, &user) == count_factory && user == &n);
        made = auv_create_task(answer, NULL, 0);
        check(made != NULL && n == 1);
        check(auv_loop_set_task_factory(loop, NULL, NULL) == 0);

        check(auv_task_cancel(made, NULL) == 1);
        check(auv_task_cancelling(made) == 1);
        check(auv_task_uncancel(made) == 0);

        check(auv_await(plain, &value) == 0 && value.i == 42);
        check(auv_await(named, &value) == 0 && value.i == 42);
        check(auv_await(eager, &value) == 0 && value.i == 42);
        return 0;
}

static int answer_later(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await_sleep(1));
        return answer(arg, ret);
}

struct stackless {
        auv_frame frame;
        auv_future *future;
        auv_future *other;
        auv_value value;
        auv_error *left;
        auv_subframe subframe;
};

/* With the functions that the macros stand for. */
static int answer_by_hand(auv_frame *frame, auv_value *ret)
{
        struct stackless *self = (struct stackless *)(void *)frame;
        auv_error *error;

        switch (frame->at++) {
        case 0:
                check(auv_frame_sleep(0.5) == AUV_SUSPENDED);
                return AUV_SUSPENDED;
        case 1:
                check(frame->error == 0);
                check(auv_frame_wait(self->future, &self->value) == AUV_SUSPENDED);
                return AUV_SUSPENDED;
        case 2:
                check(auv_frame_resumed(frame, &self->value) == 0);
                auv_subframe_begin(&self->subframe);
                check(auv_await_wait(&self->other, 1, AUV_NO_TIMEOUT, AUV_ALL_COMPLETED, NULL) != 0);
                check(auv_subframe_waits(&self->subframe));
                return AUV_SUSPENDED;
        default:
                check(auv_subframe_resume(&self->subframe, frame) == 1);
                check(!auv_subframe_waits(&self->subframe));
        }
        auv_frame_leave(auv_raise(AUV_EIO, "a reason"), &error);
        check(auv_frame_left(0, &error) == AUV_EIO && !error);
        *ret = self->value;
        return 0;
}

static int answer_by_macros(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        AUV_AWAIT_SLEEP(1);
        AUV_AWAIT(self->future, &self->value);
        AUV_AWAIT_CALL(&self->subframe, auv_await_wait_for(self->other, 2, NULL));
        AUV_RETURN(.i = self->value.i);
        AUV_FINALLY_AWAIT(self->left);
        AUV_AWAIT_SLEEP(1);
        AUV_END;
}

static int test_stackless(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *future = auv_create_task(answer, NULL, 0);
        AUV_AUTO auv_future *other = auv_create_task(answer_later, NULL, 0);
        const struct stackless frame = { .future = future, .other = other };
        AUV_AUTO auv_task *by_hand = auv_create_stackless_task(answer_by_hand, &frame, sizeof(frame));
        AUV_AUTO auv_task *by_macros = auv_create_stackless_task(answer_by_macros, &frame, sizeof(frame));
        auv_value value;

        check(auv_await(by_hand, &value) == 0 && value.i == 42);
        check(auv_await(by_macros, &value) == 0 && value.i == 42);
        return 0;
}

static int test_several(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *a = auv_create_task(answer, NULL, 0);
        AUV_AUTO auv_task *b = auv_create_task(answer, NULL, 0);
        auv_task *const both[] = { a, b };
        AUV_AUTO auv_future *all = auv_gather(both, 2, AUV_RETURN_EXCEPTIONS);
        AUV_AUTO auv_as_completed *iterator = auv_as_completed_new(both, 2, AUV_NO_TIMEOUT);
        auv_value value, results[2];
        auv_future *future;
        size_t n;

        check(auv_await_gather(both, 2, 0, results) == 0 && results[1].i == 42);
        check(auv_await(all, &value) == 0);
        check(auv_value_list(&value, &n)[1].i == 42 && n == 2);
        auv_value_unref(NULL);
        check(auv_value_error(&results[0]) == NULL);
        check(auv_await_wait(both, 2, AUV_NO_TIMEOUT, AUV_ALL_COMPLETED, NULL) == 2);
        check(auv_await_as_completed(iterator, &future) == 1 && (future == a || future == b));
        return 0;
}

static int test_limits(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *task = auv_create_task(answer, NULL, 0);
        AUV_AUTO auv_timeout *limit = auv_timeout_new(AUV_NO_TIMEOUT);
        AUV_AUTO auv_timeout *limit_at = auv_timeout_at_new(100);
        AUV_AUTO auv_future *protected = auv_shield(task);
        auv_value value;

        check(auv_await(protected, &value) == 0 && value.i == 42);
        check(auv_await_shield(task, &value) == 0 && value.i == 42);
        check(auv_await_wait_for(task, 1, &value) == 0 && value.i == 42);
        check(auv_await_wait_for_coro(answer, NULL, 0.5, NULL) == AUV_ETIMEDOUT);

        check(auv_timeout_enter(limit) == 0 && auv_timeout_enter(limit_at) == 0);
        check(auv_timeout_reschedule(limit, 10) == 0);
        check(auv_timeout_when(limit) == 10);
        check(auv_timeout_exit(limit_at, 0) == 0);
        check(auv_timeout_exit(limit, auv_await_sleep(60)) == AUV_ETIMEDOUT);
        check(auv_timeout_expired(limit) && !auv_timeout_expired(limit_at));
        return 0;
}

static int test_task_group(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        AUV_AUTO auv_task *task = NULL;
        auv_value value;

        check(auv_task_group_enter(group) == 0);
        task = auv_task_group_create_task(group, answer, NULL, 0, NULL);
        check(auv_await_task_group_exit(group, 0) == 0);
        check(auv_future_result(task, &value) == 0 && value.i == 42);
        return 0;
}

struct nothing {
        auv_frame frame;
};

static int three_by_macros(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct nothing, self);
        AUV_AWAIT_SLEEP(0);
        AUV_RETURN(.i = 3);
        AUV_END;
}

static int return_arg(void *arg, auv_value *ret)
{
        ret->p = arg;
        return 0;
}

static void test_runner(void)
{
        AUV_AUTO auv_runner *runner = auv_runner_new(NULL);
        auv_value value;
        int n;

        check(auv_run(return_arg, NULL) == 0);
        check(auv_run_stackless(three_by_macros, &(struct nothing) { 0 }, sizeof(struct nothing)) == 0);
        check(auv_runner_get_loop(runner) != NULL);
        check(auv_runner_run(runner, return_arg, &n, &value) == 0 && value.p == &n);
        check(auv_runner_run_stackless(runner, three_by_macros, &(struct nothing) { 0 },
                                       sizeof(struct nothing), &value) == 0 && value.i == 3);
        check(auv_runner_close(runner) == 0);
        check(auv_runner_get_loop(runner) == NULL);
}

static void test_failing_allocator(void)
{
        auv_future *future;
        auv_loop *loop;

        check(auv_failing_allocator_install() == 0);
        loop = new_loop();
        check(auv_failing_allocator_live() > 0 && auv_failing_allocator_total() > 0);

        auv_failing_allocator_arm(1, 1);
        check(auv_loop_create_future(loop) == NULL);
        future = auv_loop_create_future(loop);
        check(future != NULL && auv_failing_allocator_disarm() == 1 && auv_failing_allocator_failed() == 1);

        auv_unref(future);
        end_loop(loop);
        auv_error_clear();
        check(auv_failing_allocator_live() == 0);
}

int main(void)
{
        check(auv_set_allocator(count_malloc, count_realloc, count_free) == 0);

        test_errors();
        test_references();
        test_loop();
        test_calls();
        test_run_until();
        test_exception_handler();
        test_futures();
        run_in_task(test_tasks);
        run_in_task(test_stackless);
        run_in_task(test_several);
        run_in_task(test_limits);
        run_in_task(test_task_group);
        test_runner();

        auv_error_clear();
        check(n_blocks == 0);

        test_failing_allocator();
        check(auv_set_allocator(NULL, NULL, NULL) == 0);
        return EXIT_SUCCESS;
}

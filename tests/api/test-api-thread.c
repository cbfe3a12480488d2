/* SPDX-License-Identifier: MIT */
/* The public symbols of executors and of futures for other threads; see check.h. */

#include "check.h"

static int double_it(void *arg, auv_value *ret)
{
        ret->i = 2 * *(const int *)arg;
        return 0;
}

static int submit_here(void *user, auv_work_fn fn, void *work)
{
        ++*(int *)user;
        fn(work);
        return 0;
}

static int test_executors(void *arg, auv_value *ret)
{
        auv_loop *loop = auv_get_running_loop();
        int n_submitted = 0, number = 21;
        AUV_AUTO auv_executor *executor = auv_executor_new(AUV_EXECUTOR_FUNCTIONS(.submit = submit_here),
                                                           &n_submitted);
        AUV_AUTO auv_future *in_executor = auv_loop_run_in_executor(loop, executor, double_it, &number,
                                                                    sizeof(number));
        AUV_AUTO auv_future *in_thread = auv_to_thread(double_it, &number, sizeof(number));
        auv_value value;

        check(auv_await(in_executor, &value) == 0 && value.i == 42 && n_submitted == 1);
        check(auv_await(in_thread, &value) == 0 && value.i == 42);
        check(auv_await_to_thread(double_it, &number, sizeof(number), &value) == 0 && value.i == 42);

        check(auv_loop_set_default_executor(loop, executor) == 0);
        check(auv_await_to_thread(double_it, &number, sizeof(number), &value) == 0 && n_submitted == 2);
        check(auv_await_shutdown_default_executor(AUV_NO_TIMEOUT) == 0);
        check(auv_to_thread(double_it, &number, sizeof(number)) == NULL);
        return 0;
}

static int double_it_later(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await_sleep(0.01));
        return double_it(arg, ret);
}

static int sleep_on(void *arg, auv_value *ret)
{
        return auv_await_sleep(3600);
}

/* What another thread does with a loop. */
static int use_loop(void *arg, auv_value *ret)
{
        auv_loop *loop = arg;
        int number = 21;
        AUV_AUTO auv_thread_future *future = auv_run_coroutine_threadsafe(loop, double_it_later, &number,
                                                                          sizeof(number));
        AUV_AUTO auv_thread_future *endless = auv_run_coroutine_threadsafe(loop, sleep_on, NULL, 0);
        auv_error *error;
        auv_value value;

        check(auv_thread_future_result(future, AUV_NO_TIMEOUT, &value) == 0 && value.i == 42);
        check(auv_thread_future_exception(future, AUV_NO_TIMEOUT, &error) == 0 && error == NULL);
        check(auv_thread_future_done(future) && !auv_thread_future_cancelled(future));

        check(auv_thread_future_result(endless, 0, NULL) == AUV_ETIMEDOUT);
        check(auv_thread_future_cancel(endless) == 1);
        check(auv_thread_future_cancelled(endless));
        return 0;
}

static int test_thread_futures(void *arg, auv_value *ret)
{
        auv_loop *loop = auv_get_running_loop();
        int number = 21;
        AUV_AUTO auv_thread_future *handed = auv_run_coroutine_threadsafe(loop, double_it_later, &number,
                                                                          sizeof(number));
        AUV_AUTO auv_future *future = auv_wrap_future(handed);
        auv_value value;

        check(auv_await(future, &value) == 0 && value.i == 42);
        check(auv_await_to_thread(use_loop, loop, 0, NULL) == 0);
        return 0;
}

int main(void)
{
        /* A virtual clock stands still while a thread works, which here waits for a sleep to end. */
        AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_MONOTONIC));

        check(auv_set_thread_pool_size(2) == 0);
        run_in_task(test_executors);
        check(auv_runner_run(runner, test_thread_futures, NULL, NULL) == 0);
        return EXIT_SUCCESS;
}

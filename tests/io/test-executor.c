/* SPDX-License-Identifier: MIT */
#include "pool.h"
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <uv.h>

TestSuite(executor, .init = pool_setup, .fini = loop_teardown);

static int tells_thread(void *arg, auv_value *ret)
{
        ret->i = !pthread_equal(*(const pthread_t *)arg, pthread_self()) && !auv_get_running_loop();
        return 0;
}

/* An executor that runs what it was given when the test says so. */
struct manual {
        struct {
                auv_work_fn fn;
                void *work;
        } queue[16];
        int n;
        int n_cancelled;
        int n_shut_down;
        int refuse; /* the error to refuse work with */
        bool at_once;
};

static int manual_submit(void *user, auv_work_fn fn, void *work)
{
        struct manual *manual = user;

        if (manual->refuse)
                return auv_raise(manual->refuse, "refused");
        if (manual->at_once) {
                fn(work);
                return 0;
        }
        manual->queue[manual->n].fn = fn;
        manual->queue[manual->n++].work = work;
        return 0;
}

static int manual_cancel(void *user, void *work)
{
        struct manual *manual = user;

        for (int i = 0; i < manual->n; i++) {
                if (manual->queue[i].work != work)
                        continue;
                manual->queue[i] = manual->queue[--manual->n];
                manual->n_cancelled++;
                return 1;
        }
        return 0;
}

static void manual_shutdown(void *user)
{
        struct manual *manual = user;

        manual->n_shut_down++;
}

static void *perform_all(void *arg)
{
        struct manual *manual = arg;

        for (int i = 0; i < manual->n; i++)
                manual->queue[i].fn(manual->queue[i].work);
        manual->n = 0;
        return NULL;
}

static void perform_in_thread(struct manual *manual)
{
        pthread_t thread;

        pthread_create(&thread, NULL, perform_all, manual);
        pthread_join(thread, NULL);
}

static auv_executor *manual_executor(struct manual *manual)
{
        return auv_executor_new(AUV_EXECUTOR_FUNCTIONS(.submit = manual_submit, .cancel = manual_cancel,
                                                       .shutdown = manual_shutdown), manual);
}

/* run_in_executor */

Test(executor, runs_a_function_in_another_thread)
{
        const pthread_t self = pthread_self();
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, NULL, tells_thread, &self,
                                                               sizeof(self));
        auv_value result = { 0 };

        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, &result), 0));
        cr_assert(eq(i64, result.i, 1));
}

Test(executor, copies_the_argument_where_a_size_is_given)
{
        intmax_t number = 21;
        AUV_AUTO auv_future *copied = auv_loop_run_in_executor(loop, NULL, pool_doubles, &number,
                                                               sizeof(number));
        AUV_AUTO auv_future *pointed = NULL;
        auv_value result = { 0 };

        number = 1000;
        pointed = auv_loop_run_in_executor(loop, NULL, pool_doubles, &number, 0);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, copied, &result), 0));
        cr_assert(eq(i64, result.i, 42));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, pointed, &result), 0));
        cr_assert(eq(i64, result.i, 2000));
}

Test(executor, hands_on_the_error_with_its_message)
{
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, NULL, pool_fails, "a thread", 0);

        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), AUV_EUSER));
        cr_assert_text(auv_error_message(auv_error_current()), "no luck in a thread");
        cr_assert(eq(int, pool_n_destroyed, 1));
}

Test(executor, does_not_take_the_message_of_an_error_before)
{
        AUV_AUTO auv_future *first = auv_loop_run_in_executor(loop, NULL, pool_fails, "a thread", 0);
        AUV_AUTO auv_future *second = auv_loop_run_in_executor(loop, NULL, pool_returns,
                                                               &(int) { AUV_EUSER }, sizeof(int));

        cr_assert(eq(int, auv_loop_run_until_complete(loop, first, NULL), AUV_EUSER));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, second, NULL), AUV_EUSER));
        cr_assert(zero(ptr, (void *)auv_error_message(auv_error_current())));
}

Test(executor, gives_the_result_to_the_future)
{
        auv_future *future = auv_loop_run_in_executor(loop, NULL, pool_owns, NULL, 0);

        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), 0));
        cr_assert(eq(int, pool_n_destroyed, 0));
        auv_unref(future);
        cr_assert(eq(int, pool_n_destroyed, 1));
}

/* rule 126 */
Test(executor, result_takes_one_turn_to_the_future_and_one_to_the_task)
{
        struct manual manual = { .n = 0 };
        AUV_AUTO auv_executor *executor = manual_executor(&manual);
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, executor, pool_owns, NULL, 0);
        AUV_AUTO auv_task *task = start_await(future);

        loop_turn();
        perform_in_thread(&manual);
        cr_assert(not(auv_future_done(future)));
        cr_assert(eq(int, loop_turns_until_done(future, 5), 1));
        cr_assert(not(auv_future_done(task)));
        cr_assert(eq(int, loop_turns_until_done(task, 5), 1));
}

Test(executor, must_have_a_function_and_an_open_loop)
{
        cr_assert(zero(ptr, auv_loop_run_in_executor(loop, NULL, NULL, NULL, 0)));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EINVAL));
        cr_assert(zero(ptr, auv_loop_run_in_executor(loop, NULL, pool_owns, NULL, 1)));
        cr_assert(zero(ptr, auv_loop_run_in_executor(NULL, NULL, pool_owns, NULL, 0)));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOLOOP));
        cr_assert(eq(int, auv_loop_set_default_executor(NULL, NULL), AUV_ENOLOOP));
        auv_loop_close(loop);
        cr_assert(zero(ptr, auv_loop_run_in_executor(loop, NULL, pool_owns, NULL, 0)));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ECLOSED));
        cr_assert(eq(int, auv_loop_set_default_executor(loop, NULL), AUV_ECLOSED));
}

/* cancellation */

/* rule 126 */
Test(executor, work_that_has_not_begun_is_taken_back)
{
        AUV_AUTO auv_future *blocks = auv_loop_run_in_executor(loop, NULL, pool_owns_when_told, NULL, 0);
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, NULL, pool_owns, NULL, 0);

        sem_wait(&pool_begun);
        cr_assert(eq(int, auv_future_cancel(future, NULL), 1));
        cr_assert(auv_future_cancelled(future));
        loop_turn();
        sem_post(&pool_may_end);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, blocks, NULL), 0));
        cr_assert(eq(int, pool_n_run, 1));
}

/* rule 126 */
Test(executor, result_of_work_that_has_begun_is_dropped)
{
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, NULL, pool_owns_when_told, NULL, 0);
        AUV_AUTO auv_future *next = auv_loop_run_in_executor(loop, NULL, pool_owns, NULL, 0);

        sem_wait(&pool_begun);
        cr_assert(eq(int, auv_future_cancel(future, NULL), 1));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), AUV_ECANCELED));
        sem_post(&pool_may_end);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, next, NULL), 0));
        cr_assert(eq(int, pool_n_run, 2));
        cr_assert(eq(int, pool_n_destroyed, 1));
}

Test(executor, of_the_programs_own_may_take_work_back)
{
        struct manual manual = { .n = 0 };
        AUV_AUTO auv_executor *executor = manual_executor(&manual);
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, executor, pool_owns, NULL, 0);

        auv_future_cancel(future, NULL);
        cr_assert(eq(int, manual.n_cancelled, 0));
        loop_turn();
        cr_assert(eq(int, manual.n_cancelled, 1));
        cr_assert(eq(int, manual.n, 0));
}

Test(executor, of_the_programs_own_may_take_nothing_back)
{
        struct manual manual = { .n = 0 };
        AUV_AUTO auv_executor *executor = auv_executor_new(AUV_EXECUTOR_FUNCTIONS(.submit = manual_submit),
                                                           &manual);
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, executor, pool_owns, NULL, 0);

        auv_future_cancel(future, NULL);
        loop_turn();
        perform_in_thread(&manual);
        loop_turn();
        cr_assert(eq(int, pool_n_destroyed, 1));
}

Test(executor, cancellation_may_cross_the_result_on_its_way)
{
        struct manual manual = { .n = 0 };
        AUV_AUTO auv_executor *executor = manual_executor(&manual);
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, executor, pool_owns, NULL, 0);

        perform_in_thread(&manual);
        auv_future_cancel(future, NULL);
        loop_turn();
        cr_assert(auv_future_cancelled(future));
        cr_assert(eq(int, pool_n_destroyed, 1));
}

Test(executor, future_may_be_ended_by_somebody_else)
{
        struct manual manual = { .n = 0 };
        AUV_AUTO auv_executor *executor = manual_executor(&manual);
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, executor, pool_owns, NULL, 0);

        cr_assert(eq(int, auv_future_set_result(future, NUMBER(1)), 0));
        loop_turn();
        cr_assert(eq(int, manual.n_cancelled, 0));
        perform_in_thread(&manual);
        loop_turn();
        cr_assert(eq(int, pool_n_destroyed, 1));
}

Test(executor, work_runs_on_when_the_future_is_given_up)
{
        struct manual manual = { .n = 0 };
        AUV_AUTO auv_executor *executor = manual_executor(&manual);

        auv_unref(auv_loop_run_in_executor(loop, executor, pool_owns, NULL, 0));
        perform_in_thread(&manual);
        loop_turn();
        cr_assert(eq(int, pool_n_run, 1));
        cr_assert(eq(int, pool_n_destroyed, 1));
}

/* close */

static void *end_soon(void *arg)
{
        sem_post(&pool_may_end);
        return NULL;
}

Test(executor, close_waits_for_work_in_the_pool)
{
        AUV_AUTO auv_future *running = auv_loop_run_in_executor(loop, NULL, pool_owns_when_told, NULL, 0);
        AUV_AUTO auv_future *queued = auv_loop_run_in_executor(loop, NULL, pool_owns, NULL, 0);
        pthread_t thread;

        sem_wait(&pool_begun);
        pthread_create(&thread, NULL, end_soon, NULL);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        pthread_join(thread, NULL);
        cr_assert(eq(int, pool_n_run, 2));
        cr_assert(eq(int, pool_n_destroyed, 2));
        cr_assert(not(auv_future_done(running)));
        cr_assert(not(auv_future_done(queued)));
}

Test(executor, of_the_programs_own_may_end_work_after_close)
{
        struct manual manual = { .n = 0 };
        AUV_AUTO auv_executor *executor = manual_executor(&manual);
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, executor, pool_owns, NULL, 0);
        auv_task *task = start_await(future);

        loop_turn();
        cr_assert(eq(int, auv_loop_close(loop), 0));
        auv_unref(task);
        cr_assert(eq(int, reports_drop(), 1));
        perform_in_thread(&manual);
        cr_assert(eq(int, pool_n_destroyed, 1));
        cr_assert(not(auv_future_done(future)));
}

Test(executor, close_drops_a_result_on_its_way)
{
        struct manual manual = { .n = 0 };
        AUV_AUTO auv_executor *executor = manual_executor(&manual);
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, executor, pool_owns, NULL, 0);

        perform_in_thread(&manual);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, pool_n_destroyed, 1));
}

Test(executor, close_in_the_middle_of_a_cancellation)
{
        struct manual manual = { .n = 0 };
        AUV_AUTO auv_executor *executor = manual_executor(&manual);
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, executor, pool_owns, NULL, 0);

        auv_future_cancel(future, NULL);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, manual.n, 1));
        perform_in_thread(&manual);
        cr_assert(eq(int, pool_n_destroyed, 1));
}

/* on a libuv loop of the caller's */

Test(executor, keeps_a_uv_run_of_the_caller_going)
{
        auv_loop *over = NULL;
        auv_future *future;
        uv_loop_t uv;

        uv_loop_init(&uv);
        auv_new_event_loop(AUV_LOOP_OPTIONS(.uv_loop = &uv), &over);
        future = auv_loop_run_in_executor(over, NULL, pool_owns, NULL, 0);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert(auv_future_done(future));
        auv_unref(future);

        /* closed, while libuv has the request */
        auv_unref(auv_loop_run_in_executor(over, NULL, pool_owns_when_told, NULL, 0));
        auv_unref(over);
        sem_post(&pool_may_end);
        uv_run(&uv, UV_RUN_DEFAULT);
        cr_assert(eq(int, uv_loop_close(&uv), 0));
        cr_assert(eq(int, pool_n_destroyed, 2));
}

static void *perform_when_told(void *arg)
{
        sem_wait(&pool_may_end);
        return perform_all(arg);
}

static void allow_to_end(void *arg)
{
        sem_post(&pool_may_end);
}

Test(executor, of_the_programs_own_keeps_a_uv_run_of_the_caller_going)
{
        struct manual manual = { .n = 0 };
        AUV_AUTO auv_executor *executor = manual_executor(&manual);
        auv_loop *over = NULL;
        auv_future *future;
        pthread_t thread;
        uv_loop_t uv;

        uv_loop_init(&uv);
        auv_new_event_loop(AUV_LOOP_OPTIONS(.uv_loop = &uv), &over);
        future = auv_loop_run_in_executor(over, executor, pool_owns, NULL, 0);
        pthread_create(&thread, NULL, perform_when_told, &manual);
        auv_loop_call_soon(over, allow_to_end, NULL, NULL);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        pthread_join(thread, NULL);
        cr_assert(auv_future_done(future));
        auv_unref(future);
        auv_unref(over);
        uv_run(&uv, UV_RUN_DEFAULT);
        cr_assert(eq(int, uv_loop_close(&uv), 0));
}

/* waiting */

Test(executor, virtual_clock_stands_still_while_work_is_under_way)
{
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, NULL, pool_owns_when_told, NULL, 0);
        AUV_AUTO auv_task *sleeper = start_sleep(loop, 100);

        auv_loop_call_soon(loop, allow_to_end, NULL, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, sleeper, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 100));
}

Test(executor, of_the_programs_own_is_something_that_a_loop_waits_for)
{
        struct manual manual = { .n = 0 };
        AUV_AUTO auv_executor *executor = manual_executor(&manual);
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, executor, pool_owns, NULL, 0);
        AUV_AUTO auv_future *never = auv_loop_create_future(loop);
        pthread_t thread;

        pthread_create(&thread, NULL, perform_when_told, &manual);
        auv_loop_call_soon(loop, allow_to_end, NULL, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), 0));
        pthread_join(thread, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, never, NULL), AUV_EDEADLK));
        reports_drop();
}

/* an executor of the program's own */

Test(executor, must_be_able_to_submit)
{
        cr_assert(zero(ptr, auv_executor_new(NULL, NULL)));
        cr_assert(zero(ptr, auv_executor_new(AUV_EXECUTOR_FUNCTIONS(.cancel = manual_cancel), NULL)));
        cr_assert(zero(ptr, auv_executor_new(&(auv_executor_functions) { .submit = manual_submit }, NULL)));
}

Test(executor, may_refuse_work_with_an_error_of_its_own)
{
        struct manual manual = { .refuse = AUV_EUSER - 1 };
        AUV_AUTO auv_executor *executor = manual_executor(&manual);

        cr_assert(zero(ptr, auv_loop_run_in_executor(loop, executor, pool_owns, NULL, 0)));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EUSER - 1));
        cr_assert_text(auv_error_message(auv_error_current()), "refused");
        loop_turn();
}

static int raises_and_looks(void *arg, auv_value *ret)
{
        struct manual manual = { .at_once = true };
        AUV_AUTO auv_executor *executor = manual_executor(&manual);
        AUV_AUTO auv_future *future = NULL;

        auv_raise(AUV_EINVAL, "before");
        future = auv_loop_run_in_executor(NULL, executor, pool_fails, "the same thread", 0);
        cr_assert_text(auv_error_message(auv_error_current()), "before");
        cr_assert(not(auv_future_done(future)));
        cr_assert(eq(int, auv_await(future, NULL), AUV_EUSER));
        cr_assert_text(auv_error_message(auv_error_current()), "no luck in the same thread");
        return 0;
}

Test(executor, may_run_work_at_once)
{
        cr_assert(eq(int, loop_run(raises_and_looks, NULL, NULL), 0));
}

Test(executor, stays_as_long_as_it_has_work)
{
        struct manual manual = { .n = 0 };
        auv_executor *executor = manual_executor(&manual);
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, executor, pool_owns, NULL, 0);

        auv_unref(executor);
        auv_future_cancel(future, NULL);
        loop_turn();
        cr_assert(eq(int, manual.n_cancelled, 1));
}

/* the default executor */

Test(executor, may_be_the_default_of_a_loop)
{
        struct manual manual = { .n = 0 };
        auv_executor *executor = manual_executor(&manual);
        AUV_AUTO auv_future *future = NULL;

        cr_assert(eq(int, auv_loop_set_default_executor(loop, executor), 0));
        auv_unref(executor);
        future = auv_loop_run_in_executor(loop, NULL, pool_owns, NULL, 0);
        cr_assert(eq(int, manual.n, 1));
        perform_in_thread(&manual);
        cr_assert(eq(int, loop_turns_until_done(future, 1), 1));
        cr_assert(eq(int, auv_loop_set_default_executor(loop, NULL), 0));
        auv_unref(auv_loop_run_in_executor(loop, NULL, pool_owns, NULL, 0));
        cr_assert(eq(int, manual.n, 0));
}

static int shuts_down(void *arg, auv_value *ret)
{
        trace("+");
        AUV_TRY(auv_await_shutdown_default_executor(*(const double *)arg));
        trace("-");
        return 0;
}

/* rule 128 */
Test(executor, shutdown_waits_for_work_and_is_final)
{
        struct manual manual = { .n = 0 };
        AUV_AUTO auv_executor *executor = manual_executor(&manual);
        double timeout = INFINITY;
        AUV_AUTO auv_task *task = NULL, *again = NULL;

        auv_loop_set_default_executor(loop, executor);
        auv_unref(auv_loop_run_in_executor(loop, NULL, pool_owns, NULL, 0));
        task = auv_loop_create_task(loop, shuts_down, &timeout, sizeof(timeout), NULL);
        again = auv_loop_create_task(loop, shuts_down, &timeout, sizeof(timeout), NULL);
        loop_turns(2);
        cr_assert_trace("+ + | |");
        cr_assert(eq(int, manual.n_shut_down, 1));
        cr_assert(zero(ptr, auv_loop_run_in_executor(loop, NULL, pool_owns, NULL, 0)));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ERUNTIME));
        perform_in_thread(&manual);
        loop_turns(3);
        cr_assert(auv_future_done(task));
        cr_assert(auv_future_done(again));
        auv_unref(auv_loop_run_in_executor(loop, executor, pool_owns, NULL, 0));
        cr_assert(eq(int, manual.n, 1));
        perform_in_thread(&manual);
}

Test(executor, shutdown_waits_for_work_whose_future_was_cancelled)
{
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, NULL, pool_owns_when_told, NULL, 0);
        double timeout = INFINITY;
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, shuts_down, &timeout, 0, NULL);

        sem_wait(&pool_begun);
        auv_future_cancel(future, NULL);
        loop_turns(3);
        cr_assert(not(auv_future_done(task)));
        sem_post(&pool_may_end);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert(eq(int, pool_n_destroyed, 1));
}

Test(executor, shutdown_of_nothing_returns_at_once)
{
        double timeout = 0;
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, shuts_down, &timeout, 0, NULL);

        loop_turns(1);
        cr_assert_trace("+ - |");
        cr_assert(zero(ptr, auv_loop_run_in_executor(loop, NULL, pool_owns, NULL, 0)));
}

/* rule 128 */
Test(executor, shutdown_reports_what_takes_too_long)
{
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, NULL, pool_owns_when_told, NULL, 0);
        double timeout = 0;
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, shuts_down, &timeout, 0, NULL);

        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert_has(reports_take()->message, "within 0 seconds");
        sem_post(&pool_may_end);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), 0));
}

Test(executor, shutdown_may_be_cancelled)
{
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, NULL, pool_owns_when_told, NULL, 0);
        double timeout = INFINITY;
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, shuts_down, &timeout, 0, NULL);

        loop_turn();
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        sem_post(&pool_may_end);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), 0));
}

Test(executor, shutdown_must_be_awaited_with_a_time)
{
        double timeout = NAN;

        cr_assert(eq(int, auv_await_shutdown_default_executor(1), AUV_ENOTASK));
        cr_assert(eq(int, loop_run(shuts_down, &timeout, NULL), AUV_EINVAL));
}

static int leaves_work(void *arg, auv_value *ret)
{
        auv_unref(auv_to_thread(pool_owns_when_told, NULL, 0));
        sem_post(&pool_may_end);
        return 0;
}

/* rule 123 */
Test(executor, is_shut_down_when_a_runner_is_closed)
{
        cr_assert(eq(int, auv_run(leaves_work, NULL), 0));
        cr_assert(eq(int, pool_n_run, 1));
        cr_assert(eq(int, pool_n_destroyed, 1));
}

Test(executor, close_shuts_the_default_one_down)
{
        struct manual manual = { .n = 0 };
        auv_executor *executor = manual_executor(&manual);
        auv_future *future;

        auv_loop_set_default_executor(loop, executor);
        auv_unref(executor);
        future = auv_loop_run_in_executor(loop, NULL, pool_owns, NULL, 0);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, manual.n_shut_down, 1));
        cr_assert(eq(int, manual.n, 1));
        perform_in_thread(&manual);
        auv_unref(future);
}

Test(executor, close_shuts_no_other_one_down)
{
        struct manual manual = { .n = 0 };
        AUV_AUTO auv_executor *executor = manual_executor(&manual);

        auv_unref(auv_loop_run_in_executor(loop, executor, pool_owns, NULL, 0));
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, manual.n_shut_down, 0));
        perform_in_thread(&manual);
}

Test(executor, close_does_not_shut_down_again)
{
        struct manual manual = { .n = 0 };
        AUV_AUTO auv_executor *executor = manual_executor(&manual);
        double timeout = INFINITY;

        auv_loop_set_default_executor(loop, executor);
        cr_assert(eq(int, loop_run(shuts_down, &timeout, NULL), 0));
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, manual.n_shut_down, 1));
}

/* memory */

static int uses_everything(void *arg, auv_value *ret)
{
        struct manual manual = { .at_once = true };
        AUV_AUTO auv_executor *executor = manual_executor(&manual);
        AUV_AUTO auv_future *future = NULL;
        intmax_t number = 1;

        if (executor)
                auv_loop_set_default_executor(NULL, executor);
        future = auv_loop_run_in_executor(NULL, NULL, pool_owns, NULL, 0);
        auv_await(future, NULL);
        auv_loop_set_default_executor(NULL, NULL);
        auv_await_to_thread(pool_doubles, &number, sizeof(number), NULL);
        manual.refuse = AUV_EUSER;
        if (executor)
                auv_unref(auv_loop_run_in_executor(NULL, executor, pool_owns, NULL, 0));
        auv_unref(auv_to_thread(pool_owns, NULL, 0));
        auv_await_shutdown_default_executor(INFINITY);
        return 0;
}

static void run_everything(void)
{
        loop_run_apart(uses_everything, NULL);
}

Test(executor, fails_cleanly_without_memory)
{
        cr_assert(gt(int, (int)failing_allocator_sweep(run_everything), 10));
}

/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/owned.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <pthread.h>
#include <semaphore.h>

TestSuite(thread_future, .init = loop_setup, .fini = loop_teardown);

/* What a foreign thread does, and gets. */
struct foreign {
        pthread_t thread;
        auv_loop *loop;
        auv_coro_fn fn;
        intmax_t arg;
        double timeout;
        bool cancel;
        int r;
        int code; /* of the error object */
        char message[64];
        auv_value result;
};

static void wait_for(struct foreign *foreign, auv_thread_future *future)
{
        const char *message;

        foreign->r = auv_thread_future_result(future, foreign->timeout, &foreign->result);
        if (foreign->r == 0)
                return;
        message = auv_error_message(auv_error_current());
        foreign->code = auv_error_code(auv_error_current());
        snprintf(foreign->message, sizeof(foreign->message), "%s", message ? message : "");
}

static void *run_coroutine(void *arg)
{
        struct foreign *foreign = arg;
        AUV_AUTO auv_thread_future *future =
                auv_run_coroutine_threadsafe(foreign->loop, foreign->fn, &foreign->arg,
                                             sizeof(foreign->arg));

        if (foreign->cancel)
                auv_thread_future_cancel(future);
        wait_for(foreign, future);
        auv_loop_call_soon_threadsafe(foreign->loop, (auv_call_fn)auv_loop_stop, foreign->loop, NULL);
        return NULL;
}

/* Runs a coroutine on the loop from another thread, and the loop until it has ended. */
#define run_from_thread(...) \
        run_from_thread_(&(struct foreign) { .loop = loop, .timeout = INFINITY, __VA_ARGS__ })

static struct foreign run_from_thread_(struct foreign *foreign)
{
        pthread_create(&foreign->thread, NULL, run_coroutine, foreign);
        cr_assert(eq(int, auv_loop_run_forever(foreign->loop), 0));
        pthread_join(foreign->thread, NULL);
        return *foreign;
}

/* rule 127 */
Test(thread_future, gives_the_result_to_another_thread)
{
        struct foreign foreign = run_from_thread(.fn = coro_return, .arg = 42);

        cr_assert(eq(int, foreign.r, 0));
        cr_assert(eq(i64, foreign.result.i, 42));
}

Test(thread_future, gives_the_error_with_its_message)
{
        struct foreign foreign = run_from_thread(.fn = coro_fail, .arg = AUV_EUSER);

        cr_assert(eq(int, foreign.r, AUV_EUSER));
        cr_assert(eq(int, foreign.code, AUV_EUSER));
        cr_assert_text(foreign.message, "failed");
}

static int cancels_itself(void *arg, auv_value *ret)
{
        auv_task_cancel(auv_current_task(NULL), NULL);
        return auv_await_sleep(1);
}

/* rule 127 */
Test(thread_future, is_cancelled_with_its_task)
{
        struct foreign foreign = run_from_thread(.fn = cancels_itself);

        cr_assert(eq(int, foreign.r, AUV_ECANCELED));
}

Test(thread_future, gives_up_waiting_when_the_time_is_over)
{
        AUV_AUTO auv_thread_future *future = auv_run_coroutine_threadsafe(loop, coro_nothing, NULL, 0);
        struct foreign foreign = { .timeout = 0.001 };

        cr_assert(eq(int, auv_thread_future_result(future, 0, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(int, auv_thread_future_result(future, -1, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(int, auv_thread_future_result(future, -1e300, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(int, auv_thread_future_result(future, -INFINITY, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(int, auv_thread_future_result(future, NAN, NULL), AUV_EINVAL));
        wait_for(&foreign, future);
        cr_assert(eq(int, foreign.r, AUV_ERUNTIME));
        loop_turns(3);
        cr_assert(eq(int, auv_thread_future_result(future, INFINITY, NULL), 0));
        cr_assert(eq(int, auv_thread_future_result(future, -INFINITY, NULL), 0));
        cr_assert(eq(int, auv_thread_future_result(future, NAN, NULL), AUV_EINVAL));
}

static int sleeps_long(void *arg, auv_value *ret)
{
        int r = auv_await_sleep(1e6);

        trace("%s", auv_error_name(r));
        return r;
}

static void *time_out(void *arg)
{
        struct foreign foreign = { .timeout = 0.001 };

        wait_for(&foreign, arg);
        return (void *)(intptr_t)foreign.r;
}

Test(thread_future, waits_in_any_thread_with_a_limit)
{
        AUV_AUTO auv_thread_future *future = auv_run_coroutine_threadsafe(loop, sleeps_long, NULL, 0);
        pthread_t thread;
        void *r;

        pthread_create(&thread, NULL, time_out, future);
        pthread_join(thread, &r);
        cr_assert(eq(int, (int)(intptr_t)r, AUV_ETIMEDOUT));
        cr_assert(not(auv_thread_future_done(future)));
}

/* rule 127 */
Test(thread_future, cancels_its_task)
{
        AUV_AUTO auv_thread_future *future = auv_run_coroutine_threadsafe(loop, sleeps_long, NULL, 0);

        loop_turns(2);
        cr_assert(eq(int, auv_thread_future_cancel(future), 1));
        cr_assert(auv_thread_future_cancelled(future));
        cr_assert(auv_thread_future_done(future));
        cr_assert(eq(int, auv_thread_future_result(future, INFINITY, NULL), AUV_ECANCELED));
        cr_assert(eq(int, auv_thread_future_exception(future, INFINITY, NULL), AUV_ECANCELED));
        cr_assert(eq(int, auv_thread_future_cancel(future), 1));
        loop_turns(2);
        cr_assert_trace("| | | ECANCELED |");
        loop_turn();
        cr_assert(zero(sz, auv_all_tasks(loop, NULL, 0)));
}

static int refuses(void *arg, auv_value *ret)
{
        auv_await_sleep(1e6);
        trace("refused");
        return coro_own(arg, ret);
}

Test(thread_future, drops_the_result_of_a_task_that_refuses_to_be_cancelled)
{
        AUV_AUTO auv_thread_future *future = auv_run_coroutine_threadsafe(loop, refuses, NULL, 0);

        loop_turns(2);
        auv_thread_future_cancel(future);
        loop_turns(4);
        cr_assert(auv_thread_future_cancelled(future));
        cr_assert(eq(int, n_destroyed, 1));
}

static int fails_when_cancelled(void *arg, auv_value *ret)
{
        auv_await_sleep(1e6);
        return AUV_EUSER;
}

Test(thread_future, drops_the_error_of_a_task_that_fails_when_it_is_cancelled)
{
        AUV_AUTO auv_thread_future *future = auv_run_coroutine_threadsafe(loop, fails_when_cancelled,
                                                                          NULL, 0);

        loop_turns(2);
        auv_thread_future_cancel(future);
        loop_turns(4);
        cr_assert(auv_thread_future_cancelled(future));
}

Test(thread_future, that_is_cancelled_first_never_starts)
{
        AUV_AUTO auv_thread_future *future = auv_run_coroutine_threadsafe(loop, sleeps_long, NULL, 0);

        cr_assert(eq(int, auv_thread_future_cancel(future), 1));
        loop_turns(3);
        cr_assert_trace("| | |");
}

Test(thread_future, that_is_done_is_not_cancelled)
{
        AUV_AUTO auv_thread_future *future = auv_run_coroutine_threadsafe(loop, coro_nothing, NULL, 0);

        loop_turns(3);
        cr_assert(auv_thread_future_done(future));
        cr_assert(eq(int, auv_thread_future_cancel(future), 0));
        cr_assert(not(auv_thread_future_cancelled(future)));
}

Test(thread_future, tells_whether_there_is_an_error)
{
        AUV_AUTO auv_thread_future *good = auv_run_coroutine_threadsafe(loop, coro_nothing, NULL, 0);
        AUV_AUTO auv_thread_future *bad = auv_run_coroutine_threadsafe(loop, coro_fail, &(int) { AUV_EUSER },
                                                                       sizeof(int));
        auv_error *error = NULL;

        cr_assert(eq(int, auv_thread_future_exception(good, 0, &error), AUV_ETIMEDOUT));
        loop_turns(3);
        cr_assert(eq(int, auv_thread_future_exception(bad, 0, &error), 0));
        cr_assert(eq(int, auv_error_code(error), AUV_EUSER));
        cr_assert(eq(int, auv_thread_future_exception(good, 0, &error), 0));
        cr_assert(zero(ptr, error));
}

Test(thread_future, owns_a_result_with_a_destructor)
{
        auv_thread_future *future = auv_run_coroutine_threadsafe(loop, coro_own, NULL, 0);
        auv_value result = { 0 };

        loop_turns(4);
        cr_assert(eq(int, n_destroyed, 0));
        cr_assert(eq(int, auv_thread_future_result(future, 0, &result), 0));
        cr_assert(eq(ptr, result.p, &n_destroyed));
        auv_loop_close(loop);
        cr_assert(eq(int, n_destroyed, 0));
        auv_unref(future);
        cr_assert(eq(int, n_destroyed, 1));
}

Test(thread_future, may_be_given_up_while_the_task_runs)
{
        auv_unref(auv_run_coroutine_threadsafe(loop, coro_own, NULL, 0));
        loop_turns(4);
        cr_assert(eq(int, n_destroyed, 1));
}

static int traces(void *arg, auv_value *ret)
{
        trace("%s", *(const char **)arg);
        return 0;
}

Test(thread_future, starts_tasks_in_order)
{
        for (const char **name = (const char *[]) { "a", "b", "c", NULL }; *name; name++)
                auv_unref(auv_run_coroutine_threadsafe(loop, traces, name, sizeof(*name)));
        loop_turns(3);
        cr_assert_trace("| a b c | |");
}

Test(thread_future, starts_tasks_at_once_where_the_loop_does_so)
{
        AUV_AUTO auv_thread_future *future = NULL;

        auv_loop_set_task_factory(loop, auv_eager_task_factory, NULL);
        future = auv_run_coroutine_threadsafe(loop, traces, &(const char *) { "a" }, sizeof(const char *));
        loop_turns(2);
        cr_assert_trace("a | |");
        cr_assert(auv_thread_future_done(future));
}

static auv_context_var *var;

static int reads_var(void *arg, auv_value *ret)
{
        return auv_context_var_get(var, ret);
}

static int runs_with_var(void *arg, auv_value *ret)
{
        auv_thread_future **future = arg;

        AUV_TRY(auv_context_var_set(var, NUMBER(3), NULL));
        *future = auv_run_coroutine_threadsafe(loop, reads_var, NULL, 0);
        return 0;
}

Test(thread_future, task_has_a_copy_of_the_context_of_the_caller)
{
        AUV_AUTO auv_thread_future *future = NULL;
        auv_value result = { 0 };

        var = auv_context_var_new("var", NULL);
        cr_assert(eq(int, loop_run(runs_with_var, &future, NULL), 0));
        loop_turns(3);
        cr_assert(eq(int, auv_thread_future_result(future, 0, &result), 0));
        cr_assert(eq(i64, result.i, 3));
        var = auv_unref(var);
}

/* closed loops */

Test(thread_future, cannot_be_made_for_a_closed_loop)
{
        auv_loop_close(loop);
        cr_assert(zero(ptr, auv_run_coroutine_threadsafe(loop, coro_nothing, NULL, 0)));
        cr_assert(eq(int, auv_thread_future_result(NULL, INFINITY, NULL), AUV_ECLOSED));
}

Test(thread_future, must_have_a_loop_and_a_function)
{
        cr_assert(zero(ptr, auv_run_coroutine_threadsafe(NULL, coro_nothing, NULL, 0)));
        cr_assert(zero(ptr, auv_run_coroutine_threadsafe(loop, NULL, NULL, 0)));
        cr_assert(zero(ptr, auv_run_coroutine_threadsafe(loop, coro_nothing, NULL, 1)));
        cr_assert(eq(int, auv_thread_future_result(NULL, INFINITY, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_thread_future_exception(NULL, INFINITY, NULL), AUV_EINVAL));
        cr_assert(not(auv_thread_future_done(NULL)));
        cr_assert(not(auv_thread_future_cancelled(NULL)));
        cr_assert(eq(int, auv_thread_future_cancel(NULL), 0));
        cr_assert(zero(ptr, auv_wrap_future(NULL)));
}

static void *wait_in_thread(void *arg)
{
        return (void *)(intptr_t)auv_thread_future_result(arg, INFINITY, NULL);
}

/* What a thread gets that waits when the loop is closed. */
static int result_of_closing(auv_thread_future *future)
{
        pthread_t thread;
        void *r;

        pthread_create(&thread, NULL, wait_in_thread, future);
        auv_loop_close(loop);
        pthread_join(thread, &r);
        return (int)(intptr_t)r;
}

Test(thread_future, ends_where_the_loop_is_closed_before_it_starts)
{
        AUV_AUTO auv_thread_future *future = auv_run_coroutine_threadsafe(loop, coro_nothing, NULL, 0);

        cr_assert(eq(int, result_of_closing(future), AUV_ECLOSED));
        cr_assert(eq(int, auv_thread_future_cancel(future), 0));
}

Test(thread_future, ends_where_the_loop_is_closed_while_the_task_runs)
{
        AUV_AUTO auv_thread_future *future = auv_run_coroutine_threadsafe(loop, sleeps_long, NULL, 0);

        loop_turns(2);
        cr_assert(eq(int, result_of_closing(future), AUV_ECLOSED));
        cr_assert(eq(int, reports_drop(), 1));
}

static int awaits_all_others(void *arg, auv_value *ret)
{
        auv_task *tasks[4];
        size_t n = auv_all_tasks(NULL, tasks, 4);

        for (size_t i = 0; i < n; i++)
                if (tasks[i] != auv_current_task(NULL))
                        return auv_await(tasks[i], ret);
        return 0;
}

Test(thread_future, ends_where_the_loop_is_closed_while_somebody_awaits_the_task)
{
        AUV_AUTO auv_thread_future *future = auv_run_coroutine_threadsafe(loop, sleeps_long, NULL, 0);

        loop_turns(2);
        auv_unref(auv_loop_create_task(loop, awaits_all_others, NULL, 0, NULL));
        loop_turns(1);
        cr_assert(eq(int, result_of_closing(future), AUV_ECLOSED));
        cr_assert(eq(int, reports_drop(), 2));
}

Test(thread_future, has_its_result_where_the_loop_is_closed_right_after_the_end)
{
        AUV_AUTO auv_thread_future *future =
                auv_run_coroutine_threadsafe(loop, coro_return, &(intmax_t) { 1 }, sizeof(intmax_t));

        loop_turns(2);
        cr_assert(eq(int, result_of_closing(future), 0));
}

Test(thread_future, may_be_cancelled_when_the_loop_is_gone)
{
        AUV_AUTO auv_thread_future *future = auv_run_coroutine_threadsafe(loop, sleeps_long, NULL, 0);

        loop_turns(2);
        auv_thread_future_cancel(future);
        auv_loop_close(loop);
        reports_drop();
        cr_assert(eq(int, auv_thread_future_result(future, 0, NULL), AUV_ECANCELED));
}

/* wrap */

TestSuite(wrap_future, .init = loop_setup, .fini = loop_teardown);

/* Another thread with a loop of its own. */
struct other {
        pthread_t thread;
        sem_t ready;
        auv_loop *loop;
};

static void *run_other(void *arg)
{
        struct other *other = arg;

        auv_new_event_loop(AUV_LOOP_OPTIONS(.deadlock = AUV_DEADLOCK_WAIT), &other->loop);
        sem_post(&other->ready);
        auv_loop_run_forever(other->loop);
        auv_loop_close(other->loop);
        auv_error_clear();
        return NULL;
}

static void other_start(struct other *other)
{
        sem_init(&other->ready, 0, 0);
        pthread_create(&other->thread, NULL, run_other, other);
        sem_wait(&other->ready);
}

static void other_stop(struct other *other)
{
        auv_loop_call_soon_threadsafe(other->loop, (auv_call_fn)auv_loop_stop, other->loop, NULL);
        pthread_join(other->thread, NULL);
        auv_unref(other->loop);
}

static int wraps_result(void *arg, auv_value *ret)
{
        struct other *other = arg;
        AUV_AUTO auv_thread_future *there =
                auv_run_coroutine_threadsafe(other->loop, coro_return, &(intmax_t) { 7 }, sizeof(intmax_t));
        AUV_AUTO auv_future *here = auv_wrap_future(there);
        AUV_AUTO auv_future *again = auv_wrap_future(there);
        AUV_AUTO auv_future *late = NULL;

        AUV_TRY(auv_await(here, ret));
        AUV_TRY(auv_await(again, NULL));
        late = auv_wrap_future(there);
        cr_assert(not(auv_future_done(late)));
        return auv_await(late, NULL);
}

Test(wrap_future, gives_the_result_to_another_loop)
{
        auv_value result = { 0 };
        struct other other;

        other_start(&other);
        cr_assert(eq(int, loop_run(wraps_result, &other, &result), 0));
        cr_assert(eq(i64, result.i, 7));
        other_stop(&other);
}

static int wraps_error(void *arg, auv_value *ret)
{
        struct other *other = arg;
        AUV_AUTO auv_thread_future *there = auv_run_coroutine_threadsafe(other->loop, coro_fail,
                                                                         &(int) { AUV_EUSER }, sizeof(int));
        AUV_AUTO auv_future *here = auv_wrap_future(there);

        cr_assert(eq(int, auv_await(here, NULL), AUV_EUSER));
        cr_assert_text(auv_error_message(auv_error_current()), "failed");
        return 0;
}

Test(wrap_future, gives_the_error_to_another_loop)
{
        struct other other;

        other_start(&other);
        cr_assert(eq(int, loop_run(wraps_error, &other, NULL), 0));
        other_stop(&other);
}

static int posts_when_cancelled(void *arg, auv_value *ret)
{
        sem_t **semaphores = arg;
        int r;

        sem_post(semaphores[0]);
        r = auv_await_sleep(1e6);
        if (r == AUV_ECANCELED)
                sem_post(semaphores[1]);
        return r;
}

static int is_cancelled_here(void *arg, auv_value *ret)
{
        struct other *other = arg;
        sem_t started, cancelled;
        AUV_AUTO auv_thread_future *there = NULL;
        AUV_AUTO auv_future *here = NULL;

        sem_init(&started, 0, 0);
        sem_init(&cancelled, 0, 0);
        there = auv_run_coroutine_threadsafe(other->loop, posts_when_cancelled,
                                             (sem_t *[]) { &started, &cancelled }, 2 * sizeof(sem_t *));
        here = auv_wrap_future(there);
        sem_wait(&started);
        auv_future_cancel(here, NULL);
        cr_assert(eq(int, auv_await(here, NULL), AUV_ECANCELED));
        AUV_TRY(auv_await_sleep(0));
        cr_assert(auv_thread_future_cancelled(there));
        sem_wait(&cancelled);
        return 0;
}

/* rule 127 */
Test(wrap_future, cancels_what_it_wraps)
{
        struct other other;

        other_start(&other);
        cr_assert(eq(int, loop_run(is_cancelled_here, &other, NULL), 0));
        other_stop(&other);
}

static int is_cancelled_there(void *arg, auv_value *ret)
{
        AUV_AUTO auv_thread_future *there = auv_run_coroutine_threadsafe(loop, sleeps_long, NULL, 0);
        AUV_AUTO auv_future *here = auv_wrap_future(there);

        AUV_TRY(auv_await_sleep(0));
        auv_thread_future_cancel(there);
        cr_assert(not(auv_future_done(here)));
        cr_assert(eq(int, auv_await(here, NULL), AUV_ECANCELED));
        cr_assert(auv_future_cancelled(here));
        return 0;
}

Test(wrap_future, is_cancelled_with_what_it_wraps)
{
        cr_assert(eq(int, loop_run(is_cancelled_there, NULL, NULL), 0));
        loop_turn();
}

static int wraps_owner(void *arg, auv_value *ret)
{
        AUV_AUTO auv_thread_future *there = auv_run_coroutine_threadsafe(loop, coro_own, NULL, 0);
        auv_future *here = auv_wrap_future(there);
        auv_value value = { 0 };

        there = auv_unref(there);
        AUV_TRY(auv_await(here, &value));
        cr_assert(eq(ptr, value.p, &n_destroyed));
        cr_assert(eq(int, n_destroyed, 0));
        auv_unref(here);
        return 0;
}

Test(wrap_future, holds_the_result_that_it_borrows)
{
        cr_assert(eq(int, loop_run(wraps_owner, NULL, NULL), 0));
        loop_turn();
        cr_assert(eq(int, n_destroyed, 1));
}

static int wraps_and_leaves(void *arg, auv_value *ret)
{
        auv_unref(auv_wrap_future(arg));
        return 0;
}

Test(wrap_future, may_be_given_up_or_closed_first)
{
        AUV_AUTO auv_thread_future *there = NULL;
        struct other other;

        other_start(&other);
        there = auv_run_coroutine_threadsafe(other.loop, coro_sleep, &(double) { 1e6 }, sizeof(double));
        cr_assert(eq(int, loop_run(wraps_and_leaves, there, NULL), 0));
        cr_assert(eq(int, auv_loop_close(loop), 0));
        auv_thread_future_cancel(there);
        other_stop(&other);
}

Test(wrap_future, must_have_a_running_loop)
{
        AUV_AUTO auv_thread_future *there = auv_run_coroutine_threadsafe(loop, coro_nothing, NULL, 0);

        cr_assert(zero(ptr, auv_wrap_future(there)));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOLOOP));
        loop_turns(3);
}

/* memory */

static int uses_everything(void *arg, auv_value *ret)
{
        auv_loop *self = auv_get_running_loop();
        AUV_AUTO auv_thread_future *there = auv_run_coroutine_threadsafe(self, coro_own, NULL, 0);
        AUV_AUTO auv_future *here = auv_wrap_future(there);
        AUV_AUTO auv_thread_future *cancelled =
                auv_run_coroutine_threadsafe(self, coro_sleep, &(double) { 5 }, sizeof(double));

        auv_await_sleep(0);
        auv_thread_future_cancel(cancelled);
        auv_await(here, NULL);
        return auv_await_sleep(0);
}

static void run_everything(void)
{
        loop_run_apart(uses_everything, NULL);
}

Test(thread_future, fails_cleanly_without_memory)
{
        cr_assert(gt(int, (int)failing_allocator_sweep(run_everything), 10));
}

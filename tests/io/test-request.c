/* SPDX-License-Identifier: MIT */
#include "pool.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"

#include "io/request.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>

/* A request that libuv's pool, which has one thread, works on: it ends when the test says so. */
struct job {
        struct auv__request request;
        int result;
        char *note;
};

static int n_discarded;

TestSuite(request, .init = pool_setup, .fini = loop_teardown);

static void work(uv_work_t *uv)
{
        struct job *job = (struct job *)uv;

        sem_wait(&pool_may_end);
        job->result = 42;
}

static void on_end(uv_work_t *uv, int status)
{
        auv__request_end((struct auv__request *)uv, status);
}

static void on_end_badly(uv_work_t *uv, int status)
{
        auv__request_end((struct auv__request *)uv, AUV_ECONNREFUSED);
}

static void on_end_with_number(uv_work_t *uv, int status)
{
        auv__request_end((struct auv__request *)uv, 7);
}

static void discard(struct auv__request *request)
{
        n_discarded++;
        free(((struct job *)request)->note);
}

/* Awaits a job; @arg is how it ends. */
static int await_job(void *arg, auv_value *ret)
{
        struct auv__task *task;
        struct job *job;
        int r;

        AUV_TRY(auv__await_begin(&task));
        job = auv__request_new(task, sizeof(*job), discard);
        if (!job)
                return AUV_ENOMEM;
        job->note = malloc(16);
        r = uv_queue_work(job->request.loop, &job->request.uv.work, work, *(uv_after_work_cb *)arg);
        r = auv__await_request(task, &job->request, r);
        if (r < 0)
                return r;
        ret->i = job->result + r;
        auv__request_free(&job->request);
        return 0;
}

static auv_task *start_job(uv_after_work_cb on_end_fn)
{
        return auv_loop_create_task(loop, await_job, &on_end_fn, sizeof(on_end_fn), NULL);
}

Test(request, gives_its_result_to_who_awaits_it)
{
        uv_after_work_cb how = on_end;
        auv_value value;

        sem_post(&pool_may_end);
        cr_assert(eq(int, loop_run(await_job, &how, &value), 0));
        cr_assert(eq(int, (int)value.i, 42));
        cr_assert(eq(int, n_discarded, 1));
}

Test(request, gives_a_positive_status)
{
        uv_after_work_cb how = on_end_with_number;
        auv_value value;

        sem_post(&pool_may_end);
        cr_assert(eq(int, loop_run(await_job, &how, &value), 0));
        cr_assert(eq(int, (int)value.i, 49));
}

Test(request, that_fails_is_gone_when_the_await_returns)
{
        uv_after_work_cb how = on_end_badly;

        sem_post(&pool_may_end);
        cr_assert(eq(int, loop_run(await_job, &how, NULL), AUV_ECONNREFUSED));
        cr_assert(eq(int, n_discarded, 1));
}

static int await_unbegun(void *arg, auv_value *ret)
{
        struct auv__task *task;
        struct job *job;

        AUV_TRY(auv__await_begin(&task));
        job = auv__request_new(task, sizeof(*job), discard);
        if (!job)
                return AUV_ENOMEM;
        return auv__await_request(task, &job->request, AUV_EINVAL);
}

Test(request, that_could_not_begin_is_freed)
{
        cr_assert(eq(int, loop_run(await_unbegun, NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, n_discarded, 1));
}

Test(request, that_is_left_behind_is_freed_when_it_ends)
{
        AUV_AUTO auv_task *task = start_job(on_end);

        loop_turns(2);
        cr_assert(eq(int, auv_task_cancel(task, NULL), 1));
        cr_assert(eq(int, loop_turns_until_done(task, 3), 1));
        cr_assert(auv_future_cancelled(task));
        cr_assert(eq(int, n_discarded, 0));
        sem_post(&pool_may_end);
        while (n_discarded == 0)
                loop_turn();
}

Test(request, that_libuv_has_not_begun_with_is_taken_back)
{
        AUV_AUTO auv_task *first = start_job(on_end);
        AUV_AUTO auv_task *second = start_job(on_end);

        loop_turns(2);
        auv_task_cancel(second, NULL);
        while (n_discarded == 0)
                loop_turn();
        cr_assert(auv_future_cancelled(second));
        cr_assert(eq(int, auv_future_done(first), 0));
        sem_post(&pool_may_end);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, first, NULL), 0));
}

/* The end and the cancel in one turn, in either order. */
Test(request, that_ends_in_the_turn_of_the_cancel_is_freed_once)
{
        for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
                AUV_AUTO auv_task *task = start_job(on_end);
                int code;

                loop_turns(2);
                if (cancel_first)
                        auv_task_cancel(task, NULL);
                sem_post(&pool_may_end);
                /* libuv has the end, and the step of the task is ready but has not run. */
                while (auv__to_task(task)->rest == AUV__EXPECTING)
                        uv_run(auv_loop_uv(loop), UV_RUN_NOWAIT);
                if (cancel_first)
                        uv_run(auv_loop_uv(loop), UV_RUN_ONCE);
                else
                        auv_task_cancel(task, NULL);
                code = auv_loop_run_until_complete(loop, task, NULL);
                cr_assert(eq(int, code, AUV_ECANCELED));
                while (n_discarded < cancel_first + 1)
                        loop_turn();
                cr_assert(eq(int, n_discarded, cancel_first + 1));
        }
}

Test(request, outlives_a_loop_that_is_closed_under_it)
{
        AUV_AUTO auv_task *task = start_job(on_end);

        loop_turns(2);
        sem_post(&pool_may_end);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, n_discarded, 1));
        cr_assert(auv_future_done(task));
        reports_drop();
}

Test(request, survives_any_allocation_that_fails)
{
        bool failed = true;

        for (long n = 1; failed; n++) {
                uv_after_work_cb how = on_end;
                AUV_AUTO auv_task *task = NULL;
                int r = AUV_ENOMEM;

                /* Whoever fails leaves one more. */
                sem_post(&pool_may_end);
                failing_allocator_arm(n);
                task = auv_loop_create_task(loop, await_job, &how, sizeof(how), NULL);
                if (task)
                        r = auv_loop_run_until_complete(loop, task, NULL);
                failed = failing_allocator_disarm();
                cr_assert(failed ? r == AUV_ENOMEM : r == 0);
                if (task && !auv_future_done(task))
                        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        }
}

/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/loop.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <unistd.h>
#include <uv.h>

TestSuite(run_until, .init = loop_setup, .fini = loop_teardown);

static void trace_time(void *arg)
{
        trace("%g:%s", auv_loop_time(loop), (const char *)arg);
}

Test(run_until, lets_all_happen_that_is_due_by_then)
{
        auv_loop_call_later(loop, 1, trace_time, "before", NULL);
        auv_loop_call_later(loop, 2, trace_time, "then", NULL);
        auv_loop_call_later(loop, 2.5, trace_time, "after", NULL);
        cr_assert(eq(int, auv_loop_run_until(loop, 2), 0));
        cr_assert_trace("1:before 2:then");
        cr_assert(eq(dbl, auv_loop_time(loop), 2));
        cr_assert(eq(int, auv_loop_run_until(loop, 3), 0));
        cr_assert_trace("1:before 2:then 2.5:after");
        cr_assert(eq(dbl, auv_loop_time(loop), 3));
}

Test(run_until, follows_what_comes_of_what_is_due)
{
        AUV_AUTO auv_task *task = start_steps(.name = "t", .sleep = 1, .value = 5);

        cr_assert(eq(int, auv_loop_run_until(loop, 1), 0));
        cr_assert(auv_future_done(task));
        cr_assert_trace("t+ t-");
}

Test(run_until, moves_the_clock_where_nothing_happens)
{
        cr_assert(eq(int, auv_loop_run_until(loop, 1e6), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 1e6));
}

Test(run_until, a_time_in_the_past_runs_what_is_ready)
{
        cr_assert(eq(int, auv_loop_run_until(loop, 10), 0));
        auv_loop_call_soon(loop, trace_time, "soon", NULL);
        auv_loop_call_at(loop, 7, trace_time, "late", NULL);
        auv_loop_call_later(loop, 1, trace_time, "later", NULL);
        cr_assert(eq(int, auv_loop_run_until(loop, 5), 0));
        cr_assert_trace("10:soon 10:late");
        cr_assert(eq(dbl, auv_loop_time(loop), 10));
}

static void stop(void *arg)
{
        auv_loop_stop(loop);
}

Test(run_until, ends_early_when_the_loop_is_stopped)
{
        auv_loop_call_later(loop, 1, stop, NULL, NULL);
        cr_assert(eq(int, auv_loop_run_until(loop, 5), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 1));
}

Test(run_until, leaves_no_bound_behind)
{
        cr_assert(eq(int, auv_loop_run_until(loop, 1), 0));
        cr_assert(eq(int, loop_run(coro_sleep, &(double) { 10 }, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 11));
}

Test(run_until, wants_a_finite_time_and_a_loop)
{
        cr_assert(eq(int, auv_loop_run_until(NULL, 1), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_run_until(loop, NAN), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_run_until(loop, INFINITY), AUV_EINVAL));
        auv_loop_close(loop);
        cr_assert(eq(int, auv_loop_run_until(loop, 1), AUV_ECLOSED));
}

/* A pipe, at whose end a handle of libuv's waits, which calls nothing on the loop. */
struct end {
        uv_poll_t poll;
        int ends[2];
        const char *name;
        struct end *next; /* what is written to, or waited for, then */
};

static void put_byte(const struct end *end)
{
        cr_assert(eq(sz, (size_t)write(end->ends[1], "x", 1), 1));
}

static void take_byte(uv_poll_t *poll)
{
        struct end *end = poll->data;
        char byte;

        cr_assert(eq(sz, (size_t)read(end->ends[0], &byte, 1), 1));
        trace_time((void *)end->name);
}

static void take_and_put(uv_poll_t *poll, int status, int events)
{
        const struct end *end = poll->data;

        take_byte(poll);
        if (end->next)
                put_byte(end->next);
}

static void take_and_start(uv_poll_t *poll, int status, int events)
{
        const struct end *end = poll->data;

        take_byte(poll);
        uv_poll_start(&end->next->poll, UV_READABLE, take_and_put);
}

static void open_end(struct end *end, const char *name, struct end *next)
{
        *end = (struct end) { .name = name, .next = next };
        cr_assert(eq(int, pipe(end->ends), 0));
        uv_poll_init(auv_loop_uv(loop), &end->poll, end->ends[0]);
        end->poll.data = end;
}

static void close_end(struct end *end)
{
        uv_close((uv_handle_t *)&end->poll, NULL);
        loop_turn();
        close(end->ends[0]);
        close(end->ends[1]);
}

Test(run_until, does_not_wait_for_io_that_is_not_ready)
{
        struct end idle;

        open_end(&idle, "idle", NULL);
        uv_poll_start(&idle.poll, UV_READABLE, take_and_put);
        auv_loop_call_later(loop, 5, trace_time, "timer", NULL);
        cr_assert(eq(int, auv_loop_run_until(loop, 10), 0));
        cr_assert_trace("5:timer");
        cr_assert(eq(dbl, auv_loop_time(loop), 10));
        cr_assert(eq(int, auv_loop_run_until(loop, 3), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 10));
        close_end(&idle);
}

Test(run_until, lets_io_go_first_that_other_io_has_brought)
{
        struct end first, second, third;

        open_end(&third, "third", NULL);
        open_end(&second, "second", &third);
        open_end(&first, "first", &second);
        uv_poll_start(&third.poll, UV_READABLE, take_and_put);
        uv_poll_start(&second.poll, UV_READABLE, take_and_put);
        uv_poll_start(&first.poll, UV_READABLE, take_and_put);
        put_byte(&first);
        auv_loop_call_later(loop, 5, trace_time, "timer", NULL);
        cr_assert(eq(int, auv_loop_run_until(loop, 10), 0));
        cr_assert_trace("0:first 0:second 0:third 5:timer");
        close_end(&first);
        close_end(&second);
        close_end(&third);
}

Test(run_until, lets_io_go_first_that_other_io_has_begun_to_wait_for)
{
        struct end first, second;

        open_end(&second, "second", NULL);
        open_end(&first, "first", &second);
        uv_poll_start(&first.poll, UV_READABLE, take_and_start);
        put_byte(&first);
        put_byte(&second);
        auv_loop_call_later(loop, 5, trace_time, "timer", NULL);
        cr_assert(eq(int, auv_loop_run_until(loop, 10), 0));
        cr_assert_trace("0:first 0:second 5:timer");
        close_end(&first);
        close_end(&second);
}

static void work(uv_work_t *request)
{
        usleep(2000);
}

static void worked(uv_work_t *request, int status)
{
        trace_time("worked");
}

Test(run_until, waits_for_work_in_threads)
{
        uv_work_t request;
        struct end idle;

        open_end(&idle, "idle", NULL);
        uv_poll_start(&idle.poll, UV_READABLE, take_and_put);
        uv_queue_work(auv_loop_uv(loop), &request, work, worked);
        auv_loop_call_later(loop, 5, trace_time, "timer", NULL);
        cr_assert(eq(int, auv_loop_run_until(loop, 10), 0));
        cr_assert_trace("0:worked 5:timer");
        close_end(&idle);
}

static void run_within(void *arg)
{
        *(int *)arg = auv_loop_run_until(loop, 1);
}

Test(run_until, is_refused_within_a_run)
{
        int r = 0;

        auv_loop_call_soon(loop, run_within, &r, NULL);
        loop_turn();
        cr_assert(eq(int, r, AUV_ERUNTIME));
}

Test(run_until, with_the_systems_clock_waits_for_the_time)
{
        AUV_AUTO auv_loop *real = loop_new_monotonic();
        const double start = auv_loop_time(real);

        cr_assert(eq(int, auv_loop_run_until(real, start + 0.005), 0));
        cr_assert(ge(dbl, auv_loop_time(real), start + 0.005));
}

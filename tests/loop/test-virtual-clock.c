/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/loop.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <unistd.h>
#include <uv.h>

TestSuite(virtual_clock, .init = loop_setup, .fini = loop_teardown);

static void trace_time(void *arg)
{
        trace("%g:%s", auv_loop_time(loop), (const char *)arg);
}

Test(virtual_clock, starts_at_zero)
{
        cr_assert(eq(dbl, auv_loop_time(loop), 0));
}

Test(virtual_clock, stands_still_while_something_is_ready)
{
        AUV_AUTO auv_task *busy = start_steps(.turns = 1000);

        auv_loop_call_later(loop, 1e-9, trace_time, "timer", NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, busy, NULL), 0));
        cr_assert_trace("");
        cr_assert(eq(dbl, auv_loop_time(loop), 0));
}

Test(virtual_clock, jumps_to_the_next_timer)
{
        auv_loop_call_later(loop, 3600, trace_time, "hour", NULL);
        auv_loop_call_later(loop, 86400 * 365.25, trace_time, "year", NULL);
        auv_loop_call_later(loop, 0.001, trace_time, "millisecond", NULL);
        cr_assert(eq(int, loop_run(coro_sleep, &(double) { 1e8 }, NULL), 0));
        cr_assert_trace("0.001:millisecond 3600:hour 3.15576e+07:year");
        cr_assert(eq(dbl, auv_loop_time(loop), 1e8));
}

Test(virtual_clock, does_not_move_in_single_turns)
{
        auv_loop_call_later(loop, 1, trace_time, "timer", NULL);
        loop_turns(5);
        cr_assert(eq(dbl, auv_loop_time(loop), 0));
        cr_assert_trace("| | | | |");
}

Test(virtual_clock, keeps_its_time_from_run_to_run)
{
        cr_assert(eq(int, loop_run(coro_sleep, &(double) { 2 }, NULL), 0));
        cr_assert(eq(int, loop_run(coro_sleep, &(double) { 3 }, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 5));
}

static int sleeps_many_times(void *arg, auv_value *ret)
{
        for (int i = 0; i < 1000; i++)
                AUV_TRY(auv_await_sleep(0.1));
        return 0;
}

/* Nanoseconds inside: a thousand tenths make a hundred. */
Test(virtual_clock, adds_up_without_drifting)
{
        cr_assert(eq(int, loop_run(sleeps_many_times, NULL, NULL), 0));
        cr_assert(epsilon_eq(dbl, auv_loop_time(loop), 100, 1e-6));
}

Test(virtual_clock, is_the_loops_own)
{
        AUV_AUTO auv_loop *other = loop_new();

        cr_assert(eq(int, loop_run(coro_sleep, &(double) { 7 }, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(other), 0));
}

static void closed(uv_handle_t *handle)
{
        *(bool *)handle->data = true;
}

static void close_and_run(uv_handle_t *handle)
{
        bool done = false;

        handle->data = &done;
        uv_close(handle, closed);
        for (int i = 0; i < 100 && !done; i++)
                loop_turn();
        cr_assert(done);
}

static void complete_from_poll(uv_poll_t *poll, int status, int events)
{
        trace("%g:io", auv_loop_time(loop));
        uv_poll_stop(poll);
        auv_future_set_result(poll->data, NUMBER(1));
}

Test(virtual_clock, lets_io_that_is_ready_go_first)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        int ends[2];
        uv_poll_t poll;

        cr_assert(eq(int, pipe(ends), 0));
        cr_assert(eq(int, (int)write(ends[1], "x", 1), 1));
        uv_poll_init(auv_loop_uv(loop), &poll, ends[0]);
        poll.data = future;
        uv_poll_start(&poll, UV_READABLE, complete_from_poll);
        auv_loop_call_later(loop, 3600, trace_time, "timer", NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), 0));
        cr_assert_trace("0:io");
        close_and_run((uv_handle_t *)&poll);
        close(ends[0]);
        close(ends[1]);
}

static void work(uv_work_t *request)
{
        usleep(2000);
}

static void worked(uv_work_t *request, int status)
{
        auv_future_set_result(request->data, NUMBER(1));
}

static int waits_for_an_hour(void *arg, auv_value *ret)
{
        return auv_await_wait_for(arg, 3600, ret);
}

/* A request that libuv has not finished is I/O that is pending: a timeout must not overtake it. */
Test(virtual_clock, does_not_jump_over_a_request_that_is_pending)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        uv_work_t request = { .data = future };

        uv_queue_work(auv_loop_uv(loop), &request, work, worked);
        cr_assert(eq(int, loop_run(waits_for_an_hour, future, NULL), 0));
        cr_assert(eq(dbl, auv_loop_time(loop), 0));
}

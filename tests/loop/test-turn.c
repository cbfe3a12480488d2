/* SPDX-License-Identifier: MIT */
#include "loop/turn.h"
#include "support/coroutine.h"
#include "support/loop.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <unistd.h>
#include <uv.h>

TestSuite(turn, .init = loop_setup, .fini = loop_teardown);

static void trace_arg(void *arg)
{
        trace("%s", (const char *)arg);
}

static void spawn(void *arg)
{
        trace("spawn");
        auv_unref(auv_create_task(coro_steps, &(struct steps) { .name = arg }, sizeof(struct steps)));
        auv_loop_call_soon(NULL, trace_arg, "soon", NULL);
}

/* rules 1 and 38 */
Test(turn, runs_what_was_ready_when_it_began)
{
        auv_loop_call_soon(loop, spawn, "t", NULL);
        auv_loop_call_soon(loop, trace_arg, "a", NULL);
        loop_turns(2);
        cr_assert_trace("spawn a | t+ t- soon |");
}

static int wakes(void *arg, auv_value *ret)
{
        trace("set");
        return auv_future_set_result(arg, NUMBER(1));
}

static int waits(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await(arg, NULL));
        trace("woken");
        return 0;
}

static void turn_within(void *arg)
{
        auv_loop_call_soon(loop, trace_arg, "within", NULL);
        auv__turn_ready(loop);
}

/* As where an item runs libuv's loop, and that has many connections with something to read. */
Test(turn, goes_on_behind_an_item_that_has_turned_the_loop_itself)
{
        AUV_AUTO auv_task *task = NULL;

        auv_loop_call_soon(loop, turn_within, NULL, NULL);
        auv_loop_call_soon(loop, trace_arg, "a", NULL);
        task = start_steps(.name = "t");
        auv_loop_call_soon(loop, turn_within, NULL, NULL);
        auv_loop_call_soon(loop, trace_arg, "b", NULL);
        cr_assert(zero(int, auv_loop_run_until_complete(loop, task, NULL)));
        cr_assert_trace("within a t+ t- within b");
}

/* rule 26: what a future wakes takes its place behind what is ready */
Test(turn, takes_one_more_to_wake_a_task)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *waiter = auv_loop_create_task(loop, waits, future, 0, NULL);
        AUV_AUTO auv_task *waker = auv_loop_create_task(loop, wakes, future, 0, NULL);

        auv_loop_call_soon(loop, trace_arg, "a", NULL);
        loop_turns(2);
        cr_assert_trace("set a | woken |");
        cr_assert(auv_future_done(waiter) && auv_future_done(waker));
}

Test(turn, does_nothing_when_nothing_is_ready)
{
        loop_turns(3);
        cr_assert_trace("| | |");
        cr_assert(eq(dbl, auv_loop_time(loop), 0));
}

/* rule 4: timers that are due come behind what is ready, and wait for nothing else */
Test(turn, runs_what_is_ready_before_what_is_due)
{
        auv_loop_call_later(loop, 0, trace_arg, "timer", NULL);
        auv_unref(start_steps(.name = "t"));
        auv_loop_call_soon(loop, trace_arg, "soon", NULL);
        loop_turns(1);
        cr_assert_trace("t+ t- soon timer |");
}

/* Never starved: a task that spins sees a flag before this many turns are over. */

enum { MANY_TURNS = 20000 };

static bool seen;
static int n_closed;

static int spins_until_seen(void *arg, auv_value *ret)
{
        for (int i = 0; i < MANY_TURNS; i++) {
                if (seen)
                        return 0;
                AUV_TRY(auv_await_sleep(0));
        }
        return AUV_ETIMEDOUT;
}

static void closed(uv_handle_t *handle)
{
        n_closed++;
}

static void close_and_run(uv_handle_t *handle)
{
        const int before = n_closed;

        uv_close(handle, closed);
        for (int i = 0; i < MANY_TURNS && n_closed == before; i++)
                loop_turn();
        cr_assert(eq(int, n_closed, before + 1));
}

static void see_timer(uv_timer_t *timer)
{
        seen = true;
}

Test(turn, does_not_starve_timers_of_libuv)
{
        uv_timer_t timer;

        uv_timer_init(auv_loop_uv(loop), &timer);
        uv_timer_start(&timer, see_timer, 0, 0);
        cr_assert(eq(int, loop_run(spins_until_seen, NULL, NULL), 0));
        close_and_run((uv_handle_t *)&timer);
}

static void see_async(uv_async_t *async)
{
        seen = true;
}

Test(turn, does_not_starve_asyncs_of_libuv)
{
        uv_async_t async;

        uv_async_init(auv_loop_uv(loop), &async, see_async);
        uv_async_send(&async);
        cr_assert(eq(int, loop_run(spins_until_seen, NULL, NULL), 0));
        close_and_run((uv_handle_t *)&async);
}

static void see_poll(uv_poll_t *poll, int status, int events)
{
        char byte;

        seen = read(poll->io_watcher.fd, &byte, 1) == 1;
        uv_poll_stop(poll);
}

Test(turn, does_not_starve_descriptors)
{
        int ends[2];
        uv_poll_t poll;

        cr_assert(eq(int, pipe(ends), 0));
        cr_assert(eq(int, (int)write(ends[1], "x", 1), 1));
        uv_poll_init(auv_loop_uv(loop), &poll, ends[0]);
        uv_poll_start(&poll, UV_READABLE, see_poll);
        cr_assert(eq(int, loop_run(spins_until_seen, NULL, NULL), 0));
        close_and_run((uv_handle_t *)&poll);
        close(ends[0]);
        close(ends[1]);
}

static void see(void *arg)
{
        seen = true;
}

Test(turn, does_not_starve_its_own_timers)
{
        auv_loop_call_later(loop, 0, see, NULL, NULL);
        cr_assert(eq(int, loop_run(spins_until_seen, NULL, NULL), 0));
}

/* Under the system's clock a timer of a time that passes comes up as well: here there is no bound on
 * the turns, as nobody knows how long they take. */
static int spins_without_end(void *arg, auv_value *ret)
{
        while (!seen)
                AUV_TRY(auv_await_sleep(0));
        return 0;
}

Test(turn, does_not_starve_timers_of_the_systems_clock)
{
        AUV_AUTO auv_loop *real = loop_new_monotonic();
        AUV_AUTO auv_task *task = auv_loop_create_task(real, spins_without_end, NULL, 0, NULL);

        auv_loop_call_later(real, 0.001, see, NULL, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(real, task, NULL), 0));
}

Test(turn, does_not_starve_calls_from_other_threads)
{
        auv_loop_call_soon_threadsafe(loop, see, NULL, NULL);
        cr_assert(eq(int, loop_run(spins_until_seen, NULL, NULL), 0));
}

static void complete(uv_timer_t *timer)
{
        auv_future_set_result(timer->data, NUMBER(5));
}

Test(turn, wakes_tasks_from_callbacks_of_libuv)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        uv_timer_t timer;
        auv_value result = { 0 };

        uv_timer_init(auv_loop_uv(loop), &timer);
        timer.data = future;
        uv_timer_start(&timer, complete, 0, 0);
        cr_assert(eq(int, loop_run(coro_await, future, &result), 0));
        cr_assert(eq(i64, result.i, 5));
        close_and_run((uv_handle_t *)&timer);
}

static void expect_no_task(uv_timer_t *timer)
{
        cr_assert(eq(ptr, auv_get_running_loop(), loop));
        cr_assert(zero(ptr, auv_current_task(NULL)));
        cr_assert(eq(int, auv_await_sleep(0), AUV_ENOTASK));
        cr_assert(eq(int, auv_loop_close(loop), AUV_ERUNTIME));
        auv_future_set_result(timer->data, NUMBER(1));
}

Test(turn, runs_callbacks_of_libuv_outside_of_any_task)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        uv_timer_t timer;

        uv_timer_init(auv_loop_uv(loop), &timer);
        timer.data = future;
        uv_timer_start(&timer, expect_no_task, 1, 0);
        cr_assert(eq(int, loop_run(coro_await, future, NULL), 0));
        close_and_run((uv_handle_t *)&timer);
}

/* A handle of the program's may run in any phase of libuv's: before it polls, or after. */
static void complete_idle(uv_idle_t *idle)
{
        uv_idle_stop(idle);
        auv_future_set_result(idle->data, NUMBER(5));
}

static void complete_prepare(uv_prepare_t *prepare)
{
        uv_prepare_stop(prepare);
        auv_future_set_result(prepare->data, NUMBER(5));
}

static void complete_check(uv_check_t *check)
{
        uv_check_stop(check);
        auv_future_set_result(check->data, NUMBER(5));
}

static void stop_uv(uv_timer_t *timer)
{
        uv_stop(timer->loop);
        complete(timer);
}

Test(turn, wakes_tasks_from_any_phase_of_libuv)
{
        uv_loop_t *uv = auv_loop_uv(loop);
        AUV_AUTO auv_future *by_idle = auv_loop_create_future(loop);
        AUV_AUTO auv_future *by_prepare = auv_loop_create_future(loop);
        AUV_AUTO auv_future *by_check = auv_loop_create_future(loop);
        AUV_AUTO auv_future *by_timer = auv_loop_create_future(loop);
        uv_idle_t idle;
        uv_prepare_t prepare;
        uv_check_t check;
        uv_timer_t timer, keeps_polling;

        uv_idle_init(uv, &idle);
        idle.data = by_idle;
        uv_idle_start(&idle, complete_idle);
        cr_assert(eq(int, loop_run(coro_await, by_idle, NULL), 0));
        uv_prepare_init(uv, &prepare);
        prepare.data = by_prepare;
        uv_prepare_start(&prepare, complete_prepare);
        cr_assert(eq(int, loop_run(coro_await, by_prepare, NULL), 0));
        uv_check_init(uv, &check);
        check.data = by_check;
        uv_timer_init(uv, &keeps_polling);
        uv_timer_start(&keeps_polling, see_timer, 1, 1);
        uv_check_start(&check, complete_check);
        cr_assert(eq(int, loop_run(coro_await, by_check, NULL), 0));
        uv_timer_init(uv, &timer);
        timer.data = by_timer;
        uv_timer_start(&timer, stop_uv, 1, 0);
        cr_assert(eq(int, loop_run(coro_await, by_timer, NULL), 0));
        close_and_run((uv_handle_t *)&idle);
        close_and_run((uv_handle_t *)&prepare);
        close_and_run((uv_handle_t *)&check);
        close_and_run((uv_handle_t *)&keeps_polling);
        close_and_run((uv_handle_t *)&timer);
}

static void call_soon_from_uv(uv_async_t *async)
{
        auv_loop_call_soon(async->data, trace_arg, "io", NULL);
}

/* rule 4 */
Test(turn, runs_what_is_ready_before_what_io_brings)
{
        uv_async_t async;

        uv_async_init(auv_loop_uv(loop), &async, call_soon_from_uv);
        async.data = loop;
        uv_async_send(&async);
        auv_loop_call_soon(loop, trace_arg, "ready", NULL);
        for (int i = 0; i < 3; i++)
                loop_turn();
        cr_assert_trace("ready io");
        close_and_run((uv_handle_t *)&async);
}

/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/trace.h"

#include "loop/loop.h"
#include "loop/watcher.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

/* A connected pair: the loop watches `near`, the test does at `far` what makes it ready. */
static int near;
static int far;

static void setup(void)
{
        int pair[2];

        loop_setup();
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
                abort();
        near = pair[0];
        far = pair[1];
}

static void teardown(void)
{
        auv_loop_remove_reader(loop, near);
        auv_loop_remove_writer(loop, near);
        loop_turn();
        close(near);
        close(far);
        loop_teardown();
}

TestSuite(watcher, .init = setup, .fini = teardown);

static void send_byte(void)
{
        cr_assert(eq(sz, (size_t)write(far, "x", 1), 1));
}

static void receive_byte(void)
{
        char byte;

        cr_assert(eq(sz, (size_t)read(near, &byte, 1), 1));
}

static void trace_arg(void *arg)
{
        trace("%s", (const char *)arg);
}

static void read_one(void *arg)
{
        trace("read");
        receive_byte();
}

Test(watcher, calls_the_reader_when_there_is_something_to_read)
{
        cr_assert(eq(int, auv_loop_add_reader(loop, near, read_one, NULL), 0));
        loop_turns(1);
        cr_assert_trace("|");
        send_byte();
        loop_turns(2);
        cr_assert_trace("| read | |");
}

Test(watcher, calls_the_reader_once_in_each_turn_as_long_as_there_is)
{
        auv_loop_add_reader(loop, near, trace_arg, "r");
        send_byte();
        send_byte();
        loop_turns(3);
        cr_assert_trace("r | r | r |");
}

Test(watcher, calls_the_writer_when_there_is_room_to_write)
{
        cr_assert(eq(int, auv_loop_add_writer(loop, near, trace_arg, "w"), 0));
        loop_turns(2);
        cr_assert_trace("w | w |");
}

/* rule 130 */
Test(watcher, calls_the_reader_before_the_writer)
{
        auv_loop_add_writer(loop, near, trace_arg, "w");
        auv_loop_add_reader(loop, near, trace_arg, "r");
        send_byte();
        loop_turns(2);
        cr_assert_trace("r w | r w |");
}

Test(watcher, queues_calls_behind_those_that_were_ready)
{
        auv_loop_add_writer(loop, near, trace_arg, "w");
        auv_loop_call_soon(loop, trace_arg, "a", NULL);
        auv_loop_call_soon(loop, trace_arg, "b", NULL);
        loop_turns(2);
        cr_assert_trace("a b | w |");
}

static int returns_after_turns(void *arg, auv_value *ret)
{
        for (int i = 0; i < 5000; i++)
                AUV_TRY(auv_await_sleep(0));
        return 0;
}

static void count(void *arg)
{
        ++*(int *)arg;
}

Test(watcher, is_not_forgotten_by_a_loop_that_always_has_work)
{
        int n = 0;

        auv_loop_add_writer(loop, near, count, &n);
        cr_assert(eq(int, loop_run(returns_after_turns, NULL, NULL), 0));
        cr_assert(gt(int, n, 0));
}

/* rule 130 */
Test(watcher, tells_whether_there_was_something_to_remove)
{
        cr_assert(eq(int, auv_loop_remove_reader(loop, near), 0));
        cr_assert(eq(int, auv_loop_remove_writer(loop, near), 0));
        auv_loop_add_reader(loop, near, trace_arg, "r");
        cr_assert(eq(int, auv_loop_remove_writer(loop, near), 0));
        cr_assert(eq(int, auv_loop_remove_reader(loop, near), 1));
        cr_assert(eq(int, auv_loop_remove_reader(loop, near), 0));
        auv_loop_add_writer(loop, near, trace_arg, "w");
        cr_assert(eq(int, auv_loop_remove_reader(loop, near), 0));
        cr_assert(eq(int, auv_loop_remove_writer(loop, near), 1));
        loop_turns(1);
        cr_assert_trace("|");
}

Test(watcher, leaves_one_side_when_the_other_is_removed)
{
        auv_loop_add_reader(loop, near, trace_arg, "r");
        auv_loop_add_writer(loop, near, trace_arg, "w");
        send_byte();
        cr_assert(eq(int, auv_loop_remove_reader(loop, near), 1));
        loop_turns(1);
        cr_assert_trace("w |");
        auv_loop_add_reader(loop, near, trace_arg, "r");
        cr_assert(eq(int, auv_loop_remove_writer(loop, near), 1));
        trace_clear();
        loop_turns(1);
        cr_assert_trace("r |");
}

/* rule 130 */
Test(watcher, replaces_the_reader)
{
        auv_loop_add_reader(loop, near, trace_arg, "old");
        cr_assert(eq(int, auv_loop_add_reader(loop, near, trace_arg, "new"), 0));
        send_byte();
        loop_turns(1);
        cr_assert_trace("new |");
        cr_assert(eq(int, auv_loop_remove_reader(loop, near), 1));
        cr_assert(eq(int, auv_loop_remove_reader(loop, near), 0));
}

static void remove_writer(void *arg)
{
        trace("remove");
        cr_assert(eq(int, auv_loop_remove_writer(NULL, near), 1));
        auv_loop_remove_reader(NULL, near);
}

/* rule 130 */
Test(watcher, does_not_call_what_was_removed_while_it_was_queued)
{
        auv_loop_add_reader(loop, near, remove_writer, NULL);
        auv_loop_add_writer(loop, near, trace_arg, "w");
        send_byte();
        loop_turns(2);
        cr_assert_trace("remove | |");
}

static void replace_writer(void *arg)
{
        trace("replace");
        auv_loop_add_writer(NULL, near, trace_arg, arg);
        auv_loop_remove_reader(NULL, near);
}

/* rule 130 */
Test(watcher, does_not_call_what_was_replaced_while_it_was_queued)
{
        auv_loop_add_reader(loop, near, replace_writer, "new");
        auv_loop_add_writer(loop, near, trace_arg, "old");
        send_byte();
        loop_turns(2);
        cr_assert_trace("replace | new |");
}

static void remove_itself(void *arg)
{
        trace("once");
        cr_assert(eq(int, auv_loop_remove_reader(NULL, near), 1));
}

Test(watcher, reader_may_remove_itself_and_be_added_again)
{
        auv_loop_add_reader(loop, near, remove_itself, NULL);
        send_byte();
        loop_turns(2);
        cr_assert_trace("once | |");
        auv_loop_add_reader(loop, near, remove_itself, NULL);
        loop_turns(2);
        cr_assert_trace("once | | once | |");
}

Test(watcher, calls_the_reader_at_the_end_of_the_stream)
{
        auv_loop_add_reader(loop, near, remove_itself, NULL);
        close(far);
        loop_turns(1);
        cr_assert_trace("once |");
        far = dup(near);
}

Test(watcher, calls_the_writer_of_a_broken_pipe_again_and_again)
{
        int ends[2];

        cr_assert(eq(int, pipe(ends), 0));
        auv_loop_add_writer(loop, ends[1], trace_arg, "w");
        close(ends[0]);
        loop_turns(3);
        cr_assert_trace("w | w | w |");
        cr_assert(eq(int, auv_loop_remove_writer(loop, ends[1]), 1));
        close(ends[1]);
}

Test(watcher, watches_many_descriptors)
{
        enum { N = 50 };

        int ends[N][2];
        int n = 0;

        for (int i = 0; i < N; i++) {
                cr_assert(eq(int, pipe(ends[i]), 0));
                cr_assert(eq(int, auv_loop_add_reader(loop, ends[i][0], count, &n), 0));
                cr_assert(eq(sz, (size_t)write(ends[i][1], "x", 1), 1));
        }
        loop_turn();
        cr_assert(eq(int, n, N));
        for (int i = 0; i < N; i++) {
                cr_assert(eq(int, auv_loop_remove_reader(loop, ends[i][0]), 1));
                close(ends[i][0]);
                close(ends[i][1]);
        }
}

Test(watcher, must_have_a_descriptor_that_can_be_waited_for)
{
        FILE *file = tmpfile();

        cr_assert(eq(int, auv_loop_add_reader(loop, -1, trace_arg, NULL), AUV_EBADF));
        cr_assert(eq(int, auv_loop_add_reader(loop, 9999, trace_arg, NULL), AUV_EBADF));
        cr_assert(eq(int, auv_loop_add_reader(loop, INT_MAX, trace_arg, NULL), AUV_EBADF));
        cr_assert(eq(int, auv_loop_add_writer(loop, fileno(file), trace_arg, NULL), AUV_EPERM));
        cr_assert(eq(int, auv_loop_add_reader(loop, near, NULL, NULL), AUV_EINVAL));
        cr_assert(lt(sz, loop->watchers.n, 9999));
        cr_assert(eq(int, auv_loop_remove_reader(loop, -1), 0));
        cr_assert(eq(int, auv_loop_remove_reader(loop, 9999), 0));
        fclose(file);
}

Test(watcher, must_have_an_open_loop)
{
        cr_assert(eq(int, auv_loop_add_reader(NULL, near, trace_arg, NULL), AUV_ENOLOOP));
        cr_assert(eq(int, auv_loop_remove_reader(NULL, near), AUV_ENOLOOP));
        auv_loop_add_reader(loop, near, trace_arg, "r");
        auv_loop_add_writer(loop, near, trace_arg, "w");
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, auv_loop_add_reader(loop, near, trace_arg, NULL), AUV_ECLOSED));
        cr_assert(eq(int, auv_loop_remove_reader(loop, near), 0));
        loop = auv_unref(loop);
        loop = loop_new();
}

Test(watcher, leaves_a_descriptor_blocking)
{
        auv_loop_add_reader(loop, near, trace_arg, "r");
        cr_assert(zero(int, fcntl(near, F_GETFL) & O_NONBLOCK));
}

/* The process would be aborted, where libuv tells the kernel of a descriptor that there is not. */
Test(watcher, is_called_once_for_a_descriptor_closed_before_the_first_look)
{
        const int closed = dup(near);

        auv_loop_add_reader(loop, closed, trace_arg, "r");
        auv_loop_add_writer(loop, closed, trace_arg, "w");
        close(closed);
        loop_turns(2);
        cr_assert_trace("r w | |");
        cr_assert(eq(int, auv_loop_remove_reader(loop, closed), 1));
        cr_assert(eq(int, auv_loop_remove_writer(loop, closed), 1));
        loop_turns(1);
}

Test(watcher, is_called_once_for_a_descriptor_that_has_become_a_file)
{
        FILE *file = tmpfile();
        const int fd = dup(near);

        auv_loop_add_reader(loop, fd, trace_arg, "r");
        cr_assert(eq(int, dup2(fileno(file), fd), fd));
        loop_turns(2);
        cr_assert_trace("r | |");
        cr_assert(eq(int, auv_loop_remove_reader(loop, fd), 1));
        close(fd);
        fclose(file);
}

Test(watcher, is_called_once_for_a_descriptor_that_has_become_a_device_without_poll)
{
        const int fd = dup(near), device = open("/dev/null", O_RDWR | O_CLOEXEC);

        auv_loop_add_reader(loop, fd, trace_arg, "r");
        cr_assert(eq(int, dup2(device, fd), fd));
        loop_turns(2);
        cr_assert_trace("r | |");
        cr_assert(eq(int, auv_loop_add_reader(loop, fd, trace_arg, "again"), 0));
        loop_turns(2);
        cr_assert_trace("r | | again | |");
        cr_assert(eq(int, auv_loop_remove_reader(loop, fd), 1));
        cr_assert(eq(int, auv_loop_add_reader(loop, fd, trace_arg, NULL), AUV_EPERM));
        close(fd);
        close(device);
}

Test(watcher, waits_for_a_device_that_has_poll)
{
        const int fd = dup(near), device = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

        auv_loop_add_writer(loop, fd, trace_arg, "w");
        cr_assert(eq(int, dup2(device, fd), fd));
        loop_turns(2);
        cr_assert_trace("w | w |");
        cr_assert(eq(int, auv_loop_remove_writer(loop, fd), 1));
        close(fd);
        close(device);
}

Test(watcher, sees_what_has_come_in_place_of_a_closed_descriptor)
{
        const int fd = dup(far);

        auv_loop_add_reader(loop, fd, trace_arg, "old");
        loop_turns(1);
        close(fd);
        cr_assert(eq(int, dup2(near, fd), fd));
        cr_assert(eq(int, auv_loop_add_reader(loop, fd, trace_arg, "new"), 0));
        send_byte();
        loop_turns(1);
        cr_assert_trace("| new |");
        auv_loop_remove_reader(loop, fd);
        close(fd);
}

Test(watcher, is_refused_the_descriptor_of_a_transport)
{
        auv_loop_add_reader(loop, near, trace_arg, "r");
        send_byte();
        cr_assert(eq(int, auv__watchers_claim(loop, near), 0));
        loop_turns(1);
        cr_assert_trace("|");
        cr_assert(eq(int, auv_loop_add_reader(loop, near, trace_arg, NULL), AUV_ERUNTIME));
        cr_assert(eq(int, auv_loop_add_writer(loop, near, trace_arg, NULL), AUV_ERUNTIME));
        cr_assert(eq(int, auv_loop_remove_reader(loop, near), AUV_ERUNTIME));
        auv__watchers_release(loop, near);
        cr_assert(eq(int, auv_loop_remove_reader(loop, near), 0));
        cr_assert(eq(int, auv_loop_add_reader(loop, near, trace_arg, "r"), 0));
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
}

Test(watcher, is_refused_a_descriptor_that_another_handle_has)
{
        uv_poll_t handle;

        uv_poll_init(auv_loop_uv(loop), &handle, near);
        uv_poll_start(&handle, UV_READABLE, on_poll);
        cr_assert(eq(int, auv_loop_add_reader(loop, near, trace_arg, NULL), AUV_ERUNTIME));
        uv_close((uv_handle_t *)&handle, NULL);
        loop_turn();
        cr_assert(eq(int, auv_loop_add_reader(loop, near, trace_arg, NULL), 0));
}

Test(watcher, stays_where_it_cannot_be_replaced)
{
        const int fd = dup(near), device = open("/dev/null", O_RDWR | O_CLOEXEC);
        uv_poll_t handle;

        auv_loop_add_reader(loop, fd, trace_arg, "old");
        cr_assert(eq(int, dup2(device, fd), fd));
        loop_turns(1); /* the descriptor is not waited for any more */
        cr_assert(eq(int, dup2(near, fd), fd));
        uv_poll_init(auv_loop_uv(loop), &handle, fd);
        uv_poll_start(&handle, UV_READABLE, on_poll);
        cr_assert(eq(int, auv_loop_add_reader(loop, fd, trace_arg, "new"), AUV_ERUNTIME));
        cr_assert(eq(int, auv_loop_remove_reader(loop, fd), 1));
        uv_close((uv_handle_t *)&handle, NULL);
        loop_turn();
        close(fd);
        close(device);
}

Test(watcher, leaves_a_descriptor_to_the_transport_that_has_it)
{
        cr_assert(eq(int, auv__watchers_claim(loop, near), 0));
        cr_assert(eq(int, auv__watchers_claim(loop, near), AUV_EEXIST));
        cr_assert(eq(int, auv_loop_add_reader(loop, near, trace_arg, NULL), AUV_ERUNTIME));
        auv__watchers_release(loop, near);
        cr_assert(eq(int, auv__watchers_claim(loop, near), 0));
        auv__watchers_release(loop, near);
}

Test(watcher, does_not_hide_a_handle_of_the_programs_from_close)
{
        uv_timer_t timer;

        uv_timer_init(auv_loop_uv(loop), &timer);
        auv_loop_add_reader(loop, near, trace_arg, NULL);
        cr_assert(eq(int, auv_loop_close(loop), AUV_EBUSY));
        /* closing, and not closed yet */
        auv_loop_remove_reader(loop, near);
        cr_assert(eq(int, auv_loop_close(loop), AUV_EBUSY));
        uv_close((uv_handle_t *)&timer, NULL);
        loop_turn();
}

static void set_result(void *arg)
{
        receive_byte();
        auv_future_set_result(arg, NUMBER(1));
}

static void *send_from_thread(void *arg)
{
        send_byte();
        return NULL;
}

Test(watcher, is_something_that_a_loop_waits_for)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        pthread_t thread;

        auv_loop_add_reader(loop, near, set_result, future);
        pthread_create(&thread, NULL, send_from_thread, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), 0));
        pthread_join(thread, NULL);
}

Test(watcher, keeps_a_uv_run_of_the_caller_going)
{
        auv_loop *over = NULL;
        uv_loop_t uv;

        uv_loop_init(&uv);
        auv_new_event_loop(AUV_LOOP_OPTIONS(.uv_loop = &uv), &over);
        auv_loop_add_reader(over, near, remove_itself, NULL);
        send_byte();
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert_trace("once");
        auv_loop_add_reader(over, near, trace_arg, "r");
        auv_loop_add_writer(over, near, trace_arg, "w");
        auv_unref(over);
        uv_run(&uv, UV_RUN_DEFAULT);
        cr_assert_trace("once");
        cr_assert(eq(int, uv_loop_close(&uv), 0));
}

/* The loop keeps its table of descriptors, so it is a loop of its own. */
static void add_and_remove(void)
{
        auv_loop *other = NULL;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &other) == 0) {
                if (auv_loop_add_reader(other, near, trace_arg, NULL) == 0)
                        auv_loop_add_writer(other, near, trace_arg, NULL);
                auv_unref(other);
        }
        auv_error_clear();
}

Test(watcher, fails_cleanly_without_memory)
{
        cr_assert(gt(int, (int)failing_allocator_sweep(add_and_remove), 4));
}

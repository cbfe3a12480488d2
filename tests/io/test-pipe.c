/* SPDX-License-Identifier: MIT */
#include "support/loop.h"
#include "support/recorder.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

TestSuite(pipe, .init = loop_setup, .fini = loop_teardown);

enum { MUCH = 1024 * 1024 };

static char much[MUCH];

struct request {
        struct recorder recorder;
        int fd;
        auv_transport *transport;
};

static int connect_reader(void *arg, auv_value *ret)
{
        struct request *request = arg;

        return auv_await_connect_read_pipe(recorder_factory, &request->recorder, request->fd,
                                           &request->transport);
}

static int connect_writer(void *arg, auv_value *ret)
{
        struct request *request = arg;

        return auv_await_connect_write_pipe(recorder_factory, &request->recorder, request->fd,
                                            &request->transport);
}

Test(pipe, is_read_to_its_end)
{
        struct request reader = { .recorder = { .keeps_open = true } };
        auv_value fd;
        int ends[2];

        (void)!pipe(ends);
        reader.fd = ends[0];
        cr_assert(eq(int, loop_run(connect_reader, &reader, NULL), 0));
        cr_assert(eq(int, auv_transport_get_extra_info(reader.transport, "pipe", &fd), 1));
        cr_assert(eq(int, (int)fd.i, ends[0]));
        cr_assert(eq(int, auv_transport_write(reader.transport, "x", 1), AUV_ENOTSUP));
        cr_assert(eq(int, auv_transport_writelines(reader.transport, NULL, 0), AUV_ENOTSUP));
        cr_assert(eq(int, auv_transport_write_eof(reader.transport), AUV_ENOTSUP));
        cr_assert(eq(int, auv_transport_can_write_eof(reader.transport), 0));
        (void)!write(ends[1], "abc", 3);
        loop_turn();
        close(ends[1]);
        recorder_until_lost(&reader.recorder);
        auv_unref(reader.transport);
        /* whatever eof_received() says */
        cr_assert_trace("made data(abc) eof lost released");
}

Test(pipe, is_read_when_it_is_not_paused)
{
        struct request reader = { .recorder = { .name = NULL } };
        int ends[2];

        (void)!pipe(ends);
        reader.fd = ends[0];
        loop_run(connect_reader, &reader, NULL);
        auv_transport_pause_reading(reader.transport);
        (void)!write(ends[1], "abc", 3);
        loop_turns(2);
        auv_transport_resume_reading(reader.transport);
        loop_turn();
        auv_transport_abort(reader.transport);
        loop_turn();
        auv_unref(reader.transport);
        close(ends[1]);
        cr_assert_trace("made | | data(abc) lost released");
}

Test(pipe, is_written_to_with_water_marks_and_closed_when_all_is_written)
{
        struct request writer = { .recorder = { .name = NULL } };
        long total = 0;
        int ends[2];

        (void)!pipe(ends);
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        writer.fd = ends[1];
        cr_assert(eq(int, loop_run(connect_writer, &writer, NULL), 0));
        cr_assert(eq(int, auv_transport_is_reading(writer.transport), 0));
        cr_assert(eq(int, auv_transport_write(writer.transport, "", 0), 0));
        cr_assert(eq(int, auv_transport_write(writer.transport, much, MUCH), 0));
        cr_assert_trace("made pause");
        cr_assert(auv_transport_can_write_eof(writer.transport));
        cr_assert(eq(int, auv_transport_write_eof(writer.transport), 0));
        cr_assert(auv_transport_is_closing(writer.transport));
        /* dropped */
        cr_assert(eq(int, auv_transport_write(writer.transport, much, MUCH), 0));
        while (writer.recorder.transport) {
                total += peer_drain(ends[0], NULL);
                loop_turn();
        }
        total += peer_drain(ends[0], NULL);
        cr_assert(eq(long, total, MUCH));
        cr_assert(eq(long, peer_drain(ends[0], NULL), -1));
        auv_unref(writer.transport);
        close(ends[0]);
        cr_assert_trace("made pause resume lost released");
}

Test(pipe, is_lost_when_nobody_is_left_to_read_from_it)
{
        struct request writer = { .recorder = { .name = NULL } };
        int ends[2];

        (void)!pipe(ends);
        writer.fd = ends[1];
        loop_run(connect_writer, &writer, NULL);
        loop_turns(2);
        close(ends[0]);
        recorder_until_lost(&writer.recorder);
        auv_unref(writer.transport);
        cr_assert_trace("made | | lost released");
}

Test(pipe, is_broken_when_what_was_written_is_not_read)
{
        struct request writer = { .recorder = { .name = NULL } };
        int ends[2];

        (void)!pipe(ends);
        writer.fd = ends[1];
        loop_run(connect_writer, &writer, NULL);
        auv_transport_write(writer.transport, much, MUCH);
        close(ends[0]);
        recorder_until_lost(&writer.recorder);
        auv_unref(writer.transport);
        cr_assert_trace("made pause lost(EPIPE) released");
}

/* To a pipe from which nobody can read. */
static void write_to_nobody(void)
{
        struct request writer = { .recorder = { .name = NULL } };
        int ends[2];

        (void)!pipe(ends);
        writer.fd = ends[1];
        loop_run(connect_writer, &writer, NULL);
        close(ends[0]);
        cr_assert(eq(int, auv_transport_write(writer.transport, "x", 1), 0));
        loop_turn();
        auv_unref(writer.transport);
        cr_assert_trace("made lost(EPIPE) released");
}

/* Returns the set of that signal alone. */
static sigset_t block_sigpipe(void)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        return set;
}

Test(pipe, that_is_broken_sends_no_signal)
{
        sigset_t mask;

        signal(SIGPIPE, SIG_DFL);
        write_to_nobody();
        sigpending(&mask);
        cr_assert(eq(int, sigismember(&mask, SIGPIPE), 0));
        pthread_sigmask(SIG_BLOCK, NULL, &mask);
        cr_assert(eq(int, sigismember(&mask, SIGPIPE), 0));
}

Test(pipe, keeps_a_signal_that_was_pending_before)
{
        sigset_t mask = block_sigpipe(), pending;

        raise(SIGPIPE);
        write_to_nobody();
        sigpending(&pending);
        cr_assert(sigismember(&pending, SIGPIPE));
        sigwait(&mask, &(int) { 0 });
}

Test(pipe, leaves_no_signal_to_a_thread_that_has_it_blocked)
{
        sigset_t mask = block_sigpipe(), pending;

        write_to_nobody();
        sigpending(&pending);
        cr_assert(eq(int, sigismember(&pending, SIGPIPE), 0));
        pthread_sigmask(SIG_BLOCK, NULL, &mask);
        cr_assert(sigismember(&mask, SIGPIPE));
}

Test(pipe, may_be_a_socket)
{
        struct request reader = { .recorder = { .name = "r" } }, writer = { .recorder = { .name = "w" } };
        int pair[2];

        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        reader.fd = pair[0];
        writer.fd = pair[1];
        loop_run(connect_reader, &reader, NULL);
        loop_run(connect_writer, &writer, NULL);
        auv_transport_writelines(writer.transport, (auv_buffer[]) { { "a", 1 }, { "b", 1 } }, 2);
        loop_turn();
        auv_transport_close(writer.transport);
        recorder_until_lost(&writer.recorder);
        recorder_until_lost(&reader.recorder);
        auv_unref(reader.transport);
        auv_unref(writer.transport);
        cr_assert_trace("r:made w:made r:data(ab) w:lost w:released r:eof r:lost r:released");
}

Test(pipe, may_be_a_terminal_whose_other_users_find_it_as_it_was)
{
        struct request reader = { .recorder = { .name = "r" } }, writer = { .recorder = { .name = "w" } };
        int master, slave, shared;
        struct termios raw;

        cr_assert(eq(int, openpty(&master, &slave, NULL, NULL, NULL), 0));
        tcgetattr(slave, &raw);
        cfmakeraw(&raw);
        tcsetattr(slave, TCSANOW, &raw);
        fcntl(master, F_SETFL, O_NONBLOCK);
        shared = dup(slave);
        reader.fd = slave;
        writer.fd = fcntl(shared, F_DUPFD_CLOEXEC, 0);
        cr_assert(eq(int, loop_run(connect_reader, &reader, NULL), 0));
        cr_assert(eq(int, loop_run(connect_writer, &writer, NULL), 0));
        cr_assert(eq(int, fcntl(shared, F_GETFL) & O_NONBLOCK, 0));
        /* and a program that is started from here has the ones that it would have had */
        cr_assert(eq(int, fcntl(slave, F_GETFD), 0));
        cr_assert(eq(int, fcntl(writer.fd, F_GETFD), FD_CLOEXEC));
        (void)!write(master, "typed", 5);
        while (reader.recorder.received < 5)
                loop_turn();
        auv_transport_write(writer.transport, "shown", 5);
        loop_turn();
        cr_assert(eq(str, peer_text(master), "shown"));
        /* what can be read from it does not end a writer */
        cr_assert(eq(int, auv_transport_is_closing(writer.transport), 0));
        auv_transport_close(writer.transport);
        auv_transport_close(reader.transport);
        loop_turns(2);
        auv_unref(reader.transport);
        auv_unref(writer.transport);
        close(shared);
        close(master);
}

Test(pipe, may_be_the_other_side_of_a_terminal_and_is_lost_without_a_report_when_that_is_left)
{
        struct request reader = { .recorder = { .name = NULL } };
        int slave;

        cr_assert(eq(int, openpty(&reader.fd, &slave, NULL, NULL, NULL), 0));
        cr_assert(eq(int, loop_run(connect_reader, &reader, NULL), 0));
        (void)!write(slave, "shown", 5);
        loop_turn();
        cr_assert_trace("made data(shown)");
        close(slave);
        recorder_until_lost(&reader.recorder);
        auv_unref(reader.transport);
        cr_assert_trace("made data(shown) lost(EIO) released");
}

Test(pipe, that_cannot_be_read_is_lost_and_reported)
{
        struct request reader = { .recorder = { .name = NULL } };
        int pair[2];

        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        reader.fd = pair[0];
        cr_assert(eq(int, loop_run(connect_reader, &reader, NULL), 0));
        /* which its peer has not read when it leaves */
        (void)!write(pair[0], "unread", 6);
        close(pair[1]);
        recorder_until_lost(&reader.recorder);
        auv_unref(reader.transport);
        cr_assert_trace("made lost(ECONNRESET) released");
        cr_assert_text(reports_take()->message, "Fatal read error on pipe transport");
}

Test(pipe, may_not_be_a_device_that_cannot_be_waited_for)
{
        struct request request = { .fd = open("/dev/null", O_RDWR) };
        const int fd = request.fd;

        cr_assert(eq(int, loop_run(connect_writer, &request, NULL), AUV_EPERM));
        cr_assert_trace("released");
        cr_assert(lt(int, fcntl(fd, F_GETFD), 0));
}

Test(pipe, may_not_be_a_file)
{
        struct request request = { .fd = open("/proc/self/exe", O_RDONLY) };

        cr_assert(eq(int, loop_run(connect_reader, &request, NULL), AUV_EINVAL));
        request.fd = open("/proc/self/exe", O_RDONLY);
        cr_assert(eq(int, loop_run(connect_writer, &request, NULL), AUV_EINVAL));
        request.fd = -1;
        cr_assert(eq(int, loop_run(connect_reader, &request, NULL), AUV_EBADF));
        cr_assert(eq(int, loop_run(connect_writer, &request, NULL), AUV_EBADF));
        cr_assert_trace("");
}

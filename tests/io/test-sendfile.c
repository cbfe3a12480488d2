/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/descriptors.h"
#include "support/failing_allocator.h"
#include "support/limit.h"
#include "support/loop.h"
#include "support/reports.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum { FILE_SIZE = 3 * 1000 * 1000, ROOM = FILE_SIZE + 1000 * 1000 };

/* A file with a pattern in it, and a connected pair: it is sent from `near` to the test at `far`. */
static int file;
static int near;
static int far;
static char *received;
static size_t n_received;

static char byte_at(size_t i)
{
        return (char)(i * 31 + i / 4096);
}

static void setup(void)
{
        char *data = malloc(FILE_SIZE);
        int pair[2];

        loop_setup();
        file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        for (size_t i = 0; i < FILE_SIZE; i++)
                data[i] = byte_at(i);
        if (file < 0 || write(file, data, FILE_SIZE) != FILE_SIZE || lseek(file, 0, SEEK_SET) != 0 ||
            socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
                abort();
        free(data);
        near = pair[0];
        far = pair[1];
        received = malloc(ROOM);
        n_received = 0;
}

static void close_at(int *fd)
{
        if (*fd >= 0)
                close(*fd);
        *fd = -1;
}

static void teardown(void)
{
        close_at(&file);
        close_at(&near);
        close_at(&far);
        free(received);
        loop_teardown();
}

TestSuite(sendfile, .init = setup, .fini = teardown);

/* What is sent, and how it ended. */
struct sending {
        auv_transport *transport; /* NULL: over `near` */
        int file;
        int64_t offset;
        size_t count;
        unsigned flags;
        int r;
        size_t sent;
        int lost;
};

static int sends(void *arg, auv_value *ret)
{
        struct sending *sending = arg;

        if (sending->transport)
                return sending->r = auv_await_sendfile(sending->transport, sending->file, sending->offset,
                                                       sending->count, sending->flags, &sending->sent);
        return sending->r = auv_await_sock_sendfile(near, sending->file, sending->offset, sending->count,
                                                    sending->flags, &sending->sent);
}

static void connection_lost(void *user, auv_error *error)
{
        ((struct sending *)user)->lost++;
}

static const auv_protocol_functions functions = AUV_PROTOCOL_FUNCTIONS(.connection_lost = connection_lost);

static int make_protocol(void *arg, auv_protocol *ret_protocol)
{
        *ret_protocol = (auv_protocol) { .functions = &functions, .user = arg };
        return 0;
}

static int takes_near(void *arg, auv_value *ret)
{
        struct sending *sending = arg;
        const int fd = near;

        near = -1;
        return auv_await_connect_accepted_socket(make_protocol, sending, fd, &sending->transport);
}

static struct sending of_file(void)
{
        return (struct sending) { .file = file, .sent = 99 };
}

static struct sending over_transport(void)
{
        return of_file();
}

static void open_transport(struct sending *sending)
{
        cr_assert(eq(int, loop_run(takes_near, sending, NULL), 0));
}

static void close_transport(struct sending *sending)
{
        auv_transport_abort(sending->transport);
        loop_turns(2);
        cr_assert(eq(int, sending->lost, 1));
        sending->transport = auv_unref(sending->transport);
}

/* Takes what has arrived, up to @most bytes. */
static void take(size_t most)
{
        if (most > ROOM - n_received)
                most = ROOM - n_received;
        while (most > 0) {
                const ssize_t n = recv(far, received + n_received, most < 8192 ? most : 8192, 0);

                if (n <= 0)
                        return;
                n_received += (size_t)n;
                most -= (size_t)n;
        }
}

static bool is_file_from(size_t offset, size_t skip)
{
        for (size_t i = skip; i < n_received; i++)
                if (received[i] != byte_at(offset + i - skip))
                        return false;
        return true;
}

static auv_task *start(struct sending *sending)
{
        return auv_loop_create_task(loop, sends, sending, 0, NULL);
}

/* Sends, and takes all of it at the other end. Returns how it ended. */
static int run(struct sending *sending)
{
        AUV_AUTO auv_task *task = start(sending);
        int r;

        for (int i = 0; !auv_future_done(task) && i < 1000000; i++) {
                loop_turn();
                take(SIZE_MAX);
        }
        r = auv_future_result(task, NULL);
        take(SIZE_MAX);
        return r;
}

static int64_t position(void)
{
        return (int64_t)lseek(file, 0, SEEK_CUR);
}

static void check_whole(struct sending *sending)
{
        sending->flags = AUV_SENDFILE_NO_FALLBACK;
        cr_assert(eq(int, run(sending), 0));
        cr_assert(eq(sz, sending->sent, FILE_SIZE));
        cr_assert(eq(sz, n_received, FILE_SIZE));
        cr_assert(is_file_from(0, 0));
        cr_assert(eq(i64, position(), FILE_SIZE));
}

Test(sendfile, sends_a_whole_file_over_a_socket)
{
        struct sending sending = of_file();

        check_whole(&sending);
}

Test(sendfile, sends_a_whole_file_over_a_transport)
{
        struct sending sending = over_transport();

        open_transport(&sending);
        check_whole(&sending);
        cr_assert(auv_transport_is_reading(sending.transport));
        cr_assert(eq(int, auv_transport_write(sending.transport, "more", 4), 0));
        take(SIZE_MAX);
        cr_assert(zero(int, memcmp(received + FILE_SIZE, "more", 4)));
        close_transport(&sending);
}

static void check_part(struct sending *sending)
{
        sending->offset = 12345;
        sending->count = 700000;
        cr_assert(eq(int, run(sending), 0));
        cr_assert(eq(sz, sending->sent, 700000));
        cr_assert(eq(sz, n_received, 700000));
        cr_assert(is_file_from(12345, 0));
        cr_assert(eq(i64, position(), 712345));
}

Test(sendfile, sends_a_part_of_a_file)
{
        struct sending sending = of_file();

        check_part(&sending);
}

Test(sendfile, sends_a_part_of_a_file_over_a_transport)
{
        struct sending sending = over_transport();

        open_transport(&sending);
        check_part(&sending);
        close_transport(&sending);
}

Test(sendfile, sends_what_there_is_where_more_is_asked_for)
{
        struct sending sending = of_file();

        sending.offset = FILE_SIZE - 10;
        sending.count = 100;
        cr_assert(eq(int, run(&sending), 0));
        cr_assert(eq(sz, sending.sent, 10));
        cr_assert(is_file_from(FILE_SIZE - 10, 0));
        /* and behind the end there is nothing */
        lseek(file, 7, SEEK_SET);
        sending.offset = FILE_SIZE + 10;
        cr_assert(eq(int, run(&sending), 0));
        cr_assert(eq(sz, sending.sent, 0));
        cr_assert(eq(i64, position(), 7));
}

Test(sendfile, sends_nothing_of_an_empty_file)
{
        struct sending sending = of_file();

        cr_assert(eq(int, ftruncate(file, 0), 0));
        cr_assert(eq(int, run(&sending), 0));
        cr_assert(eq(sz, sending.sent, 0));
}

Test(sendfile, sends_first_what_was_written_before)
{
        struct sending sending = over_transport();
        AUV_AUTO auv_task *task = NULL;
        size_t written = 0;

        open_transport(&sending);
        while (auv_transport_get_write_buffer_size(sending.transport) == 0) {
                auv_transport_write(sending.transport, "0123456789", 10);
                written += 10;
        }
        sending.count = 1000;
        task = start(&sending);
        loop_turns(2);
        cr_assert(eq(int, auv_transport_write(sending.transport, "x", 1), AUV_ERUNTIME));
        cr_assert(eq(int, auv_transport_write_eof(sending.transport), AUV_ERUNTIME));
        cr_assert(not(auv_transport_is_reading(sending.transport)));
        for (int i = 0; !auv_future_done(task) && i < 1000000; i++) {
                take(SIZE_MAX);
                loop_turn();
        }
        take(SIZE_MAX);
        cr_assert(eq(sz, n_received, written + 1000));
        cr_assert(is_file_from(0, written));
        cr_assert(auv_transport_is_reading(sending.transport));
        close_transport(&sending);
}

Test(sendfile, leaves_a_transport_paused_that_was_paused)
{
        struct sending sending = over_transport();

        open_transport(&sending);
        auv_transport_pause_reading(sending.transport);
        sending.count = 10;
        cr_assert(eq(int, run(&sending), 0));
        cr_assert(not(auv_transport_is_reading(sending.transport)));
        close_transport(&sending);
}

/* A pipe, which the system does not send by itself: there is a file's beginning in it, and its end. */
static int open_pipe(size_t size)
{
        int ends[2];

        cr_assert(eq(int, pipe2(ends, O_CLOEXEC), 0));
        for (size_t i = 0; i < size; i++) {
                const char byte = byte_at(i);

                cr_assert(eq(sz, (size_t)write(ends[1], &byte, 1), 1));
        }
        close(ends[1]);
        return ends[0];
}

static void check_pipe(struct sending *sending)
{
        AUV_AUTO auv_task *task = NULL;

        sending->file = open_pipe(5000);
        sending->flags = AUV_SENDFILE_NO_FALLBACK;
        cr_assert(eq(int, run(sending), AUV_ENOTSUP));
        sending->flags = 0;
        task = start(sending);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        take(SIZE_MAX);
        cr_assert(eq(sz, sending->sent, 5000));
        cr_assert(eq(sz, n_received, 5000));
        cr_assert(is_file_from(0, 0));
        /* in the middle of what has no middle */
        sending->offset = 1;
        cr_assert(eq(int, run(sending), AUV_ESPIPE));
        close(sending->file);
}

Test(sendfile, reads_and_sends_what_the_system_does_not)
{
        struct sending sending = of_file();

        check_pipe(&sending);
}

Test(sendfile, reads_and_sends_over_a_transport_what_the_system_does_not)
{
        struct sending sending = over_transport();

        open_transport(&sending);
        check_pipe(&sending);
        close_transport(&sending);
}

Test(sendfile, reads_no_more_than_is_asked_for)
{
        struct sending sending = of_file();
        char byte;

        sending.file = open_pipe(100);
        sending.count = 60;
        {
                AUV_AUTO auv_task *task = start(&sending);

                cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        }
        cr_assert(eq(sz, sending.sent, 60));
        cr_assert(eq(sz, (size_t)read(sending.file, &byte, 1), 1));
        cr_assert(eq(chr, byte, byte_at(60)));
        close(sending.file);
}

static void check_vanishing(struct sending *sending)
{
        AUV_AUTO auv_task *task = start(sending);

        loop_turns(2);
        take(100000);
        loop_turns(2);
        cr_assert(not(auv_future_done(task)));
        close_at(&far);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_EPIPE));
        cr_assert(eq(sz, sending->sent, 99));
        cr_assert(gt(i64, position(), 0));
}

Test(sendfile, tells_of_a_peer_that_is_gone_and_raises_no_signal)
{
        struct sending sending = of_file();

        signal(SIGPIPE, SIG_DFL);
        check_vanishing(&sending);
}

Test(sendfile, tells_of_the_peer_of_a_transport_that_is_gone)
{
        struct sending sending = over_transport();

        signal(SIGPIPE, SIG_DFL);
        open_transport(&sending);
        check_vanishing(&sending);
        close_transport(&sending);
}

Test(sendfile, tells_of_a_peer_that_was_gone_before)
{
        struct sending sending = of_file();

        signal(SIGPIPE, SIG_DFL);
        close_at(&far);
        {
                AUV_AUTO auv_task *task = start(&sending);

                cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_EPIPE));
        }
        cr_assert(eq(i64, position(), 0));
}

Test(sendfile, ends_with_its_connection)
{
        struct sending sending = over_transport();
        AUV_AUTO auv_task *task = NULL;

        open_transport(&sending);
        task = start(&sending);
        loop_turns(2);
        auv_transport_abort(sending.transport);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECONNRESET));
        sending.transport = auv_unref(sending.transport);
}

/* There was no room for a first byte. */
Test(sendfile, ends_with_its_connection_also_where_it_must_not_fall_back)
{
        struct sending sending = over_transport();
        AUV_AUTO auv_task *task = NULL;

        open_transport(&sending);
        while (auv_transport_get_write_buffer_size(sending.transport) == 0)
                auv_transport_write(sending.transport, "0123456789", 10);
        sending.flags = AUV_SENDFILE_NO_FALLBACK;
        task = start(&sending);
        loop_turns(2);
        auv_transport_abort(sending.transport);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECONNRESET));
        sending.transport = auv_unref(sending.transport);
}

Test(sendfile, ends_with_its_connection_also_while_it_reads)
{
        struct sending sending = over_transport();
        AUV_AUTO auv_task *task = NULL;
        int ends[2];

        cr_assert(eq(int, pipe2(ends, O_CLOEXEC), 0));
        sending.file = ends[0];
        open_transport(&sending);
        task = start(&sending);
        loop_turns(2);
        auv_transport_abort(sending.transport);
        loop_turns(2);
        cr_assert(not(auv_future_done(task)));
        (void)!write(ends[1], "late", 4);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECONNRESET));
        sending.transport = auv_unref(sending.transport);
        close(ends[0]);
        close(ends[1]);
}

/* Cancels in each turn; the position tells how much was sent, and no more arrives. */
static void cancel_in_turn(struct sending *sending, int turn)
{
        AUV_AUTO auv_task *task = start(sending);

        for (int i = 0; i < turn; i++) {
                loop_turn();
                take(60000);
        }
        cr_assert(eq(int, auv_future_cancel(task, NULL), 1));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        loop_turns(3);
        take(SIZE_MAX);
        cr_assert(eq(i64, position(), (int64_t)n_received));
        cr_assert(is_file_from(0, 0));
        lseek(file, 0, SEEK_SET);
        n_received = 0;
}

Test(sendfile, may_be_cancelled_in_every_turn)
{
        struct sending sending = of_file();

        for (int turn = 0; turn < 8; turn++)
                cancel_in_turn(&sending, turn);
}

Test(sendfile, may_be_cancelled_in_every_turn_over_a_transport)
{
        struct sending sending = over_transport();

        open_transport(&sending);
        for (int turn = 0; turn < 8; turn++)
                cancel_in_turn(&sending, turn);
        cr_assert(auv_transport_is_reading(sending.transport));
        cr_assert(eq(int, auv_transport_write(sending.transport, "x", 1), 0));
        close_transport(&sending);
}

/* Times out in a turn: the position tells where to go on. */
static void time_out_in_turn(struct sending *sending, int turn)
{
        struct limit limit = { .fn = sends, .arg = sending };
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, coro_within_limit, &limit, 0, NULL);

        for (int i = 0; i < turn; i++) {
                loop_turn();
                take(60000);
        }
        limit_expire(&limit);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ETIMEDOUT));
        cr_assert(eq(int, sending->r, AUV_ECANCELED));
        loop_turns(3);
        take(SIZE_MAX);
        cr_assert(eq(i64, position(), (int64_t)n_received));
        sending->offset = position();
        cr_assert(eq(int, run(sending), 0));
        cr_assert(eq(sz, n_received, FILE_SIZE));
        cr_assert(is_file_from(0, 0));
        sending->offset = 0;
        lseek(file, 0, SEEK_SET);
        n_received = 0;
}

Test(sendfile, may_time_out_in_every_turn)
{
        struct sending sending = of_file();

        for (int turn = 1; turn < 8; turn++)
                time_out_in_turn(&sending, turn);
}

Test(sendfile, may_time_out_in_every_turn_over_a_transport)
{
        struct sending sending = over_transport();

        open_transport(&sending);
        for (int turn = 1; turn < 8; turn++)
                time_out_in_turn(&sending, turn);
        close_transport(&sending);
}

/* A pipe that nobody writes to keeps a thread of the pool; it is let go after the cancellation. */
Test(sendfile, may_be_cancelled_while_it_reads)
{
        struct sending sending = of_file();
        int ends[2];

        for (int turn = 0; turn < 4; turn++) {
                AUV_AUTO auv_task *task = NULL;

                cr_assert(eq(int, pipe2(ends, O_CLOEXEC), 0));
                sending.file = ends[0];
                task = start(&sending);
                for (int i = 0; i < turn; i++)
                        loop_turn();
                auv_future_cancel(task, NULL);
                cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
                cr_assert(eq(sz, (size_t)write(ends[1], "late", 4), 4));
                close(ends[1]);
                loop_turns(2);
                take(SIZE_MAX);
                cr_assert(eq(sz, n_received, 0));
                /* the read that is under way has the descriptor */
                while (uv_loop_alive(auv_loop_uv(loop)))
                        loop_turn();
                close(ends[0]);
        }
}

Test(sendfile, is_taken_down_with_its_loop)
{
        struct sending sending = over_transport();

        open_transport(&sending);
        auv_unref(start(&sending));
        loop_turns(2);
        sending.transport = auv_unref(sending.transport);
        loop = auv_unref(loop);
        cr_assert(eq(int, sending.r, AUV_ECLOSED));
        cr_assert(eq(int, reports_drop(), 1));
        loop = loop_new();
}

static int asks_twice(void *arg, auv_value *ret)
{
        return auv_await_sendfile(arg, file, 0, 0, 0, NULL);
}

Test(sendfile, refuses_what_has_no_meaning)
{
        struct sending sending = of_file(), over = over_transport();
        AUV_AUTO auv_task *task = NULL;
        const int socket_fd = near, datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

        sending.offset = -1;
        cr_assert(eq(int, run(&sending), AUV_EINVAL));
        sending.offset = 0;
        sending.flags = 1 << 7;
        cr_assert(eq(int, run(&sending), AUV_EINVAL));
        sending.flags = 0;
        sending.file = -1;
        cr_assert(eq(int, loop_run(sends, &sending, NULL), AUV_EBADF));
        near = datagrams;
        cr_assert(eq(int, run(&sending), AUV_EINVAL));
        near = -1;
        cr_assert(eq(int, run(&sending), AUV_EBADF));
        close(datagrams);
        near = socket_fd;
        cr_assert(eq(int, sends(&sending, NULL), AUV_ENOTASK));
        cr_assert(eq(int, asks_twice(NULL, NULL), AUV_ENOTASK));
        cr_assert(eq(int, loop_run(asks_twice, NULL, NULL), AUV_EINVAL));

        open_transport(&over);
        task = start(&over);
        loop_turns(2);
        cr_assert(eq(int, loop_run(asks_twice, over.transport, NULL), AUV_ERUNTIME));
        auv_future_cancel(task, NULL);
        loop_turns(2);
        auv_transport_write_eof(over.transport);
        cr_assert(eq(int, loop_run(asks_twice, over.transport, NULL), AUV_ERUNTIME));
        auv_transport_close(over.transport);
        cr_assert(eq(int, loop_run(asks_twice, over.transport, NULL), AUV_ERUNTIME));
        close_transport(&over);
}

static int takes_pipe(void *arg, auv_value *ret)
{
        struct sending *sending = arg;
        int ends[2];

        cr_assert(eq(int, pipe2(ends, O_CLOEXEC), 0));
        close_at(&far);
        far = ends[0];
        return auv_await_connect_write_pipe(make_protocol, sending, ends[1], &sending->transport);
}

Test(sendfile, is_for_transports_of_sockets)
{
        struct sending sending = over_transport();

        cr_assert(eq(int, loop_run(takes_pipe, &sending, NULL), 0));
        cr_assert(eq(int, loop_run(sends, &sending, NULL), AUV_ERUNTIME));
        close_transport(&sending);
}

Test(sendfile, is_for_transports_of_the_own_loop)
{
        struct sending sending = over_transport();

        open_transport(&sending);
        loop_run_apart(sends, &sending);
        cr_assert(eq(int, sending.r, AUV_ERUNTIME));
        close_transport(&sending);
}

Test(sendfile, must_not_block_in_debug_mode)
{
        struct sending sending = of_file();

        fcntl(near, F_SETFL, fcntl(near, F_GETFL) & ~O_NONBLOCK);
        auv_loop_set_debug(loop, true);
        cr_assert(eq(int, run(&sending), AUV_EINVAL));
}

static int sends_both(void *arg, auv_value *ret)
{
        struct sending *sending = arg;
        int r = takes_near(sending, NULL);

        sending->count = 1000;
        if (r == 0)
                r = sends(sending, NULL);
        sending->file = open_pipe(100);
        if (r == 0)
                r = sends(sending, NULL);
        close(sending->file);
        auv_transport_abort(sending->transport);
        auv_await_sleep(0);
        auv_unref(sending->transport);
        return r;
}

static void send_once(void)
{
        struct sending sending = of_file();
        int pair[2];

        close_at(&near);
        close_at(&far);
        cr_assert(eq(int, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0));
        near = pair[0];
        far = pair[1];
        loop_run_apart(sends_both, &sending);
}

Test(sendfile, fails_cleanly_without_memory)
{
        const int descriptors = descriptors_open();

        cr_assert(gt(int, (int)failing_allocator_sweep(send_once), 8));
        close_at(&near);
        close_at(&far);
        cr_assert(eq(int, descriptors_open(), descriptors - 2));
}

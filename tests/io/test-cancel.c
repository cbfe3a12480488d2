/* SPDX-License-Identifier: MIT */

/*
 * Whole conversations, cancelled in each turn of their life, and given up by a timeout in each of them. What
 * they have opened by then goes: the fixture counts blocks, this counts descriptors. What one operation
 * does when it is cancelled, its own tests say.
 */

#include "support/descriptors.h"
#include "support/limit.h"
#include "support/loop.h"

#include "loop/loop.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

static uv_check_t look; /* active only within a turn that waits */

static void stop(uv_check_t *check)
{
        auv_loop_stop(loop);
}

static void setup(void)
{
        loop_setup();
        uv_check_init(auv_loop_uv(loop), &look);
}

static void teardown(void)
{
        uv_close((uv_handle_t *)&look, /* close_cb= */ NULL);
        loop_turn();
        loop_teardown();
}

TestSuite(cancel, .init = setup, .fini = teardown);

/*
 * A turn that has something to do, however long the system takes to bring it: with nothing ready it waits,
 * until libuv has looked. So a conversation has as many turns on a busy machine.
 */
static void turn_with_something(void)
{
        if (!auv__ready_is_empty(&loop->ready)) {
                loop_turn();
                return;
        }
        uv_check_start(&look, stop);
        cr_assert(eq(int, auv_loop_run_forever(loop), 0));
        uv_check_stop(&look);
}

static char much[1 << 20];

static int port_of(auv_server *server)
{
        struct sockaddr_in address;
        socklen_t size = sizeof(address);
        int fd;

        cr_assert(eq(sz, auv_server_sockets(server, &fd, 1), 1));
        cr_assert(eq(int, getsockname(fd, (struct sockaddr *)&address, &size), 0));
        return ntohs(address.sin_port);
}

/* Streams */

/* Says something, hears all there is, and says another thing. */
static int answer(auv_stream_reader *reader, auv_stream_writer *writer)
{
        const char *data;
        size_t size;

        AUV_TRY(auv_stream_write(writer, "one\ntwo;three", 13));
        do
                AUV_TRY(auv_await_stream_read(reader, 65536, &data, &size));
        while (size > 0);
        return auv_stream_write(writer, "end", 3);
}

/* Who is broken off leaves without having read all. */
static int answers(void *arg, auv_stream_reader *reader, auv_stream_writer *writer)
{
        const int r = answer(reader, writer);

        return r == AUV_ECONNRESET || r == AUV_EPIPE ? 0 : r;
}

static int talks(auv_stream_reader *reader, auv_stream_writer *writer)
{
        const auv_buffer semicolon = { .data = ";", .size = 1 };
        const char *data;
        char five[5];
        size_t size;

        AUV_TRY(auv_await_stream_readline(reader, &data, &size));
        AUV_TRY(auv_await_stream_readuntil(reader, &semicolon, 1, &data, &size));
        AUV_TRY(auv_await_stream_readexactly(reader, five, sizeof(five)));
        cr_assert(memcmp(five, "three", sizeof(five)) == 0);
        AUV_TRY(auv_stream_write(writer, much, sizeof(much)));
        AUV_TRY(auv_await_stream_drain(writer));
        AUV_TRY(auv_stream_write_eof(writer));
        AUV_TRY(auv_await_stream_read(reader, AUV_STREAM_ALL, &data, &size));
        cr_assert(size == 3 && memcmp(data, "end", 3) == 0);
        auv_stream_close(writer);
        return auv_await_stream_wait_closed(writer);
}

static int talks_to(auv_server *server, const char *path)
{
        AUV_AUTO auv_stream_reader *reader = NULL;
        AUV_AUTO auv_stream_writer *writer = NULL;

        if (path)
                AUV_TRY(auv_await_open_unix_connection(path, NULL, &reader, &writer));
        else
                AUV_TRY(auv_await_open_connection("127.0.0.1", port_of(server), NULL, &reader, &writer));
        return talks(reader, writer);
}

static int ends(auv_server *server, int r)
{
        auv_server_close(server);
        return r < 0 ? r : auv_await_server_wait_closed(server);
}

static int streams_by_tcp(void)
{
        AUV_AUTO auv_server *server = NULL;

        AUV_TRY(auv_await_start_server(answers, NULL, "127.0.0.1", 0, NULL, &server));
        return ends(server, talks_to(server, /* path= */ NULL));
}

static int streams_by_unix(void)
{
        AUV_AUTO auv_server *server = NULL;
        char path[64];

        snprintf(path, sizeof(path), "@test-cancel-%d", getpid());
        AUV_TRY(auv_await_start_unix_server(answers, NULL, path, NULL, &server));
        return ends(server, talks_to(server, path));
}

/* Transports, whose protocols want to know nothing */

static int make_protocol(void *arg, auv_protocol *ret_protocol)
{
        static const auv_protocol_functions functions = AUV_PROTOCOL_FUNCTIONS();

        *ret_protocol = (auv_protocol) { .functions = &functions };
        return 0;
}

static int sends_itself(auv_transport *transport)
{
        const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        const int r = auv_await_sendfile(transport, file, /* offset= */ 0, sizeof(much), 0, NULL);

        close(file);
        auv_transport_close(transport);
        return r;
}

static int sends_to(auv_server *server, const char *path)
{
        AUV_AUTO auv_transport *transport = NULL;
        int r;

        AUV_TRY(auv_await_server_start_serving(server));
        if (path)
                r = auv_await_create_unix_connection(make_protocol, NULL, path, NULL, &transport);
        else
                r = auv_await_create_connection(make_protocol, NULL, "127.0.0.1", port_of(server), NULL,
                                                &transport);
        return r < 0 ? r : sends_itself(transport);
}

static int transports_by_tcp(void)
{
        AUV_AUTO auv_server *server = NULL;

        AUV_TRY(auv_await_create_server(make_protocol, NULL, "127.0.0.1", 0,
                                        AUV_SERVER_OPTIONS(.defer_serving = true), &server));
        return ends(server, sends_to(server, /* path= */ NULL));
}

static int transports_by_unix(void)
{
        AUV_AUTO auv_server *server = NULL;
        char path[64];

        snprintf(path, sizeof(path), "@test-cancel-%d", getpid());
        AUV_TRY(auv_await_create_unix_server(make_protocol, NULL, path,
                                             AUV_SERVER_OPTIONS(.defer_serving = true), &server));
        return ends(server, sends_to(server, path));
}

static int transport_of_a_socket(void)
{
        AUV_AUTO auv_transport *transport = NULL;
        int pair[2], r;

        cr_assert(eq(int, socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0));
        r = auv_await_connect_accepted_socket(make_protocol, NULL, pair[0], &transport);
        close(pair[1]);
        return r;
}

static int transports_of_a_pipe(void)
{
        AUV_AUTO auv_transport *from = NULL;
        AUV_AUTO auv_transport *to = NULL;
        int pair[2], r;

        cr_assert(eq(int, pipe(pair), 0));
        r = auv_await_connect_read_pipe(make_protocol, NULL, pair[0], &from);
        if (r < 0) {
                close(pair[1]);
                return r;
        }
        AUV_TRY(auv_await_connect_write_pipe(make_protocol, NULL, pair[1], &to));
        AUV_TRY(auv_transport_write(to, "x", 1));
        auv_transport_close(to);
        return 0;
}

static int datagrams(void)
{
        AUV_AUTO auv_transport *transport = NULL;

        AUV_TRY(auv_await_create_datagram_endpoint(make_protocol, NULL, "127.0.0.1", 0, NULL, 0, NULL,
                                                   &transport));
        auv_transport_close(transport);
        return 0;
}

static int finds_names(void)
{
        const struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
        struct addrinfo *list;
        char host[256];

        AUV_TRY(auv_await_getaddrinfo("localhost", NULL, NULL, &list));
        auv_freeaddrinfo(list);
        return auv_await_getnameinfo((const struct sockaddr *)&address, 0, host, sizeof(host), NULL, 0);
}

/* What does not end by itself */

static int serves(void)
{
        AUV_AUTO auv_server *server = NULL;

        AUV_TRY(auv_await_create_server(make_protocol, NULL, "127.0.0.1", 0, NULL, &server));
        return ends(server, auv_await_server_serve_forever(server));
}

static int receives_nothing(void)
{
        int pair[2], r;
        char byte;
        size_t size;

        cr_assert(eq(int, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0));
        r = auv_await_sock_recv(pair[0], &byte, 1, &size);
        close(pair[0]);
        close(pair[1]);
        return r;
}

static int sends_too_much(void)
{
        int pair[2], r;

        cr_assert(eq(int, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0));
        r = auv_await_sock_sendall(pair[0], much, sizeof(much));
        close(pair[0]);
        close(pair[1]);
        return r;
}

struct scene {
        const char *name;
        int (*run)(void);
        int turns; /* in which it has ended at the most; 0 where it does not end */
};

static const struct scene scenes[] = {
        { "streams by TCP", streams_by_tcp, 200 },
        { "streams by Unix sockets", streams_by_unix, 200 },
        { "transports by TCP", transports_by_tcp, 200 },
        { "transports by Unix sockets", transports_by_unix, 200 },
        { "a transport of a socket", transport_of_a_socket, 20 },
        { "transports of a pipe", transports_of_a_pipe, 20 },
        { "datagrams", datagrams, 20 },
        { "names", finds_names, 20 },
        { "a server that serves forever", serves, 0 },
        { "a socket that nobody sends to", receives_nothing, 0 },
        { "a socket that nobody reads from", sends_too_much, 0 },
};

enum { N_SCENES = sizeof(scenes) / sizeof(scenes[0]), FEW = 12 };

static int plays(void *arg, auv_value *ret)
{
        return ((const struct scene *)arg)->run();
}

static int n_broken_off;

/* Returns whether the scene had ended by itself before the turn in which it was to be broken off. */
static bool break_off(const struct scene *scene, int turns, bool by_timeout)
{
        const int descriptors = descriptors_open();
        struct limit limit = { .fn = plays, .arg = (void *)scene };
        AUV_AUTO auv_task *task = by_timeout
                ? auv_loop_create_task(loop, coro_within_limit, &limit, 0, NULL)
                : auv_loop_create_task(loop, plays, (void *)scene, 0, NULL);
        const int expected = by_timeout ? AUV_ETIMEDOUT : AUV_ECANCELED;
        bool has_ended;
        int r;

        for (int i = 0; i < turns && !auv_future_done(task); i++)
                (scene->turns ? turn_with_something : loop_turn)();
        has_ended = auv_future_done(task);
        if (!has_ended && by_timeout)
                limit_expire(&limit);
        else if (!has_ended)
                auv_task_cancel(task, NULL);
        r = auv_loop_run_until_complete(loop, task, NULL);
        /* That it was just about to end is no mistake. */
        if (r < 0 && !has_ended) {
                cr_assert(eq(int, r, expected), "%s, %d turns", scene->name, turns);
                n_broken_off++;
        } else {
                cr_assert(eq(int, r, 0), "%s, %d turns", scene->name, turns);
        }
        /* What was written before is still sent, and a lookup's thread goes on. */
        while (uv_loop_alive(auv_loop_uv(loop)))
                turn_with_something();
        cr_assert(eq(int, descriptors_open(), descriptors), "%s, %d turns", scene->name, turns);
        return has_ended;
}

static void break_off_in_each_turn(bool by_timeout)
{
        for (int i = 0; i < N_SCENES; i++) {
                const struct scene *scene = &scenes[i];
                const int most = scene->turns ? scene->turns : FEW;
                int turns = by_timeout; /* a timeout has to have been entered */

                n_broken_off = 0;
                while (turns <= most && !break_off(scene, turns, by_timeout))
                        turns++;
                cr_assert(gt(int, n_broken_off, 0), "%s", scene->name);
                cr_assert(scene->turns == 0 || turns <= most, "%s has not ended", scene->name);
        }
}

Test(cancel, may_come_in_each_turn_of_a_conversation)
{
        break_off_in_each_turn(/* by_timeout= */ false);
}

Test(cancel, may_be_a_timeout_in_each_turn_of_a_conversation)
{
        break_off_in_each_turn(/* by_timeout= */ true);
}

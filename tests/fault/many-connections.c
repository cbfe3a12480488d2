/* SPDX-License-Identifier: MIT */

/*
 * many-connections - a server of streams against more clients than a friendly world has
 *
 * usage: many-connections at-once|in-turn|resets
 *
 * The clients are in a process of their own, with blocking sockets and nothing of the library. Both
 * sides count and compare what they send and receive; the server's side counts its descriptors and
 * blocks as well. AUV_TEST_CONNECTIONS in the environment says how many connections are made.
 * Ends with status 77 where the limit of descriptors does not allow so many.
 */

#include "support/check.h"
#include "support/descriptors.h"
#include "support/failing_allocator.h"
#include "support/instrumented.h"
#include "support/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the server sends on top of the echo where it is asked for much: more than any buffer takes. */
enum { MUCH = 8 * 1024 * 1024 };

struct mode {
        const char *name;
        long n;                              /* connections, in each of two rounds */
        long n_instrumented;                 /* when a sanitizer makes all slow */
        int (*talk)(long n, in_port_t port); /* the clients; returns their exit status */
        long n_at_once; /* how many of them are open at the same time, at the least; 0 for all */
};

static const struct mode *mode;
static long n_connections;
static long n_begun;
static long n_open;
static long n_most;
static auv_event *all_ended;

/*
 * The server: echoes. On "M" it sends much, and drains as it should.
 */
static int echo(auv_stream_reader *reader, auv_stream_writer *writer)
{
        static char much[65536];
        const char *data;
        size_t size;

        for (;;) {
                AUV_TRY(auv_await_stream_read(reader, 65536, &data, &size));
                if (size == 0)
                        return 0;
                AUV_TRY(auv_stream_write(writer, data, size));
                for (long sent = 0; size == 1 && data[0] == 'M' && sent < MUCH; sent += sizeof(much)) {
                        AUV_TRY(auv_stream_write(writer, much, sizeof(much)));
                        AUV_TRY(auv_await_stream_drain(writer));
                }
                AUV_TRY(auv_await_stream_drain(writer));
        }
}

static int serve(void *arg, auv_stream_reader *reader, auv_stream_writer *writer)
{
        int r;

        n_begun++;
        n_open++;
        if (n_open > n_most)
                n_most = n_open;
        r = echo(reader, writer);
        CHECK(r == 0 || r == AUV_ECONNRESET || r == AUV_EPIPE);
        auv_stream_close(writer);
        n_open--;
        if (n_begun == n_connections && n_open == 0)
                auv_event_set(all_ended);
        return 0;
}

/* The clients. A failure of one is the end of all. */
static void expect(bool condition, const char *what)
{
        if (condition)
                return;
        fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
        _exit(EXIT_FAILURE);
}

/* Addresses of their own, for there are not as many ports as connections that have just ended. */
static int open_client(long i, in_port_t port)
{
        const struct sockaddr_in from = { .sin_family = AF_INET,
                                          .sin_addr.s_addr =
                                                  htonl(INADDR_LOOPBACK + 1 + (in_addr_t)(i % 200)) };
        const struct sockaddr_in to = { .sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                        .sin_port = port };
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        expect(fd >= 0, "socket");
        expect(!setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int) { 1 }, sizeof(int)), "port");
        expect(!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int) { 1 }, sizeof(int)), "no delay");
        expect(!bind(fd, (const struct sockaddr *)&from, sizeof(from)), "bind");
        expect(!connect(fd, (const struct sockaddr *)&to, sizeof(to)), "connect");
        return fd;
}

static void say(int fd, const void *data, size_t size)
{
        expect(send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size, "send");
}

static void hear(int fd, const void *data, size_t size)
{
        char heard[64];

        expect(recv(fd, heard, size, MSG_WAITALL) == (ssize_t)size && !memcmp(heard, data, size), "receive");
}

static void end(int fd)
{
        char byte;

        expect(!shutdown(fd, SHUT_WR), "shutdown");
        expect(recv(fd, &byte, 1, 0) == 0, "end");
        close(fd);
}

static void reset(int fd)
{
        const struct linger linger = { .l_onoff = 1 };

        expect(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), "linger");
        close(fd);
}

static int talk_at_once(long n, in_port_t port)
{
        int *fds = calloc((size_t)n, sizeof(*fds));

        expect(fds, "memory");
        for (long i = 0; i < n; i++)
                fds[i] = open_client(i, port);
        for (long i = 0; i < n; i++)
                say(fds[i], &i, sizeof(i));
        for (long i = n; i-- > 0;)
                hear(fds[i], &i, sizeof(i));
        for (long i = 0; i < n; i++)
                end(fds[i]);
        free(fds);
        return EXIT_SUCCESS;
}

static int talk_in_turn(long n, in_port_t port)
{
        for (long i = 0; i < n; i++) {
                const int fd = open_client(i, port);

                if (i % 8 > 0)
                        say(fd, &i, sizeof(i));
                if (i % 8 > 3)
                        hear(fd, &i, sizeof(i));
                if (i % 8 == 7)
                        end(fd);
                else
                        reset(fd);
        }
        return EXIT_SUCCESS;
}

/* Byte by byte, then much; one step more for each client, and then a reset, whatever is on its way. */
static int talk_and_reset(long n, in_port_t port)
{
        static char heard[MUCH];
        static const char text[] = "a conversation";
        const long n_steps = 2 * (long)sizeof(text) + 5;

        for (long i = 0; i < n; i++) {
                const int fd = open_client(i, port);
                long step = i % n_steps;

                for (size_t at = 0; at < sizeof(text); at++) {
                        if (step-- > 0)
                                say(fd, text + at, 1);
                        if (step-- > 0)
                                hear(fd, text + at, 1);
                }
                if (step-- > 0)
                        say(fd, "M", 1);
                if (step-- > 0)
                        hear(fd, "M", 1);
                if (step-- > 0)
                        expect(recv(fd, heard, 100000, MSG_WAITALL) == 100000, "much");
                if (step-- > 0)
                        expect(recv(fd, heard, MUCH - 100000, MSG_WAITALL) == MUCH - 100000, "all");
                if (step < 0)
                        reset(fd);
                else
                        end(fd);
        }
        return EXIT_SUCCESS;
}

static const struct mode modes[] = {
        { "at-once", 10000, 1000, talk_at_once, 0 },
        { "in-turn", 50000, 1000, talk_in_turn, 1 },
        { "resets", 350, 70, talk_and_reset, 1 },
};

/* The clients' process. It holds an end of @ret_alive as long as it lives. */
static pid_t start_clients(in_port_t port, int *ret_alive)
{
        int pair[2];
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                abort();
        pid = fork();
        if (pid == 0)
                _exit(mode->talk(n_connections, port));
        close(pair[1]);
        *ret_alive = pair[0];
        return pid;
}

/* One round. In the first, the library may allocate what it keeps for the next ones. */
static int await_clients(in_port_t port, bool is_warm)
{
        const int n_descriptors = descriptors_open();
        const long n_blocks = failing_allocator_live();
        int alive, status;
        char byte;
        size_t size;
        pid_t pid;

        n_begun = 0;
        auv_event_clear(all_ended);
        pid = start_clients(port, &alive);
        CHECK(pid > 0);
        CHECK(auv_await_sock_recv(alive, &byte, 1, &size) == 0 && size == 0);
        close(alive);
        CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
        if (!CHECK(status == 0))
                return AUV_ECANCELED;

        AUV_TRY(auv_await_event_wait(all_ended));
        /* The tasks have ended; their transports go in the turns after that. */
        for (int i = 0; i < 10; i++)
                AUV_TRY(auv_await_sleep(0));
        CHECK(n_begun == n_connections);
        CHECK(descriptors_open() == n_descriptors);
        if (is_warm)
                CHECK(failing_allocator_live() == n_blocks);
        return 0;
}

static int amain(void *arg, auv_value *ret)
{
        AUV_AUTO auv_server *server = NULL;
        struct sockaddr_in address;
        socklen_t size = sizeof(address);
        int fd;

        /* Where it is short, the system lets clients wait a second for another try. */
        AUV_TRY(auv_await_start_server(serve, NULL, "127.0.0.1", 0, AUV_SERVER_OPTIONS(.backlog = 4096),
                                       &server));
        CHECK(auv_server_sockets(server, &fd, 1) == 1);
        CHECK(getsockname(fd, (struct sockaddr *)&address, &size) == 0);

        AUV_TRY(await_clients(address.sin_port, /* is_warm= */ false));
        AUV_TRY(await_clients(address.sin_port, /* is_warm= */ true));
        CHECK(n_most >= (mode->n_at_once ? mode->n_at_once : n_connections));
        auv_server_close(server);
        return auv_await_server_wait_closed(server);
}

int main(int argc, char **argv)
{
        const char *number = getenv("AUV_TEST_CONNECTIONS");
        struct rlimit limit;

        for (size_t i = 0; argc == 2 && i < sizeof(modes) / sizeof(modes[0]); i++)
                if (!strcmp(argv[1], modes[i].name))
                        mode = &modes[i];
        if (!mode) {
                fprintf(stderr, "usage: %s at-once|in-turn|resets\n", argv[0]);
                return 2;
        }
#if WITH_ADDRESS_SANITIZER || WITH_THREAD_SANITIZER
        n_connections = mode->n_instrumented;
#else
        n_connections = mode->n;
#endif
        if (number && *number)
                n_connections = atol(number);

        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        if (!mode->n_at_once && limit.rlim_cur < (rlim_t)n_connections + 50) {
                printf("the limit of descriptors is %ju\n", (uintmax_t)limit.rlim_cur);
                return 77;
        }

        loop_setup();
        all_ended = auv_event_new();
        CHECK(loop_run(amain, NULL, NULL) == 0);
        auv_unref(all_ended);
        loop_teardown();
        return check_report();
}

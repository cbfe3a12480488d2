/* SPDX-License-Identifier: MIT */
#include "far.h"

#include "support/loop.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in on_this_host(int port)
{
        return (struct sockaddr_in) { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* A turn of the loop. After some in which nothing happened, the system has a moment to make it happen. */
static void turn_loop(int turn)
{
        enum { EAGER = 50, MILLISECOND = 1 };

        loop_turn();
        if (turn > EAGER)
                poll(NULL, 0, MILLISECOND);
}

/* What is sent in pieces is not to wait for the answer to the piece before. */
static void send_at_once(int peer)
{
        const int on = 1;

        setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int far_pair(int *ret_near)
{
        int pair[2];

        cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
        *ret_near = pair[0];
        return pair[1];
}

/* Once connected it does not block: on this host a connection is made at once, or refused. */
int far_connect(int port)
{
        const struct sockaddr_in address = on_this_host(port);
        const int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

        cr_assert(connect(peer, (const struct sockaddr *)&address, sizeof(address)) == 0);
        cr_assert(ioctl(peer, FIONBIO, &on) == 0);
        send_at_once(peer);
        return peer;
}

int far_listen(int *ret_port)
{
        struct sockaddr_in address = on_this_host(0);
        const int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        socklen_t size = sizeof(address);

        cr_assert(bind(listening, (const struct sockaddr *)&address, size) == 0);
        cr_assert(listen(listening, 100) == 0);
        cr_assert(getsockname(listening, (struct sockaddr *)&address, &size) == 0);
        *ret_port = ntohs(address.sin_port);
        return listening;
}

int far_accept(int listening)
{
        for (int turn = 0; turn < FAR_PATIENCE; turn++) {
                const int peer = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

                if (peer >= 0) {
                        send_at_once(peer);
                        return peer;
                }
                cr_assert(errno == EAGAIN);
                turn_loop(turn);
        }
        cr_assert(false, "nobody connects");
        return -1;
}

void far_send(int peer, const void *data, size_t size)
{
        const char *next = data;

        for (int turn = 0; size > 0; turn++) {
                const ssize_t n = send(peer, next, size, MSG_NOSIGNAL);

                cr_assert(n >= 0 || errno == EAGAIN);
                cr_assert(turn < FAR_PATIENCE, "nobody reads");
                if (n > 0) {
                        next += n;
                        size -= (size_t)n;
                        turn = 0;
                }
                turn_loop(turn);
        }
}

bool far_receive(int peer, void *buffer, size_t size)
{
        char *next = buffer;

        for (int turn = 0; size > 0; turn++) {
                const ssize_t n = recv(peer, next, size, 0);

                if (n == 0 || (n < 0 && errno != EAGAIN))
                        return false;
                cr_assert(turn < FAR_PATIENCE, "nothing comes: %zu missing", size);
                if (n > 0) {
                        next += n;
                        size -= (size_t)n;
                        turn = 0;
                }
                turn_loop(turn);
        }
        return true;
}

bool far_sees_end(int peer)
{
        char byte;

        for (int turn = 0; turn < FAR_PATIENCE; turn++) {
                const ssize_t n = recv(peer, &byte, 1, 0);

                if (n >= 0 || errno != EAGAIN)
                        return n == 0;
                turn_loop(turn);
        }
        return false;
}

void far_reset(int peer)
{
        const struct linger at_once = { .l_onoff = 1 };

        setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(peer);
}

int far_finish(auv_task *task)
{
        auv_error *error = NULL;
        int r;

        for (int turn = 0; !auv_future_done(task); turn++) {
                cr_assert(turn < FAR_PATIENCE, "the task does not end");
                turn_loop(turn);
        }
        r = auv_future_exception(task, &error);
        if (r == 0)
                r = auv_error_code(error);
        auv_unref(task);
        return r;
}

/* SPDX-License-Identifier: MIT */
/*
 * port-scanner - find the ports of a host at which somebody listens
 *
 *      port-scanner example.org 1 1024
 *      port-scanner -c 500 -t 0.5 127.0.0.1 1 65535
 *
 * A task tries one port. A semaphore limits how many try at once, and the loop that starts the tasks waits
 * for it as well, so there are never more of them than that, however many ports there are. A timeout limits
 * each try: a port that is filtered would not answer for minutes. All of it is a task group, so that what
 * goes wrong for good in one of the tasks ends the others, too.
 *
 * Prints the open ports in their order, and then a count of all: "3 open, 20 closed, 1 filtered".
 */

#include "argument.h"

#include <arpa/inet.h>
#include <asyncuv.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_PORT = 65535 };

enum state { FILTERED, CLOSED, OPEN, N_STATES };

struct scan {
        const char *host;
        int first;
        int last;
        double time_limit; /* seconds for each port */
        struct sockaddr_storage address;
        socklen_t address_size;
        auv_semaphore *may_try;
        unsigned char states[MAX_PORT + 1]; /* enum state, by port */
};

struct probe {
        struct scan *scan;
        int port;
};

static void set_port(struct sockaddr_storage *address, int port)
{
        if (address->ss_family == AF_INET)
                ((struct sockaddr_in *)address)->sin_port = htons((uint16_t)port);
        else
                ((struct sockaddr_in6 *)address)->sin6_port = htons((uint16_t)port);
}

/* What the end of a try says about the port; -1 where it says something about us. */
static int state_of(int r)
{
        switch (r) {
        case 0:
                return OPEN;
        case AUV_ECONNREFUSED:
        case AUV_ECONNRESET:
                return CLOSED;
        case AUV_ETIMEDOUT:
        case AUV_EHOSTUNREACH:
        case AUV_ENETUNREACH:
        case AUV_EACCES:
        case AUV_EPERM:
                return FILTERED;
        default:
                return -1;
        }
}

/*
 * Whether a socket is connected to itself. On the loopback the system may choose for it the very port that
 * it tries, where nobody has that.
 */
static bool is_own_peer(int fd)
{
        struct sockaddr_storage own = { 0 }, peer = { 0 };
        socklen_t own_size = sizeof(own), peer_size = sizeof(peer);

        return getsockname(fd, (struct sockaddr *)&own, &own_size) == 0 &&
               getpeername(fd, (struct sockaddr *)&peer, &peer_size) == 0 && own_size == peer_size &&
               memcmp(&own, &peer, own_size) == 0;
}

/* Tries to connect to a port, for so long. Returns 0 or the error. */
static int await_connected(const struct scan *scan, int port)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(scan->time_limit);
        struct sockaddr_storage address = scan->address;
        int fd, r;

        set_port(&address, port);
        fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return auv_raise(-errno, "no socket for port %d: %s", port, strerror(errno));
        r = auv_timeout_enter(limit);
        if (r == 0)
                r = auv_timeout_exit(
                        limit, auv_await_sock_connect(fd, (struct sockaddr *)&address, scan->address_size));
        if (r == 0 && is_own_peer(fd))
                r = AUV_ECONNREFUSED;
        close(fd);
        return r;
}

static int try_port(void *arg, auv_value *ret)
{
        const struct probe *probe = arg;
        struct scan *scan = probe->scan;
        const int r = await_connected(scan, probe->port), state = state_of(r);

        auv_semaphore_release(scan->may_try);
        if (state < 0)
                return r;
        scan->states[probe->port] = (unsigned char)state;
        return 0;
}

static int await_tries(struct scan *scan, auv_task_group *group)
{
        for (int port = scan->first; port <= scan->last; port++) {
                const struct probe probe = { .scan = scan, .port = port };
                AUV_AUTO auv_task *task = NULL;

                AUV_TRY(auv_await_semaphore_acquire(scan->may_try));
                task = auv_task_group_create_task(group, try_port, &probe, sizeof(probe),
                                                  /* options= */ NULL);
                if (!task)
                        return auv_raise(AUV_ENOMEM, "no task for port %d", port);
        }
        return 0;
}

static int await_address(struct scan *scan)
{
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
        struct addrinfo *found;

        AUV_TRY(auv_await_getaddrinfo(scan->host, /* service= */ NULL, &hints, &found));
        memcpy(&scan->address, found->ai_addr, found->ai_addrlen);
        scan->address_size = found->ai_addrlen;
        auv_freeaddrinfo(found);
        return 0;
}

static void print_states(const struct scan *scan)
{
        int counts[N_STATES] = { 0 };

        for (int port = scan->first; port <= scan->last; port++) {
                counts[scan->states[port]]++;
                if (scan->states[port] == OPEN)
                        printf("%d\n", port);
        }
        printf("%d open, %d closed, %d filtered\n", counts[OPEN], counts[CLOSED], counts[FILTERED]);
}

static int run(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        struct scan *scan = arg;

        AUV_TRY(await_address(scan));
        AUV_TRY(auv_task_group_enter(group));
        AUV_TRY(auv_await_task_group_exit(group, await_tries(scan, group)));
        print_states(scan);
        return fflush(stdout) == 0 ? 0 : auv_raise(AUV_EIO, "the result could not be written");
}

/* Sets what the command line says. Returns whether it makes sense. */
static bool parse(int argc, char **argv, struct scan *scan, long *ret_n_at_once)
{
        int option;

        while ((option = getopt(argc, argv, "c:t:")) != -1)
                if (!(option == 'c' && argument_count(optarg, ret_n_at_once)) &&
                    !(option == 't' && argument_seconds(optarg, &scan->time_limit)))
                        return false;
        if (argc - optind != 2 && argc - optind != 3)
                return false;
        scan->host = argv[optind];
        if (!argument_port(argv[optind + 1], &scan->first) || !argument_port(argv[argc - 1], &scan->last))
                return false;
        return scan->first > 0 && scan->first <= scan->last;
}

int main(int argc, char **argv)
{
        static struct scan scan = { .time_limit = 1 };
        AUV_AUTO auv_semaphore *may_try = NULL;
        long n_at_once = 100;

        if (!parse(argc, argv, &scan, &n_at_once)) {
                fprintf(stderr, "usage: port-scanner [-c HOW_MANY_AT_ONCE] [-t SECONDS_FOR_EACH] HOST PORT "
                                "[LAST_PORT]\n");
                return 2;
        }
        may_try = auv_semaphore_new(n_at_once);
        scan.may_try = may_try;
        return auv_run(run, &scan) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

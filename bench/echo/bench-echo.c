/* SPDX-License-Identifier: MIT */

/*
 * Drives an echo server, whatever it is written in, and tells what a request costs it.
 *
 * The server is started as a child, and prints "port N" when it listens on 127.0.0.1. Each connection
 * then sends a message, waits until all of it has come back, compares it, and sends the next one. The
 * server's CPU time is what the kernel has counted for all of its threads between the end of the
 * warm-up and the end of the measurement; so the client's own cost is in none of the figures but the
 * requests per second of wall time. With two processors, client and server have one each. Then the client
 * never sleeps: who sends to a client on the same machine pays for waking it, and how often would depend on
 * which of the two happens to be a little faster. To clients elsewhere no server pays that.
 *
 * Plain epoll: the client shall be none of those that are compared.
 */

#include "support/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
        "usage: bench-echo [--peer NAME] [--form NAME] [--connections N] [--size BYTES] [--seconds S]\n"
        "                  [--warmup S] [--no-pin] -- SERVER [ARGUMENT...]\n";

struct options {
        const char *peer;
        const char *form;
        size_t connections;
        size_t size; /* bytes of a message */
        double seconds;
        double warmup;
        bool pin;
        char **server;
};

struct connection {
        int fd;
        size_t sent; /* bytes of the message that is under way */
        size_t received;
        int64_t start_ns;
        bool wants_out; /* epoll is asked about writing, too */
};

/* Latencies, in a histogram whose steps are a 64th of the power of two that they lie in. */
enum { STEPS = 64, POWERS = 40 };

struct client {
        const struct options *options;
        int epoll;
        struct connection *connections;
        char *message;
        char *buffer;
        uint64_t n_done;
        uint64_t latencies[POWERS * STEPS];
};

static void die(const char *what)
{
        fprintf(stderr, "bench-echo: %s: %s\n", what, strerror(errno));
        exit(EXIT_FAILURE);
}

static void fail(const char *what)
{
        fprintf(stderr, "bench-echo: %s\n", what);
        exit(EXIT_FAILURE);
}

static void *allocate(size_t n, size_t size)
{
        void *p = calloc(n, size);

        if (!p)
                die("memory");
        return p;
}

static size_t step_of(uint64_t ns)
{
        const unsigned power = ns < STEPS ? 0 : 63 - (unsigned)__builtin_clzll(ns) - 5;
        const size_t step = power * (STEPS / 2) + (ns >> power);

        return step < POWERS * STEPS ? step : POWERS * STEPS - 1;
}

static uint64_t ns_of(size_t step)
{
        const size_t power = step < STEPS ? 0 : step / (STEPS / 2) - 1;

        return (step - power * (STEPS / 2)) << power;
}

static double percentile_us(const struct client *client, double share)
{
        const uint64_t rank = (uint64_t)((double)client->n_done * share);
        uint64_t n = 0;

        for (size_t step = 0; step < POWERS * STEPS; step++) {
                n += client->latencies[step];
                if (n > rank)
                        return (double)ns_of(step) / 1e3;
        }
        return 0;
}

/* Nanoseconds that all threads of a process have run. */
static uint64_t cpu_ns(pid_t pid)
{
        char path[64 + 256], line[128];
        struct dirent *entry;
        uint64_t sum = 0;
        DIR *folder;
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
        folder = opendir(path);
        if (!folder)
                die(path);
        while ((entry = readdir(folder))) {
                if (entry->d_name[0] == '.')
                        continue;
                snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid, entry->d_name);
                file = fopen(path, "r");
                if (file && fgets(line, sizeof(line), file))
                        sum += strtoull(line, NULL, 10);
                if (file)
                        fclose(file);
        }
        closedir(folder);
        return sum;
}

static void pin_to(int processor)
{
        cpu_set_t set;

        CPU_ZERO(&set);
        CPU_SET(processor, &set);
        sched_setaffinity(0, sizeof(set), &set);
}

/* Starts the server; returns the port that it listens on. */
static int start_server(const struct options *options, pid_t *ret_pid)
{
        int out[2], port = 0;
        char line[128];
        FILE *file;

        if (pipe(out) < 0)
                die("pipe");
        *ret_pid = fork();
        if (*ret_pid < 0)
                die("fork");
        if (*ret_pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL); /* also where the client ends by die() */
                if (options->pin)
                        pin_to(1);
                dup2(out[1], STDOUT_FILENO);
                close(out[0]);
                close(out[1]);
                execvp(options->server[0], options->server);
                die(options->server[0]);
        }
        close(out[1]);
        file = fdopen(out[0], "r");
        while (port == 0 && fgets(line, sizeof(line), file))
                sscanf(line, "port %d", &port);
        if (port == 0)
                fail("the server has not said which port it listens on");
        /* The pipe stays open, so that the server's last words do not kill it. */
        return port;
}

static void watch(struct client *client, struct connection *connection, bool out)
{
        struct epoll_event event = { .events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = connection };

        if (connection->wants_out == out)
                return;
        connection->wants_out = out;
        epoll_ctl(client->epoll, EPOLL_CTL_MOD, connection->fd, &event);
}

static void send_some(struct client *client, struct connection *connection)
{
        const size_t size = client->options->size;

        while (connection->sent < size) {
                const ssize_t n = send(connection->fd, client->message + connection->sent,
                                       size - connection->sent, MSG_NOSIGNAL);

                if (n < 0 && errno == EAGAIN)
                        break;
                if (n < 0)
                        die("send");
                connection->sent += (size_t)n;
        }
        watch(client, connection, connection->sent < size);
}

static void start_request(struct client *client, struct connection *connection)
{
        connection->sent = 0;
        connection->received = 0;
        connection->start_ns = bench_now_ns();
        send_some(client, connection);
}

static void receive(struct client *client, struct connection *connection)
{
        const size_t size = client->options->size;
        const ssize_t n = recv(connection->fd, client->buffer, size - connection->received, 0);

        if (n < 0 && errno == EAGAIN)
                return;
        if (n < 0)
                die("recv");
        if (n == 0)
                fail("the server has closed a connection");
        if (memcmp(client->buffer, client->message + connection->received, (size_t)n) != 0)
                fail("what came back is not what was sent");
        connection->received += (size_t)n;
        if (connection->received < size)
                return;
        client->latencies[step_of((uint64_t)(bench_now_ns() - connection->start_ns))]++;
        client->n_done++;
        start_request(client, connection);
}

/* Longer where nothing has come back until then: a busy machine may not have let the server run at all. */
static void run_until(struct client *client, int64_t end_ns)
{
        enum { EVENTS = 256 };
        const int64_t patience_ns = INT64_C(60000000000);
        const int timeout_ms = client->options->pin ? 0 : 100;
        struct epoll_event events[EVENTS];
        int64_t now_ns;
        int n;

        while ((now_ns = bench_now_ns()) < end_ns || (client->n_done == 0 && now_ns < end_ns + patience_ns)) {
                n = epoll_wait(client->epoll, events, EVENTS, timeout_ms);
                for (int i = 0; i < n; i++) {
                        if (events[i].events & EPOLLOUT)
                                send_some(client, events[i].data.ptr);
                        if (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))
                                receive(client, events[i].data.ptr);
                }
        }
}

static void open_connection(struct client *client, struct connection *connection, int port)
{
        const struct sockaddr_in address = { .sin_family = AF_INET,
                                             .sin_port = htons((uint16_t)port),
                                             .sin_addr = { htonl(INADDR_LOOPBACK) } };
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
        const int on = 1;

        connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connection->fd < 0)
                die("socket");
        if (connect(connection->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                die("connect");
        setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        fcntl(connection->fd, F_SETFL, fcntl(connection->fd, F_GETFL) | O_NONBLOCK);
        if (epoll_ctl(client->epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
                die("epoll_ctl");
}

static void print(const struct options *options, const char *metric, double value, const char *unit)
{
        printf("{\"workload\":\"echo\",\"peer\":\"%s\",\"form\":\"%s\",\"n\":%zu,\"size\":%zu,"
               "\"metric\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"}\n",
               options->peer, options->form, options->connections, options->size, metric, value, unit);
}

static void measure(struct client *client, int port, pid_t server)
{
        const struct options *options = client->options;
        uint64_t cpu;
        int64_t start_ns;
        double seconds;

        for (size_t i = 0; i < options->connections; i++)
                open_connection(client, &client->connections[i], port);
        for (size_t i = 0; i < options->connections; i++)
                start_request(client, &client->connections[i]);
        run_until(client, bench_now_ns() + (int64_t)(options->warmup * 1e9));
        client->n_done = 0;
        memset(client->latencies, 0, sizeof(client->latencies));
        cpu = cpu_ns(server);
        start_ns = bench_now_ns();
        run_until(client, start_ns + (int64_t)(options->seconds * 1e9));
        seconds = (double)(bench_now_ns() - start_ns) / 1e9;
        cpu = cpu_ns(server) - cpu;
        if (client->n_done == 0 || cpu == 0)
                fail("nothing has come back");
        print(options, "req_per_s", (double)client->n_done / seconds, "1/s");
        print(options, "req_per_cpu_s", (double)client->n_done / ((double)cpu / 1e9), "1/s");
        print(options, "cpu_per_req", (double)cpu / (double)client->n_done, "ns");
        print(options, "latency_p50_us", percentile_us(client, 0.50), "us");
        print(options, "latency_p99_us", percentile_us(client, 0.99), "us");
}

static double number(const char *text, double least)
{
        const double most = 1e9;
        char *end;
        const double value = strtod(text, &end);

        if (*end || end == text || !(value >= least && value <= most)) {
                fprintf(stderr, "bench-echo: %s is not a number from %g to %g\n%s", text, least, most,
                        usage);
                exit(2);
        }
        return value;
}

static struct options parse(int argc, char **argv)
{
        static const struct option names[] = {
                { "peer", required_argument, NULL, 'p' },    { "form", required_argument, NULL, 'f' },
                { "connections", required_argument, NULL, 'c' }, { "size", required_argument, NULL, 's' },
                { "seconds", required_argument, NULL, 'd' }, { "warmup", required_argument, NULL, 'w' },
                { "no-pin", no_argument, NULL, 'n' },        { NULL, 0, NULL, 0 },
        };
        struct options options = { .peer = "?", .form = "", .connections = 50, .size = 64,
                                   .seconds = 2, .warmup = 0.5, .pin = true };
        int c;

        while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
                switch (c) {
                case 'p':
                        options.peer = optarg;
                        break;
                case 'f':
                        options.form = optarg;
                        break;
                case 'c':
                        options.connections = (size_t)number(optarg, 1);
                        break;
                case 's':
                        options.size = (size_t)number(optarg, 1);
                        break;
                case 'd':
                        options.seconds = number(optarg, 0);
                        break;
                case 'w':
                        options.warmup = number(optarg, 0);
                        break;
                case 'n':
                        options.pin = false;
                        break;
                default:
                        fputs(usage, stderr);
                        exit(2);
                }
        }
        if (optind >= argc) {
                fputs(usage, stderr);
                exit(2);
        }
        options.server = argv + optind;
        options.pin = options.pin && sysconf(_SC_NPROCESSORS_ONLN) > 1;
        return options;
}

/* A descriptor for each connection, in the client and, as the limit is inherited, in the server. */
static void raise_limit(void)
{
        struct rlimit limit;

        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
        const struct options options = parse(argc, argv);
        struct client *client = allocate(1, sizeof(*client));
        pid_t server;
        int port;

        raise_limit();
        client->options = &options;
        client->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (client->epoll < 0)
                die("epoll_create1");
        client->connections = allocate(options.connections, sizeof(*client->connections));
        client->message = allocate(options.size, 1);
        client->buffer = allocate(options.size, 1);
        for (size_t i = 0; i < options.size; i++)
                client->message[i] = (char)(i * 31 + i / 251);
        port = start_server(&options, &server);
        if (options.pin)
                pin_to(0);
        measure(client, port, server);

        for (size_t i = 0; i < options.connections; i++)
                close(client->connections[i].fd);
        kill(server, SIGTERM);
        waitpid(server, NULL, 0);
        close(client->epoll);
        free(client->message);
        free(client->buffer);
        free(client->connections);
        free(client);
        return 0;
}

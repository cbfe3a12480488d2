/* SPDX-License-Identifier: MIT */
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/recorder.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include "io/connection.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(connect, .init = loop_setup, .fini = loop_teardown);

struct request {
        struct recorder recorder;
        const char *host;
        int port;
        const auv_connection_options *options;
        auv_transport *transport;
};

static int create(void *arg, auv_value *ret)
{
        struct request *request = arg;

        return auv_await_create_connection(recorder_factory, &request->recorder, request->host,
                                           request->port, request->options, &request->transport);
}

/* A socket bound to a loopback address; one that does not listen refuses whoever connects. */
static int bound(const char *host, bool listens, int backlog, int *ret_port)
{
        struct sockaddr_in address = { .sin_family = AF_INET };
        socklen_t size = sizeof(address);
        const int fd = socket(AF_INET, SOCK_STREAM, 0);

        inet_pton(AF_INET, host, &address.sin_addr);
        address.sin_port = htons((uint16_t)*ret_port);
        cr_assert(eq(int, bind(fd, (struct sockaddr *)&address, size), 0));
        if (listens)
                listen(fd, backlog);
        getsockname(fd, (struct sockaddr *)&address, &size);
        *ret_port = ntohs(address.sin_port);
        return fd;
}

/* Ends a connection that was made to @listener. */
static void finish(struct request *request, int listener)
{
        const int peer = accept(listener, NULL, NULL);

        close(peer);
        recorder_until_lost(&request->recorder);
        auv_unref(request->transport);
        request->transport = NULL;
}

Test(connect, reaches_a_server)
{
        int port = 0;
        const int listener = bound("127.0.0.1", true, 5, &port);
        struct request request = { .host = "127.0.0.1", .port = port };
        char text[AUV_ADDRESS_SIZE], expected[AUV_ADDRESS_SIZE];
        auv_value peer, fd;
        int on = 0;
        socklen_t size = sizeof(on);

        cr_assert(eq(int, loop_run(create, &request, NULL), 0));
        cr_assert(request.transport == request.recorder.transport);
        auv_transport_get_extra_info(request.transport, "peername", &peer);
        auv_format_address(peer.p, text, sizeof(text));
        snprintf(expected, sizeof(expected), "127.0.0.1:%d", port);
        cr_assert(eq(str, text, expected));
        auv_transport_get_extra_info(request.transport, "socket", &fd);
        getsockopt((int)fd.i, IPPROTO_TCP, TCP_NODELAY, &on, &size);
        cr_assert(on);
        finish(&request, listener);
        close(listener);
        cr_assert_trace("made eof lost released");
}

Test(connect, says_who_refused)
{
        int port = 0;
        const int fd = bound("127.0.0.1", false, 0, &port);
        struct request request = { .host = "127.0.0.1", .port = port };
        char expected[96];

        snprintf(expected, sizeof(expected), "Connect call failed 127.0.0.1:%d", port);
        cr_assert(eq(int, loop_run(create, &request, NULL), AUV_ECONNREFUSED));
        cr_assert(eq(str, text_or_none(auv_error_message(auv_error_current())), expected));
        cr_assert_trace("");
        close(fd);
}

Test(connect, is_refused_with_all_errors_where_that_is_wanted)
{
        int port = 0;
        const int fd = bound("127.0.0.1", false, 0, &port);
        struct request request = { .host = "127.0.0.1", .port = port,
                                   .options = AUV_CONNECTION_OPTIONS(.all_errors = true) };
        size_t n;

        cr_assert(eq(int, loop_run(create, &request, NULL), AUV_EGROUP));
        cr_assert(eq(str, text_or_none(auv_error_message(auv_error_current())), "create_connection failed"));
        auv_error_members(auv_error_current(), &n);
        cr_assert(eq(sz, n, 1));
        close(fd);
}

Test(connect, binds_to_a_local_address_first)
{
        int port = 0;
        const int listener = bound("127.0.0.1", true, 5, &port);
        struct request request = { .host = "127.0.0.1", .port = port,
                                   .options = AUV_CONNECTION_OPTIONS(.local_host = "127.0.0.3") };
        char text[AUV_ADDRESS_SIZE];
        auv_value own;

        cr_assert(eq(int, loop_run(create, &request, NULL), 0));
        auv_transport_get_extra_info(request.transport, "sockname", &own);
        auv_format_address(own.p, text, sizeof(text));
        cr_assert_has(text, "127.0.0.3:");
        finish(&request, listener);
        close(listener);
}

Test(connect, says_which_local_address_cannot_be_had)
{
        int port = 0;
        const int listener = bound("127.0.0.1", true, 5, &port);
        struct request request = { .host = "127.0.0.1", .port = port,
                                   .options = AUV_CONNECTION_OPTIONS(.local_host = "192.0.2.1") };

        cr_assert(eq(int, loop_run(create, &request, NULL), AUV_EADDRNOTAVAIL));
        cr_assert_has(auv_error_message(auv_error_current()),
                      "error while attempting to bind on address 192.0.2.1:0: address not available");
        request.options = AUV_CONNECTION_OPTIONS(.local_host = "::1");
        cr_assert(eq(int, loop_run(create, &request, NULL), AUV_EADDRNOTAVAIL));
        cr_assert_has(auv_error_message(auv_error_current()), "no local address of the family");
        close(listener);
}

Test(connect, refuses_what_has_no_meaning_and_closes_the_socket_it_was_given)
{
        const struct {
                const char *host;
                int port;
                auv_connection_options options;
                int expected;
        } rows[] = {
                { "127.0.0.1", -1, { 0 }, AUV_EINVAL },
                { "127.0.0.1", 65536, { 0 }, AUV_EINVAL },
                { "127.0.0.1", 1, { .happy_eyeballs_delay = -1 }, AUV_EINVAL },
                { "127.0.0.1", 1, { .interleave = -2 }, AUV_EINVAL },
                { "127.0.0.1", 1, { .local_port = 65536 }, AUV_EINVAL },
                { "127.0.0.1", 0, { .use_sock = true }, AUV_EINVAL },
                { NULL, 1, { .use_sock = true }, AUV_EINVAL },
                { NULL, 0, { .use_sock = true, .interleave = -2 }, AUV_EINVAL },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                auv_connection_options options = rows[i].options;
                struct request request = { .host = rows[i].host, .port = rows[i].port, .options = &options };

                options.size = sizeof(options);
                if (options.use_sock)
                        options.sock = socket(AF_INET, SOCK_STREAM, 0);
                cr_assert(eq(int, loop_run(create, &request, NULL), rows[i].expected), "row %zu", i);
        }
        cr_assert(eq(int, auv_await_create_connection(recorder_factory, NULL, NULL, 1, NULL, NULL),
                     AUV_ENOTASK));
        cr_assert(eq(int,
                     loop_run(create,
                              &(struct request) { .options = &(auv_connection_options) { .size = 1 } },
                              NULL),
                     AUV_EINVAL));
        cr_assert_trace("");
}

/* A list of addresses of the loopback, as getaddrinfo() might give one. */
struct list {
        struct addrinfo infos[4];
        struct sockaddr_storage addresses[4];
        int n;
};

static void add(struct list *list, const char *host, int port)
{
        struct addrinfo *info = &list->infos[list->n];
        struct sockaddr_in *in = (struct sockaddr_in *)&list->addresses[list->n];
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)in;

        *info = (struct addrinfo) { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM,
                                    .ai_addr = (struct sockaddr *)in, .ai_addrlen = sizeof(*in) };
        *in = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
        if (inet_pton(AF_INET, host, &in->sin_addr) != 1) {
                info->ai_family = AF_INET6;
                info->ai_addrlen = sizeof(*in6);
                *in6 = (struct sockaddr_in6) { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
                inet_pton(AF_INET6, host, &in6->sin6_addr);
        }
        if (list->n > 0)
                list->infos[list->n - 1].ai_next = info;
        list->n++;
}

struct race {
        struct list list;
        struct list local; /* empty for none */
        auv_connection_options options;
        int fd;
};

static int await_race(void *arg, auv_value *ret)
{
        struct race *race = arg;
        struct auv__task *task;

        AUV_TRY(auv__await_begin(&task));
        return auv__await_connect_to(task, race->list.infos, race->local.n > 0 ? race->local.infos : NULL,
                                     &race->options, &race->fd);
}

static int peer_port(int fd)
{
        struct sockaddr_in address;
        socklen_t size = sizeof(address);

        getpeername(fd, (struct sockaddr *)&address, &size);
        return ntohs(address.sin_port);
}

Test(connect, tries_the_addresses_in_order)
{
        int refusing = 0, first = 0, second = 0;
        const int fds[] = { bound("127.0.0.1", false, 0, &refusing), bound("127.0.0.1", true, 5, &first),
                            bound("127.0.0.1", true, 5, &second) };
        struct race race = { .fd = -1 };

        add(&race.list, "127.0.0.1", refusing);
        add(&race.list, "127.0.0.1", first);
        add(&race.list, "127.0.0.1", second);
        cr_assert(eq(int, loop_run(await_race, &race, NULL), 0));
        cr_assert(eq(int, peer_port(race.fd), first));
        close(race.fd);
        for (int i = 0; i < 3; i++)
                close(fds[i]);
}

Test(connect, joins_the_errors_of_all_addresses)
{
        int a = 0, b = 0;
        const int fds[] = { bound("127.0.0.1", false, 0, &a), bound("127.0.0.1", false, 0, &b) };
        struct race race = { .fd = -1 };
        char expected[256];

        add(&race.list, "127.0.0.1", a);
        add(&race.list, "127.0.0.1", b);
        cr_assert(eq(int, loop_run(await_race, &race, NULL), AUV_ECONNREFUSED));
        snprintf(expected, sizeof(expected),
                 "Multiple exceptions: ECONNREFUSED: Connect call failed 127.0.0.1:%d, "
                 "ECONNREFUSED: Connect call failed 127.0.0.1:%d", a, b);
        cr_assert(eq(str, text_or_none(auv_error_message(auv_error_current())), expected));
        /* the same text twice is one error */
        race.list.n = 0;
        add(&race.list, "127.0.0.1", a);
        add(&race.list, "127.0.0.1", a);
        cr_assert(eq(int, loop_run(await_race, &race, NULL), AUV_ECONNREFUSED));
        snprintf(expected, sizeof(expected), "Connect call failed 127.0.0.1:%d", a);
        cr_assert(eq(str, text_or_none(auv_error_message(auv_error_current())), expected));
        close(fds[0]);
        close(fds[1]);
}

/*
 * A listener whose backlog is full, so that who connects has no answer. *ret_filler keeps it so.
 */
static int silent(int *ret_port, int fillers[4])
{
        const int listener = bound("127.0.0.1", true, 0, ret_port);
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)*ret_port),
                                       .sin_addr = { htonl(INADDR_LOOPBACK) } };

        for (int i = 0; i < 4; i++) {
                fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
                (void)connect(fillers[i], (struct sockaddr *)&address, sizeof(address));
        }
        return listener;
}

Test(connect, joins_the_errors_of_all_local_addresses)
{
        int port = 0;
        const int listener = bound("127.0.0.1", true, 5, &port);
        struct race race = { .fd = -1 };
        const char *message;

        add(&race.list, "127.0.0.1", port);
        /* of the ranges for documentation, which nobody has */
        add(&race.local, "192.0.2.1", 0);
        add(&race.local, "203.0.113.1", 0);
        cr_assert(eq(int, loop_run(await_race, &race, NULL), AUV_EADDRNOTAVAIL));
        message = auv_error_message(auv_error_current());
        cr_assert_has(message, "Multiple exceptions: ");
        cr_assert_has(message, "bind on address 192.0.2.1:0");
        cr_assert_has(message, "bind on address 203.0.113.1:0");
        close(listener);
}

Test(connect, passes_over_a_family_that_the_system_does_not_have)
{
        int port = 0;
        const int listener = bound("127.0.0.1", true, 5, &port);
        struct race race = { .fd = -1 };

        add(&race.list, "127.0.0.1", 1);
        race.list.infos[0].ai_family = AF_MAX;
        cr_assert(eq(int, loop_run(await_race, &race, NULL), AUV_EAFNOSUPPORT));
        add(&race.list, "127.0.0.1", port);
        cr_assert(eq(int, loop_run(await_race, &race, NULL), 0));
        cr_assert(eq(int, peer_port(race.fd), port));
        close(race.fd);
        close(listener);
}

/* Delays of the system's clock, but none that anything here depends on: how long is not looked at. */
Test(connect, tries_the_next_address_beside_one_that_does_not_answer)
{
        int quiet = 0, port = 0, fillers[4];
        const int silence = silent(&quiet, fillers), listener = bound("127.0.0.1", true, 5, &port);
        struct race race = { .options = { .happy_eyeballs_delay = 0.01 }, .fd = -1 };
        auv_loop *other = loop;

        loop = loop_new_monotonic();
        add(&race.list, "127.0.0.1", quiet);
        add(&race.list, "127.0.0.1", port);
        cr_assert(eq(int, loop_run(await_race, &race, NULL), 0));
        cr_assert(eq(int, peer_port(race.fd), port));
        close(race.fd);
        auv_unref(loop);
        loop = other;
        for (int i = 0; i < 4; i++)
                close(fillers[i]);
        close(silence);
        close(listener);
}

Test(connect, does_not_wait_for_the_delay_where_the_last_has_failed)
{
        int refusing = 0, port = 0;
        const int refuser = bound("127.0.0.1", false, 0, &refusing),
                  listener = bound("127.0.0.1", true, 5, &port);
        struct race race = { .options = { .happy_eyeballs_delay = 3600 }, .fd = -1 };

        add(&race.list, "127.0.0.1", refusing);
        add(&race.list, "127.0.0.1", port);
        cr_assert(eq(int, loop_run(await_race, &race, NULL), 0));
        cr_assert(eq(int, peer_port(race.fd), port));
        cr_assert(lt(dbl, auv_loop_time(loop), 3600));
        close(race.fd);
        close(refuser);
        close(listener);
}

Test(connect, may_have_a_delay_that_never_ends)
{
        int refusing = 0, port = 0;
        const int refuser = bound("127.0.0.1", false, 0, &refusing),
                  listener = bound("127.0.0.1", true, 5, &port);
        struct race race = { .options = { .happy_eyeballs_delay = 1e300 }, .fd = -1 };

        add(&race.list, "127.0.0.1", refusing);
        add(&race.list, "127.0.0.1", port);
        cr_assert(eq(int, loop_run(await_race, &race, NULL), 0));
        close(race.fd);
        close(refuser);
        close(listener);
}

Test(connect, leaves_nothing_behind_when_it_is_cancelled_at_any_pass)
{
        for (int turns = 0; turns < 6; turns++) {
                int quiet = 0, fillers[4];
                const int silence = silent(&quiet, fillers);
                struct race race = { .options = { .happy_eyeballs_delay = 0.5 }, .fd = -1 };
                AUV_AUTO auv_task *task = NULL;

                add(&race.list, "127.0.0.1", quiet);
                add(&race.list, "127.0.0.1", quiet);
                task = auv_loop_create_task(loop, await_race, &race, 0, NULL);
                for (int i = 0; i < turns; i++)
                        loop_turn();
                auv_task_cancel(task, NULL);
                loop_turn();
                loop_turn();
                cr_assert(auv_future_cancelled(task));
                for (int i = 0; i < 4; i++)
                        close(fillers[i]);
                close(silence);
        }
}

Test(connect, goes_with_a_loop_that_is_closed_under_it)
{
        int quiet = 0, fillers[4];
        const int silence = silent(&quiet, fillers);
        struct race race = { .options = { .happy_eyeballs_delay = 0.5 }, .fd = -1 };
        AUV_AUTO auv_task *task = NULL;

        add(&race.list, "127.0.0.1", quiet);
        add(&race.list, "127.0.0.1", quiet);
        task = auv_loop_create_task(loop, await_race, &race, 0, NULL);
        loop_turns(2);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(auv_future_done(task));
        reports_drop();
        for (int i = 0; i < 4; i++)
                close(fillers[i]);
        close(silence);
}

/* In which order four addresses are tried: all refuse, and their errors tell. */
static void check_order(int interleave, double delay, const char *expected)
{
        int port = 0;
        const int refuser = bound("127.0.0.1", false, 0, &port);
        struct race race = { .options = { .interleave = interleave, .happy_eyeballs_delay = delay,
                                          .all_errors = true }, .fd = -1 };
        auv_error *const *members;
        size_t n;

        add(&race.list, "127.0.0.1", port);
        add(&race.list, "127.0.0.2", port);
        add(&race.list, "127.0.0.3", port);
        add(&race.list, "::1", 1);
        cr_assert(eq(int, loop_run(await_race, &race, NULL), AUV_EGROUP));
        members = auv_error_members(auv_error_current(), &n);
        cr_assert(eq(sz, n, 4));
        trace_clear();
        for (size_t i = 0; i < n; i++) {
                const char *message = auv_error_message(members[i]);
                const char *dot = message ? strstr(message, "127.0.0.") : NULL;

                trace("%c", dot ? dot[8] : '6');
        }
        cr_assert_trace(expected);
        close(refuser);
}

Test(connect, interleaves_the_families)
{
        check_order(0, 0, "1 2 3 6");
        check_order(1, 0, "1 6 2 3");
        check_order(2, 0, "1 2 6 3");
        check_order(9, 0, "1 2 3 6");
        check_order(0, 3600, "1 6 2 3");
        check_order(AUV_NO_INTERLEAVE, 3600, "1 2 3 6");
}

Test(connect, takes_a_connected_socket)
{
        int pair[2];
        struct request request = { .host = NULL };

        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        request.options = AUV_CONNECTION_OPTIONS(.use_sock = true, .sock = pair[0]);
        cr_assert(eq(int, loop_run(create, &request, NULL), 0));
        close(pair[1]);
        recorder_until_lost(&request.recorder);
        auv_unref(request.transport);
        cr_assert_trace("made eof lost released");
}

Test(connect, survives_any_allocation_that_fails)
{
        int port = 0;
        const int listener = bound("127.0.0.1", true, 50, &port);
        bool failed = true;

        for (long n = 1; failed; n++) {
                struct request request = {.recorder = {.is_quiet = true}, .host = "127.0.0.1", .port = port};
                auv_task *task;
                int r = AUV_ENOMEM;

                failing_allocator_arm(n);
                task = auv_loop_create_task(loop, create, &request, 0, NULL);
                if (task)
                        r = auv_loop_run_until_complete(loop, task, NULL);
                failed = failing_allocator_disarm();
                /* some memory is only good to have, as that which keeps a stack for the next task */
                cr_assert(r == 0 || (failed && r == AUV_ENOMEM), "allocation %ld: %d", n, r);
                if (request.transport)
                        auv_transport_abort(request.transport);
                loop_turn();
                loop_turn();
                auv_unref(request.transport);
                auv_unref(task);
                auv_error_clear();
                reports_drop();
        }
        close(listener);
}

Test(connect, formats_addresses)
{
        struct list list = { .n = 0 };
        struct auv__address path;
        char text[AUV_ADDRESS_SIZE];

        add(&list, "127.0.0.1", 80);
        add(&list, "::1", 443);
        auv_format_address(list.infos[0].ai_addr, text, sizeof(text));
        cr_assert(eq(str, text, "127.0.0.1:80"));
        auv_format_address(list.infos[1].ai_addr, text, sizeof(text));
        cr_assert(eq(str, text, "[::1]:443"));
        ((struct sockaddr_in6 *)list.infos[1].ai_addr)->sin6_scope_id = 2;
        cr_assert(eq(sz, auv_format_address(list.infos[1].ai_addr, text, 5), strlen("[::1%2]:443")));
        cr_assert(eq(str, text, "[::1"));
        cr_assert(eq(sz, auv_format_address(list.infos[0].ai_addr, NULL, 0), 12));
        cr_assert(eq(sz, auv_format_address(NULL, text, sizeof(text)), 0));
        cr_assert(eq(str, text, ""));
        cr_assert(eq(int, auv__address_of_path("/run/x", &path), 0));
        auv_format_address(&path.any, text, sizeof(text));
        cr_assert(eq(str, text, "/run/x"));
        cr_assert(eq(int, auv__address_of_path("@abstract", &path), 0));
        auv_format_address(&path.any, text, sizeof(text));
        cr_assert(eq(str, text, "@abstract"));
        cr_assert(eq(int, auv__address_of_path("", &path), AUV_EINVAL));
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        cr_assert(eq(int, auv__address_of_path(text, &path), AUV_EINVAL));
}

/* SPDX-License-Identifier: MIT */
#include "service.h"
#include "support/descriptors.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/recorder.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include "io/server.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

TestSuite(create_server, .init = loop_setup, .fini = loop_teardown);

Test(create_server, listens_on_every_address_of_this_host_each_once)
{
        struct service service = { .n = 0 };
        struct service_request request = { .service = &service };
        const char *hosts[] = { "127.0.0.1", "127.0.0.2", "127.0.0.1" };
        AUV_AUTO auv_server *of_all = NULL;
        AUV_AUTO auv_server *of_list = NULL;
        size_t n;

        cr_assert(eq(int, loop_run(service_create, &request, NULL), 0));
        of_all = request.server;
        n = auv_server_sockets(of_all, NULL, 0);
        cr_assert(n == 1 || n == 2);
        request = (struct service_request) { .service = &service,
                                     .options = AUV_SERVER_OPTIONS(.hosts = hosts, .n_hosts = 3) };
        cr_assert(eq(int, loop_run(service_create, &request, NULL), 0));
        of_list = request.server;
        cr_assert(eq(sz, auv_server_sockets(of_list, NULL, 0), 2));
        auv_server_close(of_all);
        auv_server_close(of_list);
}

Test(create_server, says_which_address_cannot_be_had)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *server = service_start(&service, NULL);
        struct service_request request = {
                .service = &service, .host = "127.0.0.1", .port = service_port_of(service_socket(server))};
        char expected[96];

        snprintf(expected, sizeof(expected), "error while attempting to bind on address 127.0.0.1:%d",
                 request.port);
        cr_assert(eq(int, loop_run(service_create, &request, NULL), AUV_EADDRINUSE));
        cr_assert_has(auv_error_message(auv_error_current()), expected);
        /* an address of the range for documentation, which nobody has */
        request.host = "192.0.2.1";
        cr_assert(eq(int, loop_run(service_create, &request, NULL), AUV_EADDRNOTAVAIL));
        auv_server_close(server);
}

Test(create_server, shares_its_port_where_all_want_that)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *first = service_start(&service, AUV_SERVER_OPTIONS(.reuse_port = true));
        struct service_request request = {.service = &service,
                                  .host = "127.0.0.1",
                                  .port = service_port_of(service_socket(first)),
                                  .options = AUV_SERVER_OPTIONS(.reuse_port = true)};

        cr_assert(eq(int, loop_run(service_create, &request, NULL), 0));
        auv_server_close(first);
        auv_server_close(request.server);
        auv_unref(request.server);
}

static int option_of(const auv_server *server, int option)
{
        int value = -1;
        socklen_t size = sizeof(value);

        getsockopt(service_socket(server), SOL_SOCKET, option, &value, &size);
        return value;
}

/* Linux tells it in the field that counts other things for a connection. */
static unsigned backlog_of(const auv_server *server)
{
        struct tcp_info info = { .tcpi_sacked = 0 };
        socklen_t size = sizeof(info);

        getsockopt(service_socket(server), IPPROTO_TCP, TCP_INFO, &info, &size);
        return info.tcpi_sacked;
}

Test(create_server, has_the_backlog_and_the_address_of_its_options)
{
        struct service service = { .n = 0 };
        AUV_AUTO auv_server *usual = service_start(&service, NULL);
        AUV_AUTO auv_server *other = service_start(
                &service,
                AUV_SERVER_OPTIONS(.backlog = 7, .reuse_port = true, .no_reuse_address = true));

        cr_assert(eq(uint, backlog_of(usual), 100));
        cr_assert(eq(int, option_of(usual, SO_REUSEADDR), 1));
        cr_assert(eq(int, option_of(usual, SO_REUSEPORT), 0));
        cr_assert(eq(uint, backlog_of(other), 7));
        cr_assert(eq(int, option_of(other, SO_REUSEADDR), 0));
        cr_assert(eq(int, option_of(other, SO_REUSEPORT), 1));
        auv_server_close(usual);
        auv_server_close(other);
}

Test(create_server, is_of_the_family_of_its_options)
{
        struct service service = { .n = 0 };
        struct service_request request = { .service = &service,
                                           .options = AUV_SERVER_OPTIONS(.family = AF_INET) };

        cr_assert(eq(int, loop_run(service_create, &request, NULL), 0));
        cr_assert(eq(sz, auv_server_sockets(request.server, NULL, 0), 1));
        cr_assert(eq(int, option_of(request.server, SO_DOMAIN), AF_INET));
        auv_server_close(request.server);
        auv_unref(request.server);
}

Test(create_server, takes_a_socket_that_is_bound)
{
        struct service service = { .n = 0 };
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        struct service_request request = { .service = &service,
                                   .options = AUV_SERVER_OPTIONS(.use_sock = true, .sock = fd) };
        int client;

        bind(fd, (struct sockaddr *)&address, sizeof(address));
        cr_assert(eq(int, loop_run(service_create, &request, NULL), 0));
        cr_assert(eq(int, service_socket(request.server), fd));
        client = service_dial(request.server);
        loop_turn();
        cr_assert_trace("made");
        auv_server_close(request.server);
        close(client);
        recorder_until_lost(&service.recorders[0]);
        auv_unref(request.server);
}

Test(create_server, refuses_what_has_no_meaning_and_closes_the_socket_it_was_given)
{
        const char *hosts[] = { "127.0.0.1" };
        struct service service = { .n = 0 };
        const struct {
                const char *host;
                int port;
                auv_server_options options;
        } rows[] = {
                { "127.0.0.1", -1, { 0 } },
                { "127.0.0.1", 65536, { 0 } },
                { "127.0.0.1", 0, { .hosts = hosts, .n_hosts = 1 } },
                { NULL, 0, { .n_hosts = 1 } },
                { "127.0.0.1", 0, { .backlog = -1 } },
                { "127.0.0.1", 0, { .use_sock = true } },
                { NULL, 80, { .use_sock = true } },
                { NULL, 0, { .use_sock = true, .backlog = -1 } },
                { NULL, 0, { .use_sock = true, .hosts = hosts, .n_hosts = 1 } },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                auv_server_options options = rows[i].options;
                struct service_request request = { .service = &service, .host = rows[i].host,
                                                   .port = rows[i].port, .options = &options };

                options.size = sizeof(options);
                if (options.use_sock)
                        options.sock = socket(AF_INET, SOCK_STREAM, 0);
                cr_assert(eq(int, loop_run(service_create, &request, NULL), AUV_EINVAL), "row %zu", i);
        }
        cr_assert(eq(int,
                     loop_run(service_create,
                              &(struct service_request) { .service = &service,
                                                          .options = &(auv_server_options) { .size = 1 } },
                              NULL),
                     AUV_EINVAL));
        cr_assert(eq(int,
                     auv_await_create_server(service_factory, NULL, NULL, 0, NULL,
                                             &(auv_server *) { NULL }),
                     AUV_ENOTASK));
}

Test(create_server, says_that_there_are_no_descriptors)
{
        struct service service = { .n = 0 };
        struct service_request request = { .service = &service, .host = "127.0.0.1" };
        const struct rlimit before = descriptors_limit(0);

        cr_assert(eq(int, loop_run(service_create, &request, NULL), AUV_EMFILE));
        setrlimit(RLIMIT_NOFILE, &before);
}

static long nth_fails; /* of the allocations that creating makes; 0 where none has */

static int create_without_memory(void *arg, auv_value *ret)
{
        int r;

        failing_allocator_arm(nth_fails);
        r = service_create(arg, ret);
        if (!failing_allocator_disarm())
                nth_fails = 0;
        return r;
}

Test(create_server, closes_the_socket_it_was_given_where_there_is_no_memory)
{
        for (long n = 1; n == 1 || nth_fails > 0; n++) {
                struct service service = { .n = 0 };
                const int fd = socket(AF_INET, SOCK_STREAM, 0);
                struct service_request request = { .service = &service,
                                                   .options = AUV_SERVER_OPTIONS(.use_sock = true,
                                                                                 .sock = fd) };
                int r;

                nth_fails = n;
                r = loop_run(create_without_memory, &request, NULL);
                cr_assert(eq(int, r, nth_fails > 0 ? AUV_ENOMEM : 0), "allocation %ld", n);
                auv_server_close(request.server);
                auv_unref(request.server);
                loop_turn();
                cr_assert(lt(int, fcntl(fd, F_GETFD), 0), "allocation %ld", n);
        }
}

Test(create_server, cannot_be_made_where_nobody_waits_for_it)
{
        for (int turns = 0; turns < 3; turns++) {
                struct service service = { .n = 0 };
                struct service_request request = { .service = &service, .host = "127.0.0.1" };
                AUV_AUTO auv_task *task = auv_loop_create_task(loop, service_create, &request, 0, NULL);

                for (int i = 0; i < turns; i++)
                        loop_turn();
                if (!auv_future_done(task))
                        auv_task_cancel(task, NULL);
                loop_turn();
                loop_turn();
                cr_assert(auv_future_done(task));
                if (request.server) {
                        auv_server_close(request.server);
                        auv_unref(request.server);
                }
        }
}

static void count_release(void *arg)
{
        (*(int *)arg)++;
}

static int create_releasing(void *arg, auv_value *ret)
{
        const struct auv__serving serving = { .factory = service_factory, .arg = arg,
                                              .release_arg = count_release };
        AUV_AUTO auv_server *server = NULL;
        struct auv__task *task;
        int r = auv__await_begin(&task);

        AUV_TRY(auv__await_create_server(r, task, &serving, "127.0.0.1", 0, NULL, &server));
        cr_assert(eq(int, *(int *)arg, 0));
        auv_server_close(server);
        return 0;
}

Test(create_server, releases_the_argument_of_its_factory_once)
{
        int n = 0;

        cr_assert(eq(int, loop_run(create_releasing, &n, NULL), 0));
        cr_assert(eq(int, n, 1));
}

Test(create_server, survives_any_allocation_that_fails)
{
        bool failed = true;

        for (long n = 1; failed; n++) {
                struct service service = { .n = 0 };
                struct service_request request = { .service = &service, .host = "127.0.0.1" };
                auv_task *task;
                int r = AUV_ENOMEM, client = -1, released = 0;

                failing_allocator_arm(n);
                task = auv_loop_create_task(loop, service_create, &request, 0, NULL);
                if (task)
                        r = auv_loop_run_until_complete(loop, task, NULL);
                if (r == 0) {
                        client = service_dial(request.server);
                        loop_turn();
                        loop_turn();
                }
                failed = failing_allocator_disarm();
                cr_assert(r == 0 || (failed && r == AUV_ENOMEM));
                if (failed && r == 0)
                        cr_assert(eq(int, reports_take()->code, AUV_ENOMEM));
                auv_unref(task);
                loop_run(create_releasing, &released, NULL);
                if (request.server) {
                        auv_server_abort_clients(request.server);
                        auv_server_close(request.server);
                        loop_turn();
                        auv_unref(request.server);
                }
                if (client >= 0)
                        close(client);
                auv_error_clear();
                reports_drop();
        }
}

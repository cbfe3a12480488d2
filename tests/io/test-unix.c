/* SPDX-License-Identifier: MIT */
#include "support/loop.h"
#include "support/recorder.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/asyncuv-unix-XXXXXX";
static char path[64];

static void setup(void)
{
        loop_setup();
        if (!mkdtemp(folder))
                abort();
        snprintf(path, sizeof(path), "%s/sock", folder);
}

static void teardown(void)
{
        unlink(path);
        rmdir(folder);
        loop_teardown();
}

TestSuite(unix_sockets, .init = setup, .fini = teardown);

struct request {
        struct recorder recorder;
        const char *path;
        const auv_server_options *options;
        const auv_connection_options *connection_options;
        auv_server *server;
        auv_transport *transport;
};

static int serve(void *arg, auv_value *ret)
{
        struct request *request = arg;

        return auv_await_create_unix_server(recorder_factory, &request->recorder, request->path,
                                            request->options, &request->server);
}

static int dial(void *arg, auv_value *ret)
{
        struct request *request = arg;

        return auv_await_create_unix_connection(recorder_factory, &request->recorder, request->path,
                                                request->connection_options, &request->transport);
}

static bool exists(void)
{
        struct stat status;

        return stat(path, &status) == 0;
}

/* A connection there and back, by the name that both have. */
static void check_connection(const char *name)
{
        struct request server = { .recorder = { .name = "s" }, .path = name };
        struct request client = { .recorder = { .name = "c" }, .path = name };
        char text[AUV_ADDRESS_SIZE];
        auv_value peer;

        cr_assert(eq(int, loop_run(serve, &server, NULL), 0));
        cr_assert(eq(int, loop_run(dial, &client, NULL), 0));
        auv_transport_get_extra_info(client.transport, "peername", &peer);
        auv_format_address(peer.p, text, sizeof(text));
        cr_assert(eq(str, text, (char *)name));
        auv_transport_write(client.transport, "ping", 4);
        loop_turn();
        auv_transport_write(server.recorder.transport, "pong", 4);
        loop_turn();
        auv_transport_close(client.transport);
        recorder_until_lost(&client.recorder);
        recorder_until_lost(&server.recorder);
        cr_assert_has(trace_text(), "s:data(ping)");
        cr_assert_has(trace_text(), "c:data(pong)");
        auv_server_close(server.server);
        auv_unref(server.server);
        auv_unref(client.transport);
}

Test(unix_sockets, connect_to_servers_at_a_path)
{
        check_connection(path);
}

Test(unix_sockets, connect_to_servers_with_an_abstract_name)
{
        char name[64];

        snprintf(name, sizeof(name), "@asyncuv-test-%d", (int)getpid());
        check_connection(name);
}

Test(unix_sockets, take_their_path_away_when_they_are_closed)
{
        struct request request = { .path = path };

        cr_assert(eq(int, loop_run(serve, &request, NULL), 0));
        cr_assert(exists());
        auv_server_close(request.server);
        cr_assert(eq(int, exists(), 0));
        auv_unref(request.server);
}

Test(unix_sockets, leave_their_path_where_that_is_wanted)
{
        struct request request = { .path = path, .options = AUV_SERVER_OPTIONS(.keep_path = true) };

        cr_assert(eq(int, loop_run(serve, &request, NULL), 0));
        auv_server_close(request.server);
        cr_assert(exists());
        auv_unref(request.server);
}

Test(unix_sockets, leave_what_has_come_in_the_place_of_their_path)
{
        struct request request = { .path = path };
        int fd;

        cr_assert(eq(int, loop_run(serve, &request, NULL), 0));
        /* before the name is free, lest the new file be given the number of the old one */
        fd = open(folder, O_RDWR | O_TMPFILE, 0600);
        rename(path, "/proc/nowhere");
        if (fd >= 0) {
                char at[64];

                snprintf(at, sizeof(at), "/proc/self/fd/%d", fd);
                unlink(path);
                linkat(AT_FDCWD, at, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
                close(fd);
                auv_server_close(request.server);
                cr_assert(exists());
        } else {
                auv_server_close(request.server);
        }
        auv_unref(request.server);
}

Test(unix_sockets, take_the_place_of_a_socket_that_was_left)
{
        struct request left = { .path = path, .options = AUV_SERVER_OPTIONS(.keep_path = true) };
        struct request request = { .path = path };

        cr_assert(eq(int, loop_run(serve, &left, NULL), 0));
        auv_server_close(left.server);
        cr_assert(eq(int, loop_run(serve, &request, NULL), 0));
        auv_server_close(request.server);
        auv_unref(left.server);
        auv_unref(request.server);
}

Test(unix_sockets, do_not_take_the_place_of_a_file)
{
        struct request request = { .path = path };

        close(open(path, O_CREAT | O_WRONLY, 0600));
        cr_assert(eq(int, loop_run(serve, &request, NULL), AUV_EADDRINUSE));
        cr_assert_has(auv_error_message(auv_error_current()), "is already in use");
        cr_assert(exists());
}

Test(unix_sockets, say_why_they_cannot_be_had)
{
        struct request request = { .path = "/nowhere/at/all" };
        char too_long[200];

        cr_assert(eq(int, loop_run(serve, &request, NULL), AUV_ENOENT));
        cr_assert(eq(int, loop_run(dial, &request, NULL), AUV_ENOENT));
        memset(too_long, 'x', sizeof(too_long) - 1);
        too_long[sizeof(too_long) - 1] = '\0';
        request.path = too_long;
        cr_assert(eq(int, loop_run(serve, &request, NULL), AUV_EINVAL));
        cr_assert(eq(int, loop_run(dial, &request, NULL), AUV_EINVAL));
        request.path = "";
        cr_assert(eq(int, loop_run(serve, &request, NULL), AUV_EINVAL));
        request.path = NULL;
        cr_assert(eq(int, loop_run(serve, &request, NULL), AUV_EINVAL));
        cr_assert(eq(int, loop_run(dial, &request, NULL), AUV_EINVAL));
        cr_assert_trace("");
}

/* Its zero byte counts, but needs none at the end. */
Test(unix_sockets, may_have_an_abstract_name_as_long_as_the_system_takes)
{
        char name[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 2] = "@";
        struct request request = { .path = name };

        memset(name + 1, 'x', sizeof(name) - 2);
        snprintf(name + 1, sizeof(name) - 1, "asyncuv-test-%d", (int)getpid());
        name[strlen(name)] = '-';
        name[sizeof(name) - 1] = '\0';
        cr_assert(eq(int, loop_run(serve, &request, NULL), AUV_EINVAL));
        name[sizeof(name) - 2] = '\0';
        cr_assert(eq(int, loop_run(serve, &request, NULL), 0));
        auv_server_close(request.server);
        auv_unref(request.server);
}

Test(unix_sockets, say_that_nobody_listens)
{
        struct request left = { .path = path, .options = AUV_SERVER_OPTIONS(.keep_path = true) };
        struct request client = { .path = path };

        cr_assert(eq(int, loop_run(serve, &left, NULL), 0));
        auv_server_close(left.server);
        auv_unref(left.server);
        cr_assert(eq(int, loop_run(dial, &client, NULL), AUV_ECONNREFUSED));
}

Test(unix_sockets, close_a_socket_of_another_kind_that_they_are_given)
{
        struct request request = { .path = NULL };

        request.options = AUV_SERVER_OPTIONS(.use_sock = true, .sock = socket(AF_INET, SOCK_STREAM, 0));
        cr_assert(eq(int, loop_run(serve, &request, NULL), AUV_EINVAL));
        request.path = path;
        request.options = AUV_SERVER_OPTIONS(.use_sock = true, .sock = socket(AF_UNIX, SOCK_STREAM, 0));
        cr_assert(eq(int, loop_run(serve, &request, NULL), AUV_EINVAL));
        request.connection_options = AUV_CONNECTION_OPTIONS(.use_sock = true,
                                                            .sock = socket(AF_UNIX, SOCK_STREAM, 0));
        cr_assert(eq(int, loop_run(dial, &request, NULL), AUV_EINVAL));
        request.path = NULL;
        request.connection_options = AUV_CONNECTION_OPTIONS(.use_sock = true,
                                                            .sock = socket(AF_INET, SOCK_STREAM, 0));
        cr_assert(eq(int, loop_run(dial, &request, NULL), AUV_EINVAL));
}

/* SPDX-License-Identifier: MIT */
#include "endpoint.h"
#include "support/descriptors.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

TestSuite(datagram_endpoint, .init = loop_setup, .fini = loop_teardown);

Test(datagram_endpoint, made_comes_before_the_endpoint_is_returned_and_lost_after_close)
{
        struct endpoint *endpoint = endpoint_open();

        cr_assert_trace("made");
        auv_transport_close(endpoint->transport);
        cr_assert(auv_transport_is_closing(endpoint->transport));
        cr_assert_trace("made");
        loop_turns(1);
        cr_assert_trace("made lost |");
        endpoint_close(endpoint);
}

Test(datagram_endpoint, address_in_use_is_an_error)
{
        struct endpoint *endpoint = endpoint_open(), *second = endpoint_new();

        second->local_port = endpoint_port(endpoint);
        cr_assert(eq(int, loop_run(endpoint_opens, second, NULL), AUV_EADDRINUSE));
        free(second);
        endpoint_close(endpoint);
}

Test(datagram_endpoint, shares_a_port_that_both_want_to_share)
{
        struct endpoint *one = endpoint_new(), *two = endpoint_new();

        one->options = two->options = AUV_DATAGRAM_OPTIONS(.reuse_port = true);
        cr_assert(eq(int, loop_run(endpoint_opens, one, NULL), 0));
        two->local_port = endpoint_port(one);
        cr_assert(eq(int, loop_run(endpoint_opens, two, NULL), 0));
        endpoint_close(one);
        endpoint_close(two);
}

Test(datagram_endpoint, broadcast_has_an_address_and_no_peer)
{
        struct endpoint *server = endpoint_open(), *client = endpoint_new(), *other = endpoint_open();
        auv_value value = { .p = NULL };
        int on = 0;
        socklen_t size = sizeof(on);

        client->remote_host = "127.0.0.1";
        client->remote_port = endpoint_port(server);
        client->options = AUV_DATAGRAM_OPTIONS(.allow_broadcast = true);
        cr_assert(eq(int, loop_run(endpoint_opens, client, NULL), 0));
        cr_assert(eq(int, getsockopt(endpoint_fd(client), SOL_SOCKET, SO_BROADCAST, &on, &size), 0));
        cr_assert(eq(int, on, 1));
        cr_assert(eq(int, auv_transport_get_extra_info(client->transport, "peername", &value), 0));
        cr_assert(eq(int, auv_transport_sendto(client->transport, "x", 1, NULL), 0));
        endpoint_receive(server, 1);
        cr_assert(eq(int, endpoint_send(client, other, "x"), AUV_EINVAL));
        /* what others send is received */
        cr_assert(eq(int, endpoint_send(other, client, "x"), 0));
        endpoint_receive(client, 1);
        endpoint_close(client);
        endpoint_close(server);
        endpoint_close(other);
}

Test(datagram_endpoint, receives_from_a_multicast_group_that_its_socket_has_joined)
{
        struct endpoint *endpoint = endpoint_new();
        const struct ip_mreq group = { .imr_multiaddr.s_addr = htonl(0xeffffa01), /* 239.255.250.1 */
                                       .imr_interface.s_addr = htonl(INADDR_LOOPBACK) };
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = group.imr_multiaddr };

        endpoint->local_host = "0.0.0.0";
        cr_assert(eq(int, loop_run(endpoint_opens, endpoint, NULL), 0));
        cr_assert(eq(int,
                     setsockopt(endpoint_fd(endpoint), IPPROTO_IP, IP_ADD_MEMBERSHIP, &group,
                                sizeof(group)),
                     0));
        cr_assert(eq(int,
                     setsockopt(endpoint_fd(endpoint), IPPROTO_IP, IP_MULTICAST_IF, &group.imr_interface,
                                sizeof(group.imr_interface)),
                     0));
        to.sin_port = htons((uint16_t)endpoint_port(endpoint));
        cr_assert(eq(int, auv_transport_sendto(endpoint->transport, "x", 1, (struct sockaddr *)&to), 0));
        endpoint_receive(endpoint, 1);
        endpoint_close(endpoint);
}

Test(datagram_endpoint, tells_both_names)
{
        struct endpoint *server = endpoint_open(), *client = endpoint_connect(server);
        char text[AUV_ADDRESS_SIZE], expected[AUV_ADDRESS_SIZE];
        auv_value value = { .p = NULL };

        cr_assert(eq(int, auv_transport_get_extra_info(client->transport, "peername", &value), 1));
        auv_format_address(value.p, text, sizeof(text));
        snprintf(expected, sizeof(expected), "127.0.0.1:%d", endpoint_port(server));
        cr_assert(eq(str, text, expected));
        cr_assert(eq(int, auv_transport_get_extra_info(server->transport, "peername", &value), 0));
        cr_assert(ge(int, endpoint_fd(server), 0));
        endpoint_close(client);
        endpoint_close(server);
}

Test(datagram_endpoint, needs_no_address_where_it_has_a_family)
{
        struct endpoint *endpoint = endpoint_new(), *server = endpoint_open();

        endpoint->local_host = NULL;
        endpoint->options = AUV_DATAGRAM_OPTIONS(.family = AF_INET);
        cr_assert(eq(int, loop_run(endpoint_opens, endpoint, NULL), 0));
        cr_assert(eq(int, endpoint_send(endpoint, server, "x"), 0));
        endpoint_receive(server, 1);
        endpoint_close(endpoint);
        endpoint_close(server);
}

Test(datagram_endpoint, of_ipv6)
{
        struct endpoint *server = endpoint_new(), *client = endpoint_new();
        auv_value value = { .p = NULL };

        server->local_host = "::1";
        if (loop_run(endpoint_opens, server, NULL) < 0) {
                free(server);
                free(client);
                cr_skip_test("there is no IPv6 here");
        }
        auv_transport_get_extra_info(server->transport, "sockname", &value);
        client->local_host = NULL;
        client->remote_host = "::1";
        client->remote_port = ntohs(((const struct sockaddr_in6 *)value.p)->sin6_port);
        cr_assert(eq(int, loop_run(endpoint_opens, client, NULL), 0));
        cr_assert(eq(int, auv_transport_sendto(client->transport, "x", 1, value.p), 0));
        endpoint_receive(server, 1);
        endpoint_close(client);
        endpoint_close(server);
}

Test(datagram_endpoint, of_unix_paths)
{
        char directory[] = "/tmp/auv-datagram-XXXXXX", server_path[64], client_path[64];
        struct endpoint *server = endpoint_new(), *client = endpoint_new();

        cr_assert(ne(ptr, mkdtemp(directory), NULL));
        snprintf(server_path, sizeof(server_path), "%s/server", directory);
        snprintf(client_path, sizeof(client_path), "%s/client", directory);
        server->local_host = server_path;
        client->local_host = client_path;
        client->remote_host = server_path;
        server->options = client->options = AUV_DATAGRAM_OPTIONS(.family = AF_UNIX);
        server->echoes = true;
        cr_assert(eq(int, loop_run(endpoint_opens, server, NULL), 0));
        cr_assert(eq(int, loop_run(endpoint_opens, client, NULL), 0));
        cr_assert(eq(int, auv_transport_sendto(client->transport, "hello", 5, NULL), 0));
        endpoint_receive(client, 1);
        cr_assert(eq(str, ((struct sockaddr_un *)&server->sender)->sun_path, client_path));
        endpoint_close(client);
        endpoint_close(server);

        /* what an earlier run has left is no obstacle, */
        server = endpoint_new();
        server->local_host = server_path;
        server->options = AUV_DATAGRAM_OPTIONS(.family = AF_UNIX);
        cr_assert(eq(int, loop_run(endpoint_opens, server, NULL), 0));
        endpoint_close(server);
        /* and what is no socket stays */
        unlink(server_path);
        fclose(fopen(server_path, "w"));
        server = endpoint_new();
        server->local_host = server_path;
        server->options = AUV_DATAGRAM_OPTIONS(.family = AF_UNIX);
        cr_assert(eq(int, loop_run(endpoint_opens, server, NULL), AUV_EADDRINUSE));
        free(server);
        unlink(server_path);
        unlink(client_path);
        rmdir(directory);
}

Test(datagram_endpoint, of_names_in_the_abstract_space)
{
        struct endpoint *server = endpoint_new(), *client = endpoint_new();
        char name[64];

        snprintf(name, sizeof(name), "@auv-datagram-%d", getpid());
        server->local_host = name;
        server->echoes = true;
        client->local_host = NULL;
        server->options = client->options = AUV_DATAGRAM_OPTIONS(.family = AF_UNIX);
        cr_assert(eq(int, loop_run(endpoint_opens, server, NULL), 0));
        cr_assert(eq(int, loop_run(endpoint_opens, client, NULL), 0));
        {
                auv_value value = { .p = NULL };

                cr_assert(eq(int, auv_transport_get_extra_info(server->transport, "sockname", &value), 1));
                server->echoes = false;
                cr_assert(eq(int, auv_transport_sendto(client->transport, "x", 1, value.p), 0));
        }
        endpoint_receive(server, 1);
        /* the client has no name */
        cr_assert(not(server->has_sender));
        endpoint_close(client);
        endpoint_close(server);
}

/* How an endpoint could not be had: nothing is left, and the protocol was never made. */
static int refused(struct endpoint given)
{
        struct endpoint *endpoint = malloc(sizeof(*endpoint));
        int r;

        *endpoint = given;
        r = loop_run(endpoint_opens, endpoint, NULL);
        cr_assert(eq(int, endpoint->released, 0));
        cr_assert(eq(ptr, endpoint->transport, NULL));
        free(endpoint);
        return r;
}

Test(datagram_endpoint, refuses_what_has_no_meaning)
{
        static const auv_datagram_options unsized;
        int pair[2], stream, file;

        cr_assert(eq(int, refused((struct endpoint) { .local_host = NULL }), AUV_EINVAL));
        cr_assert(eq(int, refused((struct endpoint) { .local_port = 65536 }), AUV_EINVAL));
        cr_assert(eq(int, refused((struct endpoint) { .local_host = "127.0.0.1", .options = &unsized }),
                     AUV_EINVAL));
        cr_assert(eq(int,
                     refused((struct endpoint) {
                             .local_host = "127.0.0.1", .remote_host = "::1", .remote_port = 1 }),
                     AUV_EINVAL));
        cr_assert(lt(int, refused((struct endpoint) { .local_host = "192.0.2.1" }), 0));
        cr_assert(eq(int,
                     refused((struct endpoint) { .local_port = 1,
                                                .options = AUV_DATAGRAM_OPTIONS(.family = AF_UNIX) }),
                     AUV_EINVAL));
        cr_assert(eq(int,
                     refused((struct endpoint) { .local_host = "",
                                                .options = AUV_DATAGRAM_OPTIONS(.family = AF_UNIX) }),
                     AUV_EINVAL));
        /* sockets are taken over all the same */
        cr_assert(eq(int, socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0));
        cr_assert(eq(int,
                     refused((struct endpoint) {
                             .local_host = "127.0.0.1",
                             .options = AUV_DATAGRAM_OPTIONS(.use_sock = true, .sock = pair[0]) }),
                     AUV_EINVAL));
        cr_assert(eq(int,
                     refused((struct endpoint) { .options = AUV_DATAGRAM_OPTIONS(.use_sock = true,
                                                                                .sock = pair[1],
                                                                                .reuse_port = true) }),
                     AUV_EINVAL));
        stream = socket(AF_INET, SOCK_STREAM, 0);
        cr_assert(eq(int,
                     refused((struct endpoint) {
                             .options = AUV_DATAGRAM_OPTIONS(.use_sock = true, .sock = stream) }),
                     AUV_EINVAL));
        file = fileno(tmpfile());
        cr_assert(eq(int,
                     refused((struct endpoint) {
                             .options = AUV_DATAGRAM_OPTIONS(.use_sock = true, .sock = dup(file)) }),
                     AUV_ENOTSOCK));
        close(file);
        cr_assert(eq(
                int,
                refused((struct endpoint) { .options = AUV_DATAGRAM_OPTIONS(.use_sock = true, .sock = -1) }),
                AUV_EBADF));
}

Test(datagram_endpoint, fails_as_its_factory_does)
{
        cr_assert(eq(int,
                     refused((struct endpoint) { .local_host = "127.0.0.1", .factory_error = AUV_EUSER }),
                     AUV_EUSER));
}

static int opens_without_factory(void *arg, auv_value *ret)
{
        return auv_await_create_datagram_endpoint(NULL, NULL, "127.0.0.1", 0, NULL, 0, NULL, NULL);
}

Test(datagram_endpoint, must_have_a_factory_and_a_task)
{
        cr_assert(eq(int, loop_run(opens_without_factory, NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, opens_without_factory(NULL, NULL), AUV_ENOTASK));
}

static int opens_for_nobody(void *arg, auv_value *ret)
{
        return auv_await_create_datagram_endpoint(endpoint_factory, arg, "127.0.0.1", 0, NULL, 0, NULL,
                                                  NULL);
}

Test(datagram_endpoint, lives_without_a_reference_until_its_loop_is_closed)
{
        struct endpoint *endpoint = endpoint_new();

        cr_assert(eq(int, loop_run(opens_for_nobody, endpoint, NULL), 0));
        loop_turns(2);
        cr_assert(eq(int, endpoint->released, 0));
        loop = auv_unref(loop);
        cr_assert(eq(int, endpoint->lost, 0));
        cr_assert(eq(int, endpoint->released, 1));
        free(endpoint);
        loop = loop_new();
}

static void cancel_in_turn(const char *host, int turn)
{
        const int descriptors = descriptors_open();
        struct endpoint *endpoint = endpoint_new();
        AUV_AUTO auv_task *task = NULL;
        int r;

        endpoint->local_host = host;
        endpoint->remote_host = "127.0.0.1";
        endpoint->remote_port = 9;
        endpoint->options = AUV_DATAGRAM_OPTIONS(.family = AF_INET);
        task = auv_loop_create_task(loop, endpoint_opens, endpoint, 0, NULL);
        for (int i = 0; i < turn; i++)
                loop_turn();
        r = auv_future_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), r ? AUV_ECANCELED : 0));
        auv_transport_abort(endpoint->transport);
        auv_unref(endpoint->transport);
        loop_turns(3);
        cr_assert(le(int, endpoint->lost, endpoint->released));
        free(endpoint);
        /* a look-up that was left behind has descriptors of its own until it ends */
        while (uv_loop_alive(auv_loop_uv(loop)))
                loop_turn();
        cr_assert(eq(int, descriptors_open(), descriptors));
}

Test(datagram_endpoint, may_be_cancelled_in_every_turn)
{
        for (int turn = 0; turn < 6; turn++)
                cancel_in_turn("127.0.0.1", turn);
        for (int turn = 0; turn < 30; turn++)
                cancel_in_turn("localhost", turn);
}

static int exchanges(void *arg, auv_value *ret)
{
        struct endpoint *server = endpoint_new(), *client = endpoint_new();
        int *pair = arg;
        int r = endpoint_opens(server, NULL);

        client->local_host = NULL;
        client->options = AUV_DATAGRAM_OPTIONS(.use_sock = true, .sock = pair[0]);
        if (r == 0) {
                pair[0] = -1;
                r = endpoint_opens(client, NULL);
        }
        for (int i = 0; r == 0 && i < 100 && auv_transport_get_write_buffer_size(client->transport) == 0;
             i++)
                r = auv_transport_sendto(client->transport, "x", 1, NULL);
        auv_transport_abort(server->transport);
        auv_transport_abort(client->transport);
        auv_await_sleep(0);
        auv_await_sleep(0);
        auv_unref(server->transport);
        auv_unref(client->transport);
        free(server);
        free(client);
        return r;
}

static void exchange_once(void)
{
        int pair[2];

        cr_assert(eq(int, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0));
        loop_run_apart(exchanges, pair);
        if (pair[0] >= 0)
                close(pair[0]);
        close(pair[1]);
}

Test(datagram_endpoint, fails_cleanly_without_memory)
{
        const int descriptors = descriptors_open();

        cr_assert(gt(int, (int)failing_allocator_sweep(exchange_once), 8));
        cr_assert(eq(int, descriptors_open(), descriptors));
}

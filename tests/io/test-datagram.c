/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/descriptors.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

TestSuite(datagram, .init = loop_setup, .fini = loop_teardown);

/* An endpoint and what its protocol was told. */
struct endpoint {
        const char *local_host;
        int local_port;
        const char *remote_host;
        int remote_port;
        const auv_datagram_options *options;
        int factory_error;
        bool echoes;
        bool aborts_on_error;
        int r;
        auv_transport *transport;
        char received[256 * 1024];
        size_t size;
        int n_received;
        struct sockaddr_storage sender;
        bool has_sender;
        int n_errors;
        int error;
        int lost;
        int released;
};

static void connection_made(void *user, auv_transport *transport)
{
        trace("made");
}

static void connection_lost(void *user, auv_error *error)
{
        struct endpoint *endpoint = user;

        trace(error ? "lost:%s" : "lost", auv_error_name(auv_error_code(error)));
        endpoint->lost++;
}

static void pause_writing(void *user)
{
        trace("pause");
}

static void resume_writing(void *user)
{
        trace("resume");
}

static void datagram_received(void *user, const void *data, size_t size, const struct sockaddr *address)
{
        struct endpoint *endpoint = user;

        endpoint->n_received++;
        endpoint->size = size;
        memcpy(endpoint->received, data, size);
        endpoint->has_sender = address != NULL;
        if (address)
                memcpy(&endpoint->sender, address,
                       address->sa_family == AF_UNIX ? sizeof(struct sockaddr_un)
                                                     : sizeof(struct sockaddr_in));
        if (endpoint->echoes)
                cr_assert(eq(int, auv_transport_sendto(endpoint->transport, data, size, address), 0));
}

static void error_received(void *user, auv_error *error)
{
        struct endpoint *endpoint = user;

        endpoint->n_errors++;
        endpoint->error = auv_error_code(error);
        if (endpoint->aborts_on_error)
                auv_transport_abort(endpoint->transport);
}

static void released(void *user)
{
        ((struct endpoint *)user)->released++;
}

static const auv_protocol_functions functions =
        AUV_PROTOCOL_FUNCTIONS(.connection_made = connection_made, .connection_lost = connection_lost,
                               .pause_writing = pause_writing, .resume_writing = resume_writing,
                               .datagram_received = datagram_received, .error_received = error_received,
                               .released = released);

static int make_protocol(void *arg, auv_protocol *ret_protocol)
{
        struct endpoint *endpoint = arg;

        if (endpoint->factory_error < 0)
                return auv_raise(endpoint->factory_error, "no protocol");
        *ret_protocol = (auv_protocol) { .functions = &functions, .user = endpoint };
        return 0;
}

static int opens(void *arg, auv_value *ret)
{
        struct endpoint *endpoint = arg;

        return endpoint->r = auv_await_create_datagram_endpoint(
                       make_protocol, endpoint, endpoint->local_host, endpoint->local_port,
                       endpoint->remote_host, endpoint->remote_port, endpoint->options,
                       &endpoint->transport);
}

static struct endpoint *new_endpoint(void)
{
        struct endpoint *endpoint = calloc(1, sizeof(*endpoint));

        endpoint->local_host = "127.0.0.1";
        return endpoint;
}

static struct endpoint *open_endpoint(void)
{
        struct endpoint *endpoint = new_endpoint();

        cr_assert(eq(int, loop_run(opens, endpoint, NULL), 0));
        return endpoint;
}

static int port_of(const struct endpoint *endpoint)
{
        auv_value value = { .p = NULL };

        cr_assert(eq(int, auv_transport_get_extra_info(endpoint->transport, "sockname", &value), 1));
        return ntohs(((const struct sockaddr_in *)value.p)->sin_port);
}

/* One whose only peer is another. */
static struct endpoint *connect_to(const struct endpoint *other)
{
        struct endpoint *endpoint = new_endpoint();

        endpoint->remote_host = "127.0.0.1";
        endpoint->remote_port = port_of(other);
        cr_assert(eq(int, loop_run(opens, endpoint, NULL), 0));
        return endpoint;
}

static int fd_of(const struct endpoint *endpoint)
{
        auv_value value = { .i = -1 };

        auv_transport_get_extra_info(endpoint->transport, "socket", &value);
        return (int)value.i;
}

/* Waits for so many datagrams, which are on their way. */
static void receive(struct endpoint *endpoint, int n)
{
        for (int i = 0; endpoint->n_received < n && i < 1000000; i++)
                loop_turn();
        cr_assert(eq(int, endpoint->n_received, n));
}

static void receive_error(struct endpoint *endpoint)
{
        for (int i = 0; endpoint->n_errors == 0 && i < 1000000; i++)
                loop_turn();
}

static void close_endpoint(struct endpoint *endpoint)
{
        const int lost = endpoint->lost;

        auv_transport_abort(endpoint->transport);
        loop_turn();
        loop_turn();
        cr_assert(eq(int, endpoint->lost, lost ? lost : 1));
        cr_assert(eq(int, endpoint->released, 1));
        auv_unref(endpoint->transport);
        free(endpoint);
}

static struct sockaddr_in address_of(const struct endpoint *endpoint)
{
        return (struct sockaddr_in) { .sin_family = AF_INET,
                                     .sin_port = htons((uint16_t)port_of(endpoint)),
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int send_to(struct endpoint *from, const struct endpoint *to, const char *text)
{
        const struct sockaddr_in address = address_of(to);

        return auv_transport_sendto(from->transport, text, strlen(text), (const struct sockaddr *)&address);
}

Test(datagram, carries_a_datagram_and_the_answer)
{
        struct endpoint *server = open_endpoint(), *client = connect_to(server);

        server->echoes = true;
        cr_assert(eq(int, auv_transport_sendto(client->transport, "hello", 5, NULL), 0));
        receive(client, 1);
        cr_assert(eq(sz, server->size, 5));
        cr_assert(eq(int, ntohs(((struct sockaddr_in *)&server->sender)->sin_port), port_of(client)));
        cr_assert(zero(int, memcmp(client->received, "hello", 5)));
        close_endpoint(client);
        close_endpoint(server);
}

Test(datagram, made_comes_before_the_endpoint_is_returned_and_lost_after_close)
{
        struct endpoint *endpoint = open_endpoint();

        cr_assert_trace("made");
        auv_transport_close(endpoint->transport);
        cr_assert(auv_transport_is_closing(endpoint->transport));
        cr_assert_trace("made");
        loop_turns(1);
        cr_assert_trace("made lost |");
        close_endpoint(endpoint);
}

Test(datagram, sends_to_whom_it_is_told)
{
        struct endpoint *a = open_endpoint(), *b = open_endpoint(), *c = open_endpoint();

        cr_assert(eq(int, send_to(a, b, "to b"), 0));
        cr_assert(eq(int, send_to(a, c, "to c"), 0));
        receive(b, 1);
        receive(c, 1);
        cr_assert(zero(int, memcmp(b->received, "to b", 4)));
        cr_assert(zero(int, memcmp(c->received, "to c", 4)));
        cr_assert(eq(int, auv_transport_sendto(a->transport, "x", 1, NULL), AUV_EDESTADDRREQ));
        close_endpoint(a);
        close_endpoint(b);
        close_endpoint(c);
}

Test(datagram, keeps_to_the_remote_address)
{
        struct endpoint *server = open_endpoint(), *client = connect_to(server), *other = open_endpoint();

        cr_assert(eq(int, send_to(client, other, "x"), AUV_EINVAL));
        cr_assert(eq(int, send_to(client, server, "x"), 0));
        receive(server, 1);
        /* and what others send does not get there */
        cr_assert(eq(int, send_to(other, client, "x"), 0));
        loop_turns(3);
        cr_assert(eq(int, client->n_received, 0));
        close_endpoint(client);
        close_endpoint(server);
        close_endpoint(other);
}

Test(datagram, carries_empty_datagrams)
{
        struct endpoint *server = open_endpoint(), *client = connect_to(server);

        server->size = 99;
        cr_assert(eq(int, auv_transport_sendto(client->transport, NULL, 0, NULL), 0));
        receive(server, 1);
        cr_assert(eq(sz, server->size, 0));
        close_endpoint(client);
        close_endpoint(server);
}

Test(datagram, carries_the_longest_datagram_and_tells_of_a_longer_one)
{
        enum { LONGEST = 65507 };

        struct endpoint *server = open_endpoint(), *client = connect_to(server);
        char *data = malloc(LONGEST + 1);

        for (int i = 0; i <= LONGEST; i++)
                data[i] = (char)(i * 7);
        cr_assert(eq(int, auv_transport_sendto(client->transport, data, LONGEST + 1, NULL), 0));
        cr_assert(eq(int, client->error, AUV_EMSGSIZE));
        cr_assert(eq(int, auv_transport_sendto(client->transport, data, LONGEST, NULL), 0));
        receive(server, 1);
        cr_assert(eq(sz, server->size, LONGEST));
        cr_assert(zero(int, memcmp(server->received, data, LONGEST)));
        free(data);
        close_endpoint(client);
        close_endpoint(server);
}

Test(datagram, tells_of_a_peer_that_nobody_is_at)
{
        struct endpoint *server = open_endpoint(), *client = connect_to(server);

        close_endpoint(server);
        cr_assert(eq(int, auv_transport_sendto(client->transport, "x", 1, NULL), 0));
        receive_error(client);
        cr_assert(eq(int, client->error, AUV_ECONNREFUSED));
        cr_assert(eq(int, client->lost, 0));
        cr_assert(not(auv_transport_is_closing(client->transport)));
        close_endpoint(client);
}

Test(datagram, brings_one_datagram_at_each_look)
{
        struct endpoint *server = open_endpoint(), *client = connect_to(server);

        for (int i = 0; i < 3; i++)
                auv_transport_sendto(client->transport, "x", 1, NULL);
        receive(server, 1);
        loop_turn();
        cr_assert(eq(int, server->n_received, 2));
        loop_turn();
        cr_assert(eq(int, server->n_received, 3));
        close_endpoint(client);
        close_endpoint(server);
}

Test(datagram, receives_nothing_while_it_is_paused)
{
        struct endpoint *server = open_endpoint(), *client = connect_to(server);

        auv_transport_pause_reading(server->transport);
        cr_assert(not(auv_transport_is_reading(server->transport)));
        auv_transport_sendto(client->transport, "x", 1, NULL);
        loop_turns(3);
        cr_assert(eq(int, server->n_received, 0));
        auv_transport_resume_reading(server->transport);
        receive(server, 1);
        close_endpoint(client);
        close_endpoint(server);
}

/* A pair of AF_UNIX, which holds few datagrams: one as an endpoint, the other for the test. */
static struct endpoint *open_over_pair(int *ret_far)
{
        struct endpoint *endpoint = new_endpoint();
        int pair[2];

        cr_assert(eq(int, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0));
        fcntl(pair[1], F_SETFL, O_NONBLOCK);
        endpoint->local_host = NULL;
        endpoint->options = AUV_DATAGRAM_OPTIONS(.use_sock = true, .sock = pair[0]);
        cr_assert(eq(int, loop_run(opens, endpoint, NULL), 0));
        endpoint->options = NULL;
        *ret_far = pair[1];
        return endpoint;
}

/* Sends until the system takes no more. Returns how many it took. */
static int fill(struct endpoint *endpoint)
{
        int n = 0;

        while (auv_transport_get_write_buffer_size(endpoint->transport) == 0) {
                const char number = (char)n;

                cr_assert(eq(int, auv_transport_sendto(endpoint->transport, &number, 1, NULL), 0));
                n++;
        }
        return n - 1;
}

/* Takes all that there is, and checks that it comes in order and whole. Returns how many there were so far.
 */
static int drain(int fd, int n)
{
        char data[16];

        while (recv(fd, data, sizeof(data), 0) == 1)
                cr_assert(eq(chr, data[0], (char)n++));
        return n;
}

Test(datagram, keeps_what_the_system_does_not_take)
{
        int far, n, received;
        struct endpoint *endpoint = open_over_pair(&far);

        n = fill(endpoint);
        cr_assert(eq(sz, auv_transport_get_write_buffer_size(endpoint->transport), 1 + 8));
        for (int i = 1; i < 20; i++) {
                const char number = (char)(n + i);

                cr_assert(eq(int, auv_transport_sendto(endpoint->transport, &number, 1, NULL), 0));
                cr_assert(eq(sz, auv_transport_get_write_buffer_size(endpoint->transport),
                             (1 + 8) * (size_t)(i + 1)));
        }
        received = drain(far, 0);
        for (int i = 0; received < n + 20 && i < 1000; i++) {
                loop_turn();
                received = drain(far, received);
        }
        cr_assert(eq(int, received, n + 20));
        cr_assert(eq(sz, auv_transport_get_write_buffer_size(endpoint->transport), 0));
        close_endpoint(endpoint);
        close(far);
}

Test(datagram, pauses_and_resumes_its_protocol_at_the_water_marks)
{
        int far;
        struct endpoint *endpoint = open_over_pair(&far);

        cr_assert(eq(int, auv_transport_set_write_buffer_limits(endpoint->transport, 30, 10), 0));
        trace_clear();
        fill(endpoint);
        auv_transport_sendto(endpoint->transport, NULL, 0, NULL);
        auv_transport_sendto(endpoint->transport, NULL, 0, NULL);
        cr_assert_trace("");
        auv_transport_sendto(endpoint->transport, NULL, 0, NULL);
        cr_assert_trace("pause");
        auv_transport_sendto(endpoint->transport, NULL, 0, NULL);
        cr_assert_trace("pause");
        for (int i = 0; auv_transport_get_write_buffer_size(endpoint->transport) > 0 && i < 1000; i++) {
                char data[16];

                while (recv(far, data, sizeof(data), 0) >= 0)
                        ;
                loop_turn();
        }
        cr_assert_trace("pause resume");
        close_endpoint(endpoint);
        close(far);
}

Test(datagram, close_sends_what_waits_and_abort_does_not)
{
        int far, n, received;
        struct endpoint *endpoint = open_over_pair(&far);

        n = fill(endpoint);
        auv_transport_close(endpoint->transport);
        loop_turns(3);
        cr_assert(eq(int, endpoint->lost, 0));
        received = drain(far, 0);
        for (int i = 0; endpoint->lost == 0 && i < 1000; i++)
                loop_turn();
        cr_assert(eq(int, drain(far, received), n + 1));
        close_endpoint(endpoint);
        close(far);

        endpoint = open_over_pair(&far);
        n = fill(endpoint);
        auv_transport_abort(endpoint->transport);
        cr_assert(eq(sz, auv_transport_get_write_buffer_size(endpoint->transport), 0));
        loop_turns(2);
        cr_assert(eq(int, endpoint->lost, 1));
        cr_assert(eq(int, drain(far, 0), n));
        close_endpoint(endpoint);
        close(far);
}

Test(datagram, tells_of_a_peer_that_went_while_datagrams_wait)
{
        int far;
        struct endpoint *endpoint = open_over_pair(&far);

        fill(endpoint);
        auv_transport_sendto(endpoint->transport, "x", 1, NULL);
        close(far);
        for (int i = 0; auv_transport_get_write_buffer_size(endpoint->transport) > 0 && i < 1000; i++)
                loop_turn();
        cr_assert(gt(int, endpoint->n_errors, 1));
        cr_assert(eq(int, endpoint->lost, 0));
        close_endpoint(endpoint);
}

Test(datagram, may_be_aborted_when_it_tells_of_an_error)
{
        int far;
        struct endpoint *endpoint = open_over_pair(&far);

        auv_transport_set_write_buffer_limits(endpoint->transport, 10, 5);
        trace_clear();
        fill(endpoint);
        auv_transport_sendto(endpoint->transport, "x", 1, NULL);
        endpoint->aborts_on_error = true;
        close(far);
        for (int i = 0; endpoint->lost == 0 && i < 1000; i++)
                loop_turn();
        cr_assert(eq(int, endpoint->n_errors, 1));
        cr_assert_trace("pause lost");
        close_endpoint(endpoint);
}

Test(datagram, drops_what_is_sent_when_it_is_gone)
{
        struct endpoint *server = open_endpoint(), *client = connect_to(server);

        auv_transport_close(client->transport);
        for (int i = 0; i < 4; i++)
                cr_assert(eq(int, auv_transport_sendto(client->transport, "x", 1, NULL), 0));
        loop_turns(2);
        cr_assert(eq(int, reports_pending(), 0));
        for (int i = 0; i < 2; i++)
                cr_assert(eq(int, auv_transport_sendto(client->transport, "x", 1, NULL), 0));
        cr_assert(gt(int, reports_drop(), 0));
        loop_turns(2);
        cr_assert(eq(int, server->n_received, 0));
        close_endpoint(client);
        close_endpoint(server);
}

Test(datagram, has_no_bytes_and_no_end)
{
        struct endpoint *endpoint = open_endpoint();

        cr_assert(eq(int, auv_transport_write(endpoint->transport, "x", 1), AUV_ENOTSUP));
        cr_assert(eq(int, auv_transport_write_eof(endpoint->transport), AUV_ENOTSUP));
        cr_assert(not(auv_transport_can_write_eof(endpoint->transport)));
        cr_assert(eq(int, auv_transport_sendto(NULL, "x", 1, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_transport_sendto(endpoint->transport, NULL, 1, NULL), AUV_EINVAL));
        close_endpoint(endpoint);
}

Test(datagram, refuses_an_address_of_a_family_that_it_does_not_know)
{
        struct endpoint *endpoint = open_endpoint();
        const struct sockaddr unknown = { .sa_family = AF_APPLETALK };
        const struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

        cr_assert(eq(int, auv_transport_sendto(endpoint->transport, "x", 1, &unknown), AUV_EINVAL));
        /* one of another family is refused by the system */
        cr_assert(eq(int, auv_transport_sendto(endpoint->transport, "x", 1, (const struct sockaddr *)&six),
                     0));
        cr_assert(eq(int, endpoint->n_errors, 1));
        close_endpoint(endpoint);
}

Test(datagram, address_in_use_is_an_error)
{
        struct endpoint *endpoint = open_endpoint(), *second = new_endpoint();

        second->local_port = port_of(endpoint);
        cr_assert(eq(int, loop_run(opens, second, NULL), AUV_EADDRINUSE));
        free(second);
        close_endpoint(endpoint);
}

Test(datagram, shares_a_port_that_both_want_to_share)
{
        struct endpoint *one = new_endpoint(), *two = new_endpoint();

        one->options = two->options = AUV_DATAGRAM_OPTIONS(.reuse_port = true);
        cr_assert(eq(int, loop_run(opens, one, NULL), 0));
        two->local_port = port_of(one);
        cr_assert(eq(int, loop_run(opens, two, NULL), 0));
        close_endpoint(one);
        close_endpoint(two);
}

Test(datagram, broadcast_has_an_address_and_no_peer)
{
        struct endpoint *server = open_endpoint(), *client = new_endpoint(), *other = open_endpoint();
        auv_value value = { .p = NULL };
        int on = 0;
        socklen_t size = sizeof(on);

        client->remote_host = "127.0.0.1";
        client->remote_port = port_of(server);
        client->options = AUV_DATAGRAM_OPTIONS(.allow_broadcast = true);
        cr_assert(eq(int, loop_run(opens, client, NULL), 0));
        cr_assert(eq(int, getsockopt(fd_of(client), SOL_SOCKET, SO_BROADCAST, &on, &size), 0));
        cr_assert(eq(int, on, 1));
        cr_assert(eq(int, auv_transport_get_extra_info(client->transport, "peername", &value), 0));
        cr_assert(eq(int, auv_transport_sendto(client->transport, "x", 1, NULL), 0));
        receive(server, 1);
        cr_assert(eq(int, send_to(client, other, "x"), AUV_EINVAL));
        /* what others send is received */
        cr_assert(eq(int, send_to(other, client, "x"), 0));
        receive(client, 1);
        close_endpoint(client);
        close_endpoint(server);
        close_endpoint(other);
}

Test(datagram, receives_from_a_multicast_group_that_its_socket_has_joined)
{
        struct endpoint *endpoint = new_endpoint();
        const struct ip_mreq group = { .imr_multiaddr.s_addr = htonl(0xeffffa01), /* 239.255.250.1 */
                                       .imr_interface.s_addr = htonl(INADDR_LOOPBACK) };
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = group.imr_multiaddr };

        endpoint->local_host = "0.0.0.0";
        cr_assert(eq(int, loop_run(opens, endpoint, NULL), 0));
        cr_assert(eq(int, setsockopt(fd_of(endpoint), IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)),
                     0));
        cr_assert(eq(int,
                     setsockopt(fd_of(endpoint), IPPROTO_IP, IP_MULTICAST_IF, &group.imr_interface,
                                sizeof(group.imr_interface)),
                     0));
        to.sin_port = htons((uint16_t)port_of(endpoint));
        cr_assert(eq(int, auv_transport_sendto(endpoint->transport, "x", 1, (struct sockaddr *)&to), 0));
        receive(endpoint, 1);
        close_endpoint(endpoint);
}

Test(datagram, tells_both_names)
{
        struct endpoint *server = open_endpoint(), *client = connect_to(server);
        char text[AUV_ADDRESS_SIZE], expected[AUV_ADDRESS_SIZE];
        auv_value value = { .p = NULL };

        cr_assert(eq(int, auv_transport_get_extra_info(client->transport, "peername", &value), 1));
        auv_format_address(value.p, text, sizeof(text));
        snprintf(expected, sizeof(expected), "127.0.0.1:%d", port_of(server));
        cr_assert(eq(str, text, expected));
        cr_assert(eq(int, auv_transport_get_extra_info(server->transport, "peername", &value), 0));
        cr_assert(ge(int, fd_of(server), 0));
        close_endpoint(client);
        close_endpoint(server);
}

Test(datagram, needs_no_address_where_it_has_a_family)
{
        struct endpoint *endpoint = new_endpoint(), *server = open_endpoint();

        endpoint->local_host = NULL;
        endpoint->options = AUV_DATAGRAM_OPTIONS(.family = AF_INET);
        cr_assert(eq(int, loop_run(opens, endpoint, NULL), 0));
        cr_assert(eq(int, send_to(endpoint, server, "x"), 0));
        receive(server, 1);
        close_endpoint(endpoint);
        close_endpoint(server);
}

Test(datagram, of_ipv6)
{
        struct endpoint *server = new_endpoint(), *client = new_endpoint();
        auv_value value = { .p = NULL };

        server->local_host = "::1";
        if (loop_run(opens, server, NULL) < 0) {
                free(server);
                free(client);
                cr_skip_test("there is no IPv6 here");
        }
        auv_transport_get_extra_info(server->transport, "sockname", &value);
        client->local_host = NULL;
        client->remote_host = "::1";
        client->remote_port = ntohs(((const struct sockaddr_in6 *)value.p)->sin6_port);
        cr_assert(eq(int, loop_run(opens, client, NULL), 0));
        cr_assert(eq(int, auv_transport_sendto(client->transport, "x", 1, value.p), 0));
        receive(server, 1);
        close_endpoint(client);
        close_endpoint(server);
}

Test(datagram, of_unix_paths)
{
        char directory[] = "/tmp/auv-datagram-XXXXXX", server_path[64], client_path[64];
        struct endpoint *server = new_endpoint(), *client = new_endpoint();

        cr_assert(ne(ptr, mkdtemp(directory), NULL));
        snprintf(server_path, sizeof(server_path), "%s/server", directory);
        snprintf(client_path, sizeof(client_path), "%s/client", directory);
        server->local_host = server_path;
        client->local_host = client_path;
        client->remote_host = server_path;
        server->options = client->options = AUV_DATAGRAM_OPTIONS(.family = AF_UNIX);
        server->echoes = true;
        cr_assert(eq(int, loop_run(opens, server, NULL), 0));
        cr_assert(eq(int, loop_run(opens, client, NULL), 0));
        cr_assert(eq(int, auv_transport_sendto(client->transport, "hello", 5, NULL), 0));
        receive(client, 1);
        cr_assert(eq(str, ((struct sockaddr_un *)&server->sender)->sun_path, client_path));
        close_endpoint(client);
        close_endpoint(server);

        /* what an earlier run has left is no obstacle, */
        server = new_endpoint();
        server->local_host = server_path;
        server->options = AUV_DATAGRAM_OPTIONS(.family = AF_UNIX);
        cr_assert(eq(int, loop_run(opens, server, NULL), 0));
        close_endpoint(server);
        /* and what is no socket stays */
        unlink(server_path);
        fclose(fopen(server_path, "w"));
        server = new_endpoint();
        server->local_host = server_path;
        server->options = AUV_DATAGRAM_OPTIONS(.family = AF_UNIX);
        cr_assert(eq(int, loop_run(opens, server, NULL), AUV_EADDRINUSE));
        free(server);
        unlink(server_path);
        unlink(client_path);
        rmdir(directory);
}

Test(datagram, of_names_in_the_abstract_space)
{
        struct endpoint *server = new_endpoint(), *client = new_endpoint();
        char name[64];

        snprintf(name, sizeof(name), "@auv-datagram-%d", getpid());
        server->local_host = name;
        server->echoes = true;
        client->local_host = NULL;
        server->options = client->options = AUV_DATAGRAM_OPTIONS(.family = AF_UNIX);
        cr_assert(eq(int, loop_run(opens, server, NULL), 0));
        cr_assert(eq(int, loop_run(opens, client, NULL), 0));
        {
                auv_value value = { .p = NULL };

                cr_assert(eq(int, auv_transport_get_extra_info(server->transport, "sockname", &value), 1));
                server->echoes = false;
                cr_assert(eq(int, auv_transport_sendto(client->transport, "x", 1, value.p), 0));
        }
        receive(server, 1);
        /* the client has no name */
        cr_assert(not(server->has_sender));
        close_endpoint(client);
        close_endpoint(server);
}

/* How an endpoint could not be had: nothing is left, and the protocol was never made. */
static int refused(struct endpoint given)
{
        struct endpoint *endpoint = malloc(sizeof(*endpoint));
        int r;

        *endpoint = given;
        r = loop_run(opens, endpoint, NULL);
        cr_assert(eq(int, endpoint->released, 0));
        cr_assert(eq(ptr, endpoint->transport, NULL));
        free(endpoint);
        return r;
}

Test(datagram, refuses_what_has_no_meaning)
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

Test(datagram, fails_as_its_factory_does)
{
        cr_assert(eq(int,
                     refused((struct endpoint) { .local_host = "127.0.0.1", .factory_error = AUV_EUSER }),
                     AUV_EUSER));
}

static int opens_without_factory(void *arg, auv_value *ret)
{
        return auv_await_create_datagram_endpoint(NULL, NULL, "127.0.0.1", 0, NULL, 0, NULL, NULL);
}

Test(datagram, must_have_a_factory_and_a_task)
{
        cr_assert(eq(int, loop_run(opens_without_factory, NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, opens_without_factory(NULL, NULL), AUV_ENOTASK));
}

static int opens_for_nobody(void *arg, auv_value *ret)
{
        return auv_await_create_datagram_endpoint(make_protocol, arg, "127.0.0.1", 0, NULL, 0, NULL, NULL);
}

Test(datagram, lives_without_a_reference_until_its_loop_is_closed)
{
        struct endpoint *endpoint = new_endpoint();

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
        struct endpoint *endpoint = new_endpoint();
        AUV_AUTO auv_task *task = NULL;
        int r;

        endpoint->local_host = host;
        endpoint->remote_host = "127.0.0.1";
        endpoint->remote_port = 9;
        endpoint->options = AUV_DATAGRAM_OPTIONS(.family = AF_INET);
        task = auv_loop_create_task(loop, opens, endpoint, 0, NULL);
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

Test(datagram, may_be_cancelled_in_every_turn)
{
        for (int turn = 0; turn < 6; turn++)
                cancel_in_turn("127.0.0.1", turn);
        for (int turn = 0; turn < 30; turn++)
                cancel_in_turn("localhost", turn);
}

static int exchanges(void *arg, auv_value *ret)
{
        struct endpoint *server = new_endpoint(), *client = new_endpoint();
        int *pair = arg;
        int r = opens(server, NULL);

        client->local_host = NULL;
        client->options = AUV_DATAGRAM_OPTIONS(.use_sock = true, .sock = pair[0]);
        if (r == 0) {
                pair[0] = -1;
                r = opens(client, NULL);
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

Test(datagram, fails_cleanly_without_memory)
{
        const int descriptors = descriptors_open();

        cr_assert(gt(int, (int)failing_allocator_sweep(exchange_once), 8));
        cr_assert(eq(int, descriptors_open(), descriptors));
}

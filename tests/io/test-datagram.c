/* SPDX-License-Identifier: MIT */
#include "endpoint.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(datagram, .init = loop_setup, .fini = loop_teardown);

Test(datagram, carries_a_datagram_and_the_answer)
{
        struct endpoint *server = endpoint_open(), *client = endpoint_connect(server);

        server->echoes = true;
        cr_assert(eq(int, auv_transport_sendto(client->transport, "hello", 5, NULL), 0));
        endpoint_receive(client, 1);
        cr_assert(eq(sz, server->size, 5));
        cr_assert(eq(int, ntohs(((struct sockaddr_in *)&server->sender)->sin_port), endpoint_port(client)));
        cr_assert(zero(int, memcmp(client->received, "hello", 5)));
        endpoint_close(client);
        endpoint_close(server);
}

Test(datagram, sends_to_whom_it_is_told)
{
        struct endpoint *a = endpoint_open(), *b = endpoint_open(), *c = endpoint_open();

        cr_assert(eq(int, endpoint_send(a, b, "to b"), 0));
        cr_assert(eq(int, endpoint_send(a, c, "to c"), 0));
        endpoint_receive(b, 1);
        endpoint_receive(c, 1);
        cr_assert(zero(int, memcmp(b->received, "to b", 4)));
        cr_assert(zero(int, memcmp(c->received, "to c", 4)));
        cr_assert(eq(int, auv_transport_sendto(a->transport, "x", 1, NULL), AUV_EDESTADDRREQ));
        endpoint_close(a);
        endpoint_close(b);
        endpoint_close(c);
}

Test(datagram, keeps_to_the_remote_address)
{
        struct endpoint *server = endpoint_open(), *client = endpoint_connect(server);
        struct endpoint *other = endpoint_open();

        cr_assert(eq(int, endpoint_send(client, other, "x"), AUV_EINVAL));
        cr_assert(eq(int, endpoint_send(client, server, "x"), 0));
        endpoint_receive(server, 1);
        /* and what others send does not get there */
        cr_assert(eq(int, endpoint_send(other, client, "x"), 0));
        loop_turns(3);
        cr_assert(eq(int, client->n_received, 0));
        endpoint_close(client);
        endpoint_close(server);
        endpoint_close(other);
}

Test(datagram, carries_empty_datagrams)
{
        struct endpoint *server = endpoint_open(), *client = endpoint_connect(server);

        server->size = 99;
        cr_assert(eq(int, auv_transport_sendto(client->transport, NULL, 0, NULL), 0));
        endpoint_receive(server, 1);
        cr_assert(eq(sz, server->size, 0));
        endpoint_close(client);
        endpoint_close(server);
}

Test(datagram, carries_the_longest_datagram_and_tells_of_a_longer_one)
{
        enum { LONGEST = 65507 };

        struct endpoint *server = endpoint_open(), *client = endpoint_connect(server);
        char *data = malloc(LONGEST + 1);

        for (int i = 0; i <= LONGEST; i++)
                data[i] = (char)(i * 7);
        cr_assert(eq(int, auv_transport_sendto(client->transport, data, LONGEST + 1, NULL), 0));
        cr_assert(eq(int, client->error, AUV_EMSGSIZE));
        cr_assert(eq(int, auv_transport_sendto(client->transport, data, LONGEST, NULL), 0));
        endpoint_receive(server, 1);
        cr_assert(eq(sz, server->size, LONGEST));
        cr_assert(zero(int, memcmp(server->received, data, LONGEST)));
        free(data);
        endpoint_close(client);
        endpoint_close(server);
}

Test(datagram, tells_of_a_peer_that_nobody_is_at)
{
        struct endpoint *server = endpoint_open(), *client = endpoint_connect(server);

        endpoint_close(server);
        cr_assert(eq(int, auv_transport_sendto(client->transport, "x", 1, NULL), 0));
        endpoint_receive_error(client);
        cr_assert(eq(int, client->error, AUV_ECONNREFUSED));
        cr_assert(eq(int, client->lost, 0));
        cr_assert(not(auv_transport_is_closing(client->transport)));
        endpoint_close(client);
}

Test(datagram, brings_one_datagram_at_each_look)
{
        struct endpoint *server = endpoint_open(), *client = endpoint_connect(server);

        for (int i = 0; i < 3; i++)
                auv_transport_sendto(client->transport, "x", 1, NULL);
        endpoint_receive(server, 1);
        loop_turn();
        cr_assert(eq(int, server->n_received, 2));
        loop_turn();
        cr_assert(eq(int, server->n_received, 3));
        endpoint_close(client);
        endpoint_close(server);
}

Test(datagram, receives_nothing_while_it_is_paused)
{
        struct endpoint *server = endpoint_open(), *client = endpoint_connect(server);

        auv_transport_pause_reading(server->transport);
        cr_assert(not(auv_transport_is_reading(server->transport)));
        auv_transport_sendto(client->transport, "x", 1, NULL);
        loop_turns(3);
        cr_assert(eq(int, server->n_received, 0));
        auv_transport_resume_reading(server->transport);
        endpoint_receive(server, 1);
        endpoint_close(client);
        endpoint_close(server);
}

/* A pair of AF_UNIX, which holds few datagrams: one as an endpoint, the other for the test. */
static struct endpoint *open_over_pair(int *ret_far)
{
        struct endpoint *endpoint = endpoint_new();
        int pair[2];

        cr_assert(eq(int, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0));
        fcntl(pair[1], F_SETFL, O_NONBLOCK);
        endpoint->local_host = NULL;
        endpoint->options = AUV_DATAGRAM_OPTIONS(.use_sock = true, .sock = pair[0]);
        cr_assert(eq(int, loop_run(endpoint_opens, endpoint, NULL), 0));
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
        endpoint_close(endpoint);
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
        endpoint_close(endpoint);
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
        endpoint_close(endpoint);
        close(far);

        endpoint = open_over_pair(&far);
        n = fill(endpoint);
        auv_transport_abort(endpoint->transport);
        cr_assert(eq(sz, auv_transport_get_write_buffer_size(endpoint->transport), 0));
        loop_turns(2);
        cr_assert(eq(int, endpoint->lost, 1));
        cr_assert(eq(int, drain(far, 0), n));
        endpoint_close(endpoint);
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
        endpoint_close(endpoint);
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
        endpoint_close(endpoint);
}

Test(datagram, drops_what_is_sent_when_it_is_gone)
{
        struct endpoint *server = endpoint_open(), *client = endpoint_connect(server);

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
        endpoint_close(client);
        endpoint_close(server);
}

Test(datagram, has_no_bytes_and_no_end)
{
        struct endpoint *endpoint = endpoint_open();

        cr_assert(eq(int, auv_transport_write(endpoint->transport, "x", 1), AUV_ENOTSUP));
        cr_assert(eq(int, auv_transport_write_eof(endpoint->transport), AUV_ENOTSUP));
        cr_assert(not(auv_transport_can_write_eof(endpoint->transport)));
        cr_assert(eq(int, auv_transport_sendto(NULL, "x", 1, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_transport_sendto(endpoint->transport, NULL, 1, NULL), AUV_EINVAL));
        endpoint_close(endpoint);
}

Test(datagram, refuses_an_address_of_a_family_that_it_does_not_know)
{
        struct endpoint *endpoint = endpoint_open();
        const struct sockaddr unknown = { .sa_family = AF_APPLETALK };
        const struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

        cr_assert(eq(int, auv_transport_sendto(endpoint->transport, "x", 1, &unknown), AUV_EINVAL));
        /* one of another family is refused by the system */
        cr_assert(eq(int, auv_transport_sendto(endpoint->transport, "x", 1, (const struct sockaddr *)&six),
                     0));
        cr_assert(eq(int, endpoint->n_errors, 1));
        endpoint_close(endpoint);
}

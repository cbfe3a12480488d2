/* SPDX-License-Identifier: MIT */
/*
 * dns-server - answer for a fixed zone, over UDP
 *
 *      dns-server 5353
 *      dig -p 5353 @127.0.0.1 www.example.test AAAA
 *
 * A datagram endpoint and its protocol. Each query is answered right where it is received, for there is
 * nothing to wait for: no task is made, and nothing is reserved. A client that does not take its
 * answers costs nothing either, since what waits to be sent is limited: beyond that, answers are dropped,
 * as the network drops them.
 *
 * Ends on SIGTERM and SIGINT, and says on standard error how much it has done.
 */

#include "argument.h"
#include "dns.h"

#include <asyncuv.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const struct dns_record records[] = {
        { "example.test", DNS_SOA, 300, "ns.example.test hostmaster.example.test 2026010100" },
        { "example.test", DNS_NS, 3600, "ns.example.test" },
        { "example.test", DNS_A, 3600, "192.0.2.1" },
        { "example.test", DNS_TXT, 3600, "v=spf1 -all" },
        { "ns.example.test", DNS_A, 3600, "192.0.2.53" },
        { "www.example.test", DNS_A, 60, "192.0.2.80" },
        { "www.example.test", DNS_A, 60, "192.0.2.81" },
        { "www.example.test", DNS_AAAA, 60, "2001:db8::80" },
        { "notes.example.test", DNS_TXT, 60, "one" },
        { "notes.example.test", DNS_TXT, 60, "two words" },
        /* 26 times 10, which is more than one string of a text holds */
        { "long.example.test", DNS_TXT, 60,
          "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiiijjjjjj"
          "jjjj"
          "kkkkkkkkkkllllllllllmmmmmmmmmmnnnnnnnnnnooooooooooppppppppppqqqqqqqqqqrrrrrrrrrrssssssssss"
          "ttttttttttuuuuuuuuuuvvvvvvvvvvwwwwwwwwwwxxxxxxxxxxyyyyyyyyyyzzzzzzzzzz" },
        /* more than an answer holds */
        { "huge.example.test", DNS_TXT, 60,
          "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiiijjjjjj"
          "jjjj"
          "kkkkkkkkkkllllllllllmmmmmmmmmmnnnnnnnnnnooooooooooppppppppppqqqqqqqqqqrrrrrrrrrrssssssssss"
          "ttttttttttuuuuuuuuuuvvvvvvvvvvwwwwwwwwwwxxxxxxxxxxyyyyyyyyyyzzzzzzzzzz" },
        { "huge.example.test", DNS_TXT, 60,
          "000000000011111111112222222222333333333344444444445555555555666666666677777777778888888888999999"
          "99990"
          "000000000011111111112222222222333333333344444444445555555555666666666677777777778888888888999999"
          "99990" },
};

static const struct dns_zone zone = { .name = "example.test",
                                      .records = records,
                                      .n = sizeof(records) / sizeof(records[0]) };

struct server {
        int port;
        auv_transport *transport;
        bool is_paused; /* what waits to be sent has reached its limit */
        unsigned long n_queries;
        unsigned long n_answers;
        auv_event *stop_requested;
        auv_event *closed;
};

static void connection_made(void *user, auv_transport *transport)
{
        ((struct server *)user)->transport = transport;
}

static void connection_lost(void *user, auv_error *error)
{
        auv_event_set(((struct server *)user)->closed);
}

static void pause_writing(void *user)
{
        ((struct server *)user)->is_paused = true;
}

static void resume_writing(void *user)
{
        ((struct server *)user)->is_paused = false;
}

static void datagram_received(void *user, const void *data, size_t size, const struct sockaddr *address)
{
        struct server *server = user;
        unsigned char answer[DNS_ANSWER_SIZE];
        const size_t answer_size = dns_answer(&zone, data, size, answer);

        server->n_queries++;
        if (answer_size == 0 || server->is_paused)
                return;
        if (auv_transport_sendto(server->transport, answer, answer_size, address) == 0)
                server->n_answers++;
}

static int make_protocol(void *arg, auv_protocol *ret_protocol)
{
        static const auv_protocol_functions functions =
                AUV_PROTOCOL_FUNCTIONS(.connection_made = connection_made,
                                       .connection_lost = connection_lost, .pause_writing = pause_writing,
                                       .resume_writing = resume_writing,
                                       .datagram_received = datagram_received);

        *ret_protocol = (auv_protocol) { .functions = &functions, .user = arg };
        return 0;
}

static void request_stop(void *arg)
{
        auv_event_set(((struct server *)arg)->stop_requested);
}

static int print_port(auv_transport *transport)
{
        auv_value value = { .p = NULL };

        if (auv_transport_get_extra_info(transport, "sockname", &value) == 0)
                return auv_raise(AUV_EINVAL, "the server has no address");
        printf("port %d\n", ntohs(((const struct sockaddr_in *)value.p)->sin_port));
        return fflush(stdout) == 0 ? 0 : AUV_EIO;
}

static int run(void *arg, auv_value *ret)
{
        struct server *server = arg;

        AUV_TRY(auv_loop_add_signal_handler(/* loop= */ NULL, SIGTERM, request_stop, server));
        AUV_TRY(auv_loop_add_signal_handler(/* loop= */ NULL, SIGINT, request_stop, server));
        AUV_TRY(auv_await_create_datagram_endpoint(make_protocol, server, "127.0.0.1", server->port,
                                                   /* remote_host= */ NULL, /* remote_port= */ 0,
                                                   /* options= */ NULL, /* ret_transport= */ NULL));
        AUV_TRY(print_port(server->transport));
        AUV_TRY(auv_await_event_wait(server->stop_requested));
        auv_transport_close(server->transport);
        AUV_TRY(auv_await_event_wait(server->closed));
        fprintf(stderr, "%lu queries, %lu answers\n", server->n_queries, server->n_answers);
        return 0;
}

int main(int argc, char **argv)
{
        /* They outlive the loop, and so whoever sets them. */
        AUV_AUTO auv_event *stop_requested = auv_event_new();
        AUV_AUTO auv_event *closed = auv_event_new();
        struct server server = { .stop_requested = stop_requested, .closed = closed };

        if (argc != 2 || !argument_port(argv[1], &server.port)) {
                fprintf(stderr, "usage: dns-server PORT\n"
                                "PORT may be 0, for one that the system chooses; it is printed.\n");
                return 2;
        }
        return auv_run(run, &server) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

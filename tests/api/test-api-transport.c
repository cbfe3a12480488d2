/* SPDX-License-Identifier: MIT */
/* The public symbols of transports, connections and servers; see check.h. */

#include "check.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A protocol that completes a future when it has lost its connection, and with it answers each byte. */
struct echo {
        auv_transport *transport;
        auv_future *lost;
        size_t received;
};

static void made(void *user, auv_transport *transport)
{
        ((struct echo *)user)->transport = transport;
}

static void lost(void *user, auv_error *error)
{
        struct echo *echo = user;

        echo->transport = NULL;
        if (echo->lost)
                auv_future_set_result(echo->lost, (auv_value) { 0 });
}

static void received(void *user, const void *data, size_t size)
{
        struct echo *echo = user;

        echo->received += size;
        if (!echo->lost)
                check(auv_transport_write(echo->transport, data, size) == 0);
        else
                auv_transport_close(echo->transport);
}

static const auv_protocol_functions functions =
        AUV_PROTOCOL_FUNCTIONS(.connection_made = made, .connection_lost = lost, .data_received = received);

static int make(void *arg, auv_protocol *ret_protocol)
{
        *ret_protocol = (auv_protocol) { .functions = &functions, .user = arg };
        return 0;
}

/* Sends a byte, and waits until the answer has closed the connection. */
static void ping(auv_transport *transport, struct echo *client)
{
        check(auv_transport_writelines(transport, &(auv_buffer) { "x", 1 }, 1) == 0);
        check(auv_await(client->lost, NULL) == 0);
        check(client->received == 1);
}

static int test_tcp(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *is_lost = auv_loop_create_future(NULL);
        AUV_AUTO auv_server *server = NULL;
        AUV_AUTO auv_transport *transport = NULL;
        struct echo service = { .lost = NULL }, client = { .lost = is_lost };
        struct sockaddr_in address;
        socklen_t size = sizeof(address);
        char text[AUV_ADDRESS_SIZE];
        auv_value value;
        int fd;

        check(auv_await_create_server(make, &service, "127.0.0.1", 0,
                                      AUV_SERVER_OPTIONS(.defer_serving = true), &server) == 0);
        check(!auv_server_is_serving(server));
        check(auv_await_server_start_serving(server) == 0);
        check(auv_server_is_serving(server));
        check(auv_server_get_loop(server) == auv_get_running_loop());
        check(auv_server_sockets(server, &fd, 1) == 1);
        check(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
        check(auv_await_create_connection(make, &client, "127.0.0.1", ntohs(address.sin_port), NULL,
                                          &transport) == 0);
        check(auv_transport_get_extra_info(transport, "peername", &value) == 1);
        check(auv_format_address(value.p, text, sizeof(text)) > strlen("127.0.0.1:"));
        ping(transport, &client);
        auv_server_close_clients(server);
        auv_server_abort_clients(server);
        auv_server_close(server);
        check(auv_await_server_wait_closed(server) == 0);
        check(auv_await_server_serve_forever(server) == AUV_ERUNTIME);
        return 0;
}

static int test_unix(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *is_lost = auv_loop_create_future(NULL);
        AUV_AUTO auv_server *server = NULL;
        AUV_AUTO auv_transport *transport = NULL;
        struct echo service = { .lost = NULL }, client = { .lost = is_lost };
        char path[64];

        snprintf(path, sizeof(path), "@asyncuv-api-%d", (int)getpid());
        check(auv_await_create_unix_server(make, &service, path, NULL, &server) == 0);
        check(auv_await_create_unix_connection(make, &client, path, NULL, &transport) == 0);
        ping(transport, &client);
        auv_server_close(server);
        return 0;
}

static int test_transport(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *is_lost = auv_loop_create_future(NULL);
        AUV_AUTO auv_transport *transport = NULL;
        struct echo client = { .lost = is_lost };
        const auv_protocol protocol = { .functions = &functions, .user = &client };
        size_t low, high;
        int pair[2];

        check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
        check(auv_await_connect_accepted_socket(make, &client, pair[0], &transport) == 0);
        check(auv_transport_get_loop(transport) == auv_get_running_loop());
        check(auv_transport_is_reading(transport));
        auv_transport_pause_reading(transport);
        auv_transport_resume_reading(transport);
        check(auv_transport_set_write_buffer_limits(transport, 10, AUV_DEFAULT_LIMIT) == 0);
        check(auv_transport_get_write_buffer_limits(transport, &low, &high) == 0);
        check(low == 2 && high == 10);
        check(auv_transport_get_write_buffer_size(transport) == 0);
        check(auv_transport_set_protocol(transport, &protocol) == 0);
        check(auv_transport_get_protocol(transport).user == &client);
        check(auv_transport_can_write_eof(transport));
        check(auv_transport_write_eof(transport) == 0);
        check(!auv_transport_is_closing(transport));
        auv_transport_abort(transport);
        check(auv_await(is_lost, NULL) == 0);
        close(pair[1]);
        return 0;
}

static int test_pipes(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *reader_lost = auv_loop_create_future(NULL);
        AUV_AUTO auv_future *writer_lost = auv_loop_create_future(NULL);
        AUV_AUTO auv_transport *writer = NULL;
        struct echo from = { .lost = reader_lost }, to = { .lost = writer_lost };
        int ends[2];

        check(pipe(ends) == 0);
        check(auv_await_connect_read_pipe(make, &from, ends[0], NULL) == 0);
        check(auv_await_connect_write_pipe(make, &to, ends[1], &writer) == 0);
        ping(writer, &from);
        check(auv_await(writer_lost, NULL) == 0);
        return 0;
}

int main(void)
{
        run_in_task(test_tcp);
        run_in_task(test_unix);
        run_in_task(test_transport);
        run_in_task(test_pipes);
        return EXIT_SUCCESS;
}

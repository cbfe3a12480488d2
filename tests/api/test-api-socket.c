/* SPDX-License-Identifier: MIT */
/* The public symbols of sockets, names, datagrams and files; see check.h. */

#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

static int test_names(void *arg, auv_value *ret)
{
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
        struct addrinfo *found;
        char host[64], service[64];

        check(auv_await_getaddrinfo("127.0.0.1", "80", &hints, &found) == 0);
        check(found->ai_family == AF_INET);
        check(auv_await_getnameinfo(found->ai_addr, NI_NUMERICHOST | NI_NUMERICSERV, host, sizeof(host),
                                    service, sizeof(service)) == 0);
        check(strcmp(host, "127.0.0.1") == 0 && strcmp(service, "80") == 0);
        auv_freeaddrinfo(found);
        return 0;
}

static int new_socket(int type)
{
        return socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int bound_socket(int type, struct sockaddr_in *ret_address)
{
        const int fd = new_socket(type);
        socklen_t size = sizeof(*ret_address);

        *ret_address =
                (struct sockaddr_in) { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        check(bind(fd, (struct sockaddr *)ret_address, size) == 0);
        check(getsockname(fd, (struct sockaddr *)ret_address, &size) == 0);
        return fd;
}

static int test_streams(void *arg, auv_value *ret)
{
        struct sockaddr_in address;
        const int listener = bound_socket(SOCK_STREAM, &address);
        const int client = new_socket(SOCK_STREAM), other = new_socket(SOCK_STREAM);
        int connection, second;
        char data[8];
        size_t n;

        check(listen(listener, 2) == 0);
        check(auv_await_sock_connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
        check(auv_await_sock_connect_host(other, "127.0.0.1", ntohs(address.sin_port)) == 0);
        check(auv_await_sock_accept(listener, &connection, NULL, NULL) == 0);
        check(auv_await_sock_accept(listener, &second, NULL, NULL) == 0);
        check(auv_await_sock_sendall(client, "hello", 5) == 0);
        check(auv_await_sock_recv(connection, data, sizeof(data), &n) == 0);
        check(n == 5 && memcmp(data, "hello", 5) == 0);
        close(connection);
        close(second);
        close(client);
        close(other);
        close(listener);
        return 0;
}

static int test_datagrams(void *arg, auv_value *ret)
{
        struct sockaddr_in address, own;
        struct sockaddr_storage sender;
        const int to = bound_socket(SOCK_DGRAM, &address), from = bound_socket(SOCK_DGRAM, &own);
        socklen_t sender_size;
        char data[8];
        size_t n;

        check(auv_await_sock_sendto(from, "hello", 5, (struct sockaddr *)&address, sizeof(address), &n) ==
              0);
        check(n == 5);
        check(auv_await_sock_recvfrom(to, data, sizeof(data), &n, &sender, &sender_size) == 0);
        check(n == 5 && memcmp(data, "hello", 5) == 0);
        check(sender_size == sizeof(own) && memcmp(&sender, &own, sizeof(own)) == 0);
        close(from);
        close(to);
        return 0;
}

static void receive(void *user, const void *data, size_t size, const struct sockaddr *address)
{
        check(size == 5 && memcmp(data, "hello", 5) == 0 && address);
        auv_event_set(user);
}

static int make_protocol(void *arg, auv_protocol *ret_protocol)
{
        static const auv_protocol_functions functions =
                AUV_PROTOCOL_FUNCTIONS(.datagram_received = receive);

        *ret_protocol = (auv_protocol) { .functions = &functions, .user = arg };
        return 0;
}

static int test_endpoints(void *arg, auv_value *ret)
{
        AUV_AUTO auv_event *received = auv_event_new();
        AUV_AUTO auv_transport *server = NULL;
        AUV_AUTO auv_transport *client = NULL;
        auv_value value = { .p = NULL };

        check(auv_await_create_datagram_endpoint(make_protocol, received, "127.0.0.1", 0, NULL, 0, NULL,
                                                 &server) == 0);
        check(auv_transport_get_extra_info(server, "sockname", &value) == 1);
        check(auv_await_create_datagram_endpoint(make_protocol, received, NULL, 0, "127.0.0.1",
                                                 ntohs(((const struct sockaddr_in *)value.p)->sin_port),
                                                 AUV_DATAGRAM_OPTIONS(.family = AF_INET), &client) == 0);
        check(auv_transport_sendto(client, "hello", 5, NULL) == 0);
        check(auv_await_event_wait(received) == 0);
        auv_transport_close(client);
        auv_transport_close(server);
        return auv_await_sleep(0);
}

static int make_silent_protocol(void *arg, auv_protocol *ret_protocol)
{
        static const auv_protocol_functions functions = AUV_PROTOCOL_FUNCTIONS(.connection_lost = NULL);

        *ret_protocol = (auv_protocol) { .functions = &functions };
        return 0;
}

static int test_files(void *arg, auv_value *ret)
{
        AUV_AUTO auv_transport *transport = NULL;
        FILE *file = tmpfile();
        int pair[2];
        char data[16];
        size_t n;

        check(fputs("hello", file) >= 0 && fflush(file) == 0);
        check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
        check(auv_await_sock_sendfile(pair[0], fileno(file), 1, 3, AUV_SENDFILE_NO_FALLBACK, &n) == 0 &&
              n == 3);
        check(auv_await_connect_accepted_socket(make_silent_protocol, NULL, pair[0], &transport) == 0);
        check(auv_await_sendfile(transport, fileno(file), 0, 0, 0, &n) == 0 && n == 5);
        check(auv_await_sock_recv(pair[1], data, sizeof(data), &n) == 0);
        check(n == 8 && memcmp(data, "ellhello", 8) == 0);
        auv_transport_close(transport);
        close(pair[1]);
        fclose(file);
        return auv_await_sleep(0);
}

int main(void)
{
        run_in_task(test_names);
        run_in_task(test_streams);
        run_in_task(test_datagrams);
        run_in_task(test_endpoints);
        run_in_task(test_files);
        return EXIT_SUCCESS;
}

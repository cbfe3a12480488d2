/* SPDX-License-Identifier: MIT */
/* The public symbols of sockets and names; see check.h. */

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
        check(auv_await_getnameinfo(found->ai_addr, NI_NUMERICHOST | NI_NUMERICSERV, host, sizeof(host), service,
                                    sizeof(service)) == 0);
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

        *ret_address = (struct sockaddr_in) { .sin_family = AF_INET,
                                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
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

        check(auv_await_sock_sendto(from, "hello", 5, (struct sockaddr *)&address, sizeof(address), &n) == 0);
        check(n == 5);
        check(auv_await_sock_recvfrom(to, data, sizeof(data), &n, &sender, &sender_size) == 0);
        check(n == 5 && memcmp(data, "hello", 5) == 0);
        check(sender_size == sizeof(own) && memcmp(&sender, &own, sizeof(own)) == 0);
        close(from);
        close(to);
        return 0;
}

int main(void)
{
        run_in_task(test_names);
        run_in_task(test_streams);
        run_in_task(test_datagrams);
        return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */

/* Sockets: each operation is one system call, as an attempt. */

#include "io/socket.h"

#include "io/address.h"
#include "io/attempt.h"
#include "io/name.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* An address as the system gives it out. */
struct given_address {
        struct sockaddr_storage storage;
        socklen_t size;
};

struct receipt {
        struct auv__attempt attempt;
        void *buffer;
        size_t size;
        size_t received;
        struct given_address *sender; /* NULL where nobody asks */
};

struct sending {
        struct auv__attempt attempt;
        const char *data;
        size_t size;
        size_t sent;
        const struct sockaddr *address; /* NULL for none */
        socklen_t address_size;
};

struct connecting {
        struct auv__attempt attempt;
        bool has_failed; /* not cancelled, but refused or the like */
};

struct accepting {
        struct auv__attempt attempt;
        int connection; /* -1: none */
        struct given_address peer;
};

/* asyncio's BlockingIOError. */
static int error_of_errno(void)
{
        return errno == EWOULDBLOCK ? AUV_EAGAIN : -errno;
}

/* Whether a system call was interrupted, and is to be made again. */
static bool is_interrupted(ssize_t returned)
{
        return returned < 0 && errno == EINTR;
}

static void give_address(const struct given_address *from, struct sockaddr_storage *ret_address,
                         socklen_t *ret_address_size)
{
        if (ret_address)
                *ret_address = from->storage;
        if (ret_address_size)
                *ret_address_size = from->size;
}

static int receive(struct auv__attempt *attempt)
{
        struct receipt *receipt = auv__container_of(attempt, struct receipt, attempt);
        struct given_address *sender = receipt->sender;
        ssize_t n;

        do {
                if (sender)
                        *sender = (struct given_address) { .size = sizeof(sender->storage) };
                n = recvfrom(attempt->fd, receipt->buffer, receipt->size, /* flags= */ 0,
                             sender ? (struct sockaddr *)&sender->storage : NULL,
                             sender ? &sender->size : NULL);
        } while (is_interrupted(n));
        if (n < 0)
                return error_of_errno();
        receipt->received = (size_t)n;
        return 0;
}

static int check_buffer(const struct auv__task *task, int fd, const void *buffer, size_t size)
{
        if (!buffer && size > 0)
                return auv_raise(AUV_EINVAL, "no buffer of that size");
        return auv__attempt_check(task, fd);
}

static int await_receipt(struct auv__task *task, int fd, void *buffer, size_t size, size_t *ret_size,
                         struct given_address *ret_sender)
{
        struct receipt receipt = { .attempt = { .fd = fd, .make = receive },
                                   .buffer = buffer,
                                   .size = size,
                                   .sender = ret_sender };

        if (!ret_size)
                return auv_raise(AUV_EINVAL, "no place for how much was received");
        AUV_TRY(check_buffer(task, fd, buffer, size));
        AUV_TRY(auv__await_attempt(task, &receipt.attempt, AUV__READER));
        *ret_size = receipt.received;
        return 0;
}

int auv_await_sock_recv(int fd, void *buffer, size_t size, size_t *ret_size)
{
        struct auv__task *task;

        AUV_TRY(auv__await_begin(&task));
        return await_receipt(task, fd, buffer, size, ret_size, /* ret_sender= */ NULL);
}

int auv_await_sock_recvfrom(int fd, void *buffer, size_t size, size_t *ret_size,
                            struct sockaddr_storage *ret_address, socklen_t *ret_address_size)
{
        struct given_address sender;
        struct auv__task *task;

        AUV_TRY(auv__await_begin(&task));
        AUV_TRY(await_receipt(task, fd, buffer, size, ret_size, &sender));
        give_address(&sender, ret_address, ret_address_size);
        return 0;
}

static int send_once(struct sending *sending)
{
        ssize_t n;

        do
                n = sendto(sending->attempt.fd, sending->data + sending->sent,
                           sending->size - sending->sent, MSG_NOSIGNAL, sending->address,
                           sending->address_size);
        while (is_interrupted(n));
        if (n < 0)
                return error_of_errno();
        sending->sent += (size_t)n;
        return 0;
}

static int send_some(struct auv__attempt *attempt)
{
        struct sending *sending = auv__container_of(attempt, struct sending, attempt);

        AUV_TRY(send_once(sending));
        return sending->sent == sending->size ? 0 : AUV_EAGAIN;
}

static int send_datagram(struct auv__attempt *attempt)
{
        return send_once(auv__container_of(attempt, struct sending, attempt));
}

int auv__await_sock_sendall(struct auv__task *task, int fd, const void *data, size_t size)
{
        struct sending sending = { .attempt = { .fd = fd, .make = send_some },
                                   .data = data ? data : "",
                                   .size = size };

        return auv__await_attempt(task, &sending.attempt, AUV__WRITER);
}

int auv_await_sock_sendall(int fd, const void *data, size_t size)
{
        struct auv__task *task;

        AUV_TRY(auv__await_begin(&task));
        AUV_TRY(check_buffer(task, fd, data, size));
        return auv__await_sock_sendall(task, fd, data, size);
}

int auv_await_sock_sendto(int fd, const void *data, size_t size, const struct sockaddr *address,
                          socklen_t address_size, size_t *ret_size)
{
        struct sending sending = { .attempt = { .fd = fd, .make = send_datagram },
                                   .data = data ? data : "",
                                   .size = size,
                                   .address = address,
                                   .address_size = address ? address_size : 0 };
        struct auv__task *task;

        AUV_TRY(auv__await_begin(&task));
        AUV_TRY(check_buffer(task, fd, data, size));
        AUV_TRY(auv__await_attempt(task, &sending.attempt, AUV__WRITER));
        if (ret_size)
                *ret_size = sending.sent;
        return 0;
}

/* The socket is ready: the connection has been made, or refused. */
static int see_connected(struct auv__attempt *attempt)
{
        struct connecting *connecting = auv__container_of(attempt, struct connecting, attempt);
        int error = 0;
        socklen_t size = sizeof(error);

        if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                return -errno;
        if (error == EINPROGRESS || error == EALREADY)
                return AUV_EAGAIN;
        connecting->has_failed = error != 0;
        return -error;
}

/* Not AUV_EAGAIN: of unix sockets that is an error, and nothing is under way. */
static bool is_under_way(int error)
{
        return error == EINPROGRESS || error == EALREADY || error == EINTR;
}

int auv__await_sock_connect(struct auv__task *task, int fd, const struct sockaddr *address, socklen_t size)
{
        struct connecting connecting = { .attempt = { .fd = fd, .make = see_connected } };
        char text[AUV_ADDRESS_SIZE];
        int r;

        if (connect(fd, address, size) == 0)
                return 0;
        if (!is_under_way(errno))
                return auv_raise(error_of_errno(), NULL);
        r = auv__await_further_attempts(task, &connecting.attempt, AUV__WRITER);
        if (r == 0 || r == AUV_ECANCELED || !connecting.has_failed)
                return r;
        auv_format_address(address, text, sizeof(text));
        return auv_raise(r, "Connect call failed %s", text);
}

int auv_await_sock_connect(int fd, const struct sockaddr *address, socklen_t address_size)
{
        struct auv__task *task;

        AUV_TRY(auv__await_begin(&task));
        if (!address)
                return auv_raise(AUV_EINVAL, "no address to connect to");
        AUV_TRY(auv__attempt_check(task, fd));
        return auv__await_sock_connect(task, fd, address, address_size);
}

static int option_of(int fd, int option, int *ret)
{
        socklen_t size = sizeof(*ret);

        return getsockopt(fd, SOL_SOCKET, option, ret, &size) == 0 ? 0 : auv_raise(-errno, NULL);
}

int auv_await_sock_connect_host(int fd, const char *host, int port)
{
        int family, type, protocol, r;
        struct addrinfo *found;
        struct auv__task *task;

        AUV_TRY(auv__await_begin(&task));
        AUV_TRY(auv__attempt_check(task, fd));
        AUV_TRY(option_of(fd, SO_DOMAIN, &family));
        AUV_TRY(option_of(fd, SO_TYPE, &type));
        AUV_TRY(option_of(fd, SO_PROTOCOL, &protocol));
        if (family != AF_INET && family != AF_INET6)
                return auv_raise(AUV_EINVAL, "only sockets of IPv4 and IPv6 have hosts and ports");
        AUV_TRY(auv__await_getaddrinfo(task, host, port, family, type, protocol, /* flags= */ 0, &found));
        r = auv__await_sock_connect(task, fd, found->ai_addr, found->ai_addrlen);
        auv_freeaddrinfo(found);
        return r;
}

static int accept_one(struct auv__attempt *attempt)
{
        struct accepting *accepting = auv__container_of(attempt, struct accepting, attempt);

        do {
                accepting->peer = (struct given_address) { .size = sizeof(accepting->peer.storage) };
                accepting->connection = accept4(attempt->fd, (struct sockaddr *)&accepting->peer.storage,
                                                &accepting->peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        } while (is_interrupted(accepting->connection));
        return accepting->connection < 0 ? error_of_errno() : 0;
}

int auv_await_sock_accept(int fd, int *ret_fd, struct sockaddr_storage *ret_address,
                          socklen_t *ret_address_size)
{
        struct accepting accepting = { .attempt = { .fd = fd, .make = accept_one }, .connection = -1 };
        struct auv__task *task;
        int r;

        AUV_TRY(auv__await_begin(&task));
        if (!ret_fd)
                return auv_raise(AUV_EINVAL, "no place for the connection");
        AUV_TRY(auv__attempt_check(task, fd));
        r = auv__await_attempt(task, &accepting.attempt, AUV__READER);
        if (r < 0) {
                if (accepting.connection >= 0)
                        close(accepting.connection);
                return r;
        }
        *ret_fd = accepting.connection;
        give_address(&accepting.peer, ret_address, ret_address_size);
        return 0;
}

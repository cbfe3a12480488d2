/* SPDX-License-Identifier: MIT */
#include "endpoint.h"

#include "support/loop.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

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

int endpoint_factory(void *arg, auv_protocol *ret_protocol)
{
        struct endpoint *endpoint = arg;

        if (endpoint->factory_error < 0)
                return auv_raise(endpoint->factory_error, "no protocol");
        *ret_protocol = (auv_protocol) { .functions = &functions, .user = endpoint };
        return 0;
}

int endpoint_opens(void *arg, auv_value *ret)
{
        struct endpoint *endpoint = arg;

        return endpoint->r = auv_await_create_datagram_endpoint(
                       endpoint_factory, endpoint, endpoint->local_host, endpoint->local_port,
                       endpoint->remote_host, endpoint->remote_port, endpoint->options,
                       &endpoint->transport);
}

struct endpoint *endpoint_new(void)
{
        struct endpoint *endpoint = calloc(1, sizeof(*endpoint));

        endpoint->local_host = "127.0.0.1";
        return endpoint;
}

struct endpoint *endpoint_open(void)
{
        struct endpoint *endpoint = endpoint_new();

        cr_assert(eq(int, loop_run(endpoint_opens, endpoint, NULL), 0));
        return endpoint;
}

int endpoint_port(const struct endpoint *endpoint)
{
        auv_value value = { .p = NULL };

        cr_assert(eq(int, auv_transport_get_extra_info(endpoint->transport, "sockname", &value), 1));
        return ntohs(((const struct sockaddr_in *)value.p)->sin_port);
}

struct endpoint *endpoint_connect(const struct endpoint *other)
{
        struct endpoint *endpoint = endpoint_new();

        endpoint->remote_host = "127.0.0.1";
        endpoint->remote_port = endpoint_port(other);
        cr_assert(eq(int, loop_run(endpoint_opens, endpoint, NULL), 0));
        return endpoint;
}

int endpoint_fd(const struct endpoint *endpoint)
{
        auv_value value = { .i = -1 };

        auv_transport_get_extra_info(endpoint->transport, "socket", &value);
        return (int)value.i;
}

void endpoint_receive(struct endpoint *endpoint, int n)
{
        for (int i = 0; endpoint->n_received < n && i < 1000000; i++)
                loop_turn();
        cr_assert(eq(int, endpoint->n_received, n));
}

void endpoint_receive_error(struct endpoint *endpoint)
{
        for (int i = 0; endpoint->n_errors == 0 && i < 1000000; i++)
                loop_turn();
}

void endpoint_close(struct endpoint *endpoint)
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

struct sockaddr_in endpoint_address(const struct endpoint *endpoint)
{
        return (struct sockaddr_in) { .sin_family = AF_INET,
                                     .sin_port = htons((uint16_t)endpoint_port(endpoint)),
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

int endpoint_send(struct endpoint *from, const struct endpoint *to, const char *text)
{
        const struct sockaddr_in address = endpoint_address(to);

        return auv_transport_sendto(from->transport, text, strlen(text), (const struct sockaddr *)&address);
}

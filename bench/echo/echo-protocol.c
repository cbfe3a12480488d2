/* SPDX-License-Identifier: MIT */

/*
 * A TCP echo server on transports and protocols. Reading pauses while what was written waits to be sent,
 * as asyncio's own example would have it. Prints "port N" when it listens on 127.0.0.1; ends on SIGTERM.
 */

#include "echo.h"

#include <stdlib.h>

static void made(void *user, auv_transport *transport)
{
        *(auv_transport **)user = transport;
}

static void received(void *user, const void *data, size_t size)
{
        auv_transport_write(*(auv_transport **)user, data, size);
}

static void paused(void *user)
{
        auv_transport_pause_reading(*(auv_transport **)user);
}

static void resumed(void *user)
{
        auv_transport_resume_reading(*(auv_transport **)user);
}

static const auv_protocol_functions functions = AUV_PROTOCOL_FUNCTIONS(
        .connection_made = made, .data_received = received, .pause_writing = paused,
        .resume_writing = resumed, .released = free);

static int make_protocol(void *arg, auv_protocol *ret_protocol)
{
        auv_transport **user = calloc(1, sizeof(*user));

        if (!user)
                return AUV_ENOMEM;
        *ret_protocol = (auv_protocol) { .functions = &functions, .user = user };
        return 0;
}

static int amain(void *arg, auv_value *ret)
{
        AUV_AUTO auv_server *server = NULL;

        AUV_TRY(auv_await_create_server(make_protocol, NULL, "127.0.0.1", 0,
                                        AUV_SERVER_OPTIONS(.backlog = 4096), &server));
        return echo_await_end(server);
}

int main(void)
{
        return auv_run(amain, NULL) < 0;
}

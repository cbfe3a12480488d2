/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_STREAM_PROTOCOL_H
#define AUV_IO_STREAM_PROTOCOL_H

#include "task/line.h"

#include <asyncuv/stream.h>

/* What a server's connections are served by. */
struct auv__stream_service {
        auv_client_connected_fn fn;
        void *arg;
};

/*
 * The part of a stream reader (stream_reader.h) that is its transport's protocol: asyncio's
 * FlowControlMixin, and what a connection of a server begins and ends with.
 */
struct auv__stream_protocol {
        bool writing_paused;
        bool lost;
        struct auv__line drainers;         /* who wait until writing goes on */
        struct auv__line closers;          /* who wait for the end of the connection */
        auv_error *lost_by;                /* NULL: not lost, or closed regularly */
        struct auv__stream_service service; /* fn is NULL on the client's side */
        auv_stream_writer *writer;         /* for the service's task, until it has ended */
        struct auv__waiter on_task;        /* in the task's list */
};

extern const auv_protocol_functions auv__stream_protocol_functions;

void auv__stream_protocol_deinit(struct auv__stream_protocol *protocol);

/* asyncio's _drain_helper(). */
int auv__await_stream_drainable(struct auv__task *task, struct auv__stream_protocol *protocol);

/* Waits for the end of the connection, however it comes. Returns 0, or what it was lost by. */
int auv__await_stream_lost(struct auv__task *task, struct auv__stream_protocol *protocol);

#endif

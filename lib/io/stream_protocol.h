/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_STREAM_PROTOCOL_H
#define AUV_IO_STREAM_PROTOCOL_H

#include "task/line.h"

#include <asyncuv/stream.h>

#include <stddef.h>

/*
 * What a server's connections are served by. References are held by whoever makes readers with it, and by
 * each of these; all in the loop's thread.
 */
struct auv__stream_service {
        unsigned refs;
        auv_loop *loop;
        size_t limit;               /* of the readers */
        auv_client_connected_fn fn; /* NULL: */
        auv_stackless_fn stackless;
        void *arg;                  /* of fn */
        size_t frame_size;          /* of stackless, or 0 */
        max_align_t frame[];        /* with which each begins: an auv_stream_frame, and what follows it */
};

/* Gives up a reference; NULL does nothing. */
void auv__stream_service_release(void *service);

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
        struct auv__stream_service *service; /* NULL on the client's side */
        auv_stream_writer *writer;         /* for the service's task, until it has ended */
        struct auv__waiter on_task;        /* in the task's list */
};

extern const auv_protocol_functions auv__stream_protocol_functions;

void auv__stream_protocol_deinit(struct auv__stream_protocol *protocol);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_TRANSPORT_H
#define AUV_IO_TRANSPORT_H

#include "io/address.h"
#include "task/arrival.h"
#include "io/attempt.h"
#include "io/handle.h"
#include "io/write_buffer.h"

#include <asyncuv/transport.h>

/*
 * Transport
 *
 * A transport has a descriptor, and a libuv handle that watches it. What is done when the descriptor is
 * ready, and how data is sent, is its kind's; what all kinds have in common stands here: when the protocol
 * is told what, water marks, and the end.
 *
 * The open handle holds one reference. So a transport lives until its connection is lost, or its loop is
 * closed, and its memory as long as anybody has a reference after that.
 */
struct auv__transport_kind {
        const char *descriptor_name; /* as get_extra_info() has it */

        /*
         * The descriptor is ready; each may end the connection. read_ready is NULL where nobody looks for
         * that.
         */
        void (*read_ready)(auv_transport *transport);
        void (*write_ready)(auv_transport *transport); /* called only while something is buffered */

        /* All of the buffers in their order; @n is at least 1. NULL for a kind that cannot write bytes. */
        int (*write)(auv_transport *transport, const auv_buffer *buffers, size_t n);

        /* NULL for a kind that cannot send an end. */
        int (*write_eof)(auv_transport *transport);

        /* Drops what is buffered. */
        void (*clear)(auv_transport *transport);

        /* connection_lost() is about to be called from the ready queue. May be NULL. */
        void (*before_lost)(auv_transport *transport);

        bool reads; /* what is looked for with read_ready is data */
};

typedef struct auv_server auv_server;

/* What is looked at when there is something to read or to write stands first, in as few lines as it can. */
struct auv_transport {
        struct auv__object object;
        const struct auv__transport_kind *kind;
        auv_protocol protocol;       /* all zero when the connection is lost */
        struct auv__object *context; /* see base/context.h */
        struct auv__task **taker; /* who waits there receives itself; see auv__transport_take() */
        char *receive_room;          /* see AUV__RECEIVE_SIZE */
        int fd;                      /* -1 once it is closed */
        uint8_t polled;              /* what libuv looks for */
        bool is_made : 1;            /* connection_made() has been called */
        bool is_closing : 1;
        bool is_lost : 1;            /* connection_lost() is due, or has been called */
        bool is_paused : 1;          /* by pause_reading() */
        bool is_protocol_paused : 1; /* pause_writing() has been called, and resume_writing() has not */
        bool wrote_eof : 1;
        bool at_eof : 1;             /* the peer has sent its end */
        bool is_queued : 1;          /* the item is in the ready queue */
        bool lost_is_due : 1;        /* and the item calls it */
        bool is_unconnected : 1;     /* datagrams go to the peer, but the socket is not connected to it */
        bool is_sending_file : 1;    /* nothing may be written meanwhile */
        bool is_readable : 1;        /* so it was found, and the taker has not read yet */
        size_t buffered;             /* what waits to be sent, by the kind: it may count more than bytes */
        struct auv__attempt *attempt; /* of a task to send when nothing is buffered, or NULL */
        struct auv__handle handle;
        uv_poll_t poll;

        struct auv__item item;       /* calls connection_made(), then connection_lost() */
        auv_error *error;            /* what connection_lost() is to be told, or NULL */
        struct auv__task *made;   /* who waits for connection_made() */
        auv_server *server;          /* with a reference, or NULL */
        auv_transport *previous;     /* in the server's list */
        auv_transport *next;
        struct auv__write_buffer buffer;
        size_t high;
        size_t low;
        unsigned n_dropped;          /* writes since the connection was lost */
        uint8_t peer_size;           /* of the addresses behind this structure, 0 for none: the peer's, */
        uint8_t own_size;            /* and the own one, */
        uint8_t own_offset;          /* which begins here */
        max_align_t addresses[];
};

/*
 * Takes over a descriptor, which is then not to block, and tells nobody yet. @peer: the peer's address; NULL
 * to ask for it. @protocol is copied. Returns 0, or a negative error without an object, and then @fd is
 * still the caller's, and so is the protocol.
 */
int auv__transport_new(auv_loop *loop, const struct auv__transport_kind *kind, int fd,
                       const struct auv__address *peer, const auv_protocol *protocol,
                       auv_transport **ret_transport);

/* Schedules connection_made(); after that it reads. The transport now lives by itself: it is only lent. */
void auv__transport_begin(auv_transport *transport);

/*
 * Waits until connection_made() has been called. Cancelled, it closes the transport. 0 or an error with its
 * object.
 */
int auv__await_transport(struct auv__task *task, auv_transport *transport);

/* Calls the factory, and looks at what it gives. 0, or a negative error with its object. */
int auv__protocol_make(auv_protocol_factory_fn factory, void *arg, auv_protocol *ret_protocol);

void auv__protocol_release(const auv_protocol *protocol);

/* From here on for the kinds. */

/*
 * An attempt at the descriptor, when nothing is buffered and the system takes more; nothing else may be
 * written meanwhile. Returns as auv__await_attempt(); AUV_ECONNRESET where the connection is lost.
 */
int auv__await_transport_attempt(struct auv__task *task, auv_transport *transport,
                                 struct auv__attempt *attempt);

/* Looks for what is to be looked for now; a kind calls it when what it has buffered begins or ends. */
void auv__transport_watch(auv_transport *transport);

static inline bool auv__transport_wants_to_read(const auv_transport *transport)
{
        return !transport->is_closing && !transport->is_paused && !transport->at_eof
               && transport->kind->read_ready;
}

/* More is buffered; less is. */
void auv__transport_maybe_pause(auv_transport *transport);
void auv__transport_maybe_resume(auv_transport *transport);

/*
 * A task that waited at the transport's taker, and has been woken, reads: what is there comes in now, in its
 * own step, and not when the descriptor was found ready. Of many connections that are ready at a time each
 * so has its data in the cache, in a buffer that the one before has just given up. Called also where the
 * task does not want it any more, because it was cancelled; then it is left where it is.
 */
void auv__transport_take(auv_transport *transport, bool wanted);

/* Data for a connection that is lost. */
void auv__transport_drop_write(auv_transport *transport, const char *warning);

/*
 * connection_lost() is due, with @error, whose reference it takes over, or NULL; what is buffered is
 * dropped.
 */
void auv__transport_force_close(auv_transport *transport, auv_error *error);

/*
 * The same for an error that the exception handler is told of: one that is not the peer's or the network's.
 */
void auv__transport_fail(auv_transport *transport, auv_error *error, const char *message);

/* What the system has said, as an error. The caller owns it. Never NULL. */
auv_error *auv__transport_system_error(int code);

/*
 * connection_lost() now: what was to be sent has been sent. From libuv's callbacks and the ready queue
 * alone.
 */
void auv__transport_end(auv_transport *transport);

/* Size of receive_room, in bytes: the loop's, into which all its transports receive, one at a time. */
enum { AUV__RECEIVE_SIZE = 256 * 1024 };

#endif

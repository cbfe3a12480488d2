/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_RECORDER_H
#define SUPPORT_RECORDER_H

/*
 * Recorder
 *
 * A protocol that traces what it is told: NAME:made, NAME:data(TEXT), NAME:eof, NAME:pause, NAME:resume,
 * NAME:lost or NAME:lost(ERROR), NAME:released; without the name and the colon where it has none. Of data
 * longer than a few bytes only the size is traced.
 */

#include <asyncuv.h>

struct recorder {
        const char *name;      /* NULL for none */
        bool keeps_open;       /* what eof_received() returns */
        bool takes_buffer;     /* it is a BufferedProtocol, */
        size_t room;           /* with so much room; 0 for no room */
        bool is_quiet;         /* data is counted and not traced */
        void (*on_made)(struct recorder *recorder);
        void (*on_data)(struct recorder *recorder);
        void (*on_get_buffer)(struct recorder *recorder);
        void (*on_lost)(struct recorder *recorder);
        int refuses;           /* the factory fails with this */
        auv_transport *transport; /* set by connection_made(); NULL again when the connection is lost */
        size_t received;
        uint64_t sum;          /* of what was received, see recorder_sum() */
        char buffer[64];
};

/* A factory; @arg is the recorder. */
int recorder_factory(void *arg, auv_protocol *ret_protocol);

/* A protocol of a recorder, for set_protocol(). */
auv_protocol recorder_protocol(struct recorder *recorder);

/* A sum of bytes that depends on their order; begin with 0. */
uint64_t recorder_sum(uint64_t sum, const void *data, size_t size);

/* A task of a loop that connects a recorder to a socket, which it takes over. */
auv_task *recorder_start(auv_loop *on, struct recorder *recorder, int sock);

/*
 * Connect a recorder to one end of a new pair of Unix sockets, by tasks on the fixture's loop. Returns the
 * transport, with a reference for the caller; *ret_peer is the other end, which does not block.
 */
auv_transport *recorder_connect(struct recorder *recorder, int *ret_peer);

/* Make turns until the connection of a recorder is lost; those that wait for I/O included. */
void recorder_until_lost(struct recorder *recorder);

/* How much a peer can read now, thrown away; -1 at the end. */
long peer_drain(int peer, uint64_t *sum);

/* What a peer can read now, as a text. */
char *peer_text(int peer);

void peer_send(int peer, const char *text);

#endif

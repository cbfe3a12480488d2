/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_PROTOCOL_H
#define ASYNCUV_PROTOCOL_H

#include <asyncuv/error.h>

AUV_BEGIN_DECLS

struct sockaddr;

/*
 * Protocols
 *
 * What a program wants to be told of a connection: a table of functions and a pointer that each of them
 * is given. They run on the loop's thread outside of any task, in the context in which the transport was
 * made; they cannot await. They may call whatever does not await, also close and abort the transport.
 */

/* A connection; see transport.h. */
typedef struct auv_transport auv_transport;

/**
 * struct auv_protocol_functions - what a protocol does
 * @size:        sizeof(auv_protocol_functions), so that later versions may add fields
 * @connection_made: the connection is there. Called once, and before any other. @transport is
 *               borrowed: it lives at least until @connection_lost has returned; who needs it
 *               longer takes a reference.
 * @connection_lost: the connection is gone. Called once, if @connection_made was; after it comes
 *               none but @released. @error is NULL where the program closed the connection, or the
 *               peer did and @eof_received agreed; else what has gone wrong.
 * @pause_writing: what waits to be sent has grown beyond the high water mark; may be called from
 *               within auv_transport_write()
 * @resume_writing: it has shrunk to the low water mark. Called in turn with @pause_writing.
 * @data_received: data came. It is lent for the time of the call, in a buffer that the program may
 *               not write to.
 * @eof_received: the peer will send no more. Returns true to keep the connection open for what is
 *               still to be written, false to have it closed, as NULL does.
 * @get_buffer:  where the next data is to go: returns a buffer, whose size in bytes is stored to
 *               *@ret_size, and which stays until @buffer_updated or the end of the
 *               connection. @size_hint is a least size that would be good to have; 0 for any. NULL
 *               or no size is an error, and ends the connection. A protocol that has this function
 *               is never called with @data_received.
 * @buffer_updated: the first @size bytes of that buffer have been written to
 * @datagram_received: a datagram came from @address; both are lent for the time of the call
 * @error_received: a datagram could not be sent or received; the transport goes on
 * @released:    the transport never calls this protocol again: it lost its connection, or never
 *               made one, or was given another protocol, or the loop was closed (and then
 *               @connection_lost is not called). Called once for each protocol that a factory
 *               made or auv_transport_set_protocol() set: here goes what @user points to.
 *
 * Each may be NULL: it does nothing then. The AUV_PROTOCOL_FUNCTIONS() macro fills in @size.
 *
 * Like: Protocol, BufferedProtocol, DatagramProtocol; @released is what happens when Python's transport
 * gives up its reference to the protocol.
 */
typedef struct auv_protocol_functions {
        size_t size;
        void (*connection_made)(void *user, auv_transport *transport);
        void (*connection_lost)(void *user, auv_error *error);
        void (*pause_writing)(void *user);
        void (*resume_writing)(void *user);
        void (*data_received)(void *user, const void *data, size_t size);
        bool (*eof_received)(void *user);
        void *(*get_buffer)(void *user, size_t size_hint, size_t *ret_size);
        void (*buffer_updated)(void *user, size_t size);
        void (*datagram_received)(void *user, const void *data, size_t size, const struct sockaddr *address);
        void (*error_received)(void *user, auv_error *error);
        void (*released)(void *user);
} auv_protocol_functions;

/*
 * For a table, as in `static const auv_protocol_functions echo = AUV_PROTOCOL_FUNCTIONS(.data_received =
 * echo_it);`
 */
#define AUV_PROTOCOL_FUNCTIONS(...) { .size = sizeof(auv_protocol_functions), __VA_ARGS__ }

/**
 * struct auv_protocol - one protocol, of one connection
 * @functions:   what it does; not copied: it lives as long as the connection
 * @user:        handed to each of them
 */
typedef struct auv_protocol {
        const auv_protocol_functions *functions;
        void *user;
} auv_protocol;

/**
 * auv_protocol_factory_fn - makes the protocol of a connection
 * @arg:         what was given with the function
 * @ret_protocol: receives the protocol; all zero at first
 *
 * Called on the loop's thread when there is a connection. It cannot await.
 *
 * Return: 0, or a negative error, and then the connection is closed.
 * Like: a protocol_factory.
 */
typedef int (*auv_protocol_factory_fn)(void *arg, auv_protocol *ret_protocol);

AUV_END_DECLS

#endif

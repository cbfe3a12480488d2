/* SPDX-License-Identifier: MIT */
#ifndef TESTS_IO_FAR_H
#define TESTS_IO_FAR_H

/*
 * Far
 *
 * The other end of a connection, that does not use the library: a socket that does not block. What is to
 * happen at it is waited for by turns of the fixture's loop, at most FAR_PATIENCE without any progress.
 */

#include <asyncuv.h>

enum { FAR_PATIENCE = 10000 };

/* A connected pair of Unix sockets: *ret_near for the library, and the peer's. */
int far_pair(int *ret_near);

/* Connects to a port of this host. */
int far_connect(int port);

/* Listens on a port of this host; *ret_port receives which. */
int far_listen(int *ret_port);
int far_accept(int listening);

/* Sends all of it, while the loop turns. */
void far_send(int peer, const void *data, size_t size);

/* Receives exactly @size bytes, while the loop turns; false where the end or a reset comes before. */
bool far_receive(int peer, void *buffer, size_t size);

/* Whether the peer sees the end now, while the loop turns. */
bool far_sees_end(int peer);

/* Closes a TCP connection with a reset. */
void far_reset(int peer);

/* Turns the loop until a task is done, and gives it up. Returns how it ended. */
int far_finish(auv_task *task);

#endif

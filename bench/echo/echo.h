/* SPDX-License-Identifier: MIT */
#ifndef BENCH_ECHO_H
#define BENCH_ECHO_H

#include <asyncuv.h>

/* What the echo servers have in common. */

/* Prints "port N", for the client. Returns 0 or a negative error. */
int echo_tell_port(const auv_server *server);

/* Serves until SIGTERM comes, and then closes the server. */
int echo_await_end(auv_server *server);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef BENCH_ECHO_H
#define BENCH_ECHO_H

#include <asyncuv.h>

/* What the echo servers have in common. */

/* Prints "port N", for the client; serves until SIGTERM comes, and then closes the server. */
int echo_await_end(auv_server *server);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PEERS_LIBUV_PEER_H
#define BENCH_PEERS_LIBUV_PEER_H

#define PEER "libuv"
#include "../measure.h"

#include <signal.h>
#include <uv.h>

/* libuv's numbers for what cannot fail here but by a bug or want of memory. */
static inline void check(int r)
{
        if (r < 0)
                fail(uv_strerror(r));
}

void measure_primitives(const struct options *options);
void serve_echo(const struct options *options);

#endif

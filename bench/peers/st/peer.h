/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PEERS_ST_PEER_H
#define BENCH_PEERS_ST_PEER_H

#define PEER "st"
#include "../measure.h"

#include <st.h>

/* Stacks of 64 KiB, the library's default. */
static inline st_thread_t start_thread(void *(*fn)(void *arg), void *arg)
{
        const st_thread_t thread = st_thread_create(fn, arg, /* joinable= */ 1, /* stack_size= */ 0);

        if (thread == NULL)
                fail("cannot create a thread");
        return thread;
}

static inline void join(st_thread_t thread)
{
        if (st_thread_join(thread, /* retvalp= */ NULL) < 0)
                fail("cannot join a thread");
}

/* Sleeps until the thread is interrupted; counts it in the size_t behind @arg. */
void *sleep_until_cancelled(void *arg);

void measure_primitives(const struct options *options);
void serve_echo(const struct options *options);

#endif

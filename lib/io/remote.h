/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_REMOTE_H
#define AUV_IO_REMOTE_H

#include "loop/ready.h"
#include "task/future.h"

#include <uv.h>

/*
 * Remote
 *
 * A future of a loop, and what another thread is going to end it with. It begins the block of its
 * kind. The loop and that other thread, the poster, each hold the block, and so do its items while
 * they are queued: whoever is last frees it. As long as it has not ended, the loop counts as one that
 * is going to be woken.
 */

struct auv__remote;

struct auv__remote_functions {
        /* In the loop's thread: ends the future, which is pending, with what was posted. */
        void (*settle)(struct auv__remote *remote, auv_future *future);

        /* In the loop's thread: the future was cancelled. Returns whether nobody is going to post. */
        bool (*cancel)(struct auv__remote *remote);

        /* In the loop's thread: it is over for this loop, or the loop is closed. May be NULL. */
        void (*end)(struct auv__remote *remote, auv_loop *loop);

        /* In any thread. Frees the block, with what was posted and not handed on. */
        void (*free)(struct auv__remote *remote);
};

struct auv__remote {
        const struct auv__remote_functions *functions;
        unsigned holders;             /* counted atomically */
        uv_mutex_t lock;              /* over loop, between the loop's thread and the poster */
        auv_loop *loop;               /* NULL once it has ended */
        struct auv__item item;        /* brings what was posted to the loop */
        auv_future *future;           /* with a reference; NULL once it is cancelled, or all has ended */
        struct auv__waiter on_future; /* in the future's list */
        struct auv__remote *previous; /* in the loop's list */
        struct auv__remote *next;
};

/*
 * Ties @remote, whose memory is in the caller's hands until this succeeds, to a pending future. From
 * then on its functions may be called. Returns 0, or AUV_ENOMEM or what the system says.
 */
int auv__remote_begin(struct auv__remote *remote, const struct auv__remote_functions *functions,
                      auv_future *future);

/* The poster will never be: ends it without ending the future. */
void auv__remote_abandon(struct auv__remote *remote);

/* From any thread, once: what settles the future is there. The poster holds nothing any more. */
void auv__remote_post(struct auv__remote *remote);

/* The same from within libuv on the loop's thread, also where the loop is closed. */
void auv__remote_post_here(struct auv__remote *remote);

#endif

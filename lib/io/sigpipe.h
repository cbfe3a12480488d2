/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_SIGPIPE_H
#define AUV_IO_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * SIGPIPE
 *
 * Where nobody is left to read, sending raises this signal in the thread that sends. The program is to see
 * the error in its place, whatever it does with that signal. A call that has no flag against it stands
 * between these two.
 */
struct auv__sigpipe {
        sigset_t before;  /* what the thread has blocked */
        bool was_blocked; /* the signal was among that, */
        bool was_pending; /* and one has waited, which stays */
};

void auv__sigpipe_block(struct auv__sigpipe *sigpipe);

/* Returns what the call has returned, @n, with its errno. */
ssize_t auv__sigpipe_unblock(const struct auv__sigpipe *sigpipe, ssize_t n);

#endif

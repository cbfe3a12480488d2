/* SPDX-License-Identifier: MIT */

#include "io/sigpipe.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

static sigset_t only_sigpipe(void)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGPIPE);
        return set;
}

void auv__sigpipe_block(struct auv__sigpipe *sigpipe)
{
        const sigset_t set = only_sigpipe();
        sigset_t pending;

        pthread_sigmask(SIG_BLOCK, &set, &sigpipe->before);
        sigpipe->was_blocked = sigismember(&sigpipe->before, SIGPIPE);
        sigpipe->was_pending = false;
        if (!sigpipe->was_blocked)
                return; /* and so none waits */
        sigpending(&pending);
        sigpipe->was_pending = sigismember(&pending, SIGPIPE);
}

ssize_t auv__sigpipe_unblock(const struct auv__sigpipe *sigpipe, ssize_t n)
{
        const sigset_t set = only_sigpipe();
        const struct timespec at_once = { 0 };
        const int error = errno;

        if (n < 0 && error == EPIPE && !sigpipe->was_pending)
                while (sigtimedwait(&set, NULL, &at_once) < 0 && errno == EINTR)
                        ;
        if (!sigpipe->was_blocked)
                pthread_sigmask(SIG_SETMASK, &sigpipe->before, NULL);
        errno = error;
        return n;
}

/* SPDX-License-Identifier: MIT */

#include "io/attempt.h"

#include <errno.h>
#include <fcntl.h>

/* What the loop finds ready after the task was cancelled, or has what it waits for, is not touched. */
void auv__attempt_again(struct auv__attempt *attempt)
{
        int r;

        if (!auv__is_expected(&attempt->waiting))
                return;
        r = attempt->make(attempt);
        if (r != AUV_EAGAIN)
                auv__arrive(&attempt->waiting, r);
}

static void on_ready(void *arg)
{
        auv__attempt_again(arg);
}

int auv__attempt_check(const struct auv__task *task, int fd)
{
        int flags;

        if (auv__likely(!auv__loop_hooks(task->future.loop)))
                return 0;
        flags = fcntl(fd, F_GETFL);
        if (flags < 0)
                return auv_raise(-errno, NULL);
        return flags & O_NONBLOCK ? 0 : auv_raise(AUV_EINVAL, "the socket must be non-blocking");
}

int auv__await_further_attempts(struct auv__task *task, struct auv__attempt *attempt, enum auv__side side)
{
        auv_loop *loop = task->future.loop;
        uint64_t serial;
        bool arrived;
        int r;

        AUV_TRY(auv__watcher_add(loop, attempt->fd, side, on_ready, attempt, &serial));
        r = auv__await_arrival(task, &attempt->waiting, &arrived);
        auv__watcher_remove(loop, attempt->fd, side, serial);
        return arrived && r < 0 ? auv_raise(r, NULL) : r;
}

int auv__await_attempt(struct auv__task *task, struct auv__attempt *attempt, enum auv__side side)
{
        const int r = attempt->make(attempt);

        if (r == AUV_EAGAIN)
                return auv__await_further_attempts(task, attempt, side);
        return r < 0 ? auv_raise(r, NULL) : 0;
}

/* SPDX-License-Identifier: MIT */
#include "support/limit.h"

#include "support/loop.h"

#include <stdlib.h>

int coro_within_limit(void *arg, auv_value *ret)
{
        struct limit *limit = arg;
        int r;

        limit->timeout = auv_timeout_new(AUV_NO_TIMEOUT);
        AUV_TRY(auv_timeout_enter(limit->timeout));
        r = auv_timeout_exit(limit->timeout, limit->fn(limit->arg, ret));
        limit->timeout = auv_unref(limit->timeout);
        return r;
}

void limit_expire(struct limit *limit)
{
        if (auv_timeout_reschedule(limit->timeout, auv_loop_time(loop)) < 0)
                abort();
}

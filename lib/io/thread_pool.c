/* SPDX-License-Identifier: MIT */

/*
 * Thread pool
 *
 * libuv's, of which there is one for the process. It makes its threads when it is first given something, and
 * never more of them.
 */

#include "io/thread_pool.h"

#include <asyncuv/error.h>
#include <asyncuv/executor.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* libuv has made its threads, or is about to. */
static atomic_bool is_used;

void auv__thread_pool_use(void)
{
        atomic_store_explicit(&is_used, true, memory_order_relaxed);
}

int auv_set_thread_pool_size(unsigned n)
{
        enum { MOST = 1024 }; /* libuv's own limit */

        char text[16];

        if (n == 0 || n > MOST)
                return auv_raise(AUV_EINVAL, "libuv's pool cannot have %u threads", n);
        if (atomic_load_explicit(&is_used, memory_order_relaxed))
                return auv_raise(AUV_ERUNTIME, "libuv's pool has its threads already");
        snprintf(text, sizeof(text), "%u", n);
        return setenv("UV_THREADPOOL_SIZE", text, /* overwrite= */ 1) == 0 ? 0 : auv_raise(AUV_ENOMEM, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "elsewhere.h"

#include "support/loop.h"

int run_elsewhere(auv_coro_fn fn, void *arg)
{
        AUV_AUTO auv_loop *other = loop_new();
        AUV_AUTO auv_task *task = auv_loop_create_task(other, fn, arg, 0, NULL);

        return auv_loop_run_until_complete(other, task, NULL);
}

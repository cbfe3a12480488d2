/* SPDX-License-Identifier: MIT */

/* Dump: all tasks, when a signal asks for them. */

#include <asyncuv/graph.h>
#include <asyncuv/signal.h>

#include "loop/loop.h"

static void dump(void *arg)
{
        auv_print_all_tasks(arg, stderr);
}

int auv_dump_tasks_on_signal(auv_loop *loop, int signum)
{
        AUV_TRY(auv__loop_check(&loop));
        return auv_loop_add_signal_handler(loop, signum, dump, loop);
}

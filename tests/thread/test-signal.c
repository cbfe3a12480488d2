/* SPDX-License-Identifier: MIT */
/*
 * A signal that comes while a task runs wakes the loop when the task waits, though nothing else does.
 * ThreadSanitizer keeps it back until the program calls one of the functions that it knows, and keeps
 * it with the stack on which it came.
 */

#include "support/check.h"

#include <asyncuv.h>

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROUNDS = 100 };

static void set(void *arg)
{
        auv_event_set(arg);
}

static int interrupted(void *arg, auv_value *ret)
{
        AUV_AUTO auv_event *came = auv_event_new();

        AUV_TRY(auv_loop_add_signal_handler(/* loop= */ NULL, SIGUSR1, set, came));
        for (int i = 0; i < ROUNDS; i++) {
                /* kill() is one of the functions that ThreadSanitizer knows, and would deliver it. */
                syscall(SYS_kill, getpid(), SIGUSR1);
                AUV_TRY(auv_await_event_wait(came));
                auv_event_clear(came);
        }
        return auv_loop_remove_signal_handler(/* loop= */ NULL, SIGUSR1);
}

int main(void)
{
        return auv_run(interrupted, NULL) < 0;
}

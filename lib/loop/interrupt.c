/* SPDX-License-Identifier: MIT */

/*
 * Interrupt
 *
 * SIGINT as asyncio's Runner has it. It is caught here and not by a libuv handle, for two
 * reasons: the second one has to end the process also where the loop hangs in somebody's
 * code; and a handle would keep a loop that can never wake again from saying so.
 *
 * The handler may run in any thread. It uses what is safe in a signal handler: atomics, the push to
 * the loop's list, which is made of them, and uv_async_send(). Ending waits for a handler
 * that is under way in another thread, for the loop may go right after.
 */

#include "loop/interrupt.h"

#include "loop/loop.h"
#include "loop/wakeup.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#if defined(__FreeBSD__) || defined(__OpenBSD__)
#include <pthread_np.h>
#endif

/* Of the process: only one thread is the main one, and it runs one loop at a time. */
static auv_loop *_Atomic target;
static atomic_uint n_interrupts;
static atomic_uint n_handling;

static bool is_main_thread(void)
{
#ifdef __linux__
        return gettid() == getpid();
#else
        return pthread_main_np() == 1;
#endif
}

static void set_disposition(void (*handler)(int signum))
{
        struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

        sigemptyset(&action.sa_mask);
        sigaction(SIGINT, &action, NULL);
}

static bool has_disposition(void (*handler)(int signum))
{
        struct sigaction action;

        return sigaction(SIGINT, NULL, &action) == 0 && !(action.sa_flags & SA_SIGINFO)
               && action.sa_handler == handler;
}

static void on_sigint(int signum)
{
        const int saved_errno = errno;
        auv_loop *loop;

        atomic_fetch_add(&n_handling, 1);
        loop = atomic_load(&target);
        if (!loop || atomic_fetch_add(&n_interrupts, 1) > 0) {
                /* It stays blocked until this function returns, and ends the process then. */
                set_disposition(SIG_DFL);
                raise(SIGINT);
        } else if (!atomic_exchange(&loop->interrupt.queued, true)) {
                (void)auv__wakeup_push_async(loop, &loop->interrupt.item);
        }
        atomic_fetch_sub(&n_handling, 1);
        errno = saved_errno;
}

static void run(struct auv__item *item, bool dropped)
{
        struct auv__interrupt *interrupt = auv__container_of(item, struct auv__interrupt, item);

        atomic_store(&interrupt->queued, false);
        /* It may be one that came when its run had ended, and found itself in the next one. */
        if (!dropped && interrupt->fn && atomic_load(&n_interrupts) > 0)
                interrupt->fn(interrupt->arg);
}

void auv__interrupt_begin(auv_loop *loop, auv_call_fn fn, void *arg)
{
        if (!is_main_thread() || !has_disposition(SIG_DFL))
                return;
        loop->interrupt.item.run = run;
        loop->interrupt.fn = fn;
        loop->interrupt.arg = arg;
        atomic_store(&n_interrupts, 0);
        atomic_store(&target, loop);
        set_disposition(on_sigint);
}

bool auv__interrupt_end(auv_loop *loop)
{
        if (!loop->interrupt.fn)
                return false;
        /* The program may have set another handler meanwhile, which stays. */
        if (has_disposition(on_sigint))
                set_disposition(SIG_DFL);
        atomic_store(&target, NULL);
        while (atomic_load(&n_handling) > 0)
                sched_yield();
        loop->interrupt.fn = NULL;
        return atomic_load(&n_interrupts) > 0;
}

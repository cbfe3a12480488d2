/* SPDX-License-Identifier: MIT */

/*
 * Signals
 *
 * A libuv handle for each signal that the loop has a handler for. libuv catches the signal, and
 * tells every loop that has a handle for it; what it tells of is queued, one call for each time.
 */

#include "loop/signal.h"

#include "base/alloc.h"
#include "loop/callback.h"
#include "loop/loop.h"
#include "loop/reactor.h"

#include <signal.h>
#include <uv.h>

struct auv__signal {
        uv_signal_t handle;       /* first: see auv__reactor_adopt() */
        struct auv__signal *next; /* in the loop's list */
        auv_loop *loop;
        int signum;
        struct auv__callback *callback;
};

static void on_signal(uv_signal_t *handle, int signum)
{
        struct auv__signal *signal = auv__container_of(handle, struct auv__signal, handle);

        auv__callback_push(signal->loop, signal->callback);
}

static int check_signum(int signum)
{
        if (signum <= 0 || signum >= NSIG)
                return auv_raise(AUV_EINVAL, "there is no signal %d", signum);
        return 0;
}

/* Where the loop's list has a signal, or would have it. */
static struct auv__signal **find(auv_loop *loop, int signum)
{
        struct auv__signal **place = &loop->signals;

        while (*place && (*place)->signum != signum)
                place = &(*place)->next;
        return place;
}

/* Gives up one whose handle is open. */
static void discard(struct auv__signal *signal)
{
        auv__callback_cancel(signal->callback);
        auv__reactor_discard(signal->loop->reactor, (uv_handle_t *)&signal->handle);
}

static int start(auv_loop *loop, int signum, auv_call_fn fn, void *arg, struct auv__signal **ret_signal)
{
        struct auv__signal *signal = auv__malloc(sizeof(*signal));
        struct auv__callback *callback = auv__callback_new(fn, arg);
        int r;

        r = AUV_ENOMEM;
        if (signal && callback)
                r = uv_signal_init(auv__reactor_uv(loop->reactor), &signal->handle);
        if (r < 0) {
                auv__callback_cancel(callback);
                auv__free(signal);
                return r;
        }
        signal->next = NULL;
        signal->loop = loop;
        signal->signum = signum;
        signal->callback = callback;
        auv__reactor_adopt(loop->reactor, (uv_handle_t *)&signal->handle);
        r = uv_signal_start(&signal->handle, on_signal, signum);
        if (r < 0)
                discard(signal);
        else
                *ret_signal = signal;
        return r;
}

int auv_loop_add_signal_handler(auv_loop *loop, int signum, auv_call_fn fn, void *arg)
{
        struct auv__signal **place;
        int r;

        if (!fn)
                return auv_raise(AUV_EINVAL, "no function to call");
        AUV_TRY(check_signum(signum));
        AUV_TRY(auv__loop_check(&loop));
        if (signum == SIGKILL || signum == SIGSTOP)
                return auv_raise(AUV_ERUNTIME, "signal %d cannot be caught", signum);
        place = find(loop, signum);
        if (*place) {
                auv__callback_set((*place)->callback, fn, arg);
                return 0;
        }
        r = start(loop, signum, fn, arg, place);
        return r < 0 ? auv_raise(r, NULL) : 0;
}

static void remove_at(struct auv__signal **place)
{
        struct auv__signal *signal = *place;

        *place = signal->next;
        discard(signal);
}

int auv_loop_remove_signal_handler(auv_loop *loop, int signum)
{
        struct auv__signal **place;
        int r;

        AUV_TRY(check_signum(signum));
        if (loop && loop->closed)
                return 0;
        r = auv__loop_check(&loop);
        if (r < 0)
                return r;
        place = find(loop, signum);
        if (!*place)
                return 0;
        remove_at(place);
        return 1;
}

void auv__signals_close(auv_loop *loop)
{
        while (loop->signals)
                remove_at(&loop->signals);
}

/* SPDX-License-Identifier: MIT */

/*
 * Turn
 *
 * One turn, as asyncio's _run_once(): wait, unless something is ready; queue what I/O, other
 * threads and due timers have made ready behind what was ready before; then run exactly what is
 * queued at that moment. What an item makes ready runs in the next turn, so that no pair of items
 * can keep I/O and timers from their turn.
 *
 * Looking at I/O is a system call. A loop that has work does not make it in each turn, but after
 * each POLL_INTERVAL items, so that I/O waits for microseconds; and where libuv knows of nothing
 * that is pending, still after each IDLE_POLL_INTERVAL, for handles that are not referenced.
 */

#include "loop/turn.h"

#include "base/single_threaded.h"
#include "loop/hooks.h"
#include "loop/loop.h"
#include "loop/reactor.h"
#include "loop/wakeup.h"

#include <math.h>

enum { POLL_INTERVAL = 256, IDLE_POLL_INTERVAL = 4096 };

static bool can_report_deadlock(const auv_loop *loop)
{
        switch (loop->deadlock) {
        case AUV_DEADLOCK_REPORT:
                return loop->report_deadlock;
        case AUV_DEADLOCK_WAIT:
                return false;
        default:
                return loop->report_deadlock && AUV__SINGLE_THREADED;
        }
}

/*
 * Moves the virtual clock to the next timer; or, if that comes later, to where auv_loop_run_until() is
 * to end, which it then does.
 */
static void jump(auv_loop *loop, int64_t next_ns)
{
        const int64_t now_ns = loop->virtual_now_ns;
        const int64_t end_ns = loop->until_ns > now_ns ? loop->until_ns : now_ns;

        if (loop->until_ns != AUV__NEVER && end_ns < next_ns) {
                loop->virtual_now_ns = end_ns;
                loop->stopping = true;
        } else if (next_ns > now_ns) {
                loop->virtual_now_ns = next_ns;
        }
}

/* I/O has been looked at just now. */
static void note_poll(auv_loop *loop)
{
        loop->since_poll = 0;
        loop->considered = 0;
}

/* What libuv's callbacks make ready before libuv blocks must keep it from blocking: hence parked. */
static void wait_for_io(auv_loop *loop, int64_t deadline_ns)
{
        loop->parked = true;
        auv__reactor_wait(loop->reactor, loop->virtual_clock ? AUV__NEVER : deadline_ns);
        loop->parked = false;
        note_poll(loop);
}

/*
 * In a run that is to end at a time, I/O that is not ready does not hold the clock up: who waits for a peer
 * or a listener may wait for ever.
 */
static void jump_unless_io(auv_loop *loop)
{
        const bool quiet = auv__reactor_poll_all(loop->reactor);

        note_poll(loop);
        auv__wakeup_collect(loop);
        if (quiet && !loop->stopping && auv__ready_is_empty(&loop->ready))
                jump(loop, auv__timers_next(&loop->timers));
}

/* With nothing ready: jump the virtual clock, or wait. Returns 0 or AUV_EDEADLK. */
static int wait_for_anything(auv_loop *loop)
{
        const int64_t next_ns = auv__timers_next(&loop->timers), until_ns = loop->until_ns;
        const bool timed = next_ns != AUV__NEVER, bounded = until_ns != AUV__NEVER && loop->virtual_clock;

        if (!timed || loop->virtual_clock) {
                const bool io_is_pending = auv__reactor_io_is_pending(loop->reactor);

                if (!io_is_pending && (timed || bounded)) {
                        jump(loop, next_ns);
                        return 0;
                }
                if (!timed && !io_is_pending && can_report_deadlock(loop))
                        return AUV_EDEADLK;
                if (bounded && !auv__reactor_work_is_pending(loop->reactor)) {
                        jump_unless_io(loop);
                        return 0;
                }
        }
        wait_for_io(loop, next_ns < until_ns ? next_ns : until_ns);
        if (until_ns != AUV__NEVER && !loop->virtual_clock && auv__loop_now(loop) >= until_ns)
                loop->stopping = true;
        return 0;
}

static void poll_now_and_then(auv_loop *loop)
{
        if (auv__likely(loop->since_poll - loop->considered < POLL_INTERVAL))
                return;
        if (loop->since_poll < IDLE_POLL_INTERVAL && !auv__reactor_io_is_pending(loop->reactor)) {
                loop->considered = loop->since_poll;
                return;
        }
        auv__reactor_poll(loop->reactor);
        note_poll(loop);
}

/* The same as below in debug mode, each item by itself. */
static void run_watched(auv_loop *loop, struct auv__item *item)
{
        const struct auv__debug_hooks *hooks = auv__loop_hooks(loop);
        struct auv__timer *timer;
        struct auv__item *next;

        for (; item; item = next, loop->since_poll++) {
                next = item->next;
                hooks->run(loop, item);
        }
        for (; (timer = auv__timers_take(&loop->timers)); loop->since_poll++)
                hooks->run(loop, &timer->item);
}

/* Gives the turn another order. Timers that are due are items as all others then, and not set any more. */
static void shuffle(auv_loop *loop)
{
        struct auv__timer *timer;

        while ((timer = auv__timers_take(&loop->timers)))
                auv__ready_push_chain(&loop->ready, &timer->item, &timer->item);
        auv__shuffle_turn(loop->shuffle, &loop->ready);
}

__attribute__((always_inline)) static inline void run_ready(auv_loop *loop, bool timed)
{
        struct auv__item *item, *outer = loop->turn; /* of an item that runs libuv's loop itself */
        struct auv__timer *timer;

        if (auv__unlikely(loop->shuffle))
                shuffle(loop);
        item = auv__ready_take_all(&loop->ready);
        if (auv__unlikely(auv__loop_hooks(loop))) {
                loop->turn = NULL;
                run_watched(loop, item);
                loop->turn = outer;
                return;
        }
        loop->turn = item;
        for (; item; item = loop->turn, loop->since_poll++) {
                loop->turn = item->next;
                if (item->next)
                        __builtin_prefetch(item->next->next);
                item->run(item, /* dropped= */ false);
        }
        for (; auv__unlikely(timed) && (timer = auv__timers_take(&loop->timers)); loop->since_poll++)
                timer->item.run(&timer->item, /* dropped= */ false);
        loop->turn = outer;
}

/*
 * Queues what has become ready elsewhere, and runs the queue. A part of its callers: after an item that has
 * switched stacks the processor does not know where a function returns to.
 */
__attribute__((always_inline)) static inline void finish_turn(auv_loop *loop)
{
        const bool timed = auv__timers_may_be_due(&loop->timers);

        auv__wakeup_collect(loop);
        if (auv__unlikely(timed))
                auv__timers_advance(&loop->timers, auv__loop_now(loop));
        run_ready(loop, timed);
}

__attribute__((always_inline)) static inline int turn(auv_loop *loop)
{
        int r;

        auv__wakeup_collect(loop);
        if (auv__likely(!auv__ready_is_empty(&loop->ready))) {
                poll_now_and_then(loop);
        } else if (loop->stopping) {
                auv__reactor_poll(loop->reactor);
        } else {
                r = wait_for_anything(loop);
                if (r < 0)
                        return r;
        }
        finish_turn(loop);
        return 0;
}

/* Lets the caller's uv_run() know when the loop needs its next turn. */
static void park(auv_loop *loop)
{
        int64_t next_ns = auv__timers_next(&loop->timers);
        bool soon = !auv__ready_is_empty(&loop->ready);

        if (loop->virtual_clock && next_ns != AUV__NEVER) {
                soon = true;
                next_ns = AUV__NEVER;
        }
        loop->parked = true;
        auv__reactor_park(loop->reactor, soon, next_ns);
}

void auv__loop_unpark(auv_loop *loop)
{
        if (loop->closed)
                return;
        loop->parked = false; /* until the turn that is asked for here */
        if (loop->running)
                auv__reactor_stop_waiting(loop->reactor);
        else
                auv__reactor_park(loop->reactor, /* soon= */ true, auv__timers_next(&loop->timers));
}

void auv__turn_ready(auv_loop *loop)
{
        if (!loop->running || loop->stopping)
                return;
        loop->parked = false; /* the wait ends in any case: there was something to tell */
        run_ready(loop, /* timed= */ false);
}

void auv__turn_embedded(auv_loop *loop)
{
        auv_loop *outer = auv__running_loop;

        if (loop->running)
                return;
        loop->parked = false;
        loop->running = true;
        auv__running_loop = loop;
        if (loop->virtual_clock && auv__ready_is_empty(&loop->ready)) {
                const int64_t next_ns = auv__timers_next(&loop->timers);

                if (next_ns != AUV__NEVER && next_ns > loop->virtual_now_ns)
                        loop->virtual_now_ns = next_ns;
        }
        finish_turn(loop);
        auv__running_loop = outer;
        loop->running = false;
        park(loop);
}

int auv_loop_run_until(auv_loop *loop, double when)
{
        int r;

        if (!loop || !isfinite(when))
                return auv_raise(AUV_EINVAL, "no loop to run, or the time is not a finite number");
        AUV_TRY(auv__loop_check_run(loop));
        loop->until_ns = auv__seconds_to_ns(when);
        r = auv__loop_run(loop, /* report_deadlock= */ false);
        loop->until_ns = AUV__NEVER;
        return r;
}

int auv__loop_check_run(const auv_loop *loop)
{
        if (!pthread_equal(loop->thread, pthread_self()))
                return auv_raise(AUV_ETHREAD, NULL);
        if (loop->closed)
                return auv_raise(AUV_ECLOSED, NULL);
        if (loop->running)
                return auv_raise(AUV_ERUNTIME, "this event loop is already running");
        if (auv__running_loop)
                return auv_raise(AUV_ERUNTIME, "cannot run the event loop while another loop is running");
        return 0;
}

AUV__HOT int auv__loop_run(auv_loop *loop, bool report_deadlock)
{
        const bool embedded = auv__reactor_is_embedded(loop->reactor);
        int r;

        if (embedded)
                auv__reactor_unpark(loop->reactor);
        loop->parked = false;
        loop->running = true;
        loop->report_deadlock = report_deadlock;
        auv__running_loop = loop;
        do
                r = turn(loop);
        while (r == 0 && !loop->stopping);
        auv__running_loop = NULL;
        loop->stopping = false;
        loop->running = false;
        if (embedded)
                park(loop);
        return r;
}

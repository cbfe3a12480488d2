/* SPDX-License-Identifier: MIT */

/*
 * Wakeup
 *
 * A list that threads push to and the loop's thread takes whole, so one compare-and-swap for
 * each push and one exchange for each turn in which there is something. Only the push
 * that finds the list empty wakes the loop: whoever comes later is taken along.
 *
 * Closing swaps in a mark that no push gets past. A thread that has pushed just before still has
 * to wake the reactor, which is about to go; `callers` counts those, and closing waits for them.
 */

#include "loop/wakeup.h"

#include "loop/loop.h"
#include "loop/reactor.h"

#include <sched.h>
#include <stdatomic.h>

static struct auv__item closed_mark;

int auv__wakeup_push(auv_loop *loop, struct auv__item *item)
{
        /* From the loop's own thread it is a call_soon(), with its place among the others. */
        if (pthread_equal(loop->thread, pthread_self())) {
                if (loop->closed)
                        return AUV_ECLOSED;
                auv__loop_push(loop, item);
                return 0;
        }
        return auv__wakeup_push_async(loop, item);
}

int auv__wakeup_push_async(auv_loop *loop, struct auv__item *item)
{
        struct auv__item *head;
        int r = 0;

        atomic_fetch_add(&loop->callers, 1);
        head = atomic_load(&loop->threadsafe);
        do {
                if (head == &closed_mark) {
                        r = AUV_ECLOSED;
                        break;
                }
                item->next = head;
        } while (!atomic_compare_exchange_weak(&loop->threadsafe, &head, item));
        if (r == 0 && !head)
                auv__reactor_wake(loop->reactor);
        atomic_fetch_sub(&loop->callers, 1);
        return r;
}

/* Turns a chain around: the list has the newest first. */
static struct auv__item *reverse(struct auv__item *item)
{
        struct auv__item *reversed = NULL, *next;

        for (; item; item = next) {
                next = item->next;
                item->next = reversed;
                reversed = item;
        }
        return reversed;
}

void auv__wakeup_collect_some(auv_loop *loop)
{
        struct auv__item *newest, *oldest;

        newest = atomic_exchange(&loop->threadsafe, NULL);
        oldest = reverse(newest);
        if (auv__unlikely(loop->shuffle))
                auv__shuffle_push(loop->shuffle, /* key= */ NULL, oldest, newest);
        auv__ready_push_chain(&loop->ready, oldest, newest);
}

struct auv__item *auv__wakeup_close(auv_loop *loop)
{
        struct auv__item *newest = atomic_exchange(&loop->threadsafe, &closed_mark);

        while (atomic_load(&loop->callers) > 0)
                sched_yield();
        return newest == &closed_mark ? NULL : reverse(newest);
}

/* SPDX-License-Identifier: MIT */

/*
 * Barrier
 *
 * Fills until all parties have come, then drains until all have gone; who comes meanwhile waits for
 * that. A reset makes those that wait leave with an error, and is over when they have.
 */

#include <asyncuv/barrier.h>

#include "base/alloc.h"
#include "sync/bind.h"
#include "sync/condition.h"

enum state { FILLING, DRAINING, RESETTING, BROKEN };

struct auv_barrier {
        struct auv__object object; /* state: enum state */
        int parties;
        int count;                 /* tasks in the barrier */
        auv_condition *changed;    /* notified when the state does */
};

auv_barrier *auv_barrier_new(int parties)
{
        auv_barrier *barrier;

        if (parties < 1) {
                auv_raise(AUV_EINVAL, "a barrier takes at least one task");
                return NULL;
        }
        barrier = auv__calloc(sizeof(*barrier));
        if (barrier)
                barrier->changed = auv_condition_new(/* lock= */ NULL);
        if (!barrier || !barrier->changed) {
                auv__free(barrier);
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        barrier->object = auv__object_init(AUV__BARRIER, 0);
        barrier->parties = parties;
        return barrier;
}

void auv__barrier_free(struct auv__object *object)
{
        auv_barrier *barrier = auv__container_of(object, auv_barrier, object);

        auv_unref(barrier->changed);
        auv__free(barrier);
}

static bool lets_in(void *arg)
{
        const auv_barrier *barrier = arg;

        return barrier->object.state != DRAINING && barrier->object.state != RESETTING;
}

static bool is_filled(void *arg)
{
        const auv_barrier *barrier = arg;

        return barrier->object.state != FILLING;
}

/* In the barrier as number @index: lets all go, or waits to be let go. */
static int await_others(auv_barrier *barrier, int index)
{
        if (index + 1 == barrier->parties) {
                barrier->object.state = DRAINING;
                return auv_condition_notify_all(barrier->changed);
        }
        AUV_TRY(auv__await_condition_wait_for(barrier->changed, is_filled, barrier));
        if (barrier->object.state == BROKEN || barrier->object.state == RESETTING)
                return auv_raise(AUV_EBROKENBARRIER, "the barrier was aborted or reset");
        return 0;
}

static void leave(auv_barrier *barrier)
{
        if (--barrier->count > 0)
                return;
        if (barrier->object.state == RESETTING || barrier->object.state == DRAINING)
                barrier->object.state = FILLING;
        auv_condition_notify_all(barrier->changed);
}

/* With the lock taken. */
static int await_passage(auv_barrier *barrier)
{
        int index, r;

        AUV_TRY(auv__await_condition_wait_for(barrier->changed, lets_in, barrier));
        if (barrier->object.state == BROKEN)
                return auv_raise(AUV_EBROKENBARRIER, "the barrier is broken");
        index = barrier->count++;
        r = await_others(barrier, index);
        leave(barrier);
        return r < 0 ? r : index;
}

/* Takes the lock; the barrier is held until end(). Inline, see auv__await_begin(). */
__attribute__((always_inline)) static inline int await_begin(auv_barrier *barrier)
{
        struct auv__task *task;
        int r;

        AUV_TRY(auv__sync_begin(barrier, &task));
        auv__keep(&barrier->object);
        r = auv__await_lock_acquire(barrier->changed->lock);
        if (r < 0)
                auv__drop(&barrier->object);
        return r;
}

static void end(auv_barrier *barrier)
{
        /* Where the loop was closed during a wait, the lock has not been taken again. */
        if (auv_condition_locked(barrier->changed))
                auv_condition_release(barrier->changed);
        auv__drop(&barrier->object);
}

int auv_await_barrier_wait(auv_barrier *barrier)
{
        int r;

        AUV_TRY(await_begin(barrier));
        r = await_passage(barrier);
        end(barrier);
        return r;
}

int auv_await_barrier_reset(auv_barrier *barrier)
{
        AUV_TRY(await_begin(barrier));
        barrier->object.state = barrier->count > 0 ? RESETTING : FILLING;
        auv_condition_notify_all(barrier->changed);
        end(barrier);
        return 0;
}

int auv_await_barrier_abort(auv_barrier *barrier)
{
        AUV_TRY(await_begin(barrier));
        barrier->object.state = BROKEN;
        auv_condition_notify_all(barrier->changed);
        end(barrier);
        return 0;
}

int auv_barrier_parties(const auv_barrier *barrier)
{
        return barrier ? barrier->parties : 0;
}

int auv_barrier_n_waiting(const auv_barrier *barrier)
{
        return barrier && barrier->object.state == FILLING ? barrier->count : 0;
}

bool auv_barrier_broken(const auv_barrier *barrier)
{
        return barrier && barrier->object.state == BROKEN;
}

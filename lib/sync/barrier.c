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

static void leave(auv_barrier *barrier)
{
        if (--barrier->count > 0)
                return;
        if (barrier->object.state == RESETTING || barrier->object.state == DRAINING)
                barrier->object.state = FILLING;
        auv_condition_notify_all(barrier->changed);
}

struct visit {
        auv_frame frame;
        auv_barrier *barrier; /* with a reference */
        union {
                int index;     /* of a wait */
                enum state to; /* of a change */
        };
        union {
                struct auv__lock_acquire acquire;
                struct auv__condition_wait wait;
        };
};

static struct auv__lock_acquire acquire_of(const auv_barrier *barrier)
{
        return (struct auv__lock_acquire) { .lock = barrier->changed->lock };
}

static struct auv__condition_wait wait_for(auv_barrier *barrier, auv_predicate_fn predicate)
{
        return (struct auv__condition_wait) { .condition = barrier->changed, .predicate = predicate,
                                              .arg = barrier };
}

static int enter(struct visit *self)
{
        if (self->barrier->object.state == BROKEN)
                return auv_raise(AUV_EBROKENBARRIER, "the barrier is broken");
        self->index = self->barrier->count++;
        return 0;
}

/* The last one lets all go. */
static bool completes(const struct visit *self)
{
        auv_barrier *barrier = self->barrier;

        if (self->index + 1 < barrier->parties)
                return false;
        barrier->object.state = DRAINING;
        auv_condition_notify_all(barrier->changed);
        return true;
}

static int check_passage(const auv_barrier *barrier)
{
        if (barrier->object.state == BROKEN || barrier->object.state == RESETTING)
                return auv_raise(AUV_EBROKENBARRIER, "the barrier was aborted or reset");
        return 0;
}

static void end(auv_barrier *barrier)
{
        /* Where the loop was closed during a wait, the lock has not been taken again. */
        if (auv_condition_locked(barrier->changed))
                auv_condition_release(barrier->changed);
        auv__drop(&barrier->object);
}

static int wait_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct visit, self);
        int r;

        self->acquire = acquire_of(self->barrier);
        AUV_AWAIT_INLINE_CATCH(r, auv__lock_acquire_steps, &self->acquire, NULL);
        if (r < 0) {
                auv__drop(&self->barrier->object);
                AUV_LEAVE(r);
        }
        self->wait = wait_for(self->barrier, lets_in);
        AUV_AWAIT_INLINE_CATCH(r, auv__condition_wait_steps, &self->wait, NULL);
        if (r == 0)
                r = enter(self);
        if (r == 0) {
                if (!completes(self)) {
                        self->wait = wait_for(self->barrier, is_filled);
                        AUV_AWAIT_INLINE_CATCH(r, auv__condition_wait_steps, &self->wait, NULL);
                        if (r == 0)
                                r = check_passage(self->barrier);
                }
                leave(self->barrier);
        }
        end(self->barrier);
        AUV_CHECK(r);
        AUV_RETURN(.i = self->index);
        AUV_END;
}

/* Changes the state, with the lock taken: to BROKEN, or as a reset does. */
static int change_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct visit, self);
        int r;

        self->acquire = acquire_of(self->barrier);
        AUV_AWAIT_INLINE_CATCH(r, auv__lock_acquire_steps, &self->acquire, NULL);
        if (r < 0) {
                auv__drop(&self->barrier->object);
                AUV_LEAVE(r);
        }
        if (self->to == BROKEN)
                self->barrier->object.state = BROKEN;
        else
                self->barrier->object.state = self->barrier->count > 0 ? RESETTING : FILLING;
        auv_condition_notify_all(self->barrier->changed);
        end(self->barrier);
        AUV_END;
}

AUV__RETURNS_BY_JUMP int auv_await_barrier_wait(auv_barrier *barrier)
{
        struct visit visit = { .barrier = barrier };
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(barrier, &task));
        auv__keep(&barrier->object);
        return auv__run_steps(task, wait_steps, &visit);
}

AUV__RETURNS_BY_JUMP int auv_await_barrier_reset(auv_barrier *barrier)
{
        struct visit visit = { .barrier = barrier, .to = RESETTING };
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(barrier, &task));
        auv__keep(&barrier->object);
        return auv__run_steps(task, change_steps, &visit);
}

AUV__RETURNS_BY_JUMP int auv_await_barrier_abort(auv_barrier *barrier)
{
        struct visit visit = { .barrier = barrier, .to = BROKEN };
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(barrier, &task));
        auv__keep(&barrier->object);
        return auv__run_steps(task, change_steps, &visit);
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

/* SPDX-License-Identifier: MIT */

/*
 * Semaphore
 *
 * Other than a lock, a unit is handed over: who wakes a task takes the unit for it. A task that
 * is cancelled after that gives the unit back.
 */

#include <asyncuv/semaphore.h>

#include "base/alloc.h"
#include "sync/bind.h"
#include "task/line.h"

#include <limits.h>

struct auv_semaphore {
        struct auv__object object;
        long value;
        long bound; /* LONG_MAX: none */
        auv_loop *loop; /* see bind.h */
        struct auv__line line;
};

static auv_semaphore *new_semaphore(long value, long bound)
{
        auv_semaphore *semaphore;

        if (value < 0) {
                auv_raise(AUV_EINVAL, "a semaphore cannot have less than 0 units");
                return NULL;
        }
        semaphore = auv__calloc(sizeof(*semaphore));
        if (!semaphore) {
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        semaphore->object = auv__object_init(AUV__SEMAPHORE, 0);
        semaphore->value = value;
        semaphore->bound = bound;
        return semaphore;
}

auv_semaphore *auv_semaphore_new(long value)
{
        return new_semaphore(value, LONG_MAX);
}

auv_semaphore *auv_bounded_semaphore_new(long value)
{
        return new_semaphore(value, value);
}

void auv__semaphore_free(struct auv__object *object)
{
        auv__free(auv__container_of(object, auv_semaphore, object));
}

/* Hands a unit to the first that can still be woken; false where there is none. */
static bool wake_next(auv_semaphore *semaphore)
{
        if (!auv__line_wake_next(&semaphore->line))
                return false;
        semaphore->value--;
        return true;
}

bool auv_semaphore_locked(const auv_semaphore *semaphore)
{
        return semaphore && (semaphore->value == 0 || !auv__line_is_abandoned(&semaphore->line));
}

struct waiting {
        auv_frame frame;
        auv_semaphore *semaphore;
        struct auv__place place;
};

static int wait_in_line(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct waiting, self);
        bool woken;
        int r;

        AUV__AWAIT_IN_LINE_CATCH(r, woken, &self->semaphore->line, &self->place);
        if (r < 0 && woken)
                self->semaphore->value++;
        /* Those that came meanwhile had to stand in line, also where there were units left. */
        while (self->semaphore->value > 0 && wake_next(self->semaphore))
                ;
        auv__drop(&self->semaphore->object);
        AUV_LEAVE(r);
        AUV_END;
}

AUV__RETURNS_BY_JUMP int auv_await_semaphore_acquire(auv_semaphore *semaphore)
{
        struct waiting waiting;
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(semaphore, &task));
        if (!auv_semaphore_locked(semaphore)) {
                semaphore->value--;
                return 0;
        }
        AUV_TRY(auv__sync_bind(&semaphore->loop, task));
        auv__keep(&semaphore->object);
        waiting = (struct waiting) { .semaphore = semaphore };
        return auv__run_steps(task, wait_in_line, &waiting);
}

int auv_semaphore_release(auv_semaphore *semaphore)
{
        if (!semaphore)
                return auv_raise(AUV_EINVAL, "no semaphore");
        if (semaphore->value == LONG_MAX)
                return auv_raise(AUV_EOVERFLOW, NULL);
        if (semaphore->value >= semaphore->bound)
                return auv_raise(AUV_ERUNTIME, "a bounded semaphore was released too many times");
        semaphore->value++;
        wake_next(semaphore);
        return 0;
}

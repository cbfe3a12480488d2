/* SPDX-License-Identifier: MIT */

/* The operations on locks, semaphores, conditions, events and barriers. */

#include "machine.h"

#include <stdlib.h>

/* ---- what can be acquired: locks, semaphores, conditions */

static int await_acquire(const struct thing *thing)
{
        switch (thing->kind) {
        case KIND_LOCK:
                return auv_await_lock_acquire(thing->object);
        case KIND_SEMAPHORE:
                return auv_await_semaphore_acquire(thing->object);
        case KIND_CONDITION:
                return auv_await_condition_acquire(thing->object);
        default:
                return auv_raise(ERROR_ATTRIBUTE, NULL);
        }
}

static int release(const struct thing *thing)
{
        switch (thing->kind) {
        case KIND_LOCK:
                return auv_lock_release(thing->object);
        case KIND_SEMAPHORE:
                return auv_semaphore_release(thing->object);
        case KIND_CONDITION:
                return auv_condition_release(thing->object);
        default:
                return auv_raise(ERROR_ATTRIBUTE, NULL);
        }
}

/* Returns whether it is locked, or a negative error. */
static int is_locked(const struct thing *thing)
{
        switch (thing->kind) {
        case KIND_LOCK:
                return auv_lock_locked(thing->object);
        case KIND_SEMAPHORE:
                return auv_semaphore_locked(thing->object);
        case KIND_CONDITION:
                return auv_condition_locked(thing->object);
        default:
                return auv_raise(ERROR_ATTRIBUTE, NULL);
        }
}

int op_acquire(struct context *context, const struct op *op)
{
        const struct thing *thing = machine_find_thing(context->machine, op->words[1]);

        if (!thing)
                return 0;
        AUV_TRY(await_acquire(thing));
        machine_log(context->machine, "acquired %s", op->words[1]);
        return 0;
}

int op_release(struct context *context, const struct op *op)
{
        const struct thing *thing = machine_find_thing(context->machine, op->words[1]);

        return thing ? release(thing) : 0;
}

int op_locked(struct context *context, const struct op *op)
{
        const struct thing *thing = machine_find_thing(context->machine, op->words[1]);
        const int r = thing ? is_locked(thing) : 0;

        if (thing && r >= 0)
                machine_log(context->machine, "locked %s %s", op->words[1], r ? "true" : "false");
        return r < 0 ? r : 0;
}

/* With the thing acquired: run the block, and give the thing back. */
static int run_inside(struct context *context, const struct op *op, const struct thing *thing)
{
        int r, released;

        machine_log(context->machine, "entered %s", op->words[1]);
        r = run_body(context, op->body);
        released = release(thing);
        return released < 0 ? released : r;
}

int op_with(struct context *context, const struct op *op)
{
        const struct thing *found = machine_find_thing(context->machine, op->words[1]);
        struct thing thing;
        int r;

        if (!found)
                return 0;
        if (found->kind != KIND_LOCK && found->kind != KIND_SEMAPHORE && found->kind != KIND_CONDITION)
                return auv_raise(ERROR_TYPE, NULL);
        /* The name may be given to another thing meanwhile. */
        thing = *found;
        auv_ref(thing.object);
        r = await_acquire(&thing);
        if (r == 0)
                r = run_inside(context, op, &thing);
        auv_unref(thing.object);
        return r;
}

int op_lock(struct context *context, const struct op *op)
{
        return machine_bind_new(context->machine, op->words[1], KIND_LOCK, auv_lock_new());
}

int op_semaphore(struct context *context, const struct op *op)
{
        const long value = strtol(op->words[2], NULL, 10);

        return machine_bind_new(context->machine, op->words[1], KIND_SEMAPHORE, auv_semaphore_new(value));
}

int op_bounded(struct context *context, const struct op *op)
{
        const long value = strtol(op->words[2], NULL, 10);

        return machine_bind_new(context->machine, op->words[1], KIND_SEMAPHORE,
                                auv_bounded_semaphore_new(value));
}

/* ---- conditions */

int op_condition(struct context *context, const struct op *op)
{
        auv_lock *lock = NULL;
        int r = 1;

        if (op->n_words > 2)
                r = machine_find(context->machine, op->words[2], KIND_LOCK, &lock);
        if (r <= 0)
                return r;
        return machine_bind_new(context->machine, op->words[1], KIND_CONDITION, auv_condition_new(lock));
}

int op_cwait(struct context *context, const struct op *op)
{
        auv_condition *condition;
        const int r = machine_find(context->machine, op->words[1], KIND_CONDITION, &condition);

        if (r <= 0)
                return r;
        AUV_TRY(auv_await_condition_wait(condition));
        machine_log(context->machine, "condition %s", op->words[1]);
        return 0;
}

int op_cnotify(struct context *context, const struct op *op)
{
        auv_condition *condition;
        const int r = machine_find(context->machine, op->words[1], KIND_CONDITION, &condition);
        const long n = strtol(op->words[2], NULL, 10);

        return r <= 0 ? r : auv_condition_notify(condition, n > 0 ? (size_t)n : 0);
}

int op_cnotifyall(struct context *context, const struct op *op)
{
        auv_condition *condition;
        const int r = machine_find(context->machine, op->words[1], KIND_CONDITION, &condition);

        return r <= 0 ? r : auv_condition_notify_all(condition);
}

/* ---- events */

int op_event(struct context *context, const struct op *op)
{
        return machine_bind_new(context->machine, op->words[1], KIND_EVENT, auv_event_new());
}

int op_ewait(struct context *context, const struct op *op)
{
        auv_event *event;
        const int r = machine_find(context->machine, op->words[1], KIND_EVENT, &event);

        if (r <= 0)
                return r;
        AUV_TRY(auv_await_event_wait(event));
        machine_log(context->machine, "event %s", op->words[1]);
        return 0;
}

int op_eset(struct context *context, const struct op *op)
{
        auv_event *event = NULL;
        const int r = machine_find(context->machine, op->words[1], KIND_EVENT, &event);

        auv_event_set(event);
        return r < 0 ? r : 0;
}

int op_eclear(struct context *context, const struct op *op)
{
        auv_event *event = NULL;
        const int r = machine_find(context->machine, op->words[1], KIND_EVENT, &event);

        auv_event_clear(event);
        return r < 0 ? r : 0;
}

/* ---- barriers */

int op_barrier(struct context *context, const struct op *op)
{
        const int parties = (int)strtol(op->words[2], NULL, 10);

        return machine_bind_new(context->machine, op->words[1], KIND_BARRIER, auv_barrier_new(parties));
}

int op_bwait(struct context *context, const struct op *op)
{
        auv_barrier *barrier;
        int r = machine_find(context->machine, op->words[1], KIND_BARRIER, &barrier);

        if (r <= 0)
                return r;
        r = auv_await_barrier_wait(barrier);
        if (r < 0)
                return r;
        machine_log(context->machine, "barrier %s %d", op->words[1], r);
        return 0;
}

int op_breset(struct context *context, const struct op *op)
{
        auv_barrier *barrier;
        const int r = machine_find(context->machine, op->words[1], KIND_BARRIER, &barrier);

        return r <= 0 ? r : auv_await_barrier_reset(barrier);
}

int op_babort(struct context *context, const struct op *op)
{
        auv_barrier *barrier;
        const int r = machine_find(context->machine, op->words[1], KIND_BARRIER, &barrier);

        return r <= 0 ? r : auv_await_barrier_abort(barrier);
}

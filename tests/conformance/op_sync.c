/* SPDX-License-Identifier: MIT */

/* The operations on locks, semaphores, conditions, events and barriers. */

#include "machine.h"

#include <stdlib.h>

/* Calls with what the operation's first word stands for. */
static int await_named(struct context *context, const struct op *op, enum kind kind, operation_fn call,
                       end_fn end)
{
        const int r = machine_find(context->machine, op->words[1], kind, &context->object);

        return r <= 0 ? r : await_call(context, call, end);
}

/* ---- what can be acquired: locks, semaphores, conditions */

static int call_lock_acquire(struct context *context, const struct op *op)
{
        return auv_await_lock_acquire(context->object);
}

static int call_semaphore_acquire(struct context *context, const struct op *op)
{
        return auv_await_semaphore_acquire(context->object);
}

static int call_condition_acquire(struct context *context, const struct op *op)
{
        return auv_await_condition_acquire(context->object);
}

static int await_acquire(struct context *context, const struct thing *thing, end_fn end)
{
        context->object = thing->object;
        switch (thing->kind) {
        case KIND_LOCK:
                return await_call(context, call_lock_acquire, end);
        case KIND_SEMAPHORE:
                return await_call(context, call_semaphore_acquire, end);
        case KIND_CONDITION:
                return await_call(context, call_condition_acquire, end);
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

static int end_acquire(struct context *context, const struct op *op, int r)
{
        if (r == 0)
                machine_log(context->machine, "acquired %s", op->words[1]);
        return r;
}

int op_acquire(struct context *context, const struct op *op)
{
        const struct thing *thing = machine_find_thing(context->machine, op->words[1]);

        return thing ? await_acquire(context, thing, end_acquire) : 0;
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

static int pop_with(struct context *context, int r)
{
        auv_unref(context->block->thing.object);
        block_pop(context);
        return r;
}

static int leave_with(struct context *context, struct block *block, int r)
{
        const int released = release(&block->thing);

        return pop_with(context, released < 0 ? released : r);
}

static int end_with(struct context *context, const struct op *op, int r)
{
        if (r < 0)
                return pop_with(context, r);
        machine_log(context->machine, "entered %s", op->words[1]);
        return 0;
}

int op_with(struct context *context, const struct op *op)
{
        const struct thing *found = machine_find_thing(context->machine, op->words[1]);
        struct block *block;

        if (!found)
                return 0;
        if (found->kind != KIND_LOCK && found->kind != KIND_SEMAPHORE && found->kind != KIND_CONDITION)
                return auv_raise(ERROR_TYPE, NULL);
        /* The name may be given to another thing meanwhile. */
        block = block_push(context, op, leave_with);
        block->thing = *found;
        auv_ref(block->thing.object);
        return await_acquire(context, &block->thing, end_with);
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

static int call_cwait(struct context *context, const struct op *op)
{
        return auv_await_condition_wait(context->object);
}

static int end_cwait(struct context *context, const struct op *op, int r)
{
        if (r == 0)
                machine_log(context->machine, "condition %s", op->words[1]);
        return r;
}

int op_cwait(struct context *context, const struct op *op)
{
        return await_named(context, op, KIND_CONDITION, call_cwait, end_cwait);
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

static int call_ewait(struct context *context, const struct op *op)
{
        return auv_await_event_wait(context->object);
}

static int end_ewait(struct context *context, const struct op *op, int r)
{
        if (r == 0)
                machine_log(context->machine, "event %s", op->words[1]);
        return r;
}

int op_ewait(struct context *context, const struct op *op)
{
        return await_named(context, op, KIND_EVENT, call_ewait, end_ewait);
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

static int call_bwait(struct context *context, const struct op *op)
{
        return auv_await_barrier_wait(context->object);
}

static int end_bwait(struct context *context, const struct op *op, int r)
{
        if (r < 0)
                return r;
        machine_log(context->machine, "barrier %s %d", op->words[1], r);
        return 0;
}

int op_bwait(struct context *context, const struct op *op)
{
        return await_named(context, op, KIND_BARRIER, call_bwait, end_bwait);
}

static int call_breset(struct context *context, const struct op *op)
{
        return auv_await_barrier_reset(context->object);
}

int op_breset(struct context *context, const struct op *op)
{
        return await_named(context, op, KIND_BARRIER, call_breset, /* end= */ NULL);
}

static int call_babort(struct context *context, const struct op *op)
{
        return auv_await_barrier_abort(context->object);
}

int op_babort(struct context *context, const struct op *op)
{
        return await_named(context, op, KIND_BARRIER, call_babort, /* end= */ NULL);
}

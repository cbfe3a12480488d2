/* SPDX-License-Identifier: MIT */

/* The operations with a limit of time. */

#include "machine.h"

#include <string.h>

static int leave_timeout(struct context *context, struct block *block, int r)
{
        AUV_AUTO auv_timeout *timeout = block->thing.object;

        block_pop(context);
        return auv_timeout_exit(timeout, r);
}

static int run_timeout(struct context *context, const struct op *op, auv_timeout *timeout)
{
        if (!timeout)
                return auv_timeout_enter(NULL);
        machine_bind(context->machine, op->words[1], KIND_TIMEOUT, auv_ref(timeout));
        AUV_TRY(auv_timeout_enter(timeout));
        block_push(context, op, leave_timeout)->thing.object = auv_ref(timeout);
        return 0;
}

int op_timeout(struct context *context, const struct op *op)
{
        AUV_AUTO auv_timeout *timeout = auv_timeout_new(seconds(op->words[2]));

        return run_timeout(context, op, timeout);
}

int op_timeoutat(struct context *context, const struct op *op)
{
        AUV_AUTO auv_timeout *timeout = auv_timeout_at_new(seconds(op->words[2]));

        return run_timeout(context, op, timeout);
}

int op_reschedule(struct context *context, const struct op *op)
{
        auv_timeout *timeout;
        const double now = auv_loop_time(context->machine->loop);
        const int r = machine_find(context->machine, op->words[1], KIND_TIMEOUT, &timeout);

        return r <= 0 ? r : auv_timeout_reschedule(timeout, now + seconds(op->words[2]));
}

int op_expired(struct context *context, const struct op *op)
{
        auv_timeout *timeout;
        const int r = machine_find(context->machine, op->words[1], KIND_TIMEOUT, &timeout);

        if (r <= 0)
                return r;
        machine_log(context->machine, "expired %s %s", op->words[1],
                    auv_timeout_expired(timeout) ? "true" : "false");
        return 0;
}

static int call_waitfor(struct context *context, const struct op *op)
{
        return auv_await_wait_for(context->futures.items[0], seconds(op->words[1]), &context->value);
}

static int end_waitfor(struct context *context, const struct op *op, int r)
{
        if (r >= 0)
                machine_log_value(context->machine, &context->value, "waitfor %s = ", op->words[2]);
        futures_free(&context->futures);
        return r < 0 ? r : 0;
}

int op_waitfor(struct context *context, const struct op *op)
{
        const int r = machine_find_futures(context->machine, op->words + 2, 1, &context->futures);

        return r <= 0 ? r : await_call(context, call_waitfor, end_waitfor);
}

static int end_waitforcoro(struct context *context, const struct op *op, int r)
{
        if (r >= 0)
                machine_log_value(context->machine, &context->value, "waitforcoro %s = ", op->words[2]);
        return r < 0 ? r : 0;
}

/* A coroutine that is called, and not the body of a task: its end is not traced. */
struct called {
        struct machine *machine;
        const struct coro *coro;
        unsigned int depth;
};

static int called_run(void *arg, auv_value *ret)
{
        const struct called *called = arg;

        return run_coro(called->machine, called->coro, called->depth, ret);
}

static int call_waitforcoro(struct context *context, const struct op *op)
{
        struct called called = { context->machine, op->coro, context->depth + 1 };

        context->value = (auv_value) { 0 };
        return auv_await_wait_for_coro(called_run, &called, seconds(op->words[1]), &context->value);
}

/* ---- without a stack: what auv_await_wait_for_coro() does, in steps */

static int end_in_time(struct context *context, const struct op *op, int r)
{
        AUV_AUTO auv_timeout *limit = context->object;

        return end_waitforcoro(context, op, auv_timeout_exit(limit, r));
}

static int await_in_time(struct context *context, const struct op *op)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(seconds(op->words[1]));

        AUV_TRY(auv_timeout_enter(limit));
        context->object = auv_ref(limit);
        return await_coro(context, op->coro, end_in_time);
}

static int call_never_run(struct context *context, const struct op *op)
{
        return auv_await_wait_for(context->object, seconds(op->words[1]), &context->value);
}

static int end_never_run(struct context *context, const struct op *op, int r)
{
        AUV_AUTO auv_task *task = context->object;

        if (task)
                auv_task_cancel(task, /* message= */ NULL);
        return end_waitforcoro(context, op, r);
}

int op_waitforcoro(struct context *context, const struct op *op)
{
        const auv_task_options options = { .size = sizeof(options) };

        if (context->machine->form == STACKFUL)
                return await_call(context, call_waitforcoro, end_waitforcoro);
        if (seconds(op->words[1]) > 0)
                return await_in_time(context, op);
        context->object = start_task(context->machine, op->coro, &options, start_by_loop, /* arg= */ NULL);
        return await_call(context, call_never_run, end_never_run);
}

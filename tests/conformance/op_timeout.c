/* SPDX-License-Identifier: MIT */

/* The operations with a limit of time. */

#include "machine.h"

#include <string.h>

static int run_timeout(struct context *context, const struct op *op, auv_timeout *timeout)
{
        if (!timeout)
                return auv_timeout_enter(NULL);
        machine_bind(context->machine, op->words[1], KIND_TIMEOUT, auv_ref(timeout));
        AUV_TRY(auv_timeout_enter(timeout));
        return auv_timeout_exit(timeout, run_body(context, op->body));
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

int op_waitfor(struct context *context, const struct op *op)
{
        struct futures futures;
        auv_value value;
        int r;

        r = machine_find_futures(context->machine, op->words + 2, 1, &futures);
        if (r <= 0)
                return r;
        r = auv_await_wait_for(futures.items[0], seconds(op->words[1]), &value);
        if (r >= 0)
                machine_log_value(context->machine, &value, "waitfor %s = ", op->words[2]);
        futures_free(&futures);
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

int op_waitforcoro(struct context *context, const struct op *op)
{
        struct called called = { context->machine, op->coro, context->depth + 1 };
        auv_value value = { 0 };

        AUV_TRY(auv_await_wait_for_coro(called_run, &called, seconds(op->words[1]), &value));
        machine_log_value(context->machine, &value, "waitforcoro %s = ", op->words[2]);
        return 0;
}

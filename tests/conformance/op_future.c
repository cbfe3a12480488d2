/* SPDX-License-Identifier: MIT */

/* The operations on one future. */

#include "machine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int find_future(struct context *context, const struct op *op, auv_future **ret_future)
{
        return machine_find(context->machine, op->words[1], KIND_FUTURE, ret_future);
}

static int end_await(struct context *context, const struct op *op, int r)
{
        if (r >= 0)
                machine_log_value(context->machine, &context->value, "await %s = ", op->words[1]);
        futures_free(&context->futures);
        return r < 0 ? r : 0;
}

int op_await(struct context *context, const struct op *op)
{
        const int r = machine_find_futures(context->machine, op->words + 1, 1, &context->futures);

        return r <= 0 ? r : await_future(context, context->futures.items[0], end_await);
}

int op_future(struct context *context, const struct op *op)
{
        auv_future *future = auv_loop_create_future(context->machine->loop);

        if (!future)
                return machine_no_object(AUV_ENOMEM);
        machine_bind(context->machine, op->words[1], KIND_FUTURE, future);
        return 0;
}

int op_set(struct context *context, const struct op *op)
{
        auv_future *future;
        const int r = find_future(context, op, &future);

        if (r <= 0)
                return r;
        return auv_future_set_result(future, number_value(strtoimax(op->words[2], NULL, 10)));
}

int op_fail(struct context *context, const struct op *op)
{
        auv_future *future;
        const int r = find_future(context, op, &future);

        return r <= 0 ? r : auv_future_fail(future, ERROR_VALUE, "%s", op->words[2]);
}

int op_cancel(struct context *context, const struct op *op)
{
        auv_future *future;
        int r = find_future(context, op, &future);

        if (r <= 0)
                return r;
        r = auv_future_cancel(future, op->words[2]);
        if (r < 0)
                return r;
        machine_log(context->machine, "cancel %s %s", op->words[1], r ? "true" : "false");
        return 0;
}

static void log_done(struct machine *m, const char *name, auv_future *future)
{
        auv_error *error = NULL;
        auv_value value = { 0 };

        auv_future_exception(future, &error);
        if (error) {
                machine_log_error(m, auv_error_code(error), error, "state %s exception ", name);
        } else {
                auv_future_result(future, &value);
                machine_log_value(m, &value, "state %s result ", name);
        }
}

int op_state(struct context *context, const struct op *op)
{
        auv_future *future;
        const int r = find_future(context, op, &future);

        if (r <= 0)
                return r;
        if (!auv_future_done(future))
                machine_log(context->machine, "state %s pending", op->words[1]);
        else if (auv_future_cancelled(future))
                machine_log(context->machine, "state %s cancelled", op->words[1]);
        else
                log_done(context->machine, op->words[1], future);
        return 0;
}

int op_result(struct context *context, const struct op *op)
{
        auv_future *future;
        auv_value value;
        const int r = find_future(context, op, &future);

        if (r <= 0)
                return r;
        AUV_TRY(auv_future_result(future, &value));
        machine_log_value(context->machine, &value, "result %s = ", op->words[1]);
        return 0;
}

int op_exception(struct context *context, const struct op *op)
{
        auv_future *future;
        auv_error *error;
        const int r = find_future(context, op, &future);

        if (r <= 0)
                return r;
        AUV_TRY(auv_future_exception(future, &error));
        if (error)
                machine_log_error(context->machine, auv_error_code(error), error, "exception %s = ",
                                  op->words[1]);
        else
                machine_log(context->machine, "exception %s = none", op->words[1]);
        return 0;
}

static void on_done(auv_future *future, void *arg)
{
        action_run(arg);
}

/* The tag stands for the new callback even where there is no future to add it to. */
int op_callback(struct context *context, const struct op *op)
{
        struct action *action = machine_add_action(context->machine, op->words[2], op->action);
        auv_future *future;
        int r;

        action->on_future = true;
        r = find_future(context, op, &future);
        return r <= 0 ? r : auv_future_add_done_callback(future, on_done, action);
}

int op_uncallback(struct context *context, const struct op *op)
{
        struct machine *m = context->machine;
        struct action *action = m->actions;
        auv_future *future;
        int r;

        while (action && !(action->on_future && !strcmp(action->tag, op->words[2])))
                action = action->older;
        if (!action) {
                machine_log(m, "undefined %s", op->words[2]);
                return 0;
        }
        r = find_future(context, op, &future);
        if (r <= 0)
                return r;
        r = auv_future_remove_done_callback(future, on_done, action);
        if (r < 0)
                return r;
        machine_log(m, "uncallback %s %d", op->words[2], r);
        return 0;
}

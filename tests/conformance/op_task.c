/* SPDX-License-Identifier: MIT */

/* The operations on tasks and groups of tasks. */

#include "machine.h"

/* A task that could not be made is the operation's error, as in Python. */
static int bind_task(struct context *context, const char *name, auv_task *task, int code)
{
        if (!task)
                return machine_no_object(code);
        machine_bind_task(context->machine, name, task);
        return 0;
}

int op_create(struct context *context, const struct op *op)
{
        struct machine *m = context->machine;
        const struct entry entry = { m, op->coro };
        const auv_task_options options = machine_task_options(op->words[1]);

        return bind_task(context, op->words[1],
                         auv_loop_create_task(m->loop, entry_run, &entry, sizeof(entry), &options),
                         AUV_ENOMEM);
}

int op_eager(struct context *context, const struct op *op)
{
        struct machine *m = context->machine;
        const struct entry entry = { m, op->coro };
        auv_task_options options = machine_task_options(op->words[1]);

        options.eager_start = true;
        return bind_task(context, op->words[1],
                         auv_task_new(m->loop, entry_run, &entry, sizeof(entry), &options), AUV_ENOMEM);
}

int op_spawn(struct context *context, const struct op *op)
{
        const struct entry entry = { context->machine, op->coro };
        const auv_task_options options = machine_task_options(op->words[2]);
        auv_task_group *group;
        const int r = machine_find(context->machine, op->words[1], KIND_GROUP, &group);

        if (r <= 0)
                return r;
        return bind_task(context, op->words[2],
                         auv_task_group_create_task(group, entry_run, &entry, sizeof(entry), &options),
                         AUV_ERUNTIME);
}

int op_group(struct context *context, const struct op *op)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        if (!group)
                return auv_task_group_enter(NULL);
        machine_bind(context->machine, op->words[1], KIND_GROUP, auv_ref(group));
        AUV_TRY(auv_task_group_enter(group));
        return auv_await_task_group_exit(group, run_body(context, op->body));
}

int op_uncancel(struct context *context, const struct op *op)
{
        auv_task *task = auv_current_task(context->machine->loop);
        int r;

        if (!task)
                return auv_raise(ERROR_ATTRIBUTE, NULL);
        r = auv_task_uncancel(task);
        if (r < 0)
                return r;
        machine_log(context->machine, "uncancel %d", r);
        return 0;
}

int op_cancelling(struct context *context, const struct op *op)
{
        auv_future *future;
        int r = machine_find(context->machine, op->words[1], KIND_FUTURE, &future);

        if (r <= 0)
                return r;
        r = auv_task_cancelling(future);
        if (r < 0)
                return r;
        machine_log(context->machine, "cancelling %s %d", op->words[1], r);
        return 0;
}

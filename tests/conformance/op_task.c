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
        const auv_task_options options = machine_task_options(op->words[1]);

        return bind_task(context, op->words[1],
                         start_task(context->machine, op->coro, &options, start_by_loop, /* arg= */ NULL),
                         AUV_ENOMEM);
}

static auv_task *start_new(struct machine *m, auv_coro_fn fn, const void *body, size_t size,
                           const auv_task_options *options, void *arg)
{
        return auv_task_new(m->loop, fn, body, size, options);
}

int op_eager(struct context *context, const struct op *op)
{
        auv_task_options options = machine_task_options(op->words[1]);

        options.eager_start = true;
        return bind_task(context, op->words[1],
                         start_task(context->machine, op->coro, &options, start_new, /* arg= */ NULL),
                         AUV_ENOMEM);
}

static auv_task *start_in_group(struct machine *m, auv_coro_fn fn, const void *body, size_t size,
                                const auv_task_options *options, void *arg)
{
        return auv_task_group_create_task(arg, fn, body, size, options);
}

int op_spawn(struct context *context, const struct op *op)
{
        const auv_task_options options = machine_task_options(op->words[2]);
        auv_task_group *group;
        const int r = machine_find(context->machine, op->words[1], KIND_GROUP, &group);

        if (r <= 0)
                return r;
        return bind_task(context, op->words[2],
                         start_task(context->machine, op->coro, &options, start_in_group, group),
                         AUV_ERUNTIME);
}

static int call_group_exit(struct context *context, const struct op *op)
{
        return auv_await_task_group_exit(context->block->thing.object, context->block->r);
}

static int end_group(struct context *context, const struct op *op, int r)
{
        auv_unref(context->block->thing.object);
        block_pop(context);
        return r;
}

static int leave_group(struct context *context, struct block *block, int r)
{
        block->r = r;
        return await_call(context, call_group_exit, end_group);
}

int op_group(struct context *context, const struct op *op)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        if (!group)
                return auv_task_group_enter(NULL);
        machine_bind(context->machine, op->words[1], KIND_GROUP, auv_ref(group));
        AUV_TRY(auv_task_group_enter(group));
        block_push(context, op, leave_group)->thing.object = auv_ref(group);
        return 0;
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

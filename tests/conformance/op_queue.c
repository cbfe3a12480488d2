/* SPDX-License-Identifier: MIT */

/* The operations on queues. Items are whole numbers. */

#include "machine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int compare(const auv_value *a, const auv_value *b, void *arg)
{
        return (a->i > b->i) - (a->i < b->i);
}

static auv_queue *new_queue(long maxsize, const char *order)
{
        if (!strcmp(order, "lifo"))
                return auv_lifo_queue_new(maxsize);
        if (!strcmp(order, "priority"))
                return auv_priority_queue_new(maxsize, compare, /* arg= */ NULL);
        return auv_queue_new(maxsize);
}

int op_queue(struct context *context, const struct op *op)
{
        const long maxsize = strtol(op->words[2], NULL, 10);

        return machine_bind_new(context->machine, op->words[1], KIND_QUEUE,
                                new_queue(maxsize, op->n_words > 3 ? op->words[3] : "fifo"));
}

static int find_queue(struct context *context, const struct op *op, auv_queue **ret_queue)
{
        return machine_find(context->machine, op->words[1], KIND_QUEUE, ret_queue);
}

static auv_value item_of(const struct op *op)
{
        return number_value(strtoimax(op->words[2], NULL, 10));
}

/* Calls with the queue that the operation names. */
static int await_queue(struct context *context, const struct op *op, operation_fn call, end_fn end)
{
        const int r = machine_find(context->machine, op->words[1], KIND_QUEUE, &context->object);

        return r <= 0 ? r : await_call(context, call, end);
}

static int call_put(struct context *context, const struct op *op)
{
        return auv_await_queue_put(context->object, item_of(op));
}

static int end_put(struct context *context, const struct op *op, int r)
{
        if (r == 0)
                machine_log(context->machine, "put %s %s", op->words[1], op->words[2]);
        return r;
}

int op_put(struct context *context, const struct op *op)
{
        return await_queue(context, op, call_put, end_put);
}

static int call_get(struct context *context, const struct op *op)
{
        return auv_await_queue_get(context->object, &context->value);
}

static int end_get(struct context *context, const struct op *op, int r)
{
        if (r == 0)
                machine_log_value(context->machine, &context->value, "get %s = ", op->words[1]);
        return r;
}

int op_get(struct context *context, const struct op *op)
{
        return await_queue(context, op, call_get, end_get);
}

static int call_join(struct context *context, const struct op *op)
{
        return auv_await_queue_join(context->object);
}

static int end_join(struct context *context, const struct op *op, int r)
{
        if (r == 0)
                machine_log(context->machine, "joined %s", op->words[1]);
        return r;
}

int op_join(struct context *context, const struct op *op)
{
        return await_queue(context, op, call_join, end_join);
}

int op_putnow(struct context *context, const struct op *op)
{
        auv_queue *queue;
        const int r = find_queue(context, op, &queue);

        return r <= 0 ? r : auv_queue_put_nowait(queue, item_of(op));
}

int op_getnow(struct context *context, const struct op *op)
{
        auv_queue *queue;
        auv_value item;
        const int r = find_queue(context, op, &queue);

        if (r <= 0)
                return r;
        AUV_TRY(auv_queue_get_nowait(queue, &item));
        machine_log_value(context->machine, &item, "getnow %s = ", op->words[1]);
        return 0;
}

int op_taskdone(struct context *context, const struct op *op)
{
        auv_queue *queue;
        const int r = find_queue(context, op, &queue);

        return r <= 0 ? r : auv_queue_task_done(queue);
}

int op_qsize(struct context *context, const struct op *op)
{
        auv_queue *queue;
        const int r = find_queue(context, op, &queue);

        if (r <= 0)
                return r;
        machine_log(context->machine, "qsize %s %zu", op->words[1], auv_queue_qsize(queue));
        return 0;
}

int op_shutdown(struct context *context, const struct op *op)
{
        auv_queue *queue;
        const int r = find_queue(context, op, &queue);

        if (r <= 0)
                return r;
        auv_queue_shutdown(queue, op->n_words > 2 && !strcmp(op->words[2], "now"));
        return 0;
}

/* SPDX-License-Identifier: MIT */

/* The operations on the loop: sleeping, and calls. */

#include "machine.h"

#include <string.h>

int op_sleep(struct context *context, const struct op *op)
{
        return await_sleep(context, seconds(op->words[1]));
}

int op_yield(struct context *context, const struct op *op)
{
        return await_sleep(context, 0);
}

static void on_call(void *arg)
{
        action_run(arg);
}

int op_soon(struct context *context, const struct op *op)
{
        struct machine *m = context->machine;
        struct action *action = machine_add_action(m, op->words[1], op->action);

        return auv_loop_call_soon(m->loop, on_call, action, &action->call);
}

int op_later(struct context *context, const struct op *op)
{
        struct machine *m = context->machine;
        struct action *action = machine_add_action(m, op->words[2], op->action);

        return auv_loop_call_later(m->loop, seconds(op->words[1]), on_call, action, &action->call);
}

int op_at(struct context *context, const struct op *op)
{
        struct machine *m = context->machine;
        struct action *action = machine_add_action(m, op->words[2], op->action);

        return auv_loop_call_at(m->loop, seconds(op->words[1]), on_call, action, &action->call);
}

int op_uncall(struct context *context, const struct op *op)
{
        struct action *action = context->machine->actions;

        while (action && !(action->call && !strcmp(action->tag, op->words[1])))
                action = action->older;
        if (action)
                auv_call_cancel(action->call);
        else
                machine_log(context->machine, "undefined %s", op->words[1]);
        return 0;
}

/* SPDX-License-Identifier: MIT */

/*
 * How a coroutine of a scenario is run: operation by operation, up to one that awaits. That one says what it
 * awaits, and returns; what awaits it is the only code that knows which form the task's coroutine has. So
 * nothing of where a coroutine is stands on the C stack: the blocks that it is in are a list.
 */

#include "machine.h"

#include <stdlib.h>

/* A coroutine that calls itself for ever ends with an error, and not by overrunning its stack. */
#define MAX_DEPTH 300

/* ---- what is awaited */

static int await(struct context *context, enum await_kind kind, end_fn end)
{
        context->await = kind;
        context->end = end;
        return 0;
}

int await_future(struct context *context, auv_future *future, end_fn end)
{
        context->future = future;
        return await(context, AWAIT_FUTURE, end);
}

int await_sleep(struct context *context, double delay)
{
        context->delay = delay;
        return await(context, AWAIT_SLEEP, /* end= */ NULL);
}

int await_call(struct context *context, operation_fn call, end_fn end)
{
        context->call = call;
        return await(context, AWAIT_CALL, end);
}

int await_coro(struct context *context, const struct coro *coro, end_fn end)
{
        context->coro = coro;
        return await(context, AWAIT_CORO, end);
}

/* ---- blocks */

struct block *block_push(struct context *context, const struct op *op, leave_fn leave)
{
        struct block *block = must_alloc(sizeof(*block));

        *block = (struct block) { .outer = context->block,
                                  .op = op,
                                  .next = op ? op->body : NULL,
                                  .leave = leave,
                                  .handled = context->handled,
                                  .ret = context->ret };
        context->block = block;
        return block;
}

void block_pop(struct context *context)
{
        struct block *block = context->block;

        context->block = block->outer;
        context->handled = block->handled;
        context->ret = block->ret;
        free(block);
}

static int leave_coro(struct context *context, struct block *block, int r)
{
        block_pop(context);
        return r;
}

/* ---- a coroutine */

static int begin(struct context *context, struct machine *m, const struct coro *coro, unsigned int depth,
                 auv_value *ret)
{
        *context = (struct context) { .machine = m, .ret = ret, .depth = depth };
        if (depth > MAX_DEPTH)
                return auv_raise(AUV_ERUNTIME, "too many calls in each other");
        block_push(context, /* op= */ NULL, leave_coro)->next = coro->body;
        return 0;
}

/* One operation, or the end of a block. */
static int advance(struct context *context, int r)
{
        struct block *block = context->block;

        if (r != 0 || !block->next)
                return block->leave(context, block, r);
        context->op = block->next;
        block->next = block->next->next;
        r = context->op->operation->run(context, context->op);
        if (r == AUV_ENOMEM)
                context->machine->no_memory = true;
        return r;
}

/*
 * Runs on with *r, with which the last await has ended. Returns whether there is a next one; if not, the
 * coroutine has ended with *r.
 */
static bool go_on(struct context *context, int *r)
{
        const end_fn end = context->end;

        context->await = AWAIT_NOTHING;
        context->end = NULL;
        if (end)
                *r = end(context, context->op, *r);
        if (*r == AUV_ENOMEM)
                context->machine->no_memory = true;
        while (context->await == AWAIT_NOTHING && context->block)
                *r = advance(context, *r);
        return context->await != AWAIT_NOTHING;
}

/* A `return` may have been overtaken by an error of the block that it left. */
static int finish(auv_value *ret, int r)
{
        if (r == 0)
                *ret = (auv_value) { 0 };
        return r < 0 ? r : 0;
}

/* ---- on a stack */

static int await_on_stack(struct context *context)
{
        switch (context->await) {
        case AWAIT_FUTURE:
                return auv_await(context->future, &context->value);
        case AWAIT_SLEEP:
                return auv_await_sleep(context->delay);
        case AWAIT_CALL:
                return context->call(context, context->op);
        default:
                return run_coro(context->machine, context->coro, context->depth + 1, &context->value);
        }
}

int run_coro(struct machine *m, const struct coro *coro, unsigned int depth, auv_value *ret)
{
        struct context context;
        int r = begin(&context, m, coro, depth, ret);

        while (go_on(&context, &r))
                r = await_on_stack(&context);
        return finish(ret, r);
}

/* ---- without a stack */

/* The frame of one that calls another has that one's for as long as the call lasts. */
struct running {
        auv_frame frame;
        struct machine *machine;
        const struct coro *coro;
        unsigned int depth;
        struct context context;
        auv_value value;
        auv_subframe subframe;
        struct running *called;
        int r;
};

static struct running *new_called(const struct context *caller)
{
        struct running *running = must_alloc(sizeof(*running));

        *running = (struct running) { .machine = caller->machine,
                                      .coro = caller->coro,
                                      .depth = caller->depth + 1 };
        return running;
}

static int run_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct running, self);
        self->r = begin(&self->context, self->machine, self->coro, self->depth, &self->value);
        while (go_on(&self->context, &self->r)) {
                switch (self->context.await) {
                case AWAIT_FUTURE:
                        AUV_AWAIT_CATCH(self->r, self->context.future, &self->context.value);
                        break;
                case AWAIT_SLEEP:
                        AUV_AWAIT_SLEEP_CATCH(self->r, self->context.delay);
                        break;
                case AWAIT_CALL:
                        AUV_AWAIT_CALL_CATCH(self->r, &self->subframe,
                                             self->context.call(&self->context, self->context.op));
                        break;
                default:
                        self->called = new_called(&self->context);
                        AUV_AWAIT_INLINE_CATCH(self->r, run_steps, self->called, &self->context.value);
                        free(self->called);
                        break;
                }
        }
        AUV_CHECK(finish(&self->value, self->r));
        *ret = self->value;
        AUV_LEAVE(0);
        AUV_END;
}

/* ---- tasks */

static int end_entry(struct machine *m, int r, const auv_value *ret)
{
        if (r < 0) {
                struct caught caught = catch_error(r);

                machine_log_error(m, r, caught.error, "exit ");
                caught_free(&caught);
        } else {
                machine_log_value(m, ret, "return ");
        }
        return r;
}

static int entry_run(void *arg, auv_value *ret)
{
        const struct entry *entry = arg;

        return end_entry(entry->machine, run_coro(entry->machine, entry->coro, 0, ret), ret);
}

struct stackless_entry {
        auv_frame frame;
        struct running running;
};

static int entry_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless_entry, self);
        int r;

        AUV_AWAIT_INLINE_CATCH(r, run_steps, &self->running, ret);
        AUV_LEAVE(end_entry(self->running.machine, r, ret));
        AUV_END;
}

auv_task *start_task(struct machine *m, const struct coro *coro, const auv_task_options *options,
                     start_fn start, void *arg)
{
        const struct stackless_entry stackless = { .running = { .machine = m, .coro = coro } };
        const struct entry stackful = { m, coro };
        auv_task_options with_body = *options;

        if (m->form == STACKFUL)
                return start(m, entry_run, &stackful, sizeof(stackful), options, arg);
        with_body.stackless = entry_steps;
        return start(m, /* fn= */ NULL, &stackless, sizeof(stackless), &with_body, arg);
}

/* SPDX-License-Identifier: MIT */

/*
 * How operations follow each other: try, repeat, calls. An error on its way out is a
 * negative code that is handed up, with the library's current error for its object; whatever
 * runs before it goes on takes the object aside, see struct caught.
 */

#include "machine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool clause_fits(const struct clause *clause, int code)
{
        return !strcmp(clause->kind, "all") || !strcmp(clause->kind, error_word(code))
               || (!strcmp(clause->kind, "error") && code != AUV_ECANCELED);
}

/* The end of a `finally`: a `return` in it overrides another one, but no error. */
static int leave_finally(struct context *context, struct block *block, int last)
{
        int r = block->r;

        if (last < 0) {
                r = last;
        } else if (r < 0) {
                r = rethrow(&block->caught);
        } else if (last == LEFT) {
                *block->ret = block->value;
                r = LEFT;
        }
        caught_free(&block->caught);
        block_pop(context);
        return r;
}

/*
 * The end of what stands before a `finally`, with r on its way out. While the loop is being closed, the body
 * is left as it would be by Python's GeneratorExit.
 */
static int leave_clause(struct context *context, struct block *block, int r)
{
        caught_free(&block->caught);
        context->handled = block->handled;
        if (!block->op->has_finally || context->machine->over) {
                block_pop(context);
                return r;
        }
        machine_log(context->machine, "finally");
        block->r = r;
        if (r < 0)
                block->caught = catch_error(r);
        block->next = block->op->finally;
        block->leave = leave_finally;
        context->handled = NULL;
        context->ret = &block->value;
        return 0;
}

/* Goes on with the first clause that fits the error; without one it goes on its way out. */
static int leave_try(struct context *context, struct block *block, int r)
{
        const struct clause *clause = block->op->clauses;

        if (r >= 0 || context->machine->over)
                return leave_clause(context, block, r);
        while (clause && !clause_fits(clause, r))
                clause = clause->next;
        if (!clause)
                return leave_clause(context, block, r);
        block->caught = catch_error(r);
        machine_log_error(context->machine, r, block->caught.error, "except ");
        context->handled = &block->caught;
        block->next = clause->body;
        block->leave = leave_clause;
        return 0;
}

int op_try(struct context *context, const struct op *op)
{
        block_push(context, op, leave_try);
        return 0;
}

static int leave_repeat(struct context *context, struct block *block, int r)
{
        if (r == 0 && --block->times > 0) {
                block->next = block->op->body;
                return 0;
        }
        block_pop(context);
        return r;
}

int op_repeat(struct context *context, const struct op *op)
{
        const intmax_t times = strtoimax(op->words[1], NULL, 10);

        if (times > 0)
                block_push(context, op, leave_repeat)->times = times;
        return 0;
}

int op_return(struct context *context, const struct op *op)
{
        *context->ret = number_value(strtoimax(op->words[1], NULL, 10));
        return LEFT;
}

int op_raise(struct context *context, const struct op *op)
{
        return auv_raise(ERROR_VALUE, "%s", op->words[1]);
}

int op_reraise(struct context *context, const struct op *op)
{
        return context->handled ? rethrow(context->handled) : 0;
}

static int end_call(struct context *context, const struct op *op, int r)
{
        if (r >= 0)
                machine_log_value(context->machine, &context->value, "call %s = ", op->words[1]);
        return r < 0 ? r : 0;
}

int op_call(struct context *context, const struct op *op)
{
        return await_coro(context, op->coro, end_call);
}

int op_log(struct context *context, const struct op *op)
{
        struct text text = { 0 };

        for (size_t i = 1; i < op->n_words; i++)
                text_add(&text, " %s", op->words[i]);
        machine_log(context->machine, "log%s", op->n_words > 1 ? text_string(&text) : " ");
        text_deinit(&text);
        return 0;
}

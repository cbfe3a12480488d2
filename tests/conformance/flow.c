/* SPDX-License-Identifier: MIT */

/*
 * How operations follow each other: bodies, try, repeat, calls. An error on its way out is a
 * negative code that is handed up, with the library's current error for its object; whatever
 * runs before it goes on takes the object aside, see struct caught.
 */

#include "machine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A coroutine that calls itself for ever ends with an error, and not by overrunning its stack. */
#define MAX_DEPTH 300

int run_body(struct context *context, const struct op *first)
{
        int r = 0;

        for (const struct op *op = first; op && r == 0; op = op->next)
                r = op->operation->run(context, op);
        if (r == AUV_ENOMEM)
                context->machine->no_memory = true;
        return r;
}

int run_coro(struct machine *m, const struct coro *coro, unsigned int depth, auv_value *ret)
{
        struct context context = { .machine = m, .ret = ret, .depth = depth };
        int r;

        if (depth > MAX_DEPTH)
                return auv_raise(AUV_ERUNTIME, "too many calls in each other");
        r = run_body(&context, coro->body);
        if (r == 0) {
                /* A `return` may have been overtaken by an error of the block that it left. */
                *ret = (auv_value) { 0 };
        }
        return r < 0 ? r : 0;
}

int entry_run(void *arg, auv_value *ret)
{
        const struct entry *entry = arg;
        const int r = run_coro(entry->machine, entry->coro, 0, ret);

        if (r < 0) {
                struct caught caught = catch_error(r);

                machine_log_error(entry->machine, r, caught.error, "exit ");
                caught_free(&caught);
        } else {
                machine_log_value(entry->machine, ret, "return ");
        }
        return r;
}

static bool clause_fits(const struct clause *clause, int code)
{
        return !strcmp(clause->kind, "all") || !strcmp(clause->kind, error_word(code))
               || (!strcmp(clause->kind, "error") && code != AUV_ECANCELED);
}

/* Run the first clause that fits the error; without one it goes on. */
static int handle(struct context *context, const struct op *op, int code)
{
        struct caught caught = catch_error(code);
        struct context inner = *context;
        const struct clause *clause = op->clauses;
        int r = code;

        while (clause && !clause_fits(clause, code))
                clause = clause->next;
        if (clause) {
                machine_log_error(context->machine, code, caught.error, "except ");
                inner.handled = &caught;
                r = run_body(&inner, clause->body);
        }
        caught_free(&caught);
        return r;
}

/* Run the `finally`, with r on its way out: a `return` in it overrides another one, but no error. */
static int finish(struct context *context, const struct op *op, int r)
{
        struct context inner = *context;
        struct caught caught = { 0 };
        auv_value value = { 0 };
        int last;

        if (r < 0)
                caught = catch_error(r);
        inner.handled = NULL;
        inner.ret = &value;
        machine_log(context->machine, "finally");
        last = run_body(&inner, op->finally);
        if (last < 0) {
                r = last;
        } else if (r < 0) {
                r = rethrow(&caught);
        } else if (last == LEFT) {
                *context->ret = value;
                r = LEFT;
        }
        caught_free(&caught);
        return r;
}

/* While the loop is being closed, the body is left as it would be by Python's GeneratorExit. */
int op_try(struct context *context, const struct op *op)
{
        const struct machine *m = context->machine;
        int r = run_body(context, op->body);

        if (r < 0 && !m->over)
                r = handle(context, op, r);
        if (op->has_finally && !m->over)
                r = finish(context, op, r);
        return r;
}

int op_repeat(struct context *context, const struct op *op)
{
        const intmax_t times = strtoimax(op->words[1], NULL, 10);
        int r = 0;

        for (intmax_t i = 0; i < times && r == 0; i++)
                r = run_body(context, op->body);
        return r;
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

int op_call(struct context *context, const struct op *op)
{
        auv_value value = { 0 };

        AUV_TRY(run_coro(context->machine, op->coro, context->depth + 1, &value));
        machine_log_value(context->machine, &value, "call %s = ", op->words[1]);
        return 0;
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

/* SPDX-License-Identifier: MIT */

/* The operations on several futures, and shield. */

#include "machine.h"

#include <stdlib.h>
#include <string.h>

static enum auv_return_when wait_mode(const char *word)
{
        if (!strcmp(word, "first"))
                return AUV_FIRST_COMPLETED;
        return !strcmp(word, "exception") ? AUV_FIRST_EXCEPTION : AUV_ALL_COMPLETED;
}

/* The names of those futures that are among some, in the order given. */
static void text_add_names(struct text *text, char *const *names, const struct futures *futures,
                           auv_future *const *some, size_t n_some)
{
        for (size_t i = 0; i < futures->n; i++) {
                for (size_t j = 0; j < n_some; j++) {
                        if (futures->items[i] == some[j]) {
                                text_add(text, " %s", names[i]);
                                break;
                        }
                }
        }
}

static void log_wait(struct machine *m, char *const *names, const struct futures *futures,
                     auv_future *const *sorted, size_t n_done)
{
        struct text done = { 0 }, pending = { 0 };

        text_add_names(&done, names, futures, sorted, n_done);
        text_add_names(&pending, names, futures, sorted + n_done, futures->n - n_done);
        machine_log(m, "wait done%s pending%s", done.length ? text_string(&done) : " ",
                    pending.length ? text_string(&pending) : " ");
        text_deinit(&done);
        text_deinit(&pending);
}

static int call_wait(struct context *context, const struct op *op)
{
        return auv_await_wait(context->futures.items, context->futures.n, seconds(op->words[2]),
                              wait_mode(op->words[1]), context->sorted);
}

static int end_wait(struct context *context, const struct op *op, int r)
{
        if (r >= 0)
                log_wait(context->machine, op->words + 3, &context->futures, context->sorted, (size_t)r);
        free(context->sorted);
        futures_free(&context->futures);
        return r < 0 ? r : 0;
}

int op_wait(struct context *context, const struct op *op)
{
        const int r = machine_find_futures(context->machine, op->words + 3, op->n_words - 3,
                                           &context->futures);

        if (r <= 0)
                return r;
        context->sorted = must_alloc(context->futures.n * sizeof(auv_future *));
        return await_call(context, call_wait, end_wait);
}

static void log_completed(struct machine *m, char *const *names, const struct futures *futures,
                          const auv_future *future)
{
        size_t i = 0;

        while (i < futures->n && futures->items[i] != future)
                i++;
        machine_log(m, "completed %s", i < futures->n ? names[i] : "a future that was not given");
}

static int call_ascompleted(struct context *context, const struct op *op)
{
        return auv_await_as_completed(context->iterator, &context->future);
}

static int end_ascompleted(struct context *context, const struct op *op, int r)
{
        if (r > 0) {
                log_completed(context->machine, op->words + 2, &context->futures, context->future);
                return await_call(context, call_ascompleted, end_ascompleted);
        }
        futures_free(&context->futures);
        context->iterator = auv_unref(context->iterator);
        return r;
}

int op_ascompleted(struct context *context, const struct op *op)
{
        const int r = machine_find_futures(context->machine, op->words + 2, op->n_words - 2,
                                           &context->futures);

        if (r <= 0)
                return r;
        context->iterator = auv_as_completed_new(context->futures.items, context->futures.n,
                                                 seconds(op->words[1]));
        return await_call(context, call_ascompleted, end_ascompleted);
}

static int gather(struct context *context, const struct op *op, int flags)
{
        struct futures futures;
        auv_future *all;
        const int r = machine_find_futures(context->machine, op->words + 2, op->n_words - 2, &futures);

        if (r <= 0)
                return r;
        all = auv_gather(futures.items, futures.n, flags);
        futures_free(&futures);
        if (!all)
                return machine_no_object(AUV_ENOMEM);
        machine_bind(context->machine, op->words[1], KIND_FUTURE, all);
        return 0;
}

int op_gather(struct context *context, const struct op *op)
{
        return gather(context, op, 0);
}

int op_gatherx(struct context *context, const struct op *op)
{
        return gather(context, op, AUV_RETURN_EXCEPTIONS);
}

int op_shield(struct context *context, const struct op *op)
{
        struct futures futures;
        auv_future *shield;
        const int r = machine_find_futures(context->machine, op->words + 2, 1, &futures);

        if (r <= 0)
                return r;
        shield = auv_shield(futures.items[0]);
        futures_free(&futures);
        if (!shield)
                return machine_no_object(AUV_ENOMEM);
        machine_bind(context->machine, op->words[1], KIND_FUTURE, shield);
        return 0;
}

/* SPDX-License-Identifier: MIT */

/* Exception handler: who is told of errors that nobody handles. */

#include "base/context.h"
#include "base/error.h"
#include "loop/hooks.h"
#include "loop/loop.h"

#include <stdio.h>

void auv_loop_set_exception_handler(auv_loop *loop, auv_exception_handler_fn handler, void *arg)
{
        if (!loop)
                return;
        loop->exception_handler = handler;
        loop->exception_handler_arg = arg;
}

auv_exception_handler_fn auv_loop_get_exception_handler(const auv_loop *loop, void **ret_arg)
{
        if (!loop)
                return NULL;
        if (ret_arg)
                *ret_arg = loop->exception_handler_arg;
        return loop->exception_handler;
}

/* The handler runs in the context of the task that the report is about. */
static void call_handler(auv_loop *loop, const auv_exception_context *context)
{
        struct auv__object **of_task = NULL, **outer = auv__context_slot;

        if (context->future && loop->tenant)
                of_task = loop->tenant->context(context->future);
        if (of_task)
                auv__context_enter(of_task);
        loop->exception_handler(loop, context, loop->exception_handler_arg);
        auv__context_leave(outer);
}

static void tell(auv_loop *loop, const auv_exception_context *context)
{
        auv_error **slot = auv__error_slot, *error = NULL;

        /* What goes wrong in the handler is not an error of the task that runs. */
        auv__error_slot = &error;
        if (loop->exception_handler)
                call_handler(loop, context);
        else
                auv_loop_default_exception_handler(loop, context);
        auv__error_slot = slot;
        auv_unref(error);
}

void auv_loop_call_exception_handler(auv_loop *loop, const auv_exception_context *context)
{
        const struct auv__debug_hooks *hooks;

        if (!loop || !context)
                return;
        hooks = auv__loop_hooks(loop);
        if (hooks)
                hooks->report(loop, context, tell);
        else
                tell(loop, context);
}

void auv_loop_default_exception_handler(auv_loop *loop, const auv_exception_context *context)
{
        const char *message, *source, *name = NULL;
        char text[512];

        if (!context)
                return;
        message = context->message ? context->message : "Unhandled error";
        source = context->source ? context->source : "";
        if (context->error)
                auv_error_format(context->error, text, sizeof(text));
        if (context->future && loop && loop->tenant)
                name = loop->tenant->name(context->future);
        fprintf(stderr, "%s%s%s", message, context->error ? ": " : "", context->error ? text : "");
        fprintf(stderr, "%s%s%s\n%s", name ? " (task '" : "", name ? name : "", name ? "')" : "", source);
}

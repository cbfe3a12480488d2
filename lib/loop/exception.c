/* SPDX-License-Identifier: MIT */

/* Exception handler: who is told of errors that nobody handles. */

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

void auv_loop_call_exception_handler(auv_loop *loop, const auv_exception_context *context)
{
        if (!loop || !context)
                return;
        if (loop->exception_handler)
                loop->exception_handler(loop, context, loop->exception_handler_arg);
        else
                auv_loop_default_exception_handler(loop, context);
}

void auv_loop_default_exception_handler(auv_loop *loop, const auv_exception_context *context)
{
        char text[512];

        if (!context)
                return;
        if (!context->error) {
                fprintf(stderr, "%s\n", context->message ? context->message : "Unhandled error");
                return;
        }
        auv_error_format(context->error, text, sizeof(text));
        fprintf(stderr, "%s: %s\n", context->message ? context->message : "Unhandled error", text);
}

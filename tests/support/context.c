/* SPDX-License-Identifier: MIT */

#include "support/context.h"

#include "support/coroutine.h"
#include "support/loop.h"
#include "support/trace.h"

#include <stdlib.h>

auv_context_var *var, *other;
auv_context *outside;

void context_setup(void)
{
        loop_setup();
        var = auv_context_var_new("var", NULL);
        other = auv_context_var_new("other", &NUMBER(7));
        outside = auv_context_new();
}

void context_teardown(void)
{
        auv_unref(outside);
        auv_unref(var);
        auv_unref(other);
        loop_teardown();
}
intmax_t get(void)
{
        auv_value value = { 0 };

        return auv_context_var_get(var, &value) == 0 ? value.i : 0;
}

intmax_t get_in(const auv_context *context)
{
        auv_value value = { 0 };

        return auv_context_get(context, var, &value) == 0 ? value.i : 0;
}

void trace_and_set(void *arg)
{
        trace("%s=%jd", (const char *)arg, get());
        if (auv_context_var_set(var, NUMBER(-1), NULL) < 0)
                abort();
}

void trace_and_set_when_done(auv_future *future, void *arg)
{
        trace_and_set(arg);
}

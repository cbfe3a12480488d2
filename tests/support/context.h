/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_CONTEXT_H
#define SUPPORT_CONTEXT_H

/*
 * Context
 *
 * The fixture of loop.h, and two variables beside it:
 *
 *      TestSuite(context, .init = context_setup, .fini = context_teardown);
 */

#include <asyncuv.h>

extern auv_context_var *var;   /* without a default */
extern auv_context_var *other; /* whose default is 7 */

/* What tests set is to be gone with them, so that they run in this context and not in the thread's. */
extern auv_context *outside;

void context_setup(void);
void context_teardown(void);

/* Sets `var` in the current context. */
#define set(value) cr_assert(eq(int, auv_context_var_set(var, NUMBER(value), NULL), 0))

/* The value of `var` in the current context; 0 for none. */
intmax_t get(void);

intmax_t get_in(const auv_context *context);

/* Functions for calls and done callbacks: they trace ARG=VALUE of `var`, and set it to -1. */
void trace_and_set(void *arg);
void trace_and_set_when_done(auv_future *future, void *arg);

/* A test whose body runs in a context of its own. */
#define TestInContext(name)                                                             \
        static void name##_body(void *arg);                                             \
        Test(context, name)                                                             \
        {                                                                               \
                cr_assert(eq(int, auv_context_run(outside, name##_body, NULL), 0));     \
        }                                                                               \
        static void name##_body(void *arg)

#endif

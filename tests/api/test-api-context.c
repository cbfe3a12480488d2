/* SPDX-License-Identifier: MIT */
/* The public symbols of context variables; see check.h. */

#include "check.h"

#include <string.h>

static auv_context_var *var;

static intmax_t current(void)
{
        auv_value value;

        check(auv_context_var_get(var, &value) == 0);
        return value.i;
}

static void set_to_3(void *arg)
{
        check(auv_context_var_set(var, (auv_value) { .i = 3 }, NULL) == 0);
}

static void note(void *arg)
{
        *(intmax_t *)arg = current();
}

static void note_done(auv_future *future, void *arg)
{
        note(arg);
}

static int set_to_5(void *arg, auv_value *ret)
{
        set_to_3(NULL);
        check(auv_context_var_set(var, (auv_value) { .i = 5 }, NULL) == 0);
        check(auv_task_get_context(auv_current_task(NULL)) != NULL);
        return 0;
}

static void test_variable(void)
{
        AUV_AUTO auv_context_token *token = NULL;

        check(strcmp(auv_context_var_name(var), "var") == 0);
        check(current() == 1);
        check(auv_context_var_set(var, (auv_value) { .i = 2 }, &token) == 0);
        check(current() == 2);
        check(auv_context_var_reset(var, token) == 0);
        check(current() == 1);
}

static void test_context(void)
{
        AUV_AUTO auv_context *context = auv_context_new();
        AUV_AUTO auv_context *copy = auv_context_copy(context);
        AUV_AUTO auv_context *of_thread = auv_copy_context();
        auv_context_var *vars[2];
        auv_value value;

        check(auv_context_run(context, set_to_3, NULL) == 0);
        check(auv_context_get(context, var, &value) == 0 && value.i == 3);
        check(auv_context_vars(context, vars, 2) == 1 && vars[0] == var);
        check(auv_context_vars(copy, NULL, 0) == 0 && auv_context_vars(of_thread, NULL, 0) == 0);
        check(current() == 1);
}

static int test_calls(void *arg, auv_value *ret)
{
        AUV_AUTO auv_context *context = auv_context_new();
        AUV_AUTO auv_future *future = auv_loop_create_future(NULL);
        AUV_AUTO auv_task *task = auv_create_task(set_to_5, NULL, 0);
        AUV_AUTO auv_call *soon = NULL;
        intmax_t in_call = 0, at_time = 0, when_done = 0;

        check(auv_context_run(context, set_to_3, NULL) == 0);
        check(auv_loop_call_soon_in_context(NULL, context, note, &in_call, &soon) == 0);
        check(auv_call_get_context(soon) == context);
        check(auv_loop_call_at_in_context(NULL, context, 1, note, &at_time, NULL) == 0);
        check(auv_future_add_done_callback_in_context(future, context, note_done, &when_done) == 0);
        check(auv_future_set_result(future, (auv_value) { 0 }) == 0);

        check(auv_await_sleep(2) == 0 && auv_await(task, NULL) == 0);
        check(in_call == 3 && at_time == 3 && when_done == 3 && current() == 1);
        return 0;
}

int main(void)
{
        var = auv_context_var_new("var", &(auv_value) { .i = 1 });
        test_variable();
        test_context();
        run_in_task(test_calls);
        var = auv_unref(var);
        return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */

/* Contexts and their variables, but for who has which: see ../task/test-context.c. */

#include "base/value.h"
#include "support/context.h"
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/small_stack.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <pthread.h>
#include <string.h>

TestSuite(context, .init = context_setup, .fini = context_teardown);

/* Variables */

Test(context, variable_has_its_name)
{
        char name[] = "short-lived";
        AUV_AUTO auv_context_var *named = auv_context_var_new(name, NULL);

        strcpy(name, "x");
        cr_assert_text(auv_context_var_name(named), "short-lived");
        cr_assert_null(auv_context_var_name(NULL));
        cr_assert_null(auv_context_var_new(NULL, NULL));
}

TestInContext(variable_has_its_default_until_it_is_set)
{
        auv_value value;

        cr_assert(eq(int, auv_context_var_get(other, &value), 0));
        cr_assert(eq(i64, value.i, 7));
        cr_assert(eq(int, auv_context_var_get(var, &value), AUV_ENOENT));
        cr_assert_has(auv_error_message(auv_error_current()), "'var'");
        cr_assert(eq(i64, value.i, 7), "it was to stay untouched");

        cr_assert(eq(int, auv_context_var_set(other, NUMBER(8), NULL), 0));
        set(1);
        set(2);
        cr_assert(eq(int, auv_context_var_get(other, &value), 0));
        cr_assert(eq(i64, value.i, 8));
        cr_assert(eq(i64, get(), 2));
        cr_assert(eq(int, auv_context_var_get(var, NULL), 0));
}

Test(context, refuses_null)
{
        AUV_AUTO auv_context *context = auv_context_new();

        cr_assert(eq(int, auv_context_var_get(NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_context_var_set(NULL, NUMBER(1), NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_context_var_reset(var, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_context_var_reset(NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_context_run(NULL, trace_and_set, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_context_run(context, NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_context_get(NULL, var, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_context_get(context, NULL, NULL), AUV_EINVAL));
        cr_assert(eq(sz, auv_context_vars(NULL, NULL, 0), 0));
        cr_assert_null(auv_context_copy(NULL));
        cr_assert_null(auv_task_get_context(NULL));
        cr_assert_null(auv_call_get_context(NULL));
}

/* Tokens */

TestInContext(token_brings_back_what_was_before)
{
        AUV_AUTO auv_context_token *first = NULL;
        AUV_AUTO auv_context_token *second = NULL;

        cr_assert(eq(int, auv_context_var_set(var, NUMBER(1), &first), 0));
        cr_assert(eq(int, auv_context_var_set(var, NUMBER(2), &second), 0));
        cr_assert(eq(i64, get(), 2));
        cr_assert(eq(int, auv_context_var_reset(var, second), 0));
        cr_assert(eq(i64, get(), 1));
        cr_assert(eq(int, auv_context_var_reset(var, first), 0));
        cr_assert(eq(int, auv_context_var_get(var, NULL), AUV_ENOENT));
}

TestInContext(tokens_may_be_used_in_any_order)
{
        AUV_AUTO auv_context_token *first = NULL;
        AUV_AUTO auv_context_token *second = NULL;

        cr_assert(eq(int, auv_context_var_set(var, NUMBER(1), &first), 0));
        cr_assert(eq(int, auv_context_var_set(var, NUMBER(2), &second), 0));
        cr_assert(eq(int, auv_context_var_reset(var, first), 0));
        cr_assert(eq(int, auv_context_var_get(var, NULL), AUV_ENOENT));
        cr_assert(eq(int, auv_context_var_reset(var, second), 0));
        cr_assert(eq(i64, get(), 1));
}

TestInContext(token_is_good_for_one_reset)
{
        AUV_AUTO auv_context_token *token = NULL;

        cr_assert(eq(int, auv_context_var_set(var, NUMBER(1), &token), 0));
        cr_assert(eq(int, auv_context_var_reset(var, token), 0));
        set(2);
        cr_assert(eq(int, auv_context_var_reset(var, token), AUV_ERUNTIME));
        cr_assert(eq(i64, get(), 2));
}

static void reset_elsewhere(void *arg)
{
        cr_assert(eq(int, auv_context_var_reset(var, arg), AUV_EINVAL));
}

TestInContext(token_is_good_for_its_variable_and_context_alone)
{
        AUV_AUTO auv_context *elsewhere = auv_copy_context();
        AUV_AUTO auv_context_token *token = NULL;

        cr_assert(eq(int, auv_context_var_set(var, NUMBER(1), &token), 0));
        cr_assert(eq(int, auv_context_var_reset(other, token), AUV_EINVAL));
        cr_assert(eq(int, auv_context_run(elsewhere, reset_elsewhere, token), 0));
        cr_assert(eq(i64, get(), 1));
        cr_assert(eq(int, auv_context_var_reset(var, token), 0));
}

static int sets_with_token(void *arg, auv_value *ret)
{
        return auv_context_var_set(var, NUMBER(1), arg);
}

/* The memory of a task that has gone is soon that of another one. */
TestInContext(token_does_not_mistake_a_new_task_for_an_old_one)
{
        for (int i = 0; i < 4; i++) {
                AUV_AUTO auv_context_token *old = NULL;
                AUV_AUTO auv_task *task = auv_loop_create_task(loop, sets_with_token, &old, 0, NULL);

                loop_turn();
                cr_assert_not_null(old);
                task = auv_unref(task);
                task = auv_loop_create_task(loop, coro_nothing, NULL, 0, NULL);
                cr_assert(eq(int, auv_context_run(auv_task_get_context(task), reset_elsewhere, old), 0));
                loop_turn();
        }
}

/* Contexts */

TestInContext(copy_is_independent)
{
        AUV_AUTO auv_context *copy = NULL;
        AUV_AUTO auv_context *copy_of_copy = NULL;

        set(1);
        copy = auv_copy_context();
        set(2);
        copy_of_copy = auv_context_copy(copy);
        cr_assert(eq(int, auv_context_run(copy, trace_and_set, "copy"), 0));
        cr_assert_trace("copy=1");
        cr_assert(eq(i64, get_in(copy), -1));
        cr_assert(eq(i64, get_in(copy_of_copy), 1));
        cr_assert(eq(i64, get(), 2));
}

TestInContext(tells_what_it_has)
{
        AUV_AUTO auv_context *context = auv_context_new();
        auv_context_var *vars[3] = { NULL };

        set(1);
        cr_assert(eq(sz, auv_context_vars(context, vars, 3), 0));
        cr_assert(eq(int, auv_context_get(context, other, NULL), AUV_ENOENT), "the default does not count");
        auv_context_var_set(other, NUMBER(2), NULL);
        auv_unref(context);
        context = auv_copy_context();
        cr_assert(eq(sz, auv_context_vars(context, vars, 1), 2));
        cr_assert_null(vars[1]);
        cr_assert(eq(sz, auv_context_vars(context, vars, 3), 2));
        cr_assert(vars[0] == var ? vars[1] == other : vars[0] == other && vars[1] == var);
        cr_assert(eq(i64, get_in(context), 1));
}

struct nested {
        auv_context *outer;
        auv_context *inner;
};

static void enter_again(void *arg)
{
        const struct nested *nested = arg;

        trace("inner=%jd", get());
        cr_assert(eq(int, auv_context_run(nested->inner, trace_and_set, "inner"), AUV_ERUNTIME));
        cr_assert(eq(int, auv_context_run(nested->outer, trace_and_set, "outer"), AUV_ERUNTIME));
        cr_assert(eq(int, auv_context_run(outside, trace_and_set, "outside"), AUV_ERUNTIME));
}

static void enter_inner(void *arg)
{
        const struct nested *nested = arg;

        set(1);
        cr_assert(eq(int, auv_context_run(nested->inner, enter_again, arg), 0));
        cr_assert(eq(i64, get(), 1));
}

TestInContext(is_entered_once_at_a_time)
{
        AUV_AUTO auv_context *outer = auv_context_new();
        AUV_AUTO auv_context *inner = auv_context_new();
        struct nested nested = { outer, inner };

        for (int i = 0; i < 2; i++)
                cr_assert(eq(int, auv_context_run(outer, enter_inner, &nested), 0));
        cr_assert(eq(int, auv_context_run(inner, trace_and_set, "after"), 0));
        cr_assert_trace("inner=0 inner=0 after=0");
}

static void forget(void *arg)
{
        auv_unref_at(arg);
        set(1);
        cr_assert(eq(i64, get(), 1));
}

Test(context, lives_as_long_as_it_is_entered)
{
        auv_context *context = auv_context_new();

        cr_assert(eq(int, auv_context_run(context, forget, &context), 0));
        cr_assert_null(context);
}

/* Values with destructors */

static int destroyed;

static void count_destroyed(void *value)
{
        cr_assert_not_null(value);
        destroyed++;
}

static auv_value counted(void)
{
        return (auv_value) { .p = &destroyed, .destroy = count_destroyed };
}

TestInContext(value_is_destroyed_once_when_nobody_has_it_any_more)
{
        AUV_AUTO auv_context *copy = NULL;
        AUV_AUTO auv_context_token *token = NULL;

        auv_context_var_set(var, counted(), NULL);
        set(1);
        cr_assert(eq(int, destroyed, 1));
        auv_context_var_set(var, counted(), NULL);
        copy = auv_copy_context();
        auv_context_var_set(var, NUMBER(1), &token);
        copy = auv_unref(copy);
        cr_assert(eq(int, destroyed, 1), "the token has it");
        cr_assert(eq(int, auv_context_var_reset(var, token), 0));
        token = auv_unref(token);
        cr_assert(eq(int, destroyed, 1), "the context has it again");
        set(2);
        cr_assert(eq(int, destroyed, 2));
}

TestInContext(value_that_is_read_is_not_its_readers_to_destroy)
{
        AUV_AUTO auv_context *copy = NULL;
        auv_value read = counted();

        auv_context_var_set(var, counted(), NULL);
        cr_assert(eq(int, auv_context_var_get(var, &read), 0));
        cr_assert(read.p == &destroyed && !read.destroy);
        copy = auv_copy_context();
        read = counted();
        cr_assert(eq(int, auv_context_get(copy, var, &read), 0));
        cr_assert(read.p == &destroyed && !read.destroy);
}

TestInContext(value_that_is_an_error_still_is_one_where_it_is_read)
{
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, "kept");
        auv_value read;

        auv_context_var_set(var, auv__value_from_error(auv_ref(error)), NULL);
        cr_assert(eq(int, auv_context_var_get(var, &read), 0));
        cr_assert(auv_value_error(&read) == error);
        read.destroy(read.p);
        cr_assert(auv_value_error(&read) == error && auv_error_code(error) == AUV_EUSER);
}

Test(context, default_is_destroyed_with_its_variable)
{
        auv_context_var *with_default = auv_context_var_new("with_default", &(auv_value) {
                .p = &destroyed, .destroy = count_destroyed });

        cr_assert(eq(int, auv_context_var_get(with_default, NULL), 0));
        auv_unref(with_default);
        cr_assert(eq(int, destroyed, 1));
}

static int sets_counted(void *arg, auv_value *ret)
{
        AUV_TRY(auv_context_var_set(var, counted(), NULL));
        return auv_await_sleep(1);
}

Test(context, value_goes_with_the_task)
{
        auv_task *task = auv_loop_create_task(loop, sets_counted, NULL, 0, NULL);

        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
        cr_assert(eq(int, destroyed, 0));
        auv_unref(task);
        cr_assert(eq(int, destroyed, 1));
}

TestInContext(variable_lives_as_long_as_a_context_has_it)
{
        auv_context_var *found, *given_up = auv_context_var_new("given up", NULL);
        AUV_AUTO auv_context *copy = NULL;

        auv_context_var_set(given_up, counted(), NULL);
        auv_unref(given_up);
        copy = auv_copy_context();
        cr_assert(eq(sz, auv_context_vars(copy, &found, 1), 1));
        cr_assert_text(auv_context_var_name(found), "given up");
        cr_assert(eq(int, destroyed, 0));
}

static void ignore(auv_future *future, void *arg)
{
        trace("never");
}

/* The fixture sees to it that nothing is left. */
TestInContext(closing_the_loop_gives_up_what_waits)
{
        AUV_AUTO auv_context *context = auv_context_new();
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_call *kept = NULL;

        auv_context_var_set(var, counted(), NULL);
        auv_loop_call_soon(loop, trace_and_set, "never", NULL);
        auv_loop_call_soon(loop, trace_and_set, "never", &kept);
        auv_loop_call_later(loop, 1, trace_and_set, "never", NULL);
        auv_loop_call_soon_threadsafe(loop, trace_and_set, "never", NULL);
        auv_loop_call_soon_in_context(loop, context, trace_and_set, "never", NULL);
        auv_future_add_done_callback(future, ignore, NULL);
        set(1);
        cr_assert(eq(int, destroyed, 0));
        cr_assert(eq(int, auv_loop_close(loop), 0));
        future = auv_unref(future);
        cr_assert(eq(int, destroyed, 0), "the call that is kept has it");
        kept = auv_unref(kept);
        cr_assert(eq(int, destroyed, 1));
        cr_assert_trace("");
}

/* Destructors that do something */

static auv_future *touched;

static void touch_callbacks(void *value)
{
        trace("touched");
        auv_future_add_done_callback(touched, ignore, NULL);
        auv_future_remove_done_callback(touched, trace_and_set_when_done, "second");
}

TestInContext(destructor_may_change_the_list_that_its_callback_was_in)
{
        touched = auv_loop_create_future(loop);
        auv_context_var_set(var, (auv_value) { .p = touched, .destroy = touch_callbacks }, NULL);
        auv_future_add_done_callback(touched, trace_and_set_when_done, "first");
        set(0);
        auv_future_add_done_callback(touched, trace_and_set_when_done, "second");
        auv_future_add_done_callback(touched, trace_and_set_when_done, "third");
        cr_assert(eq(int, auv_future_remove_done_callback(touched, trace_and_set_when_done, "first"), 1));
        auv_future_set_result(touched, NUMBER(0));
        loop_turn();
        cr_assert_trace("touched third=0 never");
        auv_unref(touched);
}

static void raise_and_set(void *value)
{
        trace("destroyed=%jd", get());
        set(60);
        auv_raise(AUV_EUSER, "by a destructor");
}

static int returns_what_raises(void *arg, auv_value *ret)
{
        set(1);
        *ret = (auv_value) { .destroy = raise_and_set };
        return auv_context_var_set(other, *ret, NULL);
}

/* The task goes with its last step: nobody else holds it. */
TestInContext(destructor_of_a_task_s_values_finds_the_context_of_whoever_gives_it_up)
{
        set(5);
        auv_unref(auv_loop_create_task(loop, returns_what_raises, NULL, 0, NULL));
        loop_turn();
        cr_assert_trace("destroyed=5 destroyed=60");
        cr_assert(eq(i64, get(), 60));
        cr_assert_text(auv_error_message(auv_error_current()), "by a destructor");
}

static void unref_value(void *value)
{
        auv_unref(value);
}

static void set_to_context(void *arg)
{
        auv_context_var_set(var, (auv_value) { .p = arg, .destroy = unref_value }, NULL);
}

static char *drop_long_chain(void)
{
        auv_context *last = NULL;

        for (int i = 0; i < SMALL_STACK_DEPTH; i++) {
                auv_context *next = auv_context_new();

                REQUIRE(next != NULL);
                auv_context_run(next, set_to_context, last);
                last = next;
        }
        auv_unref(last);
        return NULL;
}

Test(context, chain_of_any_length_goes_without_recursion)
{
        char *wrong = on_small_stack(drop_long_chain);

        cr_assert(wrong == NULL, "%s", wrong);
}

/* Cost */

static void nothing(void *arg)
{
}

TestInContext(copies_need_no_memory)
{
        enum { N = 100 };
        auv_task *task;
        long before, unset;

        for (int set_before = 0; set_before < 2; set_before++) {
                if (set_before)
                        for (int i = 0; i < 20; i++)
                                set(i);
                before = failing_allocator_total();
                for (int i = 0; i < N; i++)
                        auv_loop_call_soon(loop, nothing, NULL, NULL);
                task = auv_loop_create_task(loop, coro_nothing, NULL, 0, NULL);
                loop_turn();
                auv_unref(task);
                if (set_before)
                        cr_assert(failing_allocator_total() - before <= unset);
                else
                        unset = failing_allocator_total() - before;
        }
}

/* Threads */

static void *set_in_thread(void *arg)
{
        if (get() == 0 && auv_context_var_set(var, counted(), NULL) == 0
            && auv_loop_call_soon_threadsafe(loop, nothing, NULL, NULL) == 0)
                *(bool *)arg = true;
        return NULL;
}

TestInContext(thread_has_its_own_and_it_goes_with_the_thread)
{
        pthread_t thread;
        bool done = false;

        set(1);
        cr_assert(eq(int, pthread_create(&thread, NULL, set_in_thread, &done), 0));
        pthread_join(thread, NULL);
        cr_assert(done);
        cr_assert(eq(int, destroyed, 0), "the call has a copy");
        loop_turn();
        cr_assert(eq(int, destroyed, 1));
        cr_assert(eq(i64, get(), 1));
}

static void *run_in_thread(void *arg)
{
        auv_context_run(arg, trace_and_set, "thread");
        return auv_unref(arg);
}

TestInContext(context_may_go_to_another_thread)
{
        pthread_t thread;

        set(1);
        cr_assert(eq(int, pthread_create(&thread, NULL, run_in_thread, auv_copy_context()), 0));
        pthread_join(thread, NULL);
        cr_assert_trace("thread=1");
        cr_assert(eq(i64, get(), 1));
}

/* Memory */

static int without_memory(void *arg, auv_value *ret)
{
        AUV_AUTO auv_context_token *token = NULL;
        AUV_AUTO auv_context *context = auv_copy_context();
        int r;

        if (!context || !auv_task_get_context(auv_current_task(NULL)))
                return AUV_ENOMEM;
        for (int i = 0; i < 2; i++) {
                AUV_AUTO auv_context_var *one = auv_context_var_new("one", NULL);
                auv_value value = counted();

                if (!one)
                        return AUV_ENOMEM;
                r = auv_context_var_set(one, value, NULL);
                if (r < 0)
                        destroyed++; /* still the caller's */
                AUV_TRY(r);
        }
        AUV_TRY(auv_context_var_set(var, NUMBER(1), &token));
        r = auv_context_var_reset(var, token);
        if (r < 0 && get() != 1)
                return AUV_EUSER;
        AUV_TRY(r);
        AUV_TRY(auv_loop_call_soon_in_context(NULL, context, nothing, NULL, NULL));
        return 0;
}

static void context_scenario(void)
{
        AUV_AUTO auv_task *task = NULL;
        int r;

        destroyed = 0;
        task = auv_loop_create_task(loop, without_memory, NULL, 0, NULL);
        r = task ? auv_loop_run_until_complete(loop, task, NULL) : AUV_ENOMEM;
        cr_assert(eq(int, auv_loop_run_until(loop, 0), 0));
        cr_assert(r == 0 || r == AUV_ENOMEM, "%d", r);
        cr_assert(eq(int, failing_allocator_fired(), r == AUV_ENOMEM));
        auv_error_clear();
}

Test(context, survives_every_failure_of_memory)
{
        /* What the loop makes with its first task is not to count. */
        cr_assert(eq(int, loop_run(coro_nothing, NULL, NULL), 0));
        cr_assert(failing_allocator_sweep(context_scenario) > 8);
}

/* SPDX-License-Identifier: MIT */
#include "pool.h"
#include "support/coroutine.h"
#include "support/loop.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

static int awaits_thread(void *arg, auv_value *ret)
{
        intmax_t number = 4;

        return auv_await_to_thread(pool_doubles, &number, sizeof(number), ret);
}

/* rule 127 */
Test(to_thread, gives_the_result, .init = pool_setup, .fini = loop_teardown)
{
        auv_value result = { 0 };

        cr_assert(eq(int, loop_run(awaits_thread, NULL, &result), 0));
        cr_assert(eq(i64, result.i, 8));
}

static int takes_ownership(void *arg, auv_value *ret)
{
        auv_value value = { 0 };

        AUV_TRY(auv_await_to_thread(pool_owns, NULL, 0, &value));
        cr_assert(eq(int, pool_n_destroyed, 0));
        cr_assert(not(zero(ptr, value.destroy)));
        value.destroy(value.p);
        AUV_TRY(auv_await_to_thread(pool_owns, NULL, 0, NULL));
        cr_assert(eq(int, pool_n_destroyed, 2));
        return 0;
}

Test(to_thread, gives_the_result_to_the_caller, .init = pool_setup, .fini = loop_teardown)
{
        cr_assert(eq(int, loop_run(takes_ownership, NULL, NULL), 0));
}

static int fails_in_thread(void *arg, auv_value *ret)
{
        ret->i = 1;
        cr_assert(eq(int, auv_await_to_thread(NULL, NULL, 0, ret), AUV_EINVAL));
        cr_assert(eq(int, auv_await_to_thread(pool_fails, "vain", 0, ret), AUV_EUSER));
        cr_assert(eq(i64, ret->i, 1));
        return 0;
}

Test(to_thread, gives_the_error, .init = pool_setup, .fini = loop_teardown)
{
        cr_assert(eq(int, loop_run(fails_in_thread, NULL, NULL), 0));
        cr_assert(eq(int, auv_await_to_thread(pool_owns, NULL, 0, NULL), AUV_ENOTASK));
        cr_assert(eq(int, pool_n_run, 0));
}

struct on_stack {
        char text[64];
};

static int reads_when_told(void *arg, auv_value *ret)
{
        sem_post(&pool_begun);
        sem_wait(&pool_may_end);
        pool_n_run = strcmp(((struct on_stack *)arg)->text, "on the stack") == 0;
        return 0;
}

static int is_cancelled_meanwhile(void *arg, auv_value *ret)
{
        struct on_stack on_stack = { "on the stack" };
        int r = auv_await_to_thread(reads_when_told, &on_stack, sizeof(on_stack), ret);

        memset(&on_stack, 'x', sizeof(on_stack));
        return r;
}

Test(to_thread, never_touches_the_stack_of_a_cancelled_task, .init = pool_setup, .fini = loop_teardown)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, is_cancelled_meanwhile, NULL, 0, NULL);
        AUV_AUTO auv_future *next = NULL;

        loop_turn();
        sem_wait(&pool_begun);
        auv_task_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        next = auv_loop_run_in_executor(loop, NULL, pool_returns, &(int) { 0 }, sizeof(int));
        sem_post(&pool_may_end);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, next, NULL), 0));
        cr_assert(eq(int, pool_n_run, 1));
}

static auv_context_var *var;

static int reads_and_sets_var(void *arg, auv_value *ret)
{
        if (auv_context_var_get(var, ret) < 0)
                ret->i = -1;
        return auv_context_var_set(var, NUMBER(99), NULL);
}

static int compares_contexts(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *without = NULL;
        auv_value value = { 0 };

        AUV_TRY(auv_context_var_set(var, NUMBER(5), NULL));
        AUV_TRY(auv_await_to_thread(reads_and_sets_var, NULL, 0, &value));
        cr_assert(eq(i64, value.i, 5));
        AUV_TRY(auv_context_var_get(var, &value));
        cr_assert(eq(i64, value.i, 5));
        without = auv_loop_run_in_executor(NULL, NULL, reads_and_sets_var, NULL, 0);
        AUV_TRY(auv_await(without, &value));
        cr_assert(eq(i64, value.i, -1));
        return 0;
}

/* rule 127; the thread of the pool keeps what was set in it, so the memory is not counted */
Test(to_thread, sees_a_copy_of_the_context)
{
        cr_assert(eq(int, auv_new_event_loop(NULL, &loop), 0));
        var = auv_context_var_new("var", NULL);
        cr_assert(eq(int, loop_run(compares_contexts, NULL, NULL), 0));
        var = auv_unref(var);
        loop = auv_unref(loop);
}

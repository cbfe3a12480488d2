/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <signal.h>
#include <sys/time.h>
#include <uv.h>

TestSuite(signal, .init = loop_setup, .fini = loop_teardown);

static void trace_arg(void *arg)
{
        trace("%s", (const char *)arg);
}

static bool is_default(int signum)
{
        struct sigaction action;

        return sigaction(signum, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
}

/* rule 129 */
Test(signal, has_its_function_called_in_a_turn)
{
        cr_assert(eq(int, auv_loop_add_signal_handler(loop, SIGUSR1, trace_arg, "usr1"), 0));
        raise(SIGUSR1);
        cr_assert_trace("");
        loop_turns(2);
        cr_assert_trace("usr1 | |");
}

/* rule 129 */
Test(signal, comes_behind_what_was_ready)
{
        auv_loop_add_signal_handler(loop, SIGUSR1, trace_arg, "usr1");
        raise(SIGUSR1);
        auv_loop_call_soon(loop, trace_arg, "a", NULL);
        auv_loop_call_soon(loop, trace_arg, "b", NULL);
        loop_turns(2);
        cr_assert_trace("a b | usr1 |");
}

Test(signal, counts_each_time_that_it_arrives)
{
        auv_loop_add_signal_handler(loop, SIGUSR1, trace_arg, "usr1");
        for (int i = 0; i < 3; i++)
                raise(SIGUSR1);
        loop_turns(1);
        cr_assert_trace("usr1 usr1 usr1 |");
}

Test(signal, keeps_the_order_of_different_ones)
{
        auv_loop_add_signal_handler(loop, SIGUSR2, trace_arg, "usr2");
        auv_loop_add_signal_handler(loop, SIGUSR1, trace_arg, "usr1");
        raise(SIGUSR1);
        raise(SIGUSR2);
        loop_turns(1);
        cr_assert_trace("usr1 usr2 |");
}

/* rule 129 */
Test(signal, has_one_handler_that_another_one_replaces)
{
        auv_loop_add_signal_handler(loop, SIGUSR1, trace_arg, "old");
        raise(SIGUSR1);
        cr_assert(eq(int, auv_loop_add_signal_handler(loop, SIGUSR1, trace_arg, "new"), 0));
        raise(SIGUSR1);
        loop_turns(1);
        cr_assert_trace("new new |");
        cr_assert(eq(int, auv_loop_remove_signal_handler(loop, SIGUSR1), 1));
        cr_assert(eq(int, auv_loop_remove_signal_handler(loop, SIGUSR1), 0));
}

/* rule 129 */
Test(signal, has_its_default_disposition_when_the_handler_is_removed)
{
        auv_loop_add_signal_handler(loop, SIGUSR1, trace_arg, "usr1");
        cr_assert(not(is_default(SIGUSR1)));
        cr_assert(eq(int, auv_loop_remove_signal_handler(loop, SIGUSR1), 1));
        cr_assert(is_default(SIGUSR1));
        cr_assert(eq(int, auv_loop_remove_signal_handler(loop, SIGUSR2), 0));
}

static void remove_usr2(void *arg)
{
        trace("remove");
        cr_assert(eq(int, auv_loop_remove_signal_handler(NULL, SIGUSR2), 1));
}

Test(signal, that_has_arrived_is_not_handled_once_the_handler_is_removed)
{
        auv_loop_add_signal_handler(loop, SIGUSR1, remove_usr2, NULL);
        auv_loop_add_signal_handler(loop, SIGUSR2, trace_arg, "usr2");
        raise(SIGUSR1);
        raise(SIGUSR2);
        loop_turns(2);
        cr_assert_trace("remove | |");
}

Test(signal, handler_may_remove_itself)
{
        auv_loop_add_signal_handler(loop, SIGUSR2, remove_usr2, NULL);
        raise(SIGUSR2);
        raise(SIGUSR2);
        loop_turns(2);
        cr_assert_trace("remove | |");
}

static void replace_itself(void *arg)
{
        trace("replace");
        auv_loop_add_signal_handler(NULL, SIGUSR1, trace_arg, arg);
}

Test(signal, handler_may_replace_itself)
{
        auv_loop_add_signal_handler(loop, SIGUSR1, replace_itself, "new");
        raise(SIGUSR1);
        raise(SIGUSR1);
        loop_turns(1);
        cr_assert_trace("replace new |");
}

Test(signal, must_be_one_that_can_be_caught)
{
        cr_assert(eq(int, auv_loop_add_signal_handler(loop, 0, trace_arg, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_add_signal_handler(loop, -1, trace_arg, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_add_signal_handler(loop, NSIG, trace_arg, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_add_signal_handler(loop, SIGUSR1, NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_add_signal_handler(loop, SIGKILL, trace_arg, NULL), AUV_ERUNTIME));
        cr_assert(eq(int, auv_loop_add_signal_handler(loop, SIGSTOP, trace_arg, NULL), AUV_ERUNTIME));
        cr_assert(eq(int, auv_loop_remove_signal_handler(loop, NSIG), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_remove_signal_handler(loop, SIGKILL), 0));
}

Test(signal, must_have_an_open_loop)
{
        cr_assert(eq(int, auv_loop_add_signal_handler(NULL, SIGUSR1, trace_arg, NULL), AUV_ENOLOOP));
        cr_assert(eq(int, auv_loop_remove_signal_handler(NULL, SIGUSR1), AUV_ENOLOOP));
        auv_loop_add_signal_handler(loop, SIGUSR1, trace_arg, NULL);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(is_default(SIGUSR1));
        cr_assert(eq(int, auv_loop_add_signal_handler(loop, SIGUSR1, trace_arg, NULL), AUV_ECLOSED));
        cr_assert(eq(int, auv_loop_remove_signal_handler(loop, SIGUSR1), 0));
}

Test(signal, that_has_arrived_is_dropped_when_the_loop_is_closed)
{
        auv_loop_add_signal_handler(loop, SIGUSR1, trace_arg, "usr1");
        raise(SIGUSR1);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_trace("");
}

static void turn(auv_loop *on)
{
        auv_loop_stop(on);
        auv_loop_run_forever(on);
}

Test(signal, reaches_each_loop_that_has_a_handler)
{
        AUV_AUTO auv_loop *other = loop_new();

        auv_loop_add_signal_handler(loop, SIGUSR1, trace_arg, "first");
        auv_loop_add_signal_handler(other, SIGUSR1, trace_arg, "second");
        raise(SIGUSR1);
        turn(loop);
        turn(other);
        cr_assert_trace("first second");
        auv_loop_remove_signal_handler(loop, SIGUSR1);
        raise(SIGUSR1);
        turn(other);
        cr_assert_trace("first second second");
}

static void set_result(void *arg)
{
        auv_future_set_result(arg, NUMBER(1));
}

Test(signal, is_something_that_a_loop_waits_for)
{
        const struct itimerval soon = { .it_value = { .tv_usec = 1000 } };
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        auv_loop_add_signal_handler(loop, SIGALRM, set_result, future);
        setitimer(ITIMER_REAL, &soon, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), 0));
}

Test(signal, keeps_a_uv_run_of_the_caller_going)
{
        auv_loop *over = NULL;
        uv_loop_t uv;

        uv_loop_init(&uv);
        auv_new_event_loop(AUV_LOOP_OPTIONS(.uv_loop = &uv), &over);
        auv_loop_add_signal_handler(over, SIGUSR2, remove_usr2, NULL);
        raise(SIGUSR2);
        cr_assert(eq(int, uv_run(&uv, UV_RUN_DEFAULT), 0));
        cr_assert_trace("remove");
        auv_loop_add_signal_handler(over, SIGUSR2, remove_usr2, NULL);
        auv_unref(over);
        uv_run(&uv, UV_RUN_DEFAULT);
        cr_assert(eq(int, uv_loop_close(&uv), 0));
}

static auv_context_var *var;

static void trace_var(void *arg)
{
        auv_value value = NUMBER(-1);

        auv_context_var_get(var, &value);
        trace("%jd", value.i);
}

static int adds_with_variable(void *arg, auv_value *ret)
{
        AUV_TRY(auv_context_var_set(var, NUMBER(5), NULL));
        return auv_loop_add_signal_handler(NULL, SIGUSR1, trace_var, NULL);
}

Test(signal, handler_sees_the_context_in_which_it_was_added)
{
        var = auv_context_var_new("var", NULL);
        cr_assert(eq(int, loop_run(adds_with_variable, NULL, NULL), 0));
        raise(SIGUSR1);
        loop_turns(1);
        cr_assert_trace("5 |");
        auv_loop_remove_signal_handler(loop, SIGUSR1);
        var = auv_unref(var);
}

static void add_and_remove(void)
{
        if (auv_loop_add_signal_handler(loop, SIGUSR1, trace_arg, "usr1") == 0)
                auv_loop_remove_signal_handler(loop, SIGUSR1);
        loop_turn();
        auv_error_clear();
}

Test(signal, fails_cleanly_without_memory)
{
        add_and_remove();
        cr_assert(eq(int, failing_allocator_sweep(add_and_remove), 2));
        cr_assert(is_default(SIGUSR1));
}

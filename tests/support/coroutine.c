/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"

#include "support/trace.h"

int coro_nothing(void *arg, auv_value *ret)
{
        return 0;
}

int coro_return(void *arg, auv_value *ret)
{
        ret->i = *(intmax_t *)arg;
        return 0;
}

int coro_fail(void *arg, auv_value *ret)
{
        return auv_raise(*(int *)arg, "failed");
}

int coro_sleep(void *arg, auv_value *ret)
{
        return auv_await_sleep(*(double *)arg);
}

auv_task *start_sleep(auv_loop *on, double seconds)
{
        return auv_loop_create_task(on, coro_sleep, &seconds, sizeof(seconds), NULL);
}

int coro_await(void *arg, auv_value *ret)
{
        return auv_await(arg, ret);
}

static void trace_step(const struct steps *steps, char mark)
{
        if (steps->name)
                trace("%s%c", steps->name, mark);
}

static int await_steps(const struct steps *steps)
{
        for (int i = 0; i < steps->turns; i++)
                AUV_TRY(auv_await_sleep(0));
        if (steps->sleep > 0)
                AUV_TRY(auv_await_sleep(steps->sleep));
        return 0;
}

static int end_steps(const struct steps *steps, auv_value *ret)
{
        trace_step(steps, '-');
        if (steps->error < 0)
                return auv_raise(steps->error, "%s", steps->name ? steps->name : "failed");
        ret->i = steps->value;
        return 0;
}

int coro_steps(void *arg, auv_value *ret)
{
        const struct steps *steps = arg;
        int r;

        trace_step(steps, '+');
        r = await_steps(steps);
        if (r < 0) {
                trace_step(steps, '!');
                return r;
        }
        return end_steps(steps, ret);
}

int coro_stubborn(void *arg, auv_value *ret)
{
        const struct steps *steps = arg;

        trace_step(steps, '+');
        while (await_steps(steps) == AUV_ECANCELED)
                trace_step(steps, '!');
        return end_steps(steps, ret);
}

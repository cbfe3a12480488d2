/* SPDX-License-Identifier: MIT */
/*
 * asyncio.shield(): who awaits is cancelled, what is awaited runs on. The original shows four
 * lines of it; the rest is here to cancel, and to see that something() comes to its end.
 *
 *      try:
 *          res = await shield(something())
 *      except CancelledError:
 *          res = None
 */

#include <asyncuv.h>
#include <stdio.h>

static int something(void *arg, auv_value *ret)
{
        puts("something(): before sleep");
        AUV_TRY(auv_await_sleep(3));
        puts("something(): after sleep");
        ret->s = "something";
        return 0;
}

static int protected(void *arg, auv_value *ret)
{
        auv_task *inner = arg;
        auv_value res;
        int r;

        r = auv_await_shield(inner, &res);
        if (r == AUV_ECANCELED)
                res = (auv_value) { 0 };
        else
                AUV_TRY(r);
        printf("res = %s\n", res.s != NULL ? res.s : "None");
        return 0;
}

static int amain(void *arg, auv_value *ret)
{
        const double start = auv_loop_time(auv_get_running_loop());
        AUV_AUTO auv_task *inner = auv_create_task(something, NULL, 0);
        AUV_AUTO auv_task *outer = auv_create_task(protected, inner, 0);
        auv_value result;

        AUV_TRY(auv_await_sleep(1));
        AUV_TRY(auv_task_cancel(outer, /* message= */ NULL));
        AUV_TRY(auv_await(outer, /* ret= */ NULL));
        printf("cancelled after %.3f\n", auv_loop_time(auv_get_running_loop()) - start);

        AUV_TRY(auv_await(inner, &result));
        printf("%s: done after %.3f\n", result.s, auv_loop_time(auv_get_running_loop()) - start);
        return 0;
}

int main(void)
{
        return auv_run(amain, /* arg= */ NULL);
}

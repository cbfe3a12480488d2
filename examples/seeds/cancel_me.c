/* SPDX-License-Identifier: MIT */
/*
 * Task.cancel(): the request reaches the task where it sleeps, and the task cleans up before
 * it passes the cancellation on.
 *
 *      async def cancel_me():
 *          print('cancel_me(): before sleep')
 *          try:
 *              await asyncio.sleep(3600)
 *          except asyncio.CancelledError:
 *              print('cancel_me(): cancel sleep')
 *              raise
 *          finally:
 *              print('cancel_me(): after sleep')
 */

#include <asyncuv.h>
#include <stdio.h>

static int cancel_me(void *arg, auv_value *ret)
{
        int r;

        puts("cancel_me(): before sleep");
        r = auv_await_sleep(3600); /* stands for work that takes an hour */
        if (r == AUV_ECANCELED)
                puts("cancel_me(): cancel sleep");
        puts("cancel_me(): after sleep");
        return r;
}

static int amain(void *arg, auv_value *ret)
{
        const double start = auv_loop_time(auv_get_running_loop());
        AUV_AUTO auv_task *task = auv_create_task(cancel_me, NULL, 0);
        int r;

        AUV_TRY(auv_await_sleep(1));
        puts("main函数休息完了");
        AUV_TRY(auv_task_cancel(task, /* message= */ NULL));

        r = auv_await(task, /* ret= */ NULL);
        if (r == AUV_ECANCELED)
                puts("main(): cancel_me is cancelled now");
        else
                AUV_TRY(r);
        printf("total run time: %.3f\n", auv_loop_time(auv_get_running_loop()) - start);
        return 0;
}

int main(void)
{
        return auv_run(amain, /* arg= */ NULL);
}

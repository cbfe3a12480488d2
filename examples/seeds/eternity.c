/* SPDX-License-Identifier: MIT */
/*
 * asyncio.wait_for() twice with the same limit of 3 seconds: for a body that takes an hour,
 * and for one that takes 2 seconds.
 *
 *      async def main():
 *          try:
 *              print('等你3秒钟哦')
 *              await asyncio.wait_for(eternity(), timeout=3)
 *          except asyncio.TimeoutError:
 *              print('超时了!')
 */

#include <asyncuv.h>
#include <stdio.h>

static int eternity(void *arg, auv_value *ret)
{
        const double *seconds = arg;

        puts("我马上开始执行");
        AUV_TRY(auv_await_sleep(*seconds));
        puts("终于轮到我了");
        return 0;
}

static int amain(void *arg, auv_value *ret)
{
        const double start = auv_loop_time(auv_get_running_loop());
        int r;

        puts("等你3秒钟哦");
        r = auv_await_wait_for_coro(eternity, arg, 3, /* ret= */ NULL);
        if (r == AUV_ETIMEDOUT)
                puts("超时了!");
        else
                AUV_TRY(r);
        printf("total run time: %.3f\n", auv_loop_time(auv_get_running_loop()) - start);
        return 0;
}

int main(void)
{
        AUV_TRY(auv_run(amain, &(double) { 3600 }));
        AUV_TRY(auv_run(amain, &(double) { 2 }));
        return 0;
}

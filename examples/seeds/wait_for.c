/* SPDX-License-Identifier: MIT */
/*
 * asyncio.wait_for() whose timeout comes first: the body is cancelled where it sleeps, and
 * never prints its second line.
 *
 *      async def main():
 *          try:
 *              print('wait you 3 seconds.....')
 *              await asyncio.wait_for(func1(), timeout=3)
 *          except asyncio.TimeoutError:
 *              print('timeout .....')
 */

#include <asyncuv.h>
#include <stdio.h>

static int func1(void *arg, auv_value *ret)
{
        puts("let's func1 start now...");
        AUV_TRY(auv_await_sleep(3600));
        puts("finally func1 execute down...");
        return 0;
}

static int amain(void *arg, auv_value *ret)
{
        const double start = auv_loop_time(auv_get_running_loop());
        int r;

        puts("wait you 3 seconds.....");
        r = auv_await_wait_for_coro(func1, /* arg= */ NULL, 3, /* ret= */ NULL);
        if (r == AUV_ETIMEDOUT)
                puts("timeout .....");
        else
                AUV_TRY(r);
        printf("total run time: %.3f\n", auv_loop_time(auv_get_running_loop()) - start);
        return 0;
}

int main(void)
{
        return auv_run(amain, /* arg= */ NULL);
}

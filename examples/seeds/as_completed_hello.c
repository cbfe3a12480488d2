/* SPDX-License-Identifier: MIT */
/*
 * asyncio.as_completed() with the three hellos: the one that ends first comes first.
 *
 *      async def main():
 *          s = asyncio.as_completed({hello1(), hello2(), hello3()})
 *          for f in s:
 *              result = await f
 *              print(result)
 */

#include <asyncuv.h>
#include <stdio.h>

static int hello1(void *arg, auv_value *ret)
{
        puts("Hello world 01 begin");
        AUV_TRY(auv_await_sleep(5)); /* stands for work that takes 5 seconds */
        puts("Hello again 01 end");
        ret->s = "哈哈1";
        return 0;
}

static int hello2(void *arg, auv_value *ret)
{
        puts("Hello world 02 begin");
        AUV_TRY(auv_await_sleep(3));
        puts("Hello again 02 end");
        ret->s = "哈哈2";
        return 0;
}

static int hello3(void *arg, auv_value *ret)
{
        puts("Hello world 03 begin");
        AUV_TRY(auv_await_sleep(4));
        puts("Hello again 03 end");
        ret->s = "哈哈3";
        return 0;
}

static int amain(void *arg, auv_value *ret)
{
        const double start = auv_loop_time(auv_get_running_loop());
        AUV_AUTO auv_task *task1 = auv_create_task(hello1, NULL, 0);
        AUV_AUTO auv_task *task2 = auv_create_task(hello2, NULL, 0);
        AUV_AUTO auv_task *task3 = auv_create_task(hello3, NULL, 0);
        AUV_AUTO auv_as_completed *s = auv_as_completed_new((auv_future *[]) { task1, task2, task3 }, 3,
                                                            AUV_NO_TIMEOUT);
        auv_value result;
        auv_future *f;
        int r;

        while ((r = auv_await_as_completed(s, &f)) > 0) {
                AUV_TRY(auv_await(f, &result));
                puts(result.s);
        }
        AUV_TRY(r);
        puts("---------------------------------------");
        printf("%.3f\n", auv_loop_time(auv_get_running_loop()) - start);
        return 0;
}

int main(void)
{
        return auv_run(amain, /* arg= */ NULL);
}

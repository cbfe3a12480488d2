/* SPDX-License-Identifier: MIT */
/*
 * One coroutine after the other: a call is an await, and nothing runs side by side.
 *
 *      async def say_after_time(delay, what):
 *          await asyncio.sleep(delay)
 *          print(what)
 *
 *      async def main():
 *          print(f"开始时间为： {time.time()}")
 *          await say_after_time(1, "hello")
 *          await say_after_time(2, "world")
 *          print(f"结束时间为： {time.time()}")
 *
 * The times are those of the loop's clock.
 */

#include <asyncuv.h>
#include <stdio.h>

static int say_after_time(double delay, const char *what)
{
        AUV_TRY(auv_await_sleep(delay));
        puts(what);
        return 0;
}

static int amain(void *arg, auv_value *ret)
{
        const auv_loop *loop = arg;

        printf("开始时间为： %.3f\n", auv_loop_time(loop));
        AUV_TRY(say_after_time(1, "hello"));
        AUV_TRY(say_after_time(2, "world"));
        printf("结束时间为： %.3f\n", auv_loop_time(loop));
        return 0;
}

int main(void)
{
        AUV_AUTO auv_loop *loop = NULL;

        AUV_TRY(auv_new_event_loop(/* options= */ NULL, &loop));

        AUV_AUTO auv_task *task = auv_loop_create_task(loop, amain, loop, 0, /* options= */ NULL);

        AUV_TRY(auv_loop_run_until_complete(loop, task, /* ret= */ NULL));
        return auv_loop_close(loop);
}

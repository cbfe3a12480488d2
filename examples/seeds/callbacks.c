/* SPDX-License-Identifier: MIT */
/*
 * loop.call_soon() and loop.call_later(); and loop.call_at(), of which the original tells
 * without showing it: that is the fourth call.
 *
 *      async def main(_loop):
 *          print('在异步函数中注册回调函数')
 *          _loop.call_later(2, callback, 1)
 *          _loop.call_later(1, callback, 2)
 *          _loop.call_soon(callback, 3)
 *          await asyncio.sleep(4)
 */

#include <asyncuv.h>
#include <stdio.h>

static void callback(void *arg)
{
        const int *n = arg;

        printf("我是回调函数，参数为： %d \n", *n);
}

static int amain(void *arg, auv_value *ret)
{
        auv_loop *_loop = arg;
        int n[] = { 1, 2, 3, 4 }; /* on this stack, which the sleep below keeps until all have run */

        puts("在异步函数中注册回调函数");
        AUV_TRY(auv_loop_call_later(_loop, 2, callback, &n[0], /* ret_call= */ NULL));
        AUV_TRY(auv_loop_call_later(_loop, 1, callback, &n[1], /* ret_call= */ NULL));
        AUV_TRY(auv_loop_call_soon(_loop, callback, &n[2], /* ret_call= */ NULL));
        AUV_TRY(auv_loop_call_at(_loop, auv_loop_time(_loop) + 3, callback, &n[3], /* ret_call= */ NULL));

        return auv_await_sleep(4);
}

int main(void)
{
        AUV_AUTO auv_loop *loop = NULL;

        AUV_TRY(auv_new_event_loop(/* options= */ NULL, &loop));

        const double start = auv_loop_time(loop);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, amain, loop, 0, /* options= */ NULL);

        puts("进入事件循环");
        AUV_TRY(auv_loop_run_until_complete(loop, task, /* ret= */ NULL));
        printf("total run time: %.3f\n", auv_loop_time(loop) - start);
        puts("关闭事件循环");
        return auv_loop_close(loop);
}

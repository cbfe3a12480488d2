/* SPDX-License-Identifier: MIT */
/*
 * Several tasks at once by asyncio.wait(): it gives tasks, the done ones and the pending ones,
 * and each result is asked for by task.result(). Python's sets have no order; ours keep that
 * of the arguments.
 *
 *      async def main():
 *          task1 = asyncio.ensure_future(hello1(10, 5))
 *          task2 = asyncio.ensure_future(hello2(10, 5))
 *          task3 = asyncio.ensure_future(hello3(10, 5))
 *          done, pending = await asyncio.wait([task1, task2, task3])
 *          for done_task in done:
 *              print(done_task.result())
 */

#include <asyncuv.h>
#include <stdio.h>

struct numbers {
        int a, b;
};

static int hello1(void *arg, auv_value *ret)
{
        const struct numbers *n = arg;

        puts("Hello world 01 begin");
        AUV_TRY(auv_await_sleep(3)); /* stands for work that takes 3 seconds */
        puts("Hello again 01 end");
        ret->i = n->a + n->b;
        return 0;
}

static int hello2(void *arg, auv_value *ret)
{
        const struct numbers *n = arg;

        puts("Hello world 02 begin");
        AUV_TRY(auv_await_sleep(2));
        puts("Hello again 02 end");
        ret->i = n->a - n->b;
        return 0;
}

static int hello3(void *arg, auv_value *ret)
{
        const struct numbers *n = arg;

        puts("Hello world 03 begin");
        AUV_TRY(auv_await_sleep(4));
        puts("Hello again 03 end");
        ret->i = n->a * n->b;
        return 0;
}

static int amain(void *arg, auv_value *ret)
{
        const struct numbers n = { 10, 5 };
        AUV_AUTO auv_task *task1 = auv_create_task(hello1, &n, sizeof(n));
        AUV_AUTO auv_task *task2 = auv_create_task(hello2, &n, sizeof(n));
        AUV_AUTO auv_task *task3 = auv_create_task(hello3, &n, sizeof(n));
        auv_task *tasks[] = { task1, task2, task3 };
        auv_value result;
        int n_done;

        /* On return, tasks[] begins with the done ones; behind them stand the pending ones. */
        n_done = auv_await_wait(tasks, 3, AUV_NO_TIMEOUT, AUV_ALL_COMPLETED, tasks);
        AUV_TRY(n_done);
        for (int i = 0; i < n_done; i++) {
                AUV_TRY(auv_future_result(tasks[i], &result));
                printf("%jd\n", result.i);
        }
        printf("%d done, %d pending\n", n_done, 3 - n_done);
        return 0;
}

int main(void)
{
        AUV_AUTO auv_loop *loop = NULL;

        AUV_TRY(auv_new_event_loop(/* options= */ NULL, &loop));

        const double start = auv_loop_time(loop);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, amain, NULL, 0, /* options= */ NULL);

        AUV_TRY(auv_loop_run_until_complete(loop, task, /* ret= */ NULL));
        printf("total run time: %.3f\n", auv_loop_time(loop) - start);
        return auv_loop_close(loop);
}

/* SPDX-License-Identifier: MIT */
/*
 * Several tasks at once by asyncio.gather(): the results come in the order of the tasks, not
 * in the order in which they end.
 *
 *      async def main():
 *          task1 = asyncio.ensure_future(hello1(10, 5))
 *          task2 = asyncio.ensure_future(hello2(10, 5))
 *          task3 = asyncio.ensure_future(hello3(10, 5))
 *          results = await asyncio.gather(task1, task2, task3)
 *          for result in results:
 *              print(result)
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
        auv_value results[3];

        AUV_TRY(auv_await_gather((auv_future *[]) { task1, task2, task3 }, 3, /* flags= */ 0, results));
        for (int i = 0; i < 3; i++)
                printf("%jd\n", results[i].i);
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

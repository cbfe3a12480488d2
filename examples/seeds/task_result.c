/* SPDX-License-Identifier: MIT */
/*
 * The result of a task, asked for by task.result() when the loop has run.
 *
 *      task = asyncio.ensure_future(hello(10, 5))
 *      loop.run_until_complete(task)
 *      print('-------------------------------------')
 *      print(task.result())
 *      loop.close()
 */

#include <asyncuv.h>
#include <stdio.h>

struct numbers {
        int a, b;
};

static int hello(void *arg, auv_value *ret)
{
        const struct numbers *n = arg;

        puts("Hello world 01 begin");
        AUV_TRY(auv_await_sleep(3)); /* stands for work that takes 3 seconds */
        puts("Hello again 01 end");
        ret->i = n->a + n->b;
        return 0;
}

int main(void)
{
        const struct numbers n = { 10, 5 };
        AUV_AUTO auv_loop *loop = NULL;
        auv_value result;

        AUV_TRY(auv_new_event_loop(/* options= */ NULL, &loop));

        const double start = auv_loop_time(loop);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, hello, &n, sizeof(n), /* options= */ NULL);

        AUV_TRY(auv_loop_run_until_complete(loop, task, /* ret= */ NULL));
        puts("-------------------------------------");
        AUV_TRY(auv_future_result(task, &result));
        printf("%jd\n", result.i);
        printf("total run time: %.3f\n", auv_loop_time(loop) - start);
        return auv_loop_close(loop);
}

/* SPDX-License-Identifier: MIT */
/*
 * The result of a task, handed to a callback when the task is done.
 *
 *      def callback(f):
 *          print(f.result())
 *
 *      task = asyncio.ensure_future(hello(10, 5))
 *      task.add_done_callback(callback)
 *      loop.run_until_complete(task)
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

static void callback(auv_future *f, void *arg)
{
        auv_value result;

        if (auv_future_result(f, &result) == 0)
                printf("%jd\n", result.i);
}

int main(void)
{
        const struct numbers n = { 10, 5 };
        AUV_AUTO auv_loop *loop = NULL;

        AUV_TRY(auv_new_event_loop(/* options= */ NULL, &loop));

        const double start = auv_loop_time(loop);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, hello, &n, sizeof(n), /* options= */ NULL);

        AUV_TRY(auv_future_add_done_callback(task, callback, /* arg= */ NULL));
        AUV_TRY(auv_loop_run_until_complete(loop, task, /* ret= */ NULL));
        printf("total run time: %.3f\n", auv_loop_time(loop) - start);
        return auv_loop_close(loop);
}

/* SPDX-License-Identifier: MIT */
/*
 * The template for Python before 3.7, with arguments and results: tasks are made before the
 * loop runs, and asked for their results afterwards.
 *
 *      task1 = asyncio.ensure_future(hello1(10, 5))
 *      task2 = asyncio.ensure_future(hello2(10, 5))
 *      task3 = asyncio.ensure_future(hello3(10, 5))
 *      tasks = [task1, task2, task3]
 *      loop.run_until_complete(asyncio.wait(tasks))
 *      print(task1.result())
 *      print(task2.result())
 *      print(task3.result())
 *      loop.close()
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

enum { N_TASKS = 3 };

/* asyncio.wait() is a coroutine: to run it, the loop needs a task. */
static int wait_for_all(void *arg, auv_value *ret)
{
        auv_task *const *tasks = arg;

        return auv_await_wait(tasks, N_TASKS, AUV_NO_TIMEOUT, AUV_ALL_COMPLETED, /* ret_futures= */ NULL);
}

static int print_result(auv_task *task)
{
        auv_value result;

        AUV_TRY(auv_future_result(task, &result));
        printf("%jd\n", result.i);
        return 0;
}

int main(void)
{
        const struct numbers n = { 10, 5 };
        AUV_AUTO auv_loop *loop = NULL;

        AUV_TRY(auv_new_event_loop(/* options= */ NULL, &loop));

        const double start = auv_loop_time(loop);
        AUV_AUTO auv_task *task1 = auv_loop_create_task(loop, hello1, &n, sizeof(n), /* options= */ NULL);
        AUV_AUTO auv_task *task2 = auv_loop_create_task(loop, hello2, &n, sizeof(n), /* options= */ NULL);
        AUV_AUTO auv_task *task3 = auv_loop_create_task(loop, hello3, &n, sizeof(n), /* options= */ NULL);
        auv_task *tasks[N_TASKS] = { task1, task2, task3 };
        AUV_AUTO auv_task *all = auv_loop_create_task(loop, wait_for_all, tasks, sizeof(tasks),
                                                      /* options= */ NULL);

        AUV_TRY(auv_loop_run_until_complete(loop, all, /* ret= */ NULL));
        AUV_TRY(print_result(task1));
        AUV_TRY(print_result(task2));
        AUV_TRY(print_result(task3));
        printf("total run time: %.3f\n", auv_loop_time(loop) - start);
        return auv_loop_close(loop);
}

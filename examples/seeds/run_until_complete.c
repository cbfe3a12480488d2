/* SPDX-License-Identifier: MIT */
/*
 * The template for Python before 3.7, without arguments and results: a loop, tasks, the loop
 * runs until all are done, the loop is closed.
 *
 *      loop = asyncio.get_event_loop()
 *      tasks = [hello1(), hello2(), hello3()]
 *      loop.run_until_complete(asyncio.wait(tasks))
 *      loop.close()
 */

#include <asyncuv.h>
#include <stdio.h>

static int hello1(void *arg, auv_value *ret)
{
        puts("Hello world 01 begin");
        AUV_TRY(auv_await_sleep(3)); /* stands for work that takes 3 seconds */
        puts("Hello again 01 end");
        return 0;
}

static int hello2(void *arg, auv_value *ret)
{
        puts("Hello world 02 begin");
        AUV_TRY(auv_await_sleep(2));
        puts("Hello again 02 end");
        return 0;
}

static int hello3(void *arg, auv_value *ret)
{
        puts("Hello world 03 begin");
        AUV_TRY(auv_await_sleep(4));
        puts("Hello again 03 end");
        return 0;
}

enum { N_TASKS = 3 };

/* asyncio.wait() is a coroutine: to run it, the loop needs a task. */
static int wait_for_all(void *arg, auv_value *ret)
{
        auv_task *const *tasks = arg;

        return auv_await_wait(tasks, N_TASKS, AUV_NO_TIMEOUT, AUV_ALL_COMPLETED, /* ret_futures= */ NULL);
}

int main(void)
{
        AUV_AUTO auv_loop *loop = NULL;

        AUV_TRY(auv_new_event_loop(/* options= */ NULL, &loop));

        const double start = auv_loop_time(loop);
        AUV_AUTO auv_task *task1 = auv_loop_create_task(loop, hello1, NULL, 0, /* options= */ NULL);
        AUV_AUTO auv_task *task2 = auv_loop_create_task(loop, hello2, NULL, 0, /* options= */ NULL);
        AUV_AUTO auv_task *task3 = auv_loop_create_task(loop, hello3, NULL, 0, /* options= */ NULL);
        auv_task *tasks[N_TASKS] = { task1, task2, task3 };
        AUV_AUTO auv_task *all = auv_loop_create_task(loop, wait_for_all, tasks, sizeof(tasks),
                                                      /* options= */ NULL);

        AUV_TRY(auv_loop_run_until_complete(loop, all, /* ret= */ NULL));
        printf("total run time: %.3f\n", auv_loop_time(loop) - start);
        return auv_loop_close(loop);
}

/* SPDX-License-Identifier: MIT */
/*
 * asyncio.wait() with FIRST_COMPLETED: one of three is done, and the others are pending. They
 * are cancelled at the end of the run, and never come to print that they have ended.
 *
 *      async def main():
 *          done, pending = await asyncio.wait({hello1(), hello2(), hello3()},
 *                                             return_when=asyncio.FIRST_COMPLETED)
 *          for i in done:
 *              print(i)
 *          for j in pending:
 *              print(j)
 */

#include <asyncuv.h>
#include <stdio.h>

static int hello1(void *arg, auv_value *ret)
{
        puts("Hello world 01 begin");
        AUV_TRY(auv_await_sleep(2)); /* stands for work that takes 2 seconds */
        puts("Hello again 01 end");
        return 0;
}

static int hello2(void *arg, auv_value *ret)
{
        puts("Hello world 02 begin");
        AUV_TRY(auv_await_sleep(3));
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

static auv_task *create_task(auv_coro_fn fn, const char *name)
{
        return auv_loop_create_task(/* loop= */ NULL, fn, NULL, 0, AUV_TASK_OPTIONS(.name = name));
}

static int amain(void *arg, auv_value *ret)
{
        const double start = auv_loop_time(auv_get_running_loop());
        AUV_AUTO auv_task *task1 = create_task(hello1, "hello1");
        AUV_AUTO auv_task *task2 = create_task(hello2, "hello2");
        AUV_AUTO auv_task *task3 = create_task(hello3, "hello3");
        auv_task *tasks[] = { task1, task2, task3 };
        int n_done;

        n_done = auv_await_wait(tasks, 3, AUV_NO_TIMEOUT, AUV_FIRST_COMPLETED, tasks);
        AUV_TRY(n_done);
        for (int i = 0; i < n_done; i++)
                printf("<Task finished name='%s' result=None>\n", auv_task_get_name(tasks[i]));
        for (int j = n_done; j < 3; j++)
                printf("<Task pending name='%s'>\n", auv_task_get_name(tasks[j]));
        puts("---------------------------------------");
        printf("%.3f\n", auv_loop_time(auv_get_running_loop()) - start);
        return 0;
}

int main(void)
{
        return auv_run(amain, /* arg= */ NULL);
}

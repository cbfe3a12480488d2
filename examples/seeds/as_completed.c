/* SPDX-License-Identifier: MIT */
/*
 * Several tasks at once by asyncio.as_completed(): each result as soon as it is there.
 *
 *      async def main():
 *          tasks = [task1(), task2(), task3()]
 *          for future in asyncio.as_completed(tasks):
 *              result = await future
 *              print(result)
 *
 *      asyncio.run(main())
 */

#include <asyncuv.h>
#include <stdio.h>

static int task1(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await_sleep(2));
        ret->s = "Task 1 completed";
        return 0;
}

static int task2(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await_sleep(1));
        ret->s = "Task 2 completed";
        return 0;
}

static int task3(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await_sleep(3));
        ret->s = "Task 3 completed";
        return 0;
}

static int amain(void *arg, auv_value *ret)
{
        const double start = auv_loop_time(auv_get_running_loop());
        AUV_AUTO auv_task *first = auv_create_task(task1, NULL, 0);
        AUV_AUTO auv_task *second = auv_create_task(task2, NULL, 0);
        AUV_AUTO auv_task *third = auv_create_task(task3, NULL, 0);
        AUV_AUTO auv_as_completed *tasks = auv_as_completed_new(
                (auv_future *[]) { first, second, third }, 3, AUV_NO_TIMEOUT);
        auv_future *future;
        auv_value result;
        int r;

        while ((r = auv_await_as_completed(tasks, &future)) > 0) {
                AUV_TRY(auv_await(future, &result));
                puts(result.s);
        }
        AUV_TRY(r);
        printf("total run time: %.3f\n", auv_loop_time(auv_get_running_loop()) - start);
        return 0;
}

int main(void)
{
        return auv_run(amain, /* arg= */ NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * The loop runs a gather of tasks that were made before; its result is the list of theirs.
 *
 *      tasks = asyncio.gather(task1, task2, task3)
 *      loop.run_until_complete(tasks)
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

int main(void)
{
        const struct numbers n = { 10, 5 };
        AUV_AUTO auv_loop *loop = NULL;
        const auv_value *results;
        auv_value list;
        size_t n_results;

        AUV_TRY(auv_new_event_loop(/* options= */ NULL, &loop));

        const double start = auv_loop_time(loop);
        AUV_AUTO auv_task *task1 = auv_loop_create_task(loop, hello1, &n, sizeof(n), /* options= */ NULL);
        AUV_AUTO auv_task *task2 = auv_loop_create_task(loop, hello2, &n, sizeof(n), /* options= */ NULL);
        AUV_AUTO auv_task *task3 = auv_loop_create_task(loop, hello3, &n, sizeof(n), /* options= */ NULL);
        AUV_AUTO auv_future *tasks = auv_gather((auv_future *[]) { task1, task2, task3 }, 3, /* flags= */ 0);

        AUV_TRY(auv_loop_run_until_complete(loop, tasks, &list));
        results = auv_value_list(&list, &n_results);
        for (size_t i = 0; i < n_results; i++)
                printf("%jd\n", results[i].i);
        printf("total run time: %.3f\n", auv_loop_time(loop) - start);
        return auv_loop_close(loop);
}

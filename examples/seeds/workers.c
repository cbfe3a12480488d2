/* SPDX-License-Identifier: MIT */
/*
 * Five workers, waited for in three ways: each way is a coroutine of its own, and main()
 * awaits one of them. The original has them side by side, two in comments; here all three run,
 * one after the other, each on a loop of its own.
 *
 *      async def main():
 *          tasks = []
 *          for i in range(5):
 *              coroutine = do_some_work(i)
 *              task = loop.create_task(coroutine)
 *              tasks.append(task)
 *          # await hang_coroutine_as_completed(tasks)
 *          await hang_coroutine_wait(tasks)
 *          # await hang_coroutine_gather(tasks)
 */

#include <asyncuv.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_TASKS = 5 };

static int do_some_work(void *arg, auv_value *ret)
{
        const int x = *(const int *)arg;
        char *text;

        printf("Hello: %d\n", x);
        if (asprintf(&text, "work is done for %d", x) < 0)
                return AUV_ENOMEM;
        *ret = (auv_value) { .p = text, .destroy = free };
        return 0;
}

static int hang_coroutine_wait(auv_task **tasks)
{
        auv_value result;
        int n_done;

        n_done = auv_await_wait(tasks, N_TASKS, AUV_NO_TIMEOUT, AUV_ALL_COMPLETED, tasks);
        AUV_TRY(n_done);
        for (int i = 0; i < n_done; i++) {
                AUV_TRY(auv_future_result(tasks[i], &result));
                printf("task result: %s\n", result.s);
        }
        return 0;
}

static int hang_coroutine_gather(auv_task **tasks)
{
        auv_value results[N_TASKS];

        AUV_TRY(auv_await_gather(tasks, N_TASKS, /* flags= */ 0, results));
        for (int i = 0; i < N_TASKS; i++)
                printf("Task result: %s\n", results[i].s);
        return 0;
}

static int hang_coroutine_as_completed(auv_task **tasks)
{
        AUV_AUTO auv_as_completed *iterator = auv_as_completed_new(tasks, N_TASKS, AUV_NO_TIMEOUT);
        auv_future *task;
        auv_value result;
        int r;

        while ((r = auv_await_as_completed(iterator, &task)) > 0) {
                AUV_TRY(auv_await(task, &result));
                printf("Task result:%s\n", result.s);
        }
        return r;
}

struct way {
        int (*hang_coroutine)(auv_task **tasks);
};

static int amain(void *arg, auv_value *ret)
{
        const struct way *way = arg;
        auv_task *tasks[N_TASKS];
        int r;

        for (int i = 0; i < N_TASKS; i++)
                tasks[i] = auv_create_task(do_some_work, &i, sizeof(i));
        r = way->hang_coroutine(tasks);
        for (int i = 0; i < N_TASKS; i++)
                auv_unref(tasks[i]);
        return r;
}

static int run(struct way way)
{
        AUV_AUTO auv_loop *loop = NULL;

        AUV_TRY(auv_new_event_loop(/* options= */ NULL, &loop));
        auv_set_event_loop(loop);

        const double start = auv_loop_time(loop);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, amain, &way, sizeof(way), /* options= */ NULL);

        AUV_TRY(auv_loop_run_until_complete(loop, task, /* ret= */ NULL));
        printf("total run time: %.3f\n", auv_loop_time(loop) - start);
        auv_set_event_loop(/* loop= */ NULL);
        return auv_loop_close(loop);
}

int main(void)
{
        AUV_TRY(run((struct way) { hang_coroutine_wait }));
        AUV_TRY(run((struct way) { hang_coroutine_gather }));
        AUV_TRY(run((struct way) { hang_coroutine_as_completed }));
        return 0;
}

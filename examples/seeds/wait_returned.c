/* SPDX-License-Identifier: MIT */
/*
 * main() returns what asyncio.wait() gave, and the results are taken outside of it.
 *
 *      async def main():
 *          ...
 *          return await asyncio.wait([task1, task2, task3])
 *
 *      done, pending = loop.run_until_complete(main())
 *      for done_task in done:
 *          print(done_task.result())
 */

#include <asyncuv.h>
#include <stdio.h>
#include <stdlib.h>

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

/* What asyncio.wait() returns: the first n_done of the tasks are done, the others pending. */
struct sets {
        auv_task *tasks[3];
        int n_done;
};

static void sets_free(void *p)
{
        struct sets *sets = p;

        for (int i = 0; i < 3; i++)
                auv_unref(sets->tasks[i]);
        free(sets);
}

static int amain(void *arg, auv_value *ret)
{
        const struct numbers n = { 10, 5 };
        struct sets *sets = calloc(1, sizeof(*sets));

        if (sets == NULL)
                return AUV_ENOMEM;
        *ret = (auv_value) { .p = sets, .destroy = sets_free };
        sets->tasks[0] = auv_create_task(hello1, &n, sizeof(n));
        sets->tasks[1] = auv_create_task(hello2, &n, sizeof(n));
        sets->tasks[2] = auv_create_task(hello3, &n, sizeof(n));

        sets->n_done = auv_await_wait(sets->tasks, 3, AUV_NO_TIMEOUT, AUV_ALL_COMPLETED, sets->tasks);
        return sets->n_done;
}

int main(void)
{
        AUV_AUTO auv_loop *loop = NULL;
        const struct sets *sets;
        auv_value value, result;

        AUV_TRY(auv_new_event_loop(/* options= */ NULL, &loop));

        const double start = auv_loop_time(loop);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, amain, NULL, 0, /* options= */ NULL);

        AUV_TRY(auv_loop_run_until_complete(loop, task, &value));
        sets = value.p;
        for (int i = 0; i < sets->n_done; i++) {
                AUV_TRY(auv_future_result(sets->tasks[i], &result));
                printf("%jd\n", result.i);
        }
        printf("total run time: %.3f\n", auv_loop_time(loop) - start);
        return auv_loop_close(loop);
}

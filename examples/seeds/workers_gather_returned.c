/* SPDX-License-Identifier: MIT */
/*
 * Five workers; main() returns what asyncio.gather() gave, and the results are taken outside
 * of it.
 *
 *      async def main():
 *          ...
 *          return await asyncio.gather(*tasks)
 *
 *      results = loop.run_until_complete(main())
 *      for result in results:
 *          print("task result:", result)
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

static void drop(void *p)
{
        auv_unref(p);
}

static int amain(void *arg, auv_value *ret)
{
        auv_future *tasks[N_TASKS], *results;

        for (int i = 0; i < N_TASKS; i++)
                tasks[i] = auv_create_task(do_some_work, &i, sizeof(i));
        results = auv_gather(tasks, N_TASKS, /* flags= */ 0);
        for (int i = 0; i < N_TASKS; i++)
                auv_unref(tasks[i]);

        /* The texts belong to the tasks, and the tasks to the gather: that is what goes out. */
        *ret = (auv_value) { .p = results, .destroy = drop };
        return auv_await(results, /* ret= */ NULL);
}

int main(void)
{
        AUV_AUTO auv_loop *loop = NULL;
        const auv_value *results;
        auv_value value, list;
        size_t n;

        AUV_TRY(auv_new_event_loop(/* options= */ NULL, &loop));

        const double start = auv_loop_time(loop);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, amain, NULL, 0, /* options= */ NULL);

        AUV_TRY(auv_loop_run_until_complete(loop, task, &value));
        AUV_TRY(auv_future_result(value.p, &list));
        results = auv_value_list(&list, &n);
        for (size_t i = 0; i < n; i++)
                printf("task result: %s\n", results[i].s);
        printf("total run time: %.3f\n", auv_loop_time(loop) - start);
        return auv_loop_close(loop);
}

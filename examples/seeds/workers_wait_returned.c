/* SPDX-License-Identifier: MIT */
/*
 * Five workers; main() returns what asyncio.wait() gave, and the results are taken outside of
 * it.
 *
 *      async def main():
 *          ...
 *          return await asyncio.wait(tasks)
 *
 *      dones, pendings = loop.run_until_complete(main())
 *      for task in dones:
 *          print("task result:", task.result())
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

/* What asyncio.wait() returns: the first n_dones of the tasks are done, the others pending. */
struct sets {
        auv_task *tasks[N_TASKS];
        int n_dones;
};

static void sets_free(void *p)
{
        struct sets *sets = p;

        for (int i = 0; i < N_TASKS; i++)
                auv_unref(sets->tasks[i]);
        free(sets);
}

static int amain(void *arg, auv_value *ret)
{
        struct sets *sets = calloc(1, sizeof(*sets));

        if (sets == NULL)
                return AUV_ENOMEM;
        *ret = (auv_value) { .p = sets, .destroy = sets_free };
        for (int i = 0; i < N_TASKS; i++)
                sets->tasks[i] = auv_create_task(do_some_work, &i, sizeof(i));

        sets->n_dones = auv_await_wait(sets->tasks, N_TASKS, AUV_NO_TIMEOUT, AUV_ALL_COMPLETED, sets->tasks);
        return sets->n_dones;
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
        for (int i = 0; i < sets->n_dones; i++) {
                AUV_TRY(auv_future_result(sets->tasks[i], &result));
                printf("task result: %s\n", result.s);
        }
        printf("total run time: %.3f\n", auv_loop_time(loop) - start);
        return auv_loop_close(loop);
}

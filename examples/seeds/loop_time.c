/* SPDX-License-Identifier: MIT */
/*
 * loop.time(): how long a run took.
 *
 *      t1 = loop.time()
 *      print(t1)
 *      loop.run_until_complete(hello1(3, 4))
 *      t2 = loop.time()
 *      print(t2)
 *      print(t2 - t1)
 */

#include <asyncuv.h>
#include <stdio.h>

struct numbers {
        int a, b;
};

static int hello1(void *arg, auv_value *ret)
{
        const struct numbers *n = arg;

        puts("准备做加法运算");
        AUV_TRY(auv_await_sleep(3));
        ret->i = n->a + n->b;
        return 0;
}

int main(void)
{
        const struct numbers n = { 3, 4 };
        AUV_AUTO auv_loop *loop = NULL;
        double t1, t2;

        AUV_TRY(auv_new_event_loop(/* options= */ NULL, &loop));
        t1 = auv_loop_time(loop);
        printf("%.3f\n", t1);

        AUV_AUTO auv_task *task = auv_loop_create_task(loop, hello1, &n, sizeof(n), /* options= */ NULL);

        AUV_TRY(auv_loop_run_until_complete(loop, task, /* ret= */ NULL));
        t2 = auv_loop_time(loop);
        printf("%.3f\n", t2);
        printf("%.3f\n", t2 - t1);
        return auv_loop_close(loop);
}

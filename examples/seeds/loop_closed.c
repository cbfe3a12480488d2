/* SPDX-License-Identifier: MIT */
/*
 * A loop runs as often as it is asked to, until it is closed; then it is an error.
 *
 *      loop.run_until_complete(do_some_work(loop, 1))
 *      loop.run_until_complete(do_some_work(loop, 3))
 *      loop.close()
 *      loop.run_until_complete(do_some_work(loop, 3))  # fails
 */

#include <asyncuv.h>
#include <stdio.h>

static int do_some_work(void *arg, auv_value *ret)
{
        const int *x = arg;

        printf("Waiting %d\n", *x);
        AUV_TRY(auv_await_sleep(*x));
        puts("Done");
        return 0;
}

static int run(auv_loop *loop, int x)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, do_some_work, &x, sizeof(x),
                                                       /* options= */ NULL);

        return auv_loop_run_until_complete(loop, task, /* ret= */ NULL);
}

int main(void)
{
        AUV_AUTO auv_loop *loop = NULL;
        int r;

        AUV_TRY(auv_new_event_loop(/* options= */ NULL, &loop));

        const double start = auv_loop_time(loop);

        AUV_TRY(run(loop, 1));
        AUV_TRY(run(loop, 3));
        printf("total run time: %.3f\n", auv_loop_time(loop) - start);
        AUV_TRY(auv_loop_close(loop));

        r = run(loop, 3);
        printf("%s: %s\n", auv_error_name(r), auv_strerror(r));
        return r == AUV_ECLOSED ? 0 : 1;
}

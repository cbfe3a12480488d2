/* SPDX-License-Identifier: MIT */
/*
 * asyncio.wait() with FIRST_COMPLETED, and the first task to end is one that fails: where
 * Python's test() uses a variable that does not exist, ours raises the error itself.
 *
 *      async def test():
 *          print('Hello test')
 *          await asyncio.sleep(1)
 *          print('Hello again test, ', x)
 *          return "test1"
 *
 *      done, pending = await asyncio.wait([test(), test2()],
 *                                         return_when=asyncio.tasks.FIRST_COMPLETED)
 */

#include <asyncuv.h>
#include <stdio.h>

static int test(void *arg, auv_value *ret)
{
        puts("Hello test");
        AUV_TRY(auv_await_sleep(1));
        return auv_raise(AUV_EUSER, "name 'x' is not defined");
}

static int test2(void *arg, auv_value *ret)
{
        puts("Hello test2");
        AUV_TRY(auv_await_sleep(2));
        puts("Hello again test2");
        ret->s = "test2";
        return 0;
}

static auv_task *create_task(auv_coro_fn fn, const char *name)
{
        return auv_loop_create_task(/* loop= */ NULL, fn, NULL, 0, AUV_TASK_OPTIONS(.name = name));
}

static void print_task(const char *set, auv_task *task)
{
        auv_error *error;

        printf("%s: <Task %s name='%s'", set, auv_future_done(task) ? "finished" : "pending",
               auv_task_get_name(task));
        if (auv_future_exception(task, &error) == 0 && error != NULL)
                printf(" exception=%s(\"%s\")", auv_error_name(auv_error_code(error)),
                       auv_error_message(error));
        puts(">");
}

static int amain(void *arg, auv_value *ret)
{
        auv_loop *loop = auv_get_running_loop();
        const double start = auv_loop_time(loop);
        AUV_AUTO auv_task *first = create_task(test, "test");
        AUV_AUTO auv_task *second = create_task(test2, "test2");
        auv_task *tasks[] = { first, second };
        int n_done;

        n_done = auv_await_wait(tasks, 2, AUV_NO_TIMEOUT, AUV_FIRST_COMPLETED, tasks);
        AUV_TRY(n_done);
        for (int i = 0; i < 2; i++)
                print_task(i < n_done ? "done" : "pending", tasks[i]);
        printf("wait: %.3f\n", auv_loop_time(loop) - start);

        /* The original was typed into a notebook, whose loop ran on: test2() came to its end. */
        AUV_TRY(auv_await(second, /* ret= */ NULL));
        printf("total run time: %.3f\n", auv_loop_time(loop) - start);
        return 0;
}

int main(void)
{
        return auv_run(amain, /* arg= */ NULL);
}

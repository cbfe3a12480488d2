/* SPDX-License-Identifier: MIT */
/*
 * What test-gdb.py looks at: tasks that wait in known functions, and then everyone_waits() is called, in
 * a task. Nothing here is static, so that no compiler renames it.
 */

#include <asyncuv.h>

#include <stdio.h>

void everyone_waits(void);
int take_job(auv_queue *jobs);
int worker(void *arg, auv_value *ret);
int reader(void *arg, auv_value *ret);
int sleeper(void *arg, auv_value *ret);
int waits_without_stack(auv_frame *frame, auv_value *ret);
int start_all(void *arg, auv_value *ret);

void everyone_waits(void)
{
        puts("everyone waits");
}

__attribute__((noinline)) int take_job(auv_queue *jobs)
{
        auv_value job;

        AUV_TRY(auv_await_queue_get(jobs, &job));
        return 1;
}

int worker(void *arg, auv_value *ret)
{
        const int r = take_job(arg);

        return r < 0 ? r : 0;
}

int reader(void *arg, auv_value *ret)
{
        const char *line;
        size_t size;

        AUV_TRY(auv_await_stream_readline(arg, &line, &size));
        return 0;
}

int sleeper(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await_sleep(1000));
        everyone_waits();
        return 0;
}

struct stackless {
        auv_frame frame;
        auv_future *future;
};

int waits_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        AUV_AWAIT(self->future, NULL);
        AUV_END;
}

int start_all(void *arg, auv_value *ret)
{
        AUV_AUTO auv_queue *jobs = auv_queue_new(0);
        AUV_AUTO auv_stream_reader *stream = auv_stream_reader_new(/* loop= */ NULL, /* limit= */ 0);
        auv_task *tasks[2];

        tasks[0] = auv_loop_create_task(NULL, worker, jobs, 0, AUV_TASK_OPTIONS(.name = "worker"));
        tasks[1] = auv_loop_create_task(NULL, sleeper, NULL, 0, AUV_TASK_OPTIONS(.name = "sleeper"));
        auv_unref(auv_create_task(worker, jobs, 0));
        auv_unref(auv_create_task(reader, stream, 0));
        auv_unref(auv_create_stackless_task(waits_without_stack, &(struct stackless) { .future = tasks[1] },
                                            sizeof(struct stackless)));
        AUV_TRY(auv_await_gather(tasks, 2, 0, NULL));
        return 0;
}

int main(void)
{
        AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL));

        return auv_runner_run(runner, start_all, NULL, NULL);
}

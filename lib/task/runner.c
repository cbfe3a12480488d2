/* SPDX-License-Identifier: MIT */

/* Runner: owns a loop, and ends cleanly what runs on it. */

#include <asyncuv/runner.h>

#include "base/alloc.h"
#include "base/error.h"
#include "task/task.h"

#include <asyncuv/gather.h>

#include <string.h>

struct auv_runner {
        struct auv__object object;
        auv_loop_options options;
        auv_loop *loop;  /* NULL until it is needed, and once closed */
        auv_task *main;  /* of the last run, whose result may be borrowed */
        bool closed;
};

auv_runner *auv_runner_new(const auv_loop_options *options)
{
        auv_runner *runner;

        if (options && options->size < sizeof(options->size)) {
                auv_raise(AUV_EINVAL, "an option of the loop has no meaning");
                return NULL;
        }
        runner = auv__calloc(sizeof(*runner));
        if (!runner) {
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        runner->object = auv__object_init(AUV__RUNNER, 0);
        if (options)
                memcpy(&runner->options, options,
                       options->size < sizeof(*options) ? options->size : sizeof(*options));
        runner->options.size = sizeof(runner->options);
        return runner;
}

void auv__runner_free(struct auv__object *object)
{
        auv_runner *runner = auv__container_of(object, auv_runner, object);

        auv_runner_close(runner);
        auv_unref(runner->main);
        auv_unref(runner->loop);
        auv__free(runner);
}

static int require_loop(auv_runner *runner)
{
        if (!runner)
                return auv_raise(AUV_ENOMEM, "the runner could not be made");
        if (runner->closed)
                return auv_raise(AUV_ERUNTIME, "the runner is closed");
        if (runner->loop)
                return 0;
        AUV_TRY(auv_new_event_loop(&runner->options, &runner->loop));
        auv_set_event_loop(runner->loop);
        return 0;
}

int auv_runner_run(auv_runner *runner, auv_coro_fn fn, void *arg, auv_value *ret)
{
        auv_task *task;

        if (auv__running_loop)
                return auv_raise(AUV_ERUNTIME, "a loop is running in this thread");
        AUV_TRY(require_loop(runner));
        task = auv_loop_create_task(runner->loop, fn, arg, 0, /* options= */ NULL);
        if (!task)
                return auv__no_future_reason();
        auv_unref(runner->main);
        runner->main = task;
        return auv_loop_run_until_complete(runner->loop, task, ret);
}

auv_loop *auv_runner_get_loop(auv_runner *runner)
{
        return runner && require_loop(runner) == 0 ? runner->loop : NULL;
}

static void report_failure(auv_loop *loop, auv_task *task)
{
        auv_error *error;

        if (!auv_future_cancelled(task) && auv_future_exception(task, &error) == 0 && error)
                auv_loop_call_exception_handler(loop, &(auv_exception_context) {
                        .message = "unhandled exception during the shutdown of a runner",
                        .error = error, .future = task });
}

/* Cancels and awaits the tasks in @tasks, which has a reference to each. */
static int end_tasks(auv_loop *loop, auv_task **tasks, size_t n)
{
        auv_future *all;
        int r;

        for (size_t i = 0; i < n; i++)
                auv_future_cancel(tasks[i], /* message= */ NULL);
        all = auv_gather(tasks, n, AUV_RETURN_EXCEPTIONS);
        r = auv_loop_run_until_complete(loop, all, NULL);
        auv_unref(all);
        for (size_t i = 0; i < n; i++)
                if (auv_future_done(tasks[i]))
                        report_failure(loop, tasks[i]);
        return r;
}

static int end_all_tasks(auv_loop *loop)
{
        const size_t n = auv_all_tasks(loop, NULL, 0);
        auv_task **tasks;
        int r;

        if (n == 0)
                return 0;
        tasks = auv__malloc(n * sizeof(auv_task *));
        if (!tasks)
                return auv_raise(AUV_ENOMEM, NULL);
        auv_all_tasks(loop, tasks, n);
        for (size_t i = 0; i < n; i++)
                auv_ref(tasks[i]);
        r = end_tasks(loop, tasks, n);
        for (size_t i = 0; i < n; i++)
                auv_unref(tasks[i]);
        auv__free(tasks);
        return r;
}

int auv_runner_close(auv_runner *runner)
{
        int r = 0, closed;

        if (!runner || runner->closed)
                return 0;
        if (auv__running_loop)
                return auv_raise(AUV_ERUNTIME, "a loop is running in this thread");
        if (runner->loop) {
                r = end_all_tasks(runner->loop);
                closed = auv_loop_close(runner->loop);
                r = r < 0 ? r : closed;
        }
        runner->main = auv_unref(runner->main);
        runner->loop = auv_unref(runner->loop);
        runner->closed = true;
        return r;
}

static void report_main(auv_runner *runner, int r)
{
        auv_error *error = auv__error_for(r);

        if (runner && runner->loop)
                auv_loop_call_exception_handler(runner->loop, &(auv_exception_context) {
                        .message = "the main coroutine failed", .error = error, .future = runner->main });
        auv_unref(error);
}

int auv_run(auv_coro_fn fn, void *arg)
{
        AUV_AUTO auv_runner *runner = NULL;
        int r, closed;

        if (auv__running_loop)
                return auv_raise(AUV_ERUNTIME, "a loop is running in this thread");
        runner = auv_runner_new(/* options= */ NULL);
        r = auv_runner_run(runner, fn, arg, NULL);
        if (r < 0)
                report_main(runner, r);
        closed = auv_runner_close(runner);
        return r < 0 ? r : closed;
}

/* SPDX-License-Identifier: MIT */

/* Runner: owns a loop, and ends cleanly what runs on it. */

#include <asyncuv/runner.h>

#include "base/alloc.h"
#include "base/error.h"
#include "task/task.h"

#include <asyncuv/context.h>
#include <asyncuv/gather.h>

#include <string.h>

struct auv_runner {
        struct auv__object object;
        auv_loop_options options;
        auv_loop *loop;  /* NULL until it is needed, and once closed */
        auv_task *main;  /* of the last run, whose result may be borrowed */
        auv_context *context; /* of all runs; NULL until it is needed, and once closed */
        bool closed;
        bool asked;       /* SIGINT has asked the main task of the last run to stop */
        bool interrupted; /* and that is how the run ended */
};

auv_runner *auv_runner_new(const auv_loop_options *options)
{
        auv_loop_options copy;
        auv_runner *runner;

        if (auv__loop_options_copy(options, &copy) < 0) {
                auv_raise(AUV_EINVAL, "an option of the loop has no meaning");
                return NULL;
        }
        runner = auv__calloc(sizeof(*runner));
        if (!runner) {
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        runner->object = auv__object_init(AUV__RUNNER, 0);
        runner->options = copy;
        return runner;
}

void auv__runner_free(struct auv__object *object)
{
        auv_runner *runner = auv__container_of(object, auv_runner, object);

        auv_runner_close(runner);
        auv_unref(runner->main);
        auv_unref(runner->loop);
        auv_unref(runner->context);
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
        if (!runner->context)
                runner->context = auv_copy_context();
        if (!runner->context)
                return AUV_ENOMEM;
        AUV_TRY(auv_new_event_loop(&runner->options, &runner->loop));
        auv_set_event_loop(runner->loop);
        return 0;
}

static void cancel_main(void *arg)
{
        auv_runner *runner = arg;

        runner->asked = auv_task_cancel(runner->main, /* message= */ NULL) > 0;
}

/* What a run returns in which there was a SIGINT. */
static int end_interrupted(auv_runner *runner, int r)
{
        /* It came when main had ended, or is cancelled by it and by nobody else. */
        runner->interrupted = !runner->asked || (r == AUV_ECANCELED && auv_task_uncancel(runner->main) == 0);
        return runner->interrupted ? auv_raise(AUV_EINTR, "interrupted by SIGINT") : r;
}

/* Either @fn, or @stackless is the body. */
static int run_main(auv_runner *runner, auv_coro_fn fn, auv_stackless_fn stackless, const void *arg,
                    size_t size, auv_value *ret)
{
        auv_task_options options = { .size = sizeof(options), .stackless = stackless };
        auv_task *task;
        int r;

        if (auv__running_loop)
                return auv_raise(AUV_ERUNTIME, "a loop is running in this thread");
        AUV_TRY(require_loop(runner));
        options.context = runner->context;
        task = auv_loop_create_task(runner->loop, fn, arg, size, &options);
        if (!task)
                return auv__no_future_reason();
        auv_unref(runner->main);
        runner->main = task;
        runner->asked = false;
        runner->interrupted = false;
        auv_ref(runner); /* the last other one may go in what it runs */
        auv__interrupt_begin(runner->loop, cancel_main, runner);
        r = auv_loop_run_until_complete(runner->loop, task, ret);
        if (auv__interrupt_end(runner->loop))
                r = end_interrupted(runner, r);
        auv_unref(runner);
        return r;
}

int auv_runner_run(auv_runner *runner, auv_coro_fn fn, void *arg, auv_value *ret)
{
        return run_main(runner, fn, /* stackless= */ NULL, arg, 0, ret);
}

int auv_runner_run_stackless(auv_runner *runner, auv_stackless_fn fn, const void *frame, size_t size,
                             auv_value *ret)
{
        return run_main(runner, /* fn= */ NULL, fn, frame, size, ret);
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

static int await_guests_end(void *arg, auv_value *ret)
{
        for (struct auv__guest *guest = ((auv_loop *)arg)->guests; guest; guest = guest->next)
                if (guest->await_end)
                        AUV_TRY(guest->await_end(guest));
        return 0;
}

/* What other layers have under way on the loop, as work in threads, is waited for. */
static int end_guests(auv_loop *loop)
{
        AUV_AUTO auv_task *task = NULL;

        if (!loop->guests)
                return 0;
        task = auv_task_new(loop, await_guests_end, loop, 0, /* options= */ NULL);
        return auv_loop_run_until_complete(loop, task, NULL);
}

static int first_error(int a, int b)
{
        return a < 0 ? a : b;
}

int auv_runner_close(auv_runner *runner)
{
        int r = 0;

        if (!runner || runner->closed)
                return 0;
        if (auv__running_loop)
                return auv_raise(AUV_ERUNTIME, "a loop is running in this thread");
        if (runner->loop) {
                r = end_all_tasks(runner->loop);
                r = first_error(r, end_guests(runner->loop));
                r = first_error(r, auv_loop_close(runner->loop));
        }
        runner->main = auv_unref(runner->main);
        runner->loop = auv_unref(runner->loop);
        runner->context = auv_unref(runner->context);
        runner->closed = true;
        return r;
}

static void report_main(auv_runner *runner, int r)
{
        auv_error *error = auv__error_for(r);

        if (runner && runner->loop && !runner->interrupted)
                auv_loop_call_exception_handler(runner->loop, &(auv_exception_context) {
                        .message = "the main coroutine failed", .error = error, .future = runner->main });
        auv_unref(error);
}

/* The program's main function is run by @runner, or could not be: @r. The runner goes. */
static int end_program(auv_runner *runner, int r)
{
        if (r < 0)
                report_main(runner, r);
        r = first_error(r, auv_runner_close(runner));
        auv_unref(runner);
        return r;
}

int auv_run(auv_coro_fn fn, void *arg)
{
        auv_runner *runner;

        if (auv__running_loop)
                return auv_raise(AUV_ERUNTIME, "a loop is running in this thread");
        runner = auv_runner_new(/* options= */ NULL);
        return end_program(runner, auv_runner_run(runner, fn, arg, /* ret= */ NULL));
}

int auv_run_stackless(auv_stackless_fn fn, const void *frame, size_t size)
{
        auv_runner *runner;

        if (auv__running_loop)
                return auv_raise(AUV_ERUNTIME, "a loop is running in this thread");
        runner = auv_runner_new(/* options= */ NULL);
        return end_program(runner, auv_runner_run_stackless(runner, fn, frame, size, /* ret= */ NULL));
}

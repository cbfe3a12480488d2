/* SPDX-License-Identifier: MIT */

/*
 * Run until complete
 *
 * Turns the loop until a future is done; and where that can never be, tells which tasks are left and
 * what each of them awaits.
 */

#include "base/error.h"
#include "task/task.h"

#include <stdio.h>

static void on_done(auv_future *future, void *arg)
{
        auv_loop_stop(future->loop);
}

struct text {
        char buffer[4096];
        size_t length;
};

static void AUV_PRINTF(2, 3) add(struct text *text, const char *format, ...)
{
        const size_t room = sizeof(text->buffer) - text->length;
        va_list arguments;
        int length;

        va_start(arguments, format);
        length = vsnprintf(text->buffer + text->length, room, format, arguments);
        va_end(arguments);
        if (length > 0)
                text->length += (size_t)length < room ? (size_t)length : room - 1;
}

static void add_task(struct text *text, struct auv__task *task)
{
        const auv_future *awaited = auv__task_awaited(task);

        add(text, "; task '%s' awaits ", auv_task_get_name(&task->future));
        if (task->rest == AUV__SLEEPING)
                add(text, "a sleep without end");
        else if (task->rest == AUV__EXPECTING)
                add(text, "what nobody brings");
        else if (!awaited)
                add(text, "nothing");
        else if (awaited->object.kind == AUV__TASK)
                add(text, "task '%s'", auv_task_get_name((auv_task *)awaited));
        else
                add(text, awaited->object.kind == AUV__GATHER ? "a gather"
                          : awaited->object.kind == AUV__SHIELD ? "a shield" : "a future");
}

static int report_deadlock(auv_loop *loop, auv_future *future)
{
        enum { MOST = 20 };

        struct text text = { .length = 0 };
        auv_task *tasks[MOST];
        const size_t n_pending = auv_all_tasks(loop, tasks, MOST), n = n_pending < MOST ? n_pending : MOST;

        add(&text, "nothing can ever wake the loop again");
        for (size_t i = 0; i < n; i++)
                add_task(&text, auv__to_task(tasks[i]));
        if (n_pending > n)
                add(&text, "; and %zu more tasks", n_pending - n);
        auv_raise(AUV_EDEADLK, "%s", text.buffer);
        auv_loop_call_exception_handler(loop, &(auv_exception_context) {
                .message = "run_until_complete() of a future that can never be done",
                .error = auv_error_current(), .future = future });
        return AUV_EDEADLK;
}

int auv_loop_run_until_complete(auv_loop *loop, auv_future *future, auv_value *ret)
{
        int r;

        if (!loop)
                return auv_raise(AUV_EINVAL, "no loop to run");
        if (!future)
                return auv_raise(auv__no_future_reason(), "the future could not be made");
        if (future->loop != loop)
                return auv_raise(AUV_EINVAL, "the future belongs to another loop");
        AUV_TRY(auv__loop_check_run(loop));
        AUV_TRY(auv_future_add_done_callback(future, on_done, NULL));
        auv__keep(&future->object);
        r = auv__loop_run(loop, /* report_deadlock= */ true);
        auv_future_remove_done_callback(future, on_done, NULL);
        if (r == AUV_EDEADLK)
                r = report_deadlock(loop, future);
        else if (r == 0 && !auv__future_is_done(future))
                r = auv_raise(AUV_ESTOPPED, NULL);
        else if (r == 0)
                r = auv__future_read(future, ret);
        auv__drop(&future->object);
        return r;
}

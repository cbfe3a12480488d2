/* SPDX-License-Identifier: MIT */

/*
 * Executor
 *
 * Work for another thread is one block: what ties it to its future (remote.h), libuv's
 * request, the function, the copy of its argument, and how it ended. libuv's pool hands the block
 * back within uv_run(), an executor of the program's own in any thread; from there on both
 * go the same way, through the ready queue.
 */

#include <asyncuv/executor.h>

#include "base/alloc.h"
#include "base/context.h"
#include "base/error.h"
#include "io/remote.h"
#include "io/thread_pool.h"
#include "loop/reactor.h"
#include "task/await.h"

#include <asyncuv/event.h>
#include <asyncuv/task.h>
#include <asyncuv/timeout.h>

#include <stdio.h>
#include <string.h>

struct auv_executor {
        struct auv__object object;
        auv_executor_functions functions;
        void *user;
};

/* What a loop has for its default executor. */
struct executors {
        struct auv__guest guest;
        auv_executor *by_default; /* NULL for libuv's pool */
        auv_event *idle;          /* set when nothing is pending any more; made when that is waited for */
        size_t n_pending;         /* work handed to the default executor that has not ended */
        bool is_shut_down;
};

struct work {
        struct auv__remote remote;
        uv_work_t request;            /* only in libuv's pool */
        struct auv__reactor *reactor; /* likewise */
        auv_executor *executor;       /* with a reference; NULL for libuv's pool */
        bool by_default;              /* it counts in n_pending */
        bool in_context;              /* it runs in the context below, and not in that of the thread */
        struct auv__object *context;  /* see base/context.h */
        auv_thread_fn fn;
        void *arg;
        auv_value value;  /* the result, until the future has it */
        auv_error *error; /* NULL where there is a result */
        max_align_t copy[];
};

auv_executor *auv_executor_new(const auv_executor_functions *functions, void *user)
{
        auv_executor *executor;

        if (!functions || functions->size < offsetof(auv_executor_functions, cancel) || !functions->submit) {
                auv_raise(AUV_EINVAL, "an executor has to have a function to submit to it");
                return NULL;
        }
        executor = auv__calloc(sizeof(*executor));
        if (!executor) {
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        executor->object = auv__object_init(AUV__EXECUTOR, AUV__SHARED);
        memcpy(&executor->functions, functions,
               functions->size < sizeof(*functions) ? functions->size : sizeof(*functions));
        executor->user = user;
        return executor;
}

void auv__executor_free(struct auv__object *object)
{
        auv__free(auv__container_of(object, auv_executor, object));
}

static int await_end(struct auv__guest *guest)
{
        return auv_await_shutdown_default_executor(/* timeout= */ 300);
}

/* Tells the default executor, once, that it is given nothing more. */
static void shut_down(struct executors *executors)
{
        const auv_executor *executor = executors->by_default;

        if (!executors->is_shut_down && executor && executor->functions.shutdown)
                executor->functions.shutdown(executor->user);
        executors->is_shut_down = true;
}

static void close_executors(struct auv__guest *guest, auv_loop *loop)
{
        struct executors *executors = auv__container_of(guest, struct executors, guest);

        shut_down(executors);
        auv_unref(executors->by_default);
        auv_unref(executors->idle);
        auv__free(executors);
}

static struct executors *executors_of(const auv_loop *loop)
{
        struct auv__guest *guest = auv__loop_guest(loop, close_executors);

        return guest ? auv__container_of(guest, struct executors, guest) : NULL;
}

/* Makes what a loop has for its executors, where it has none yet. */
static int require_executors(auv_loop *loop, struct executors **ret_executors)
{
        struct executors *executors = executors_of(loop);

        if (!executors) {
                executors = auv__calloc(sizeof(*executors));
                if (!executors)
                        return auv_raise(AUV_ENOMEM, NULL);
                executors->guest = (struct auv__guest) { .close = close_executors, .await_end = await_end };
                auv__loop_add_guest(loop, &executors->guest);
        }
        *ret_executors = executors;
        return 0;
}

static struct work *to_work(struct auv__remote *remote)
{
        return auv__container_of(remote, struct work, remote);
}

static void settle(struct auv__remote *remote, auv_future *future)
{
        struct work *work = to_work(remote);
        const auv_value value = work->value;
        auv_error *error = work->error;

        work->value = (auv_value) { 0 };
        work->error = NULL;
        if (error)
                auv__future_fail(future, error);
        else
                auv__future_succeed(future, value);
}

/* Work that libuv takes back comes to on_pool_end() all the same. */
static bool cancel(struct auv__remote *remote)
{
        struct work *work = to_work(remote);
        const auv_executor *executor = work->executor;

        if (executor)
                return executor->functions.cancel && executor->functions.cancel(executor->user, work) > 0;
        (void)uv_cancel((uv_req_t *)&work->request);
        return false;
}

static void end(struct auv__remote *remote, auv_loop *loop)
{
        struct executors *executors = executors_of(loop);

        if (executors && to_work(remote)->by_default && --executors->n_pending == 0)
                auv_event_set(executors->idle);
}

static void free_work(struct auv__remote *remote)
{
        struct work *work = to_work(remote);

        if (work->value.destroy)
                work->value.destroy(work->value.p);
        auv_unref(work->error);
        auv_unref(work->executor);
        auv__context_drop(work->context);
        auv__free(work);
}

static const struct auv__remote_functions functions = {
        .settle = settle,
        .cancel = cancel,
        .end = end,
        .free = free_work,
};

static int call(struct work *work)
{
        struct auv__object **outer;
        int r;

        if (!work->in_context)
                return work->fn(work->arg, &work->value);
        outer = auv__context_enter(&work->context);
        r = work->fn(work->arg, &work->value);
        auv__context_leave(outer);
        return r;
}

/* In whatever thread. That may be one in which a task runs, whose error is not touched. */
static void perform(struct work *work)
{
        auv_error *current = NULL, **outer = auv__error_slot;
        int r;

        auv__error_slot = &current;
        r = call(work);
        if (r < 0) {
                work->error = auv__error_for(r);
                if (work->value.destroy)
                        work->value.destroy(work->value.p);
                work->value = (auv_value) { 0 };
        }
        auv_error_clear();
        auv__error_slot = outer;
}

static void perform_submitted(void *arg)
{
        struct work *work = arg;

        perform(work);
        auv__remote_post(&work->remote);
}

static void perform_in_pool(uv_work_t *request)
{
        perform(auv__container_of(request, struct work, request));
}

static void on_pool_end(uv_work_t *request, int status)
{
        struct work *work = auv__container_of(request, struct work, request);
        struct auv__reactor *reactor = work->reactor;

        auv__remote_post_here(&work->remote);
        auv__reactor_let_go(reactor);
}

static int submit(struct work *work, auv_loop *loop)
{
        const auv_executor *executor = work->executor;
        int r;

        if (executor)
                return executor->functions.submit(executor->user, perform_submitted, work);
        auv__thread_pool_use();
        work->reactor = loop->reactor;
        r = uv_queue_work(auv__reactor_uv(loop->reactor), &work->request, perform_in_pool, on_pool_end);
        if (r == 0)
                auv__reactor_hold(loop->reactor);
        return r;
}

static int new_work(auv_executor *executor, auv_thread_fn fn, const void *arg, size_t size,
                    struct work **ret_work)
{
        struct work *work = size > SIZE_MAX - sizeof(*work) ? NULL : auv__malloc(sizeof(*work) + size);

        if (!work)
                return AUV_ENOMEM;
        *work = (struct work) { .executor = auv_ref(executor), .fn = fn, .arg = (void *)arg };
        if (size > 0)
                work->arg = memcpy(work->copy, arg, size);
        *ret_work = work;
        return 0;
}

/* Hands work to its executor. On failure the work is gone, and the future as it was. */
static int begin(struct work *work, auv_future *future)
{
        int r = auv__remote_begin(&work->remote, &functions, future);

        if (r < 0) {
                free_work(&work->remote);
                return r;
        }
        if (work->by_default)
                executors_of(future->loop)->n_pending++;
        r = submit(work, future->loop);
        if (r < 0)
                auv__remote_abandon(&work->remote);
        return r < 0 ? r : 0;
}

/* What NULL stands for on a loop. */
static int find_default(auv_loop *loop, auv_executor **ret_executor)
{
        struct executors *executors = NULL;

        AUV_TRY(require_executors(loop, &executors));
        if (executors->is_shut_down)
                return auv_raise(AUV_ERUNTIME, "the default executor has been shut down");
        *ret_executor = executors->by_default;
        return 0;
}

static int check(auv_loop **loop, auv_thread_fn fn, const void *arg, size_t size)
{
        if (!fn || (size > 0 && !arg))
                return auv_raise(AUV_EINVAL, "no function to run, or no argument to copy");
        return auv__loop_check(loop);
}

/* @in_context: the function sees the caller's context variables. */
static auv_future *run_in_executor(auv_loop *loop, auv_executor *executor, auv_thread_fn fn, const void *arg,
                                   size_t size, bool in_context)
{
        const bool by_default = !executor;
        auv_future *future;
        struct work *work;
        int r = check(&loop, fn, arg, size);

        if (r == 0 && by_default)
                r = find_default(loop, &executor);
        if (r < 0)
                return auv__no_future(r);
        future = auv_loop_create_future(loop);
        if (!future)
                return NULL;
        r = new_work(executor, fn, arg, size, &work);
        if (r == 0) {
                work->by_default = by_default;
                work->in_context = in_context;
                work->context = in_context ? auv__context_copy() : NULL;
                r = begin(work, future);
        }
        if (r == 0)
                return future;
        auv_unref(future);
        return auv__no_future(auv__error_set_current(auv__error_for(r)));
}

auv_future *auv_loop_run_in_executor(auv_loop *loop, auv_executor *executor, auv_thread_fn fn,
                                     const void *arg, size_t size)
{
        return run_in_executor(loop, executor, fn, arg, size, /* in_context= */ false);
}

int auv_loop_set_default_executor(auv_loop *loop, auv_executor *executor)
{
        struct executors *executors = NULL;

        AUV_TRY(auv__loop_check(&loop));
        AUV_TRY(require_executors(loop, &executors));
        auv_ref(executor);
        auv_unref(executors->by_default);
        executors->by_default = executor;
        return 0;
}

static void report_timeout(auv_loop *loop, double timeout)
{
        char message[96];

        snprintf(message, sizeof(message), "the default executor did not end its work within %g seconds",
                 timeout);
        auv_loop_call_exception_handler(loop, &(auv_exception_context) { .message = message });
}

/* Waits until all work has ended; AUV_ETIMEDOUT where it has not in time. */
static int await_idle(struct executors *executors, double timeout)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(timeout);

        if (!executors->idle)
                executors->idle = auv_event_new();
        if (!executors->idle)
                return auv_raise(AUV_ENOMEM, NULL);
        AUV_TRY(auv_timeout_enter(limit));
        return auv_timeout_exit(limit, auv_await_event_wait(executors->idle));
}

int auv_await_shutdown_default_executor(double timeout)
{
        struct executors *executors = NULL;
        struct auv__task *task;
        auv_loop *loop;
        int r;

        if (isnan(timeout))
                return auv_raise(AUV_EINVAL, "the timeout is not a number");
        AUV_TRY(auv__await_enter(&task));
        loop = task->future.loop;
        AUV_TRY(require_executors(loop, &executors));
        shut_down(executors);
        if (executors->n_pending == 0)
                return 0;
        r = await_idle(executors, timeout);
        if (r != AUV_ETIMEDOUT)
                return r;
        report_timeout(loop, timeout);
        return 0;
}

auv_future *auv_to_thread(auv_thread_fn fn, const void *arg, size_t size)
{
        return run_in_executor(/* loop= */ NULL, /* executor= */ NULL, fn, arg, size,
                               /* in_context= */ true);
}

int auv_await_to_thread(auv_thread_fn fn, const void *arg, size_t size, auv_value *ret)
{
        AUV_AUTO auv_future *future = NULL;
        struct auv__task *task;

        AUV_TRY(auv__await_enter(&task));
        future = auv_to_thread(fn, arg, size);
        AUV_TRY(auv_await(future, ret));
        /* Nobody else has the future: the caller may have what it owns. */
        if (ret) {
                *ret = future->value;
                future->value.destroy = NULL;
        }
        return 0;
}

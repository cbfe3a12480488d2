/* SPDX-License-Identifier: MIT */

/*
 * Thread future
 *
 * A task of one loop, as the other threads see it. Its outcome is copied under the lock, or handed
 * over where it has a destructor: the task and its result then belong to different
 * threads. What goes to the loop, to start the task and to cancel it, are items of its own.
 *
 * A result that others of the loop hold, too, cannot be handed over: the thread future borrows it, by a
 * reference to the task, which holds whoever owns it. References of a loop are not counted atomically, so
 * only the loop's thread may give that one back. Where the last reference to such a thread future goes,
 * its memory therefore is not freed, but sent there as an item; and the loop has a list of those that
 * borrow, for to take back all results before it is gone. The lock decides which of the two comes first.
 *
 * References: one for each item that is on its way, and one while the task runs.
 */

#include <asyncuv/thread_future.h>

#include "base/alloc.h"
#include "base/context.h"
#include "base/error.h"
#include "base/value.h"
#include "io/remote.h"
#include "loop/hooks.h"
#include "loop/wakeup.h"
#include "task/future.h"
#include "task/kinds.h"
#include "task/task.h"

#include <asyncuv/task.h>

#include <stddef.h>
#include <string.h>

struct auv_thread_future {
        struct auv__object object; /* state: enum auv__future_state, under the lock */
        uv_mutex_t lock;
        uv_cond_t done;
        auv_value value;          /* AUV__HAS_RESULT */
        auv_error *error;         /* AUV__FAILED */
        struct wrapping *wrapped; /* who is to be told, in no order; under the lock */
        pthread_t thread;         /* the loop's */
        auv_loop *loop;           /* of the task; NULL before it is made, and when it has ended; likewise */
        bool borrows;             /* the result belongs to a future of the loop, which is open; likewise */
        bool left;                /* by everybody, and the closing loop is to free it; likewise */

        /* In the loop's thread only. */
        auv_loop *start_loop;
        struct auv__item start;
        struct auv__item stop;
        auv_task *task; /* with a reference, while it runs, or while it borrows */
        struct auv__waiter on_task;
        auv_thread_future *previous; /* in the loop's list, where it borrows */
        auv_thread_future *next;

        struct auv__object *context; /* of the calling thread, for the task; see base/context.h */
        auv_coro_fn fn;
        void *arg;
        size_t size;
        max_align_t copy[];
};

/* A future of any loop that ends as a thread future does. */
struct wrapper {
        auv_future future;
        auv_thread_future *wrapped; /* with a reference: the result belongs to it */
};

struct wrapping {
        struct auv__remote remote;
        auv_thread_future *wrapped; /* with a reference */
        struct wrapping *next;
};

/* What a loop has for the thread futures that borrow from its futures. */
struct borrowers {
        struct auv__guest guest;
        auv_thread_future *first;
};

/* Nobody has a reference, and the result, if there is one, is the thread future's own. */
static void destroy(auv_thread_future *future)
{
        if (future->value.destroy)
                future->value.destroy(future->value.p);
        auv_unref(future->error);
        auv__context_drop(future->context);
        uv_cond_destroy(&future->done);
        uv_mutex_destroy(&future->lock);
        auv__free(future);
}

static void close_borrowers(struct auv__guest *guest, auv_loop *loop);

static struct borrowers *borrowers_of(const auv_loop *loop)
{
        return auv__container_of(auv__loop_guest(loop, close_borrowers), struct borrowers, guest);
}

/* Before there is a result: that a task ends must not fail. */
static int require_borrowers(auv_loop *loop)
{
        struct borrowers *borrowers;

        if (auv__loop_guest(loop, close_borrowers))
                return 0;
        borrowers = auv__calloc(sizeof(*borrowers));
        if (!borrowers)
                return auv_raise(AUV_ENOMEM, NULL);
        borrowers->guest.close = close_borrowers;
        auv__loop_add_guest(loop, &borrowers->guest);
        return 0;
}

/* With the lock held, in the loop's thread. */
static void begin_to_borrow(auv_thread_future *future, struct borrowers *borrowers)
{
        future->borrows = true;
        future->next = borrowers->first;
        if (future->next)
                future->next->previous = future;
        borrowers->first = future;
}

/*
 * With the lock held, in the loop's thread. Returns the task, with the reference to it: destructors may run
 * where that goes, and they must not find the lock taken.
 */
static auv_task *end_to_borrow(auv_thread_future *future, struct borrowers *borrowers)
{
        auv_task *task = future->task;

        if (future->previous)
                future->previous->next = future->next;
        else
                borrowers->first = future->next;
        if (future->next)
                future->next->previous = future->previous;
        future->borrows = false;
        future->value = (auv_value) { 0 };
        future->task = NULL;
        return task;
}

/* Everybody has left a thread future that borrows. */
static void run_give_back(struct auv__item *item, bool dropped)
{
        auv_thread_future *future = auv__container_of(item, auv_thread_future, stop);
        auv_task *task;

        uv_mutex_lock(&future->lock);
        task = end_to_borrow(future, borrowers_of(future->start_loop));
        uv_mutex_unlock(&future->lock);
        auv_unref(task);
        destroy(future);
}

/* Those that somebody still has are told, and have memory of their own, which does not need the loop's. */
static void close_borrowers(struct auv__guest *guest, auv_loop *loop)
{
        struct borrowers *borrowers = auv__container_of(guest, struct borrowers, guest);
        auv_thread_future *future;
        auv_task *task;
        bool left;

        while ((future = borrowers->first)) {
                uv_mutex_lock(&future->lock);
                task = end_to_borrow(future, borrowers);
                future->error = auv__error_static(AUV_ECLOSED);
                future->object.state = AUV__FAILED;
                left = future->left;
                /* From here on another thread may free what it has not left. */
                uv_mutex_unlock(&future->lock);
                auv_unref(task);
                if (left)
                        destroy(future);
        }
        auv__free(borrowers);
}

void auv__thread_future_free(struct auv__object *object)
{
        auv_thread_future *future = auv__container_of(object, auv_thread_future, object);
        bool borrows;

        uv_mutex_lock(&future->lock);
        borrows = future->borrows;
        if (borrows) {
                future->stop.run = run_give_back;
                future->left = auv__wakeup_push(future->start_loop, &future->stop) < 0;
        }
        uv_mutex_unlock(&future->lock);
        if (!borrows)
                destroy(future);
}

static bool is_done(const auv_thread_future *future)
{
        return future->object.state != AUV__PENDING;
}

/* Ends a thread future that is locked and not done, and unlocks it. */
static void finish(auv_thread_future *future, enum auv__future_state state)
{
        struct wrapping *wrapping = future->wrapped, *next;

        future->wrapped = NULL;
        future->object.state = state;
        uv_cond_broadcast(&future->done);
        uv_mutex_unlock(&future->lock);
        for (; wrapping; wrapping = next) {
                next = wrapping->next;
                auv__remote_post(&wrapping->remote);
        }
}

/* Takes over the reference. */
static void fail(auv_thread_future *future, auv_error *error)
{
        uv_mutex_lock(&future->lock);
        future->loop = NULL;
        if (is_done(future)) {
                uv_mutex_unlock(&future->lock);
                auv_unref(error);
                return;
        }
        future->error = error;
        finish(future, AUV__FAILED);
}

/*
 * Who owns the result of a task that is done, be it the task or a future whose result it has passed on;
 * NULL where others hold that future, too, and may read it, or where what it has cannot be taken from it.
 */
static auv_future *sole_owner(auv_task *task)
{
        auv_future *owner = task;

        while (owner->object.flags & AUV__BORROWED) {
                if (owner->object.kind != AUV__TASK)
                        return NULL;
                owner = auv__to_task(owner)->lender;
                if (owner->object.refs > 1)
                        return NULL;
        }
        return owner;
}

static void take_result(auv_thread_future *future, auv_task *task)
{
        auv_future *owner;

        future->value = task->value;
        if (!task->value.destroy)
                return;
        owner = sole_owner(task);
        if (owner)
                owner->value = task->value = (auv_value) { 0 };
        else
                begin_to_borrow(future, borrowers_of(task->loop));
}

/* Ends a thread future as its task has ended. */
static void follow(auv_thread_future *future, auv_task *task)
{
        auv_error *error = auv__future_outcome(task);

        if (task->object.state == AUV__FAILED) {
                fail(future, error);
                return;
        }
        auv_unref(error);
        uv_mutex_lock(&future->lock);
        future->loop = NULL;
        if (is_done(future)) {
                uv_mutex_unlock(&future->lock);
        } else if (task->object.state == AUV__CANCELLED) {
                finish(future, AUV__CANCELLED);
        } else {
                take_result(future, task);
                finish(future, AUV__HAS_RESULT);
        }
}

/* The task is done; or the loop is closed, and who waits for the task is not to be told. */
static void run_on_task(struct auv__item *item, bool dropped)
{
        auv_thread_future *future = auv__container_of(item, auv_thread_future, on_task.item);
        auv_future *done = future->on_task.future;

        if (done) {
                follow(future, done);
                auv__drop(&done->object);
        } else {
                fail(future, auv__error_static(AUV_ECLOSED));
        }
        if (!future->borrows)
                future->task = auv_unref(future->task);
        auv_unref(future);
}

/* Makes the task, where nobody has cancelled it before. Returns 0, or why it could not be made. */
static int start_task(auv_thread_future *future)
{
        struct auv__object **outer;
        auv_task *task;
        bool cancelled;

        if (auv_thread_future_done(future))
                return 0;
        AUV_TRY(require_borrowers(future->start_loop));
        outer = auv__context_enter(&future->context);
        task = auv_loop_create_task(future->start_loop, future->fn, future->arg, future->size,
                                    /* options= */ NULL);
        auv__context_leave(outer);
        if (!task)
                return auv__no_future_reason();
        future->task = task;
        auv_ref(future);
        auv__future_watch(task, &future->on_task);
        uv_mutex_lock(&future->lock);
        future->loop = future->start_loop;
        cancelled = is_done(future);
        uv_mutex_unlock(&future->lock);
        /* Whoever has done so meanwhile has found no loop to tell. */
        if (cancelled)
                auv_future_cancel(task, /* message= */ NULL);
        /* An eager one may have ended. */
        if (auv__future_is_done(task))
                auv__future_schedule_callbacks(task);
        return 0;
}

static void run_start(struct auv__item *item, bool dropped)
{
        auv_thread_future *future = auv__container_of(item, auv_thread_future, start);
        const int r = dropped ? auv_raise(AUV_ECLOSED, NULL) : start_task(future);

        if (r < 0)
                fail(future, auv__error_for(r));
        auv_unref(future);
}

static void run_stop(struct auv__item *item, bool dropped)
{
        auv_thread_future *future = auv__container_of(item, auv_thread_future, stop);

        if (!dropped && future->task)
                auv_future_cancel(future->task, /* message= */ NULL);
        auv_unref(future);
}

static int open_lock(auv_thread_future *future)
{
        int r = uv_mutex_init(&future->lock);

        if (r < 0)
                return r;
        r = uv_cond_init(&future->done);
        if (r < 0)
                uv_mutex_destroy(&future->lock);
        return r;
}

static int new_thread_future(auv_loop *loop, auv_coro_fn fn, const void *arg, size_t size,
                             auv_thread_future **ret_future)
{
        auv_thread_future *future = size > SIZE_MAX - sizeof(*future) ? NULL
                                                                      : auv__malloc(sizeof(*future) + size);
        int r;

        if (!future)
                return AUV_ENOMEM;
        *future = (auv_thread_future) { .object = auv__object_init(AUV__THREAD_FUTURE, AUV__SHARED),
                                        .thread = loop->thread,
                                        .start_loop = loop,
                                        .start = { .run = run_start },
                                        .stop = { .run = run_stop },
                                        .on_task = { .item = { .run = run_on_task } },
                                        .fn = fn,
                                        .arg = (void *)arg,
                                        .size = size };
        if (size > 0)
                future->arg = memcpy(future->copy, arg, size);
        r = open_lock(future);
        if (r < 0) {
                auv__free(future);
                return r;
        }
        future->context = auv__context_copy();
        *ret_future = future;
        return 0;
}

/* Remembers why, for whoever waits for the NULL. */
static auv_thread_future *no_thread_future(int code)
{
        auv__no_future(code);
        return NULL;
}

static int raise_not_made(void)
{
        return auv_raise(auv__no_future_reason(), "the thread future could not be made");
}

auv_thread_future *auv_run_coroutine_threadsafe(auv_loop *loop, auv_coro_fn fn, const void *arg, size_t size)
{
        auv_thread_future *future;
        int r;

        if (!loop || !fn || (size > 0 && !arg))
                return no_thread_future(auv_raise(AUV_EINVAL, "no loop, no function, or nothing to copy"));
        r = new_thread_future(loop, fn, arg, size, &future);
        if (r < 0)
                return no_thread_future(auv_raise(r, NULL));
        auv_ref(future);
        r = auv__wakeup_push(loop, &future->start);
        if (r == 0)
                return future;
        auv_unref(future);
        auv_unref(future);
        return no_thread_future(auv_raise(r, NULL));
}

/* Waits, with the lock held, until the future is done. Returns 0 or AUV_ETIMEDOUT. */
static int wait_locked(auv_thread_future *future, double timeout)
{
        int64_t deadline_ns, left_ns;

        /* Not left to the clock, which may have no time as early as that. */
        if (!is_done(future) && timeout <= 0)
                return AUV_ETIMEDOUT;
        deadline_ns = auv__clock_after(auv__clock_monotonic(), timeout);
        while (!is_done(future)) {
                left_ns = deadline_ns - auv__clock_monotonic();
                if (left_ns <= 0)
                        return AUV_ETIMEDOUT;
                if (deadline_ns == AUV__NEVER)
                        uv_cond_wait(&future->done, &future->lock);
                else
                        (void)uv_cond_timedwait(&future->done, &future->lock, (uint64_t)left_ns);
        }
        return 0;
}

/* Blocks until the future is done, and is not cancelled. It then has a result or an error. */
static int wait_for(auv_thread_future *future, double timeout, auv_value *ret_value, auv_error **ret_error)
{
        bool cancelled;
        int r = 0;

        if (!future)
                return raise_not_made();
        if (isnan(timeout))
                return auv_raise(AUV_EINVAL, "the timeout is not a number");
        uv_mutex_lock(&future->lock);
        if (!is_done(future) && timeout > 0 && pthread_equal(future->thread, pthread_self()))
                r = AUV_ERUNTIME;
        else
                r = wait_locked(future, timeout);
        cancelled = future->object.state == AUV__CANCELLED;
        *ret_value = future->value;
        *ret_error = future->error;
        uv_mutex_unlock(&future->lock);
        if (r == AUV_ERUNTIME)
                return auv_raise(r, "the loop's own thread would wait for itself");
        return cancelled ? auv_raise(AUV_ECANCELED, NULL) : r < 0 ? auv_raise(r, NULL) : 0;
}

int auv_thread_future_result(auv_thread_future *future, double timeout, auv_value *ret)
{
        auv_value value;
        auv_error *error;

        AUV_TRY(wait_for(future, timeout, &value, &error));
        if (error)
                return auv_reraise(error);
        if (ret)
                *ret = auv__value_lent(value);
        return 0;
}

int auv_thread_future_exception(auv_thread_future *future, double timeout, auv_error **ret_error)
{
        auv_value value;
        auv_error *error;

        AUV_TRY(wait_for(future, timeout, &value, &error));
        if (ret_error)
                *ret_error = error;
        return 0;
}

static enum auv__future_state state_of(auv_thread_future *future)
{
        enum auv__future_state state;

        uv_mutex_lock(&future->lock);
        state = future->object.state;
        uv_mutex_unlock(&future->lock);
        return state;
}

bool auv_thread_future_done(auv_thread_future *future)
{
        return future && state_of(future) != AUV__PENDING;
}

bool auv_thread_future_cancelled(auv_thread_future *future)
{
        return future && state_of(future) == AUV__CANCELLED;
}

int auv_thread_future_cancel(auv_thread_future *future)
{
        bool cancelled;

        if (!future)
                return 0;
        uv_mutex_lock(&future->lock);
        if (is_done(future)) {
                cancelled = future->object.state == AUV__CANCELLED;
                uv_mutex_unlock(&future->lock);
                return cancelled;
        }
        if (future->loop) {
                /* The loop cannot be closed, let alone go, before it has taken this lock. */
                auv_ref(future);
                if (auv__wakeup_push(future->loop, &future->stop) < 0)
                        auv_unref(future);
        }
        finish(future, AUV__CANCELLED);
        return 1;
}

static struct wrapping *to_wrapping(struct auv__remote *remote)
{
        return auv__container_of(remote, struct wrapping, remote);
}

static void settle_wrapper(struct auv__remote *remote, auv_future *future)
{
        auv_thread_future *wrapped = to_wrapping(remote)->wrapped;
        enum auv__future_state state;
        auv_error *error;
        auv_value value;

        uv_mutex_lock(&wrapped->lock);
        state = wrapped->object.state;
        value = wrapped->value;
        error = wrapped->error;
        uv_mutex_unlock(&wrapped->lock);
        switch (state) {
        case AUV__HAS_RESULT:
                future->object.flags |= AUV__BORROWED;
                auv__future_succeed(future, value);
                break;
        case AUV__FAILED:
                auv__future_fail(future, auv_ref(error));
                break;
        default:
                auv__future_set_cancelled(future, NULL, NULL);
                break;
        }
}

/* What this cancels tells all that wrap it, the one that asks among them. */
static bool cancel_wrapped(struct auv__remote *remote)
{
        auv_thread_future_cancel(to_wrapping(remote)->wrapped);
        return false;
}

static void free_wrapping(struct auv__remote *remote)
{
        struct wrapping *wrapping = to_wrapping(remote);

        auv_unref(wrapping->wrapped);
        auv__free(wrapping);
}

static const struct auv__remote_functions wrapping_functions = {
        .settle = settle_wrapper,
        .cancel = cancel_wrapped,
        .free = free_wrapping,
};

void auv__wrapper_deinit(auv_future *future)
{
        auv_unref(auv__container_of(future, struct wrapper, future)->wrapped);
}

static auv_future *new_wrapper(auv_loop *loop, auv_thread_future *wrapped)
{
        struct wrapper *wrapper;
        uint16_t traced;

        wrapper = auv__made_malloc(loop, sizeof(*wrapper), &traced);
        if (!wrapper)
                return NULL;
        auv__future_init(&wrapper->future, loop, AUV__WRAPPER);
        wrapper->future.object.flags |= traced;
        wrapper->wrapped = auv_ref(wrapped);
        return &wrapper->future;
}

/* Has a future told when a thread future is done, or at once where it is. */
static int wrap(auv_thread_future *wrapped, auv_future *future)
{
        struct wrapping *wrapping = auv__malloc(sizeof(*wrapping));
        bool done;
        int r;

        if (!wrapping)
                return AUV_ENOMEM;
        r = auv__remote_begin(&wrapping->remote, &wrapping_functions, future);
        if (r < 0) {
                auv__free(wrapping);
                return r;
        }
        wrapping->wrapped = auv_ref(wrapped);
        uv_mutex_lock(&wrapped->lock);
        done = is_done(wrapped);
        if (!done) {
                wrapping->next = wrapped->wrapped;
                wrapped->wrapped = wrapping;
        }
        uv_mutex_unlock(&wrapped->lock);
        if (done)
                auv__remote_post(&wrapping->remote);
        return 0;
}

auv_future *auv_wrap_future(auv_thread_future *future)
{
        auv_loop *loop = NULL;
        auv_future *wrapper;
        int r;

        if (!future)
                return auv__no_future(raise_not_made());
        r = auv__loop_check(&loop);
        if (r < 0)
                return auv__no_future(r);
        wrapper = new_wrapper(loop, future);
        r = wrapper ? wrap(future, wrapper) : AUV_ENOMEM;
        if (r == 0)
                return wrapper;
        auv_unref(wrapper);
        return auv__no_future(auv_raise(r, NULL));
}

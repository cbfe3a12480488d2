/* SPDX-License-Identifier: MIT */

/*
 * As completed
 *
 * A queue of futures that are done, filled by waiters in the lists of the given ones, with as many
 * places as there are futures, so that it never has to grow. A NULL in it stands for a
 * future that the time was over for. Who awaits the next one while the queue is empty waits in
 * turn; as with asyncio's Queue, to be woken is a hint, and whoever finds the queue empty
 * again waits anew, at the end.
 */

#include <asyncuv/as_completed.h>

#include "base/alloc.h"
#include "base/error.h"
#include "task/attachment.h"
#include "task/behind.h"
#include "task/line.h"

struct waiting {
        struct auv__waiter waiter;
        auv_as_completed *iterator;
        auv_future *future; /* with a reference, until it is given or given up */
        bool todo;          /* not done, and the time is not over */
};

struct auv_as_completed {
        struct auv__object object;
        auv_loop *loop;
        struct auv__attachment attachment; /* while n_queued is not 0, which also holds a reference */
        auv_call *timeout;
        size_t n_todo;      /* not done, and the time is not over */
        size_t n_left;      /* not asked for yet */
        size_t n_queued;    /* waiters in a list or in the ready queue */
        size_t n_completed; /* put into the queue, ever */
        size_t n_given;     /* taken out of it, ever */
        struct auv__line getters;
        size_t n;
        auv_future **completed;
        struct waiting waiting[];
};

static bool is_empty(const auv_as_completed *iterator)
{
        return iterator->n_given == iterator->n_completed;
}

static void put(auv_as_completed *iterator, auv_future *future)
{
        iterator->completed[iterator->n_completed++] = future;
        auv__line_call_next(&iterator->getters);
}

static void run_waiting(struct auv__item *item, bool dropped)
{
        struct waiting *waiting = auv__container_of(item, struct waiting, waiter.item);
        auv_as_completed *iterator = waiting->iterator;
        auv_future *future = waiting->waiter.future;

        if (!dropped && waiting->todo) {
                waiting->todo = false;
                if (--iterator->n_todo == 0)
                        auv_call_cancel(iterator->timeout);
                put(iterator, waiting->future);
        }
        if (future)
                auv__drop(&future->object);
        if (--iterator->n_queued == 0) {
                auv__detach(iterator->loop, &iterator->attachment);
                auv__drop(&iterator->object);
        }
}

auv_future *auv__as_completed_behind(const struct auv__item *item)
{
        const struct auv__place *place;

        if (item->run != run_waiting)
                return NULL;
        place = auv__container_of(item, struct waiting, waiter.item)->iterator->getters.first;
        return place ? (auv_future *)&place->turn : NULL;
}

static void on_timeout(void *arg)
{
        auv_as_completed *iterator = arg;

        auv__keep(&iterator->object);
        for (size_t i = 0; i < iterator->n; i++) {
                struct waiting *waiting = &iterator->waiting[i];

                if (!waiting->todo)
                        continue;
                waiting->todo = false;
                iterator->n_todo--;
                if (!auv__future_is_done(waiting->future)
                    && auv__future_unwatch(waiting->future, &waiting->waiter)
                    && --iterator->n_queued == 0) {
                        auv__detach(iterator->loop, &iterator->attachment);
                        auv__drop(&iterator->object);
                }
                put(iterator, NULL);
        }
        auv__drop(&iterator->object);
}

/* The loop is closed: what is not done never will be. */
static void drop_attachment(struct auv__attachment *attachment)
{
        auv_as_completed *iterator = auv__container_of(attachment, auv_as_completed, attachment);

        auv__keep(&iterator->object);
        for (size_t i = 0; i < iterator->n; i++)
                auv__future_drop_callbacks(iterator->waiting[i].future);
        auv__drop(&iterator->object);
}

void auv__as_completed_free(struct auv__object *object)
{
        auv_as_completed *iterator = auv__container_of(object, auv_as_completed, object);

        auv_call_cancel(iterator->timeout);
        auv_unref(iterator->timeout);
        for (size_t i = 0; i < iterator->n; i++)
                auv_unref(iterator->waiting[i].future);
        auv__loop_release(iterator->loop);
        auv__free(iterator);
}

/* Adds each future once; those that are done get their turn as well, as in asyncio. */
static void add_futures(auv_as_completed *iterator, auv_future *const *futures, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (futures[i]->object.flags & AUV__MARKED)
                        continue;
                futures[i]->object.flags |= AUV__MARKED;
                iterator->waiting[iterator->n++] = (struct waiting) {
                        .waiter = { .item = { .run = run_waiting } },
                        .iterator = iterator,
                        .future = auv_ref(futures[i]),
                        .todo = true };
        }
        iterator->n_todo = iterator->n_left = iterator->n_queued = iterator->n;
        if (iterator->n > 0) {
                auv__attach(iterator->loop, &iterator->attachment);
                auv__keep(&iterator->object);
        }
        for (size_t i = 0; i < iterator->n; i++) {
                auv_future *future = iterator->waiting[i].future;

                future->object.flags &= ~AUV__MARKED;
                auv__future_watch(future, &iterator->waiting[i].waiter);
                if (auv__future_is_done(future))
                        auv__future_schedule_callbacks(future);
        }
}

static int check_arguments(auv_future *const *futures, size_t n, double timeout, auv_loop **loop)
{
        if (n > 0 && !futures)
                return auv_raise(AUV_EINVAL, "no futures");
        if (isnan(timeout))
                return auv_raise(AUV_EINVAL, "the timeout is not a number");
        AUV_TRY(auv__loop_check(loop));
        for (size_t i = 0; i < n; i++) {
                if (!futures[i])
                        return auv_raise(auv__no_future_reason(), "a future could not be made");
                if (futures[i]->loop != *loop)
                        return auv_raise(AUV_EINVAL, "a future belongs to another loop");
        }
        return 0;
}

/* Awaiting the NULL gives the reason, as with a future. */
static auv_as_completed *no_iterator(int code)
{
        auv__no_future(code);
        return NULL;
}

auv_as_completed *auv_as_completed_new(auv_future *const *futures, size_t n, double timeout)
{
        const size_t fixed = sizeof(auv_as_completed) + n * sizeof(struct waiting);
        auv_loop *loop = NULL;
        const int r = check_arguments(futures, n, timeout, &loop);
        auv_as_completed *iterator;

        if (r < 0)
                return no_iterator(r);
        iterator = n > SIZE_MAX / 128 || auv__tasks_require(loop) < 0
                ? NULL : auv__malloc(fixed + n * sizeof(auv_future *));
        if (!iterator)
                return no_iterator(auv_raise(AUV_ENOMEM, NULL));
        *iterator = (auv_as_completed) { .object = auv__object_init(AUV__AS_COMPLETED, 0),
                                         .loop = loop,
                                         .attachment = { .drop = drop_attachment },
                                         .completed = (auv_future **)((char *)iterator + fixed) };
        auv__loop_hold(loop);
        if (n > 0 && timeout != AUV_NO_TIMEOUT
            && auv_loop_call_later(loop, timeout, on_timeout, iterator, &iterator->timeout) < 0) {
                auv_unref(iterator);
                return no_iterator(AUV_ENOMEM);
        }
        add_futures(iterator, futures, n);
        return iterator;
}

struct next {
        auv_frame frame;
        auv_as_completed *iterator; /* with a reference */
        auv_future **ret_future;
        struct auv__place place;
};

static int give(auv_as_completed *iterator, auv_future **ret_future)
{
        auv_future *future = iterator->completed[iterator->n_given++];

        if (!future)
                return auv_raise(AUV_ETIMEDOUT, NULL);
        if (ret_future)
                *ret_future = future;
        return 0;
}

/* Waits in line to be woken; the queue may be empty again by then. */
static int next_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct next, self);
        bool woken;
        int r = 0;

        while (r == 0 && is_empty(self->iterator)) {
                AUV__AWAIT_IN_LINE_CATCH(r, woken, &self->iterator->getters, &self->place);
                /* Woken, but cancelled before it could take anything: somebody else may. */
                if (r < 0 && woken && !is_empty(self->iterator))
                        auv__line_call_next(&self->iterator->getters);
        }
        if (r == 0)
                r = give(self->iterator, self->ret_future);
        auv__drop(&self->iterator->object);
        AUV_CHECK(r);
        AUV_RETURN(.i = 1);
        AUV_END;
}

int auv_await_as_completed(auv_as_completed *iterator, auv_future **ret_future)
{
        struct next next = { .iterator = iterator, .ret_future = ret_future };
        struct auv__task *task;

        AUV_TRY(auv__steps_begin(&task));
        if (!iterator)
                return auv_raise(auv__no_future_reason(), "the iterator could not be made");
        if (iterator->loop != task->future.loop)
                return auv_raise(AUV_ERUNTIME, "the iterator belongs to another loop");
        if (iterator->n_left == 0)
                return 0;
        iterator->n_left--;
        auv__keep(&iterator->object);
        return auv__run_steps(task, next_steps, &next);
}

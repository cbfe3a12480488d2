/* SPDX-License-Identifier: MIT */

/*
 * Cancellation
 *
 * A request to stop goes from a task to the future that it waits for, from there, where that is a
 * task, to what it waits for, and so on; from a gather to each of its children in turn. In Python
 * each of them calls the next. Here it is a walk that needs no stack, whatever the length:
 *
 * A chain of tasks needs no way back, because a task that is not done always accepts: it either
 * hands the request on, or keeps it for its next step. So the walk goes down a chain in a loop.
 * Only a gather has to be come back to, for its other children and for whether any of them
 * accepted; it keeps in itself how far it is, and which gather is above it on the path.
 *
 * Whatever lies on the path has AUV__ON_PATH. To meet it again means that the futures wait for each
 * other in a cycle, and the request has nowhere to end. Python recurses until its limit, and
 * cancel() raises; here the walk ends with an error. What it has done on its way stays done, as
 * it does there.
 */

#include "task/cancel.h"

#include "base/error.h"
#include "task/gather.h"
#include "task/sleep.h"

void auv__rest_cancel(struct auv__task *task, auv_error *message)
{
        if (task->rest == AUV__SLEEPING)
                auv__sleep_cancel(task, message);
        else if (task->rest == AUV__EXPECTING)
                auv__task_make_fail(task, auv_ref(message));
        else
                auv__task_keep_cancel(task, message);
}

enum verdict { REFUSED, ACCEPTED, AT_GATHER, IN_CYCLE };

/*
 * Goes down a chain of tasks that begins with @first, to what the last of them waits for. Where that
 * is a gather, its children are next: *ret_gather, and *ret_waiter is that last task or NULL.
 */
static enum verdict descend(auv_future *first, auv_error *message, struct auv__gather **ret_gather,
                            struct auv__task **ret_waiter)
{
        auv_future *future = first;
        struct auv__task *waiter = NULL; /* waits for @future */

        for (;;) {
                if (auv__future_is_done(future)) {
                        /* As in Python, where a gather alone does not say that its error is no news. */
                        if (future->object.kind != AUV__GATHER)
                                future->object.flags &= ~AUV__ERROR_UNSEEN;
                        if (!waiter)
                                return REFUSED;
                        auv__task_keep_cancel(waiter, message);
                        return ACCEPTED;
                }
                if (future->object.flags & AUV__ON_PATH)
                        return IN_CYCLE;
                if (future->object.kind == AUV__GATHER) {
                        *ret_gather = auv__to_gather(future);
                        *ret_waiter = waiter;
                        return AT_GATHER;
                }
                if (future->object.kind != AUV__TASK) {
                        auv__future_set_cancelled(future, auv_ref(message), NULL);
                        return ACCEPTED;
                }
                waiter = auv__to_task(future);
                waiter->cancels++;
                if (!auv__task_awaited(waiter)) {
                        auv__rest_cancel(waiter, message);
                        return ACCEPTED;
                }
                future->object.flags |= AUV__ON_PATH;
                future = auv__task_awaited(waiter);
        }
}

/* Takes the marks from a chain that descend() has gone down. */
static void unmark(auv_future *future)
{
        while (future && future->object.flags & AUV__ON_PATH && future->object.kind == AUV__TASK) {
                future->object.flags &= ~AUV__ON_PATH;
                future = auv__task_awaited(auv__to_task(future));
        }
}

/* Comes up out of a gather whose children have all been asked; returns what it says to the one above. */
static bool ascend(struct auv__gather *gather, auv_error *message)
{
        const bool accepted = auv__gather_walk_end(gather);

        unmark(gather->walk.first);
        if (!accepted && gather->walk.waiter)
                auv__task_keep_cancel(gather->walk.waiter, message);
        return accepted || gather->walk.waiter;
}

static int give_up(struct auv__gather *path)
{
        for (; path; path = path->walk.above) {
                auv__gather_walk_abandon(path);
                unmark(path->walk.first);
        }
        return auv_raise(AUV_ERUNTIME, "the futures wait for each other in a cycle");
}

int auv__cancel(auv_future *future, auv_error *message)
{
        struct auv__gather *path = NULL, *gather = NULL;
        struct auv__task *waiter = NULL;
        enum verdict verdict;
        bool accepted;

        for (;;) {
                verdict = descend(future, message, &gather, &waiter);
                accepted = verdict == ACCEPTED;
                if (verdict == AT_GATHER) {
                        auv__gather_walk_begin(gather, path, future, waiter);
                        path = gather;
                } else {
                        unmark(future);
                        if (verdict == IN_CYCLE)
                                return give_up(path);
                }
                while (path && !auv__gather_walk_next(path, accepted, &future)) {
                        gather = path;
                        path = gather->walk.above;
                        accepted = ascend(gather, message);
                }
                if (!path)
                        return accepted;
        }
}

int auv_future_cancel(auv_future *future, const char *message)
{
        auv_error *error;
        int r;

        if (!future)
                return auv_raise(AUV_EINVAL, "no future");
        AUV_TRY(auv__loop_check_thread(future->loop));
        error = auv__error_cancelled(message);
        r = auv__cancel(future, error);
        auv_unref(error);
        return r;
}

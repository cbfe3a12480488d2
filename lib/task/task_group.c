/* SPDX-License-Identifier: MIT */

/*
 * Task group
 *
 * The group has a member for each of its tasks, which waits in the task's list and holds the
 * group. A member whose task has failed keeps the error, so that nothing needs memory then:
 * it moves from the list of those that run to the list of those that failed.
 */

#include <asyncuv/task_group.h>

#include "base/alloc.h"
#include "base/error.h"
#include "task/behind.h"
#include "task/cancel.h"
#include "task/steps.h"

struct member {
        struct auv__waiter waiter;
        auv_task_group *group; /* with a reference, as long as it waits */
        auv_task *task;        /* with a reference, while it runs */
        auv_error *error;      /* with a reference, once it has failed */
        struct member *previous;
        struct member *next;
};

struct members {
        struct member *first;
        struct member *last;
};

struct auv_task_group {
        struct auv__object object;
        bool entered;
        bool exiting;
        bool exited;
        bool aborting;
        bool parent_cancel_requested;
        bool waiting;          /* the parent awaits `completed` */
        auv_task *parent;      /* with a reference, between enter and exit */
        struct members running;
        struct members failed; /* in the order in which they did */
        size_t n_failed;
        auv_future completed;  /* made anew for each time that the parent awaits it */
};

static void append(struct members *members, struct member *member)
{
        member->previous = members->last;
        member->next = NULL;
        if (members->last)
                members->last->next = member;
        else
                members->first = member;
        members->last = member;
}

static void take_out(struct members *members, struct member *member)
{
        if (member->previous)
                member->previous->next = member->next;
        else
                members->first = member->next;
        if (member->next)
                member->next->previous = member->previous;
        else
                members->last = member->previous;
}

static void forget_errors(auv_task_group *group)
{
        while (group->failed.first) {
                struct member *member = group->failed.first;

                take_out(&group->failed, member);
                auv_unref(member->error);
                auv__free(member);
        }
        group->n_failed = 0;
}

void auv__task_group_free(struct auv__object *object)
{
        auv_task_group *group = auv__container_of(object, auv_task_group, object);

        forget_errors(group);
        auv_unref(group->parent);
        auv__free(group);
}

auv_task_group *auv_task_group_new(void)
{
        auv_task_group *group = auv__calloc(sizeof(*group));

        if (!group) {
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        group->object = auv__object_init(AUV__TASK_GROUP, 0);
        return group;
}

int auv_task_group_enter(auv_task_group *group)
{
        struct auv__task *task;

        if (!group)
                return auv_raise(AUV_ENOMEM, "the group could not be made");
        if (group->entered)
                return auv_raise(AUV_ERUNTIME, "the group has been entered already");
        task = auv__current_task();
        if (!task)
                return AUV_ENOTASK;
        group->parent = auv_ref(&task->future);
        group->entered = true;
        return 0;
}

/* Returns 0, or AUV_ERUNTIME where tasks wait for each other in a cycle. */
static int abort_tasks(auv_task_group *group)
{
        group->aborting = true;
        for (struct member *member = group->running.first; member; member = member->next)
                if (!auv__future_is_done(member->task))
                        AUV_TRY(auv__cancel(member->task, /* message= */ NULL));
        return 0;
}

/* A task has failed: the others and the parent are to stop. */
static void on_failed(auv_task_group *group, auv_task *task, auv_error *error)
{
        if (!group->parent || auv__future_is_done(group->parent)) {
                auv_loop_call_exception_handler(task->loop, &(auv_exception_context) {
                        .message = "a task of a group has failed when the group's parent had ended",
                        .error = error, .future = task });
                return;
        }
        if (group->aborting || group->parent_cancel_requested)
                return;
        if (abort_tasks(group) < 0) {
                auv_loop_call_exception_handler(task->loop, &(auv_exception_context) {
                        .message = "Exception in callback of a task group",
                        .error = auv_error_current(), .future = task });
                auv_error_clear();
                return;
        }
        group->parent_cancel_requested = true;
        auv__cancel(group->parent, /* message= */ NULL);
}

static void on_task_done(auv_task_group *group, struct member *member, auv_task *task)
{
        take_out(&group->running, member);
        if (group->waiting && !group->running.first && !auv__future_is_done(&group->completed))
                auv__future_succeed(&group->completed, (auv_value) { 0 });
        if (task->object.state != AUV__FAILED)
                return;
        member->error = auv__future_outcome(task);
        append(&group->failed, member);
        group->n_failed++;
        on_failed(group, task, member->error);
}

static void run_member(struct auv__item *item, bool dropped)
{
        struct member *member = auv__container_of(item, struct member, waiter.item);
        auv_task_group *group = member->group;
        auv_task *task = member->task, *queued = member->waiter.future;

        member->task = NULL;
        if (dropped)
                take_out(&group->running, member);
        else
                on_task_done(group, member, task);
        if (!member->error)
                auv__free(member);
        if (queued)
                auv__drop(&queued->object);
        auv_unref(task);
        auv__drop(&group->object);
}

auv_task *auv__task_group_behind(const struct auv__item *item)
{
        return item->run == run_member ? auv__container_of(item, struct member, waiter.item)->group->parent
                                       : NULL;
}

/* Why no task can be made in the group. */
static int check_open(const auv_task_group *group)
{
        if (!group)
                return auv_raise(AUV_EINVAL, "no group");
        if (!group->entered)
                return auv_raise(AUV_ERUNTIME, "the group has not been entered");
        if (group->exited || (group->exiting && !group->running.first))
                return auv_raise(AUV_ERUNTIME, "the group is finished");
        if (group->aborting)
                return auv_raise(AUV_ERUNTIME, "the group is shutting down");
        return 0;
}

auv_task *auv_task_group_create_task(auv_task_group *group, auv_coro_fn fn, const void *arg, size_t size,
                                     const auv_task_options *options)
{
        struct member *member;
        int r = check_open(group);

        if (r < 0)
                return auv__no_future(r);
        /* Before the task, which would run on if there were no memory to have it in the group. */
        member = auv__malloc(sizeof(*member));
        if (!member)
                return auv__no_future(auv_raise(AUV_ENOMEM, NULL));
        *member = (struct member) { .waiter = { .item = { .run = run_member } }, .group = group };
        member->task = auv_loop_create_task(group->parent->loop, fn, arg, size, options);
        if (!member->task) {
                auv__free(member);
                return NULL;
        }
        auv__keep(&group->object);
        append(&group->running, member);
        auv__future_watch(member->task, &member->waiter);
        if (auv__future_is_done(member->task))
                auv__future_schedule_callbacks(member->task);
        return auv_ref(member->task);
}

/* The errors of the tasks, and @body's at the end, as one; NULL where there is no memory. */
static auv_error *make_group_error(const auv_task_group *group, auv_error *body)
{
        const size_t n = group->n_failed + (body ? 1 : 0);
        auv_error **errors = auv__malloc(n * sizeof(auv_error *)), *error;
        size_t i = 0;

        if (!errors)
                return NULL;
        for (const struct member *member = group->failed.first; member; member = member->next)
                errors[i++] = member->error;
        if (body)
                errors[i++] = body;
        error = auv_error_new_group("unhandled errors in a task group", errors, n);
        auv__free(errors);
        return error;
}

/* Keeps a request to stop from outside alive for the next await; the count stays as it is. */
static void rearm_cancel(auv_task *parent)
{
        if (auv_task_cancelling(parent) <= 0)
                return;
        auv_task_uncancel(parent);
        auv__cancel(parent, /* message= */ NULL);
}

static int raise_group_error(auv_task_group *group, auv_error *body)
{
        auv_error *error;

        rearm_cancel(group->parent);
        error = make_group_error(group, body);
        return error ? auv__error_set_current(error) : auv_raise(AUV_ENOMEM, NULL);
}

/* The end of the scope, with no task running. @cancelled: the request that reached the parent. */
static int conclude(auv_task_group *group, int result, auv_error *body, auv_error *cancelled)
{
        /* The group's own request is taken back; with no other one left, it is not passed on. */
        if (group->parent_cancel_requested && auv_task_uncancel(group->parent) == 0)
                cancelled = NULL;
        if (cancelled && group->n_failed == 0)
                return auv_reraise(cancelled);
        if (group->n_failed > 0 || (body && result != AUV_ECANCELED))
                return raise_group_error(group, result == AUV_ECANCELED ? NULL : body);
        return body ? auv_reraise(body) : result;
}

struct leaving {
        auv_frame frame;
        auv_task_group *group; /* with a reference */
        int result;
        auv_error *body;       /* what the body of the scope failed with, or NULL */
        auv_error *cancelled;  /* the request to stop that has reached the parent, or NULL */
};

/* A request to stop that came while the tasks were waited for stops them, and they are waited for on. */
static int on_interrupted(struct leaving *self, int r)
{
        if (self->group->aborting)
                return 0;
        auv_unref(self->cancelled);
        self->cancelled = auv__error_for(r);
        return abort_tasks(self->group);
}

/* With @r, an error, the end of the scope alone: tasks that still run are waited for no more. */
static int end(struct leaving *self, int r)
{
        auv_task_group *group = self->group;

        if (r >= 0)
                r = conclude(group, self->result, self->body, self->cancelled);
        group->exited = true;
        forget_errors(group);
        group->parent = auv_unref(group->parent);
        auv_unref(self->body);
        auv_unref(self->cancelled);
        auv__drop(&group->object);
        return r;
}

/* The tasks are waited for without an end to the patience, but for that of the loop. */
static int exit_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct leaving, self);
        int r = 0;

        while (r == 0 && self->group->running.first) {
                if (auv__running_loop->closed) {
                        r = auv_raise(AUV_ECLOSED, NULL);
                        break;
                }
                auv__future_init(&self->group->completed, auv__running_loop, AUV__FUTURE);
                self->group->waiting = true;
                AUV__AWAIT_PENDING_CATCH(r, &self->group->completed);
                self->group->waiting = false;
                auv__future_deinit(&self->group->completed);
                if (auv__running_loop->closed)
                        r = auv_raise(AUV_ECLOSED, NULL);
                else if (r < 0)
                        r = on_interrupted(self, r);
        }
        r = end(self, r);
        AUV_CHECK(r);
        AUV_RETURN(.i = r);
        AUV_END;
}

int auv_await_task_group_exit(auv_task_group *group, int result)
{
        AUV_AUTO auv_error *body = NULL;
        struct leaving leaving = { .group = group, .result = result };
        struct auv__task *task;

        if (!group)
                return auv_raise(AUV_EINVAL, "no group");
        if (result < 0)
                body = auv__error_for(result);
        task = auv__current_task();
        if (!task || !group->entered || group->exiting || group->parent != &task->future)
                return body ? auv_reraise(body) : auv_raise(AUV_ERUNTIME, "not in the scope of the group");
        if (task->stackless && !task->future.loop->subframe)
                return auv_raise(AUV_ENOSTACK, NULL);
        group->exiting = true;
        auv__steps_note_site(task, AUV__CALLER);
        auv__keep(&group->object);
        leaving.body = auv_ref(body);
        if (result == AUV_ECANCELED)
                leaving.cancelled = auv_ref(body);
        if (body && !group->aborting) {
                const int r = abort_tasks(group);

                if (r < 0)
                        return end(&leaving, r);
        }
        return auv__run_steps(task, exit_steps, &leaving);
}

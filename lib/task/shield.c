/* SPDX-License-Identifier: MIT */

/*
 * Shield
 *
 * A future that waits in the list of another, the inner one, and ends as that does. It also
 * waits in its own list: where it is cancelled first, it leaves the inner one alone, but stays in
 * its list, once however many shields there are, to report an error that nobody would see.
 */

#include <asyncuv/shield.h>

#include "base/error.h"
#include "loop/hooks.h"
#include "task/attachment.h"
#include "task/await.h"
#include "task/behind.h"
#include "task/future.h"
#include "task/kinds.h"
#include "task/task.h"

#include <stdio.h>

struct shield {
        auv_future future;
        auv_future *inner;                 /* with a reference */
        struct auv__waiter on_inner;       /* in the list of inner; then the shield holds itself */
        struct auv__waiter on_self;
        struct auv__attachment attachment; /* as long as on_inner waits */
};

static struct shield *to_shield(auv_future *future)
{
        return auv__container_of(future, struct shield, future);
}

static void report(auv_future *inner)
{
        char message[64];

        if (inner->object.state != AUV__FAILED)
                return;
        inner->object.flags &= ~AUV__ERROR_UNSEEN;
        snprintf(message, sizeof(message), "%s exception in shielded future",
                 auv_error_name(auv_error_code(inner->error)));
        auv_loop_call_exception_handler(inner->loop, &(auv_exception_context) {
                .message = message, .error = inner->error, .future = inner });
}

static void follow(auv_future *outer, auv_future *inner)
{
        switch ((enum auv__future_state)inner->object.state) {
        case AUV__HAS_RESULT:
                outer->object.flags |= AUV__BORROWED;
                auv__future_succeed(outer, inner->value);
                break;
        case AUV__FAILED:
                auv__future_fail(outer, auv__future_outcome(inner));
                break;
        default:
                auv__future_set_cancelled(outer, NULL, NULL);
                break;
        }
}

static void leave_inner(struct shield *shield)
{
        auv__detach(shield->future.loop, &shield->attachment);
        auv__drop(&shield->future.object);
}

static void run_on_inner(struct auv__item *item, bool dropped)
{
        struct shield *shield = auv__container_of(item, struct shield, on_inner.item);
        auv_future *inner = shield->on_inner.future;

        if (!dropped && !auv__future_is_done(&shield->future))
                follow(&shield->future, inner);
        if (inner)
                auv__drop(&inner->object);
        leave_inner(shield);
}

static void run_on_inner_cancelled(struct auv__item *item, bool dropped)
{
        struct shield *shield = auv__container_of(item, struct shield, on_inner.item);
        auv_future *inner = shield->on_inner.future;

        if (!dropped)
                report(inner);
        if (inner)
                auv__drop(&inner->object);
        leave_inner(shield);
}

/* The shield is done; where the inner future is not, it was cancelled. */
static void run_on_self(struct auv__item *item, bool dropped)
{
        struct shield *shield = auv__container_of(item, struct shield, on_self.item);
        auv_future *inner = shield->inner, *self = shield->on_self.future;

        if (!dropped && !auv__future_is_done(inner) && auv__future_unwatch(inner, &shield->on_inner)) {
                if (inner->object.flags & AUV__SHIELD_LOGS) {
                        leave_inner(shield);
                } else {
                        inner->object.flags |= AUV__SHIELD_LOGS;
                        shield->on_inner.item.run = run_on_inner_cancelled;
                        auv__future_watch(inner, &shield->on_inner);
                }
        }
        if (self)
                auv__drop(&self->object);
}

auv_future *auv__shield_behind(const struct auv__item *item)
{
        return item->run == run_on_inner
                ? &auv__container_of(item, struct shield, on_inner.item)->future : NULL;
}

auv_future *auv__shield_inner(auv_future *shield)
{
        return to_shield(shield)->inner;
}

static void drop_attachment(struct auv__attachment *attachment)
{
        auv__future_drop_callbacks(auv__container_of(attachment, struct shield, attachment)->inner);
}

auv_future *auv_shield(auv_future *inner)
{
        struct shield *shield;
        uint16_t traced;

        if (!inner)
                return auv__no_future(auv_raise(auv__no_future_reason(), "the future could not be made"));
        if (auv__future_is_done(inner))
                return auv_ref(inner);
        if (inner->loop->closed)
                return auv__no_future(auv_raise(AUV_ECLOSED, NULL));
        shield = auv__tasks_require(inner->loop) < 0
                ? NULL : auv__made_malloc(inner->loop, sizeof(*shield), &traced);
        if (!shield)
                return auv__no_future(auv_raise(AUV_ENOMEM, NULL));
        *shield = (struct shield) { .inner = auv_ref(inner),
                                    .on_inner = { .item = { .run = run_on_inner } },
                                    .on_self = { .item = { .run = run_on_self } },
                                    .attachment = { .drop = drop_attachment } };
        auv__future_init(&shield->future, inner->loop, AUV__SHIELD);
        shield->future.object.flags |= traced;
        auv__future_watch(&shield->future, &shield->on_self);
        auv__future_watch(inner, &shield->on_inner);
        auv__attach(inner->loop, &shield->attachment);
        auv__keep(&shield->future.object);
        return &shield->future;
}

void auv__shield_deinit(auv_future *future)
{
        auv_unref(to_shield(future)->inner);
}

int auv_await_shield(auv_future *future, auv_value *ret)
{
        AUV_AUTO auv_future *shield = NULL;
        struct auv__task *task;

        AUV_TRY(auv__await_begin(&task));
        shield = auv_shield(future);
        return auv__await(task, shield, ret);
}

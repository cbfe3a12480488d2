/* SPDX-License-Identifier: MIT */

/*
 * Future
 *
 * State, result and callbacks of everything that can be awaited. A future is done once. Its
 * callbacks never run inside of the call that ends it: they move to the ready queue, in order.
 *
 * Futures hold futures: a gather its children, a result whatever its destructor frees. A chain of
 * them may be of any length, so the last reference to one does not free it from within
 * the freeing of another, but puts it on a list.
 */

#include "task/future.h"

#include "base/error.h"
#include "base/value.h"
#include "loop/hooks.h"
#include "task/kinds.h"

static _Thread_local auv_future *dying;
static _Thread_local bool burying;
static _Thread_local int no_future_reason = AUV_EINVAL;

auv_future *auv__no_future(int code)
{
        no_future_reason = code;
        return NULL;
}

int auv__no_future_reason(void)
{
        return no_future_reason;
}

auv_future *auv_loop_create_future(auv_loop *loop)
{
        const int r = auv__loop_check(&loop);
        auv_future *future;
        uint16_t traced;

        if (r < 0)
                return auv__no_future(r);
        future = auv__made_malloc(loop, sizeof(*future), &traced);
        if (!future)
                return auv__no_future(auv_raise(AUV_ENOMEM, NULL));
        auv__future_init(future, loop, AUV__FUTURE);
        future->object.flags |= traced;
        return future;
}

static void report_unseen(auv_future *future)
{
        const char *message = future->object.kind == AUV__TASK ? "Task exception was never retrieved"
                                                               : "Future exception was never retrieved";

        /* The handler may take and give up a reference while it looks at the future. */
        future->object.refs = 1;
        auv_loop_call_exception_handler(future->loop, &(auv_exception_context) {
                .message = message, .error = future->error, .future = future });
}

void auv__future_deinit(auv_future *future)
{
        auv__future_drop_callbacks(future);
        switch ((enum auv__future_state)future->object.state) {
        case AUV__PENDING:
                break;
        case AUV__HAS_RESULT:
                if (future->value.destroy && !(future->object.flags & AUV__BORROWED))
                        future->value.destroy(future->value.p);
                break;
        case AUV__FAILED:
                if (future->object.flags & AUV__ERROR_UNSEEN)
                        report_unseen(future);
                auv_unref(future->error);
                break;
        case AUV__CANCELLED:
                auv_unref(future->cancelled.message);
                auv_unref(future->cancelled.first);
                break;
        }
        auv__loop_release(future->loop);
}

static void bury(auv_future *future)
{
        auv_loop *loop = future->loop;

        auv__loop_hold(loop);
        auv__future_deinit(future);
        switch ((enum auv__kind)future->object.kind) {
        case AUV__TASK:
                auv__task_deinit(future);
                auv__loop_release(loop);
                return;
        case AUV__GATHER:
                auv__gather_deinit(future);
                break;
        case AUV__SHIELD:
                auv__shield_deinit(future);
                break;
        case AUV__WRAPPER:
                auv__wrapper_deinit(future);
                break;
        default:
                break;
        }
        auv__made_free(&future->object);
        auv__loop_release(loop);
}

void auv__future_free(struct auv__object *object)
{
        auv_future *future = auv__container_of(object, auv_future, object);

        if (auv__unlikely(burying)) {
                auv__future_drop_callbacks(future);
                future->callbacks = (struct auv__waiter *)dying;
                dying = future;
                return;
        }
        burying = true;
        bury(future);
        while (dying) {
                future = dying;
                dying = (auv_future *)future->callbacks;
                future->callbacks = NULL;
                bury(future);
        }
        burying = false;
}

void auv__future_watch(auv_future *future, struct auv__waiter *waiter)
{
        struct auv__waiter *last = future->callbacks;

        if (last) {
                waiter->item.next = last->item.next;
                last->item.next = &waiter->item;
        } else {
                waiter->item.next = &waiter->item;
        }
        future->callbacks = waiter;
}

bool auv__future_unwatch(auv_future *future, struct auv__waiter *waiter)
{
        struct auv__waiter *last = future->callbacks;
        struct auv__item *previous;

        if (!last)
                return false;
        previous = &last->item;
        do {
                if (previous->next == &waiter->item) {
                        previous->next = waiter->item.next;
                        if (last == waiter)
                                future->callbacks = previous == &waiter->item
                                        ? NULL : auv__container_of(previous, struct auv__waiter, item);
                        return true;
                }
                previous = previous->next;
        } while (previous != &last->item);
        return false;
}

/* Takes the list as a chain that ends in NULL. */
static struct auv__item *take_callbacks(auv_future *future)
{
        struct auv__waiter *last = future->callbacks;
        struct auv__item *first;

        if (!last)
                return NULL;
        future->callbacks = NULL;
        first = last->item.next;
        last->item.next = NULL;
        return first;
}

/* Tells an item for whom it runs. */
static void note_future(struct auv__item *item, auv_future *future)
{
        if (auv__likely(item->run != auv__gather_wake_of_many))
                auv__container_of(item, struct auv__waiter, item)->future = future;
}

void auv__future_drop_callbacks(auv_future *future)
{
        struct auv__item *item = take_callbacks(future), *next;

        for (; item; item = next) {
                const bool held = item->run == auv__task_wake_holder;

                next = item->next;
                note_future(item, NULL);
                if (item->run == auv__gather_wake_of_many)
                        auv__keep(&future->object);
                item->run(item, /* dropped= */ true);
                if (auv__unlikely(held))
                        auv__drop(&future->object);
        }
}

void auv__future_schedule_callbacks(auv_future *future)
{
        struct auv__waiter *last = future->callbacks;
        struct auv__item *first;

        if (!last)
                return;
        if (auv__unlikely(future->loop->closed)) {
                auv__future_drop_callbacks(future);
                return;
        }
        first = take_callbacks(future);
        for (struct auv__item *item = first; item; item = item->next) {
                note_future(item, future);
                auv__keep(&future->object);
        }
        auv__loop_push_callbacks(future->loop, future, first, &last->item);
}

void auv__future_succeed(auv_future *future, auv_value value)
{
        future->value = value;
        future->object.state = AUV__HAS_RESULT;
        auv__future_schedule_callbacks(future);
}

void auv__future_fail(auv_future *future, auv_error *error)
{
        future->error = error;
        future->object.state = AUV__FAILED;
        future->object.flags |= AUV__ERROR_UNSEEN;
        auv__future_schedule_callbacks(future);
}

void auv__future_set_cancelled(auv_future *future, auv_error *message, auv_error *first)
{
        future->cancelled.message = message;
        future->cancelled.first = first;
        future->object.state = AUV__CANCELLED;
        auv__future_schedule_callbacks(future);
}

auv_error *auv__future_cancelled_error(auv_future *future)
{
        auv_error *error = NULL;

        if (future->object.state == AUV__CANCELLED && future->cancelled.first) {
                error = future->cancelled.first;
                future->cancelled.first = NULL;
                return error;
        }
        if (future->object.state == AUV__CANCELLED)
                error = future->cancelled.message;
        else if (future->object.kind == AUV__TASK)
                error = auv__task_cancel_error(future);
        return error ? auv_ref(error) : auv__error_static(AUV_ECANCELED);
}

auv_error *auv__future_outcome(auv_future *future)
{
        switch ((enum auv__future_state)future->object.state) {
        case AUV__FAILED:
                future->object.flags &= ~AUV__ERROR_UNSEEN;
                return auv_ref(future->error);
        case AUV__CANCELLED:
                return auv__future_cancelled_error(future);
        default:
                return NULL;
        }
}

/* Only the task knows what it has borrowed; anybody else would take what has a destructor for its own. */
AUV_COLD static int lend(auv_future *future, auv_value *ret)
{
        const int r = auv__task_borrow(ret, future);

        if (r < 0)
                return r;
        *ret = r > 0 ? future->value : auv__value_lent(future->value);
        return 0;
}

int auv__future_read(auv_future *future, auv_value *ret)
{
        if (auv__likely(future->object.state == AUV__HAS_RESULT)) {
                if (!ret)
                        return 0;
                if (auv__unlikely(future->value.destroy != NULL))
                        return lend(future, ret);
                *ret = future->value;
                return 0;
        }
        return auv__error_set_current(auv__future_outcome(future));
}

/* Why a future cannot be ended by set_result() and its like. */
static int check_settable(const auv_future *future)
{
        if (!future)
                return auv_raise(AUV_EINVAL, "no future");
        AUV_TRY(auv__loop_check_thread(future->loop));
        if (future->object.kind == AUV__TASK)
                return auv_raise(AUV_ERUNTIME, "a task is ended by its body alone");
        if (auv__future_is_done(future))
                return auv_raise(AUV_EINVALIDSTATE, "the future is done already");
        return 0;
}

int auv_future_set_result(auv_future *future, auv_value value)
{
        AUV_TRY(check_settable(future));
        auv__future_succeed(future, value);
        return 0;
}

int auv_future_set_exception(auv_future *future, auv_error *error)
{
        if (!error)
                return auv_raise(AUV_EINVAL, "no error");
        AUV_TRY(check_settable(future));
        auv__future_fail(future, auv_ref(error));
        return 0;
}

int auv_future_fail(auv_future *future, int code, const char *format, ...)
{
        auv_error *error;
        va_list arguments;

        if (code >= 0)
                return auv_raise(AUV_EINVAL, "%d is no error", code);
        AUV_TRY(check_settable(future));
        va_start(arguments, format);
        error = auv__error_make(code, format, arguments);
        va_end(arguments);
        auv__future_fail(future, error);
        return 0;
}

bool auv_future_done(const auv_future *future)
{
        return future && auv__future_is_done(future);
}

bool auv_future_cancelled(const auv_future *future)
{
        return future && future->object.state == AUV__CANCELLED;
}

/* Why a future cannot be asked for its outcome. */
static int check_done(const auv_future *future)
{
        if (!future)
                return auv_raise(AUV_EINVAL, "no future");
        if (!auv__future_is_done(future))
                return auv_raise(AUV_EINVALIDSTATE, "the future is not done yet");
        return 0;
}

int auv_future_result(auv_future *future, auv_value *ret)
{
        AUV_TRY(check_done(future));
        return auv__future_read(future, ret);
}

int auv_future_exception(auv_future *future, auv_error **ret_error)
{
        AUV_TRY(check_done(future));
        if (future->object.state == AUV__CANCELLED)
                return auv__error_set_current(auv__future_cancelled_error(future));
        future->object.flags &= ~AUV__ERROR_UNSEEN;
        if (ret_error)
                *ret_error = future->object.state == AUV__FAILED ? future->error : NULL;
        return 0;
}

auv_loop *auv_future_get_loop(const auv_future *future)
{
        return future ? future->loop : NULL;
}

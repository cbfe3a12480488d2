/* SPDX-License-Identifier: MIT */

/*
 * Loop
 *
 * Life and state of an event loop; turn.c has what it does. Its memory lives as long as anybody
 * holds a reference, and as long as there is an object that belongs to it: `live` counts those,
 * without atomics, and once the loop is closed all of them together hold one reference.
 */

#include "loop/loop.h"

#include "base/alloc.h"
#include "coro/stack.h"
#include "loop/hooks.h"
#include "loop/reactor.h"
#include "loop/signal.h"
#include "loop/wakeup.h"

#include <stdlib.h>
#include <string.h>

#define SLOW_NS ((int64_t)100000000)

_Thread_local auv_loop *auv__running_loop;
auv_loop *auv__loops;
static pthread_mutex_t loops_mutex = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local auv_loop *set_loop;

static bool environment_has(const char *name, const char *value)
{
        const char *found = secure_getenv(name);

        return found && strcmp(found, value) == 0;
}

static bool environment_is_set(const char *name)
{
        const char *found = secure_getenv(name);

        return found && *found && strcmp(found, "0") != 0;
}

int auv__loop_options_copy(const auv_loop_options *options, auv_loop_options *ret)
{
        *ret = (auv_loop_options) { .size = sizeof(*ret) };
        if (!options)
                return 0;
        if (options->size < offsetof(auv_loop_options, uv_loop))
                return AUV_EINVAL;
        memcpy(ret, options, options->size < sizeof(*ret) ? options->size : sizeof(*ret));
        if ((unsigned)ret->clock > AUV_CLOCK_VIRTUAL || (unsigned)ret->deadlock > AUV_DEADLOCK_WAIT
            || ret->stack_size > AUV__STACK_MAX)
                return AUV_EINVAL;
        return 0;
}

static void register_loop(auv_loop *loop)
{
        pthread_mutex_lock(&loops_mutex);
        loop->next_open = auv__loops;
        if (auv__loops)
                auv__loops->previous_open = loop;
        auv__loops = loop;
        pthread_mutex_unlock(&loops_mutex);
}

static void unregister_loop(auv_loop *loop)
{
        pthread_mutex_lock(&loops_mutex);
        *(loop->previous_open ? &loop->previous_open->next_open : &auv__loops) = loop->next_open;
        if (loop->next_open)
                loop->next_open->previous_open = loop->previous_open;
        pthread_mutex_unlock(&loops_mutex);
}

/* What of a loop has memory of its own. */
static int open_parts(auv_loop *loop, const auv_loop_options *options)
{
        if (options->shuffle_seed) {
                loop->shuffle = auv__shuffle_new(options->shuffle_seed);
                if (!loop->shuffle)
                        return AUV_ENOMEM;
        }
        return auv__reactor_open(loop, options->uv_loop, &loop->reactor);
}

int auv_new_event_loop(const auv_loop_options *options, auv_loop **ret_loop)
{
        auv_loop_options o;
        auv_loop *loop;
        int r;

        if (!ret_loop || auv__loop_options_copy(options, &o) < 0)
                return auv_raise(AUV_EINVAL, "an option of the loop has no meaning");
        loop = auv__malloc(sizeof(*loop));
        if (!loop)
                return auv_raise(AUV_ENOMEM, NULL);
        auv__clear(loop, offsetof(auv_loop, timers));
        auv__timers_init(&loop->timers);
        loop->object = auv__object_init(AUV__LOOP, AUV__SHARED);
        loop->deadlock = o.deadlock;
        loop->stack_size = o.stack_size;
        loop->stack_watermark = o.stack_watermark;
        loop->slow_ns = SLOW_NS;
        auv_loop_set_debug(loop, o.debug || environment_is_set("AUV_DEBUG"));
        loop->virtual_clock = o.clock == AUV_CLOCK_VIRTUAL
                              || (o.clock == AUV_CLOCK_DEFAULT && environment_has("AUV_CLOCK", "virtual"));
        loop->thread = pthread_self();
        loop->until_ns = AUV__NEVER;
        auv__ready_init(&loop->ready);
        r = open_parts(loop, &o);
        if (r < 0) {
                auv__shuffle_free(loop->shuffle);
                auv__free(loop);
                return auv_raise(r, NULL);
        }
        loop->parked = o.uv_loop != NULL;
        register_loop(loop);
        *ret_loop = loop;
        return 0;
}

/* The last reference has gone; it may have been the last thing that anybody did with the loop. */
void auv__loop_free(struct auv__object *object)
{
        auv_loop *loop = auv__container_of(object, auv_loop, object);

        if (!loop->closed) {
                loop->object.refs = 1;
                if (auv_loop_close(loop) < 0)
                        auv_loop_call_exception_handler(loop, &(auv_exception_context) {
                                .message = "an event loop was given up that could not be closed",
                                .error = auv_error_current() });
                else
                        auv_unref(loop);
                return;
        }
        if (loop->tenant)
                loop->tenant->free(loop->tenant);
        auv__shuffle_free(loop->shuffle);
        auv__free(loop);
}

void auv__loop_end_use(auv_loop *loop)
{
        if (loop->closed && !loop->closing)
                auv_unref(loop);
}

struct auv__guest *auv__loop_guest(const auv_loop *loop, void (*close)(struct auv__guest *, auv_loop *))
{
        struct auv__guest *guest = loop->guests;

        while (guest && guest->close != close)
                guest = guest->next;
        return guest;
}

void auv__loop_add_guest(auv_loop *loop, struct auv__guest *guest)
{
        guest->next = loop->guests;
        loop->guests = guest;
}

static void drop_items(struct auv__item *item)
{
        struct auv__item *next;

        for (; item; item = next) {
                next = item->next;
                item->run(item, /* dropped= */ true);
        }
}

static void drop_timers(auv_loop *loop)
{
        struct auv__timer *timer;

        auv__timers_advance(&loop->timers, AUV__NEVER);
        while ((timer = auv__timers_take(&loop->timers)))
                timer->item.run(&timer->item, /* dropped= */ true);
        while ((timer = auv__timer_list_pop(&loop->timers.never)))
                timer->item.run(&timer->item, /* dropped= */ true);
}

static void close_guests(auv_loop *loop)
{
        while (loop->guests) {
                struct auv__guest *guest = loop->guests;

                loop->guests = guest->next;
                guest->close(guest, loop);
        }
}

int auv_loop_close(auv_loop *loop)
{
        struct auv__item *from_threads;

        if (!loop || loop->closed)
                return 0;
        if (!pthread_equal(loop->thread, pthread_self()))
                return auv_raise(AUV_ETHREAD, NULL);
        if (loop->running)
                return auv_raise(AUV_ERUNTIME, "cannot close a running event loop");
        if (auv__reactor_has_foreign_handles(loop->reactor))
                return auv_raise(AUV_EBUSY, "libuv handles of the program's are still open");
        auv_ref(loop); /* the last other one may go in a task that ends with the loop */
        loop->closed = true;
        loop->closing = true;
        unregister_loop(loop);
        from_threads = auv__wakeup_close(loop);
        drop_items(auv__ready_take_all(&loop->ready));
        drop_items(from_threads);
        drop_timers(loop);
        if (loop->tenant)
                loop->tenant->close(loop->tenant, loop);
        close_guests(loop);
        auv__signals_close(loop);
        auv__watchers_close(loop);
        auv__reactor_close(loop->reactor);
        loop->reactor = NULL;
        if (set_loop == loop)
                set_loop = NULL;
        loop->closing = false;
        /* It stays for what still lives on it. */
        if (loop->live == 0)
                auv_unref(loop);
        return 0;
}

auv_loop *auv_get_running_loop(void)
{
        return auv__running_loop;
}

auv_loop *auv_get_event_loop(void)
{
        return auv__running_loop ? auv__running_loop : set_loop;
}

void auv_set_event_loop(auv_loop *loop)
{
        set_loop = loop;
}

int auv_loop_run_forever(auv_loop *loop)
{
        if (!loop)
                return auv_raise(AUV_EINVAL, "no loop to run");
        AUV_TRY(auv__loop_check_run(loop));
        return auv__loop_run(loop, /* report_deadlock= */ false);
}

void auv_loop_stop(auv_loop *loop)
{
        if (loop)
                loop->stopping = true;
}

bool auv_loop_is_running(const auv_loop *loop)
{
        return loop && loop->running;
}

bool auv_loop_is_closed(const auv_loop *loop)
{
        return !loop || loop->closed;
}

double auv_loop_time(const auv_loop *loop)
{
        return loop ? auv__ns_to_seconds(auv__loop_now(loop)) : 0;
}

struct uv_loop_s *auv_loop_uv(auv_loop *loop)
{
        return loop && !loop->closed ? auv__reactor_uv(loop->reactor) : NULL;
}

void auv_loop_set_debug(auv_loop *loop, bool enabled)
{
        if (loop)
                __atomic_store_n(&loop->hooks, enabled ? &auv__debug_hooks : NULL, __ATOMIC_RELAXED);
}

bool auv_loop_get_debug(const auv_loop *loop)
{
        return loop && auv__loop_hooks(loop);
}

void auv_loop_set_slow_callback_duration(auv_loop *loop, double duration)
{
        if (loop && duration >= 0)
                loop->slow_ns = auv__seconds_to_ns(duration);
}

double auv_loop_get_slow_callback_duration(const auv_loop *loop)
{
        return auv__ns_to_seconds(loop ? loop->slow_ns : SLOW_NS);
}

int auv__loop_refuse_thread(const auv_loop *loop)
{
        return pthread_equal(loop->thread, pthread_self()) ? 0 : auv_raise(AUV_ETHREAD, NULL);
}

int auv__loop_check_well(const auv_loop *loop)
{
        if (!loop)
                return auv_raise(AUV_ENOLOOP, NULL);
        if (loop->closed)
                return auv_raise(AUV_ECLOSED, NULL);
        return auv__loop_check_thread(loop);
}

/* SPDX-License-Identifier: MIT */

/*
 * Reactor
 *
 * The only place where a loop meets libuv. It has a handful of watchers:
 *
 *   wake    a uv_async_t, for other threads
 *   alarm   the next deadline: a timerfd under a uv_poll_t, which wakes within microseconds, where
 *           libuv's own timers count whole milliseconds and fire up to one early; where there is
 *           no timerfd, a uv_timer_t that is set a millisecond late rather than early
 *   prepare  looks at descriptors that libuv is about to tell the kernel of; see watcher.c
 *   idle, check   only on a libuv loop of the caller's: idle keeps it from blocking while
 *           something is ready, check has a turn after each poll
 *
 * None of them is referenced in libuv's sense but while it should keep uv_run() going; so
 * uv_loop_alive() tells whether anything else is pending. Beside them there are the loop's own
 * handles, of signals and descriptors, which are.
 *
 * The timerfd is set only when the loop is about to wait and the deadline has changed. It is never
 * read: setting it anew takes its readiness away, and `rang` says that this must happen even
 * for the same deadline.
 */

#include "loop/reactor.h"

#include "base/alloc.h"
#include "loop/loop.h"
#include "loop/turn.h"

#include <poll.h>
#include <uv.h>

#ifdef __linux__
#include <sys/timerfd.h>
#include <unistd.h>
#endif

#define SAME(ours, libuvs) _Static_assert((int)(ours) == (int)(libuvs), "error codes are libuv's")
SAME(AUV_ENOMEM, UV_ENOMEM);
SAME(AUV_ECANCELED, UV_ECANCELED);
SAME(AUV_ETIMEDOUT, UV_ETIMEDOUT);
SAME(AUV_EAI_PROTOCOL, UV_EAI_PROTOCOL);
SAME(AUV_ECHARSET, UV_ECHARSET);
SAME(AUV_UNKNOWN, UV_UNKNOWN);
SAME(AUV_EOF, UV_EOF);
#undef SAME

struct auv__reactor {
        auv_loop *loop; /* NULL once closed */
        uv_loop_t *uv;
        uv_loop_t own_uv;
        uv_async_t wake;
        union {
                uv_poll_t poll;
                uv_timer_t timer;
        } alarm;
        uv_prepare_t prepare;
        uv_idle_t idle;
        uv_check_t check;
        int alarm_fd;          /* only where the alarm is a timerfd */
        int64_t alarm_ns;      /* what the alarm is set to; AUV__NEVER for off */
        bool rang;
        bool embedded;
        unsigned handles;  /* watchers and the loop's own handles, but for those that are closing */
        unsigned holds;    /* what needs this memory: handles not yet closed, requests under way */
        unsigned expected; /* see auv__reactor_expect() */
};

static void on_wake(uv_async_t *wake)
{
        /* Nothing to do: what was pushed is collected by the turn that follows. */
}

static uv_handle_t *alarm_handle(struct auv__reactor *reactor)
{
        return (uv_handle_t *)&reactor->alarm;
}

#ifdef __linux__
static void on_alarm(uv_poll_t *poll, int status, int events)
{
        ((struct auv__reactor *)poll->data)->rang = true;
}

/* One for each loop, as it stands under epoll; closed when libuv has let go of it. */
static int open_alarm(struct auv__reactor *reactor)
{
        int r;

        reactor->alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        if (reactor->alarm_fd < 0)
                return -errno;
        r = uv_poll_init(reactor->uv, &reactor->alarm.poll, reactor->alarm_fd);
        if (r < 0) {
                close(reactor->alarm_fd);
                return r;
        }
        reactor->alarm.poll.data = reactor;
        uv_poll_start(&reactor->alarm.poll, UV_READABLE, on_alarm);
        return 0;
}

static void close_alarm(struct auv__reactor *reactor)
{
        close(reactor->alarm_fd);
}

static void arm_alarm(struct auv__reactor *reactor, int64_t deadline_ns)
{
        struct itimerspec when = { .it_value = { 0 } };

        if (deadline_ns != AUV__NEVER) {
                /* All zero would switch it off; a deadline is never that early but by mistake. */
                deadline_ns = deadline_ns > 0 ? deadline_ns : 1;
                when.it_value.tv_sec = deadline_ns / 1000000000;
                when.it_value.tv_nsec = deadline_ns % 1000000000;
        }
        timerfd_settime(reactor->alarm_fd, TFD_TIMER_ABSTIME, &when, NULL);
}
#else
static void on_alarm(uv_timer_t *timer)
{
        ((struct auv__reactor *)timer->data)->rang = true;
}

static int open_alarm(struct auv__reactor *reactor)
{
        return uv_timer_init(reactor->uv, &reactor->alarm.timer);
}

static void close_alarm(struct auv__reactor *reactor)
{
}

static void arm_alarm(struct auv__reactor *reactor, int64_t deadline_ns)
{
        int64_t left_ns;

        uv_timer_stop(&reactor->alarm.timer);
        if (deadline_ns == AUV__NEVER)
                return;
        left_ns = deadline_ns - auv__clock_monotonic();
        uv_update_time(reactor->uv);
        uv_timer_start(&reactor->alarm.timer, on_alarm,
                       left_ns > 0 ? (uint64_t)left_ns / 1000000 + 1 : 0, 0);
}
#endif

static void set_alarm(struct auv__reactor *reactor, int64_t deadline_ns)
{
        if (deadline_ns == reactor->alarm_ns && !reactor->rang)
                return;
        arm_alarm(reactor, deadline_ns);
        reactor->alarm_ns = deadline_ns;
        reactor->rang = false;
}

static void on_prepare(uv_prepare_t *prepare)
{
        struct auv__reactor *reactor = prepare->data;

        uv_prepare_stop(prepare);
        if (reactor->loop)
                auv__watchers_check(reactor->loop);
}

static void on_check(uv_check_t *check)
{
        struct auv__reactor *reactor = check->data;

        if (reactor->loop)
                auv__turn_embedded(reactor->loop);
}

static void on_idle(uv_idle_t *idle)
{
        /* Nothing to do: that it is active keeps uv_run() from blocking. */
}

void auv__reactor_hold(struct auv__reactor *reactor)
{
        reactor->holds++;
}

/* A reactor on a libuv loop of its own is freed by finish_own(). */
void auv__reactor_let_go(struct auv__reactor *reactor)
{
        if (--reactor->holds == 0 && reactor->embedded)
                auv__free(reactor);
}

void auv__reactor_adopt(struct auv__reactor *reactor, uv_handle_t *handle)
{
        handle->data = reactor;
        reactor->handles++;
        auv__reactor_hold(reactor);
}

void auv__reactor_close_handle(struct auv__reactor *reactor, uv_handle_t *handle, uv_close_cb on_closed)
{
        reactor->handles--;
        uv_close(handle, on_closed);
}

static void on_discarded(uv_handle_t *handle)
{
        struct auv__reactor *reactor = handle->data;

        auv__free(handle);
        auv__reactor_let_go(reactor);
}

void auv__reactor_discard(struct auv__reactor *reactor, uv_handle_t *handle)
{
        auv__reactor_close_handle(reactor, handle, on_discarded);
}

static void add_watcher(struct auv__reactor *reactor, void *handle)
{
        auv__reactor_adopt(reactor, handle);
        uv_unref(handle);
}

static void on_watcher_closed(uv_handle_t *handle)
{
        struct auv__reactor *reactor = handle->data;

        if (handle == alarm_handle(reactor))
                close_alarm(reactor);
        auv__reactor_let_go(reactor);
}

static void close_watcher(struct auv__reactor *reactor, void *handle)
{
        auv__reactor_close_handle(reactor, handle, on_watcher_closed);
}

static void close_watchers(struct auv__reactor *reactor)
{
        close_watcher(reactor, &reactor->wake);
        close_watcher(reactor, &reactor->alarm);
        close_watcher(reactor, &reactor->prepare);
        if (reactor->embedded) {
                close_watcher(reactor, &reactor->idle);
                close_watcher(reactor, &reactor->check);
        }
}

/* Everything that can fail comes before the first handle that only a turn of libuv could close. */
static int open_watchers(struct auv__reactor *reactor)
{
        int r = uv_async_init(reactor->uv, &reactor->wake, on_wake);

        if (r < 0)
                return r;
        add_watcher(reactor, &reactor->wake);
        r = open_alarm(reactor);
        if (r < 0) {
                close_watcher(reactor, &reactor->wake);
                return r;
        }
        add_watcher(reactor, alarm_handle(reactor));
        uv_prepare_init(reactor->uv, &reactor->prepare);
        add_watcher(reactor, &reactor->prepare);
        if (reactor->embedded) {
                uv_idle_init(reactor->uv, &reactor->idle);
                uv_check_init(reactor->uv, &reactor->check);
                add_watcher(reactor, &reactor->idle);
                add_watcher(reactor, &reactor->check);
                uv_ref((uv_handle_t *)&reactor->idle);
                uv_check_start(&reactor->check, on_check);
        }
        return 0;
}

/* Of a loop of its own, the reactor runs the close callbacks itself, and waits for requests to end. */
static void finish_own(struct auv__reactor *reactor)
{
        while (reactor->holds > 0)
                uv_run(reactor->uv, UV_RUN_ONCE);
        uv_loop_close(reactor->uv);
        auv__free(reactor);
}

int auv__reactor_open(auv_loop *loop, uv_loop_t *uv, struct auv__reactor **ret_reactor)
{
        struct auv__reactor *reactor = auv__calloc(sizeof(*reactor));
        int r;

        if (!reactor)
                return AUV_ENOMEM;
        reactor->loop = loop;
        reactor->embedded = uv != NULL;
        reactor->uv = uv ? uv : &reactor->own_uv;
        reactor->alarm_ns = AUV__NEVER;
        if (!uv) {
                r = uv_loop_init(reactor->uv);
                if (r < 0) {
                        auv__free(reactor);
                        return r;
                }
        }
        r = open_watchers(reactor);
        if (r < 0) {
                reactor->loop = NULL;
                if (reactor->holds == 0 && reactor->embedded)
                        auv__free(reactor);
                else if (!reactor->embedded)
                        finish_own(reactor);
                return r;
        }
        *ret_reactor = reactor;
        return 0;
}

static void count_foreign(uv_handle_t *handle, void *arg)
{
        unsigned *n = arg;

        if (!uv_is_closing(handle))
                (*n)++;
}

bool auv__reactor_has_foreign_handles(struct auv__reactor *reactor)
{
        unsigned n = 0;

        uv_walk(reactor->uv, count_foreign, &n);
        return !reactor->embedded && n > reactor->handles;
}

void auv__reactor_close(struct auv__reactor *reactor)
{
        reactor->loop = NULL;
        close_watchers(reactor);
        if (!reactor->embedded)
                finish_own(reactor);
}

uv_loop_t *auv__reactor_uv(struct auv__reactor *reactor)
{
        return reactor->uv;
}

bool auv__reactor_io_is_pending(struct auv__reactor *reactor)
{
        return uv_loop_alive(reactor->uv);
}

bool auv__reactor_work_is_pending(const struct auv__reactor *reactor)
{
        return reactor->expected > 0 || reactor->uv->active_reqs.count > 0;
}

void auv__reactor_poll(struct auv__reactor *reactor)
{
        uv_run(reactor->uv, UV_RUN_NOWAIT);
}

/*
 * Callbacks may have brought more by what they have sent; or by what they have begun to wait for, which
 * libuv tells the kernel of only at the next look: hence two.
 */
bool auv__reactor_poll_all(struct auv__reactor *reactor)
{
        struct pollfd backend = { .fd = uv_backend_fd(reactor->uv), .events = POLLIN };

        for (int i = 0; i < 2; i++) {
                auv__reactor_poll(reactor);
                if (poll(&backend, 1, /* timeout= */ 0) != 0)
                        return false;
        }
        return true;
}

void auv__reactor_wait(struct auv__reactor *reactor, int64_t deadline_ns)
{
        set_alarm(reactor, deadline_ns);
        /* Without a handle that is active and referenced, uv_run() would not wait. */
        uv_ref((uv_handle_t *)&reactor->wake);
        uv_run(reactor->uv, UV_RUN_ONCE);
        if (reactor->expected == 0)
                uv_unref((uv_handle_t *)&reactor->wake);
}

void auv__reactor_check_watchers(struct auv__reactor *reactor)
{
        uv_prepare_start(&reactor->prepare, on_prepare);
}

void auv__reactor_expect(struct auv__reactor *reactor)
{
        reactor->expected++;
        uv_ref((uv_handle_t *)&reactor->wake);
}

void auv__reactor_unexpect(struct auv__reactor *reactor)
{
        if (--reactor->expected == 0)
                uv_unref((uv_handle_t *)&reactor->wake);
}

void auv__reactor_stop_waiting(struct auv__reactor *reactor)
{
        uv_stop(reactor->uv);
}

void auv__reactor_wake(struct auv__reactor *reactor)
{
        uv_async_send(&reactor->wake);
}

void auv__reactor_park(struct auv__reactor *reactor, bool soon, int64_t deadline_ns)
{
        if (soon)
                uv_idle_start(&reactor->idle, on_idle);
        else
                uv_idle_stop(&reactor->idle);
        set_alarm(reactor, deadline_ns);
        if (deadline_ns != AUV__NEVER)
                uv_ref(alarm_handle(reactor));
        else
                uv_unref(alarm_handle(reactor));
}

void auv__reactor_unpark(struct auv__reactor *reactor)
{
        uv_idle_stop(&reactor->idle);
        uv_unref(alarm_handle(reactor));
}

bool auv__reactor_is_embedded(const struct auv__reactor *reactor)
{
        return reactor->embedded;
}

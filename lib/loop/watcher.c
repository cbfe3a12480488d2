/* SPDX-License-Identifier: MIT */

/*
 * Watched descriptors
 *
 * A libuv handle for each descriptor that has a reader, a writer or both. libuv looks at the state of the
 * descriptor, not at its changes: as long as it is ready, each look at it queues the calls again,
 * unless they wait in the queue from the look before.
 *
 * libuv tells the kernel of a descriptor when it polls next, and aborts the process where the kernel does
 * not know it. A descriptor that is closed after it was started and before that is therefore found out
 * right before the poll: what was started since the last one is `fresh`.
 */

#include "loop/watcher.h"

#include "base/alloc.h"
#include "loop/callback.h"
#include "loop/loop.h"
#include "loop/reactor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <uv.h>

#ifdef __linux__
#include <sys/epoll.h>
#endif

enum { N_SIDES = 2 };

struct auv__watcher {
        uv_poll_t handle; /* first: see auv__reactor_adopt() */
        auv_loop *loop;
        struct auv__callback *callback[N_SIDES]; /* NULL for none */
        uint64_t serial[N_SIDES];                /* of that callback */
        int fd;
        bool fresh;
        struct auv__watcher *previous_fresh; /* in the loop's list, where it is fresh */
        struct auv__watcher *next_fresh;
};

static const int event_of[N_SIDES] = { [AUV__READER] = UV_READABLE, [AUV__WRITER] = UV_WRITABLE };

/* Stands in the table for a descriptor that a transport has. */
static struct auv__watcher claimed;

static void set_fresh(struct auv__watcher *watcher)
{
        struct auv__watchers *watchers = &watcher->loop->watchers;

        if (watcher->fresh)
                return;
        watcher->fresh = true;
        watcher->previous_fresh = NULL;
        watcher->next_fresh = watchers->fresh;
        if (watchers->fresh)
                watchers->fresh->previous_fresh = watcher;
        watchers->fresh = watcher;
        auv__reactor_check_watchers(watcher->loop->reactor);
}

static void clear_fresh(struct auv__watcher *watcher)
{
        if (!watcher->fresh)
                return;
        watcher->fresh = false;
        if (watcher->previous_fresh)
                watcher->previous_fresh->next_fresh = watcher->next_fresh;
        else
                watcher->loop->watchers.fresh = watcher->next_fresh;
        if (watcher->next_fresh)
                watcher->next_fresh->previous_fresh = watcher->previous_fresh;
}

static void on_ready(uv_poll_t *handle, int status, int events);

/* Asks libuv for what there are callbacks for. */
static int start(struct auv__watcher *watcher)
{
        int events = 0, r;

        for (int side = 0; side < N_SIDES; side++)
                if (watcher->callback[side])
                        events |= event_of[side];
        r = uv_poll_start(&watcher->handle, events, on_ready);
        if (r == 0)
                set_fresh(watcher);
        return r;
}

static void push(struct auv__watcher *watcher, int events)
{
        for (int side = 0; side < N_SIDES; side++) {
                struct auv__callback *callback = watcher->callback[side];

                if (callback && events & event_of[side] && !auv__callback_is_due(callback))
                        auv__callback_push(watcher->loop, callback);
        }
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
        struct auv__watcher *watcher = auv__container_of(handle, struct auv__watcher, handle);

        /* An error of the descriptor: whoever reads or writes is to see it. libuv has stopped looking. */
        if (status < 0) {
                events = UV_READABLE | UV_WRITABLE;
                (void)start(watcher);
        }
        push(watcher, events);
}

/* Asks the kernel, in the way in which libuv is going to tell it. */
static bool kernel_can_poll(auv_loop *loop, int fd)
{
#ifdef __linux__
        const int epoll = uv_backend_fd(auv__reactor_uv(loop->reactor));
        struct epoll_event event = { .events = EPOLLIN, .data.fd = -1 };

        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
                return errno == EEXIST;
        (void)epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event);
#endif
        return true;
}

/* Whether a poll can wait for it: not for files and directories, nor for each device. */
static bool can_be_polled(auv_loop *loop, int fd)
{
        struct stat status;

        if (fstat(fd, &status) < 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))
                return false;
        /* Nearly all are one of these, for which it need not be asked. */
        return S_ISSOCK(status.st_mode) || S_ISFIFO(status.st_mode) || kernel_can_poll(loop, fd);
}

/* Who waits for a descriptor that has been closed, or is another now, is to see it. */
void auv__watchers_check(auv_loop *loop)
{
        struct auv__watcher *watcher;

        while ((watcher = loop->watchers.fresh)) {
                clear_fresh(watcher);
                if (can_be_polled(loop, watcher->fd))
                        continue;
                uv_poll_stop(&watcher->handle);
                push(watcher, UV_READABLE | UV_WRITABLE);
        }
}

static struct auv__watcher *entry(const auv_loop *loop, int fd)
{
        return fd >= 0 && (size_t)fd < loop->watchers.n ? loop->watchers.of[fd] : NULL;
}

static struct auv__watcher *find(const auv_loop *loop, int fd)
{
        struct auv__watcher *watcher = entry(loop, fd);

        return watcher == &claimed ? NULL : watcher;
}

/* Makes room in the table for a descriptor. */
static int reserve(struct auv__watchers *watchers, int fd)
{
        struct auv__watcher **of;
        size_t n = watchers->n ? watchers->n : 16;

        if ((size_t)fd < watchers->n)
                return 0;
        while (n <= (size_t)fd)
                n *= 2;
        of = auv__realloc(watchers->of, n * sizeof(struct auv__watcher *));
        if (!of)
                return AUV_ENOMEM;
        for (size_t i = watchers->n; i < n; i++)
                of[i] = NULL;
        watchers->of = of;
        watchers->n = n;
        return 0;
}

/* libuv sets a descriptor to not block, for everybody that has it; what it was is restored. */
static int init_handle(uv_loop_t *uv, uv_poll_t *handle, int fd)
{
        const int flags = fcntl(fd, F_GETFL);
        int r;

        if (flags < 0)
                return -errno;
        r = uv_poll_init(uv, handle, fd);
        if (!(flags & O_NONBLOCK))
                (void)fcntl(fd, F_SETFL, flags);
        return r;
}

static int new_watcher(auv_loop *loop, int fd, struct auv__watcher **ret_watcher)
{
        struct auv__watcher *watcher;
        int r;

        /* First: a number that is no descriptor may be so large that there is no memory for its table. */
        if (fcntl(fd, F_GETFD) < 0)
                return -errno;
        AUV_TRY(reserve(&loop->watchers, fd));
        watcher = auv__calloc(sizeof(*watcher));
        if (!watcher)
                return AUV_ENOMEM;
        r = init_handle(auv__reactor_uv(loop->reactor), &watcher->handle, fd);
        if (r < 0) {
                auv__free(watcher);
                return r;
        }
        watcher->loop = loop;
        watcher->fd = fd;
        auv__reactor_adopt(loop->reactor, (uv_handle_t *)&watcher->handle);
        loop->watchers.of[fd] = watcher;
        *ret_watcher = watcher;
        return 0;
}

/* Takes away a callback that there is, and with the last one the watcher. */
static void remove_side(struct auv__watcher *watcher, enum auv__side side)
{
        auv_loop *loop = watcher->loop;

        auv__callback_cancel(watcher->callback[side]);
        watcher->callback[side] = NULL;
        if (watcher->callback[AUV__READER] || watcher->callback[AUV__WRITER]) {
                (void)start(watcher);
                return;
        }
        clear_fresh(watcher);
        loop->watchers.of[watcher->fd] = NULL;
        auv__reactor_discard(loop->reactor, (uv_handle_t *)&watcher->handle);
}

/* Started also where a callback is replaced: behind the number there may be another descriptor by now. */
static int set_side(struct auv__watcher *watcher, enum auv__side side, struct auv__callback *callback)
{
        struct auv__callback *replaced = watcher->callback[side];
        int r;

        watcher->callback[side] = callback;
        r = start(watcher);
        if (r < 0 && replaced) {
                watcher->callback[side] = replaced;
                auv__callback_cancel(callback);
        } else if (r < 0) {
                remove_side(watcher, side);
        } else {
                auv__callback_cancel(replaced);
                watcher->serial[side] = ++watcher->loop->watchers.last_serial;
        }
        return r;
}

static int add(auv_loop *loop, int fd, enum auv__side side, auv_call_fn fn, void *arg)
{
        struct auv__watcher *watcher = find(loop, fd);
        struct auv__callback *callback = auv__callback_new(fn, arg);
        int r = callback ? 0 : AUV_ENOMEM;

        if (r == 0 && !watcher)
                r = new_watcher(loop, fd, &watcher);
        if (r < 0) {
                auv__callback_cancel(callback);
                return r;
        }
        return set_side(watcher, side, callback);
}

static int refuse_claimed(const auv_loop *loop, int fd)
{
        if (auv__likely(entry(loop, fd) != &claimed))
                return 0;
        return auv_raise(AUV_ERUNTIME, "file descriptor %d is used by a transport", fd);
}

int auv__watcher_add(auv_loop *loop, int fd, enum auv__side side, auv_call_fn fn, void *arg,
                     uint64_t *ret_serial)
{
        int r;

        AUV_TRY(refuse_claimed(loop, fd));
        r = fd < 0 ? AUV_EBADF : add(loop, fd, side, fn, arg);
        if (r == AUV_EEXIST)
                return auv_raise(AUV_ERUNTIME, "another libuv handle of the loop has descriptor %d", fd);
        if (r < 0)
                return auv_raise(r, NULL);
        *ret_serial = loop->watchers.last_serial;
        return 0;
}

void auv__watcher_remove(auv_loop *loop, int fd, enum auv__side side, uint64_t serial)
{
        struct auv__watcher *watcher = find(loop, fd);

        if (watcher && watcher->callback[side] && watcher->serial[side] == serial)
                remove_side(watcher, side);
}

int auv__watchers_claim(auv_loop *loop, int fd)
{
        struct auv__watcher *watcher = find(loop, fd);

        if (entry(loop, fd) == &claimed)
                return AUV_EEXIST;
        AUV_TRY(reserve(&loop->watchers, fd));
        /* asyncio leaves them to whoever has added them; but libuv has one handle for a descriptor. */
        for (int side = 0; watcher && side < N_SIDES; side++)
                if (watcher->callback[side])
                        remove_side(watcher, side);
        loop->watchers.of[fd] = &claimed;
        return 0;
}

void auv__watchers_release(auv_loop *loop, int fd)
{
        if (entry(loop, fd) == &claimed)
                loop->watchers.of[fd] = NULL;
}

static int checked_add(auv_loop *loop, int fd, enum auv__side side, auv_call_fn fn, void *arg)
{
        uint64_t serial;

        if (!fn)
                return auv_raise(AUV_EINVAL, "no function to call");
        AUV_TRY(auv__loop_check(&loop));
        return auv__watcher_add(loop, fd, side, fn, arg, &serial);
}

static int checked_remove(auv_loop *loop, int fd, enum auv__side side)
{
        struct auv__watcher *watcher;

        if (loop && loop->closed)
                return 0;
        AUV_TRY(auv__loop_check(&loop));
        AUV_TRY(refuse_claimed(loop, fd));
        watcher = find(loop, fd);
        if (!watcher || !watcher->callback[side])
                return 0;
        remove_side(watcher, side);
        return 1;
}

int auv_loop_add_reader(auv_loop *loop, int fd, auv_call_fn fn, void *arg)
{
        return checked_add(loop, fd, AUV__READER, fn, arg);
}

int auv_loop_remove_reader(auv_loop *loop, int fd)
{
        return checked_remove(loop, fd, AUV__READER);
}

int auv_loop_add_writer(auv_loop *loop, int fd, auv_call_fn fn, void *arg)
{
        return checked_add(loop, fd, AUV__WRITER, fn, arg);
}

int auv_loop_remove_writer(auv_loop *loop, int fd)
{
        return checked_remove(loop, fd, AUV__WRITER);
}

void auv__watchers_close(auv_loop *loop)
{
        for (size_t fd = 0; fd < loop->watchers.n; fd++)
                for (int side = 0; side < N_SIDES; side++) {
                        struct auv__watcher *watcher = find(loop, (int)fd);

                        if (watcher && watcher->callback[side])
                                remove_side(watcher, side);
                }
        auv__free(loop->watchers.of);
        loop->watchers = (struct auv__watchers) { .of = NULL };
}

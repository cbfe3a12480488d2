/* SPDX-License-Identifier: MIT */

/*
 * Watched descriptors
 *
 * A libuv handle for each descriptor that has a reader, a writer or both. libuv looks at the state of the
 * descriptor, not at its changes: as long as it is ready, each look at it queues the calls again,
 * unless they wait in the queue from the look before.
 */

#include "loop/watcher.h"

#include "base/alloc.h"
#include "loop/callback.h"
#include "loop/loop.h"
#include "loop/reactor.h"

#include <fcntl.h>
#include <uv.h>

enum side { READER, WRITER, N_SIDES };

struct auv__watcher {
        uv_poll_t handle;                        /* first: see auv__reactor_adopt() */
        auv_loop *loop;
        struct auv__callback *callback[N_SIDES]; /* NULL for none */
};

static const int event_of[N_SIDES] = { [READER] = UV_READABLE, [WRITER] = UV_WRITABLE };

static void on_ready(uv_poll_t *handle, int status, int events);

/* Asks libuv for what there are callbacks for. */
static int start(struct auv__watcher *watcher)
{
        int events = 0;

        for (int side = 0; side < N_SIDES; side++)
                if (watcher->callback[side])
                        events |= event_of[side];
        return uv_poll_start(&watcher->handle, events, on_ready);
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
        struct auv__watcher *watcher = auv__container_of(handle, struct auv__watcher, handle);

        /* An error of the descriptor: whoever reads or writes is to see it. libuv has stopped looking. */
        if (status < 0) {
                events = UV_READABLE | UV_WRITABLE;
                (void)start(watcher);
        }
        for (int side = 0; side < N_SIDES; side++) {
                struct auv__callback *callback = watcher->callback[side];

                if (callback && events & event_of[side] && !auv__callback_is_due(callback))
                        auv__callback_push(watcher->loop, callback);
        }
}

static struct auv__watcher *find(const auv_loop *loop, int fd)
{
        return fd >= 0 && (size_t)fd < loop->watchers.n ? loop->watchers.of[fd] : NULL;
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
        *watchers = (struct auv__watchers) { .of = of, .n = n };
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
        auv__reactor_adopt(loop->reactor, (uv_handle_t *)&watcher->handle);
        loop->watchers.of[fd] = watcher;
        *ret_watcher = watcher;
        return 0;
}

/* Takes away a callback that there is, and with the last one the watcher. */
static void remove_side(struct auv__watcher *watcher, int fd, enum side side)
{
        auv_loop *loop = watcher->loop;

        auv__callback_cancel(watcher->callback[side]);
        watcher->callback[side] = NULL;
        if (watcher->callback[READER] || watcher->callback[WRITER]) {
                (void)start(watcher);
                return;
        }
        loop->watchers.of[fd] = NULL;
        auv__reactor_discard(loop->reactor, (uv_handle_t *)&watcher->handle);
}

static int set_side(struct auv__watcher *watcher, int fd, enum side side, struct auv__callback *callback)
{
        struct auv__callback *replaced = watcher->callback[side];
        int r;

        watcher->callback[side] = callback;
        if (replaced) {
                auv__callback_cancel(replaced);
                return 0;
        }
        r = start(watcher);
        if (r < 0)
                remove_side(watcher, fd, side);
        return r;
}

static int add(auv_loop *loop, int fd, enum side side, auv_call_fn fn, void *arg)
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
        return set_side(watcher, fd, side, callback);
}

static int checked_add(auv_loop *loop, int fd, enum side side, auv_call_fn fn, void *arg)
{
        int r;

        if (!fn)
                return auv_raise(AUV_EINVAL, "no function to call");
        AUV_TRY(auv__loop_check(&loop));
        r = fd < 0 ? AUV_EBADF : add(loop, fd, side, fn, arg);
        if (r == AUV_EEXIST)
                return auv_raise(AUV_ERUNTIME, "another libuv handle of the loop has descriptor %d", fd);
        return r < 0 ? auv_raise(r, NULL) : 0;
}

static int checked_remove(auv_loop *loop, int fd, enum side side)
{
        struct auv__watcher *watcher;

        if (loop && loop->closed)
                return 0;
        AUV_TRY(auv__loop_check(&loop));
        watcher = find(loop, fd);
        if (!watcher || !watcher->callback[side])
                return 0;
        remove_side(watcher, fd, side);
        return 1;
}

int auv_loop_add_reader(auv_loop *loop, int fd, auv_call_fn fn, void *arg)
{
        return checked_add(loop, fd, READER, fn, arg);
}

int auv_loop_remove_reader(auv_loop *loop, int fd)
{
        return checked_remove(loop, fd, READER);
}

int auv_loop_add_writer(auv_loop *loop, int fd, auv_call_fn fn, void *arg)
{
        return checked_add(loop, fd, WRITER, fn, arg);
}

int auv_loop_remove_writer(auv_loop *loop, int fd)
{
        return checked_remove(loop, fd, WRITER);
}

void auv__watchers_close(auv_loop *loop)
{
        for (size_t fd = 0; fd < loop->watchers.n; fd++)
                for (int side = 0; side < N_SIDES; side++)
                        if (loop->watchers.of[fd] && loop->watchers.of[fd]->callback[side])
                                remove_side(loop->watchers.of[fd], (int)fd, side);
        auv__free(loop->watchers.of);
        loop->watchers = (struct auv__watchers) { .of = NULL };
}

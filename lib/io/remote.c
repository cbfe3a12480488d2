/* SPDX-License-Identifier: MIT */

#include "io/remote.h"

#include "base/alloc.h"
#include "loop/reactor.h"
#include "loop/wakeup.h"

/* What a loop has for the remotes that have not ended. */
struct remotes {
        struct auv__guest guest;
        struct auv__remote *first;
};

static void hold(struct auv__remote *remote)
{
        __atomic_add_fetch(&remote->holders, 1, __ATOMIC_RELAXED);
}

static void let_go(struct auv__remote *remote)
{
        if (__atomic_sub_fetch(&remote->holders, 1, __ATOMIC_ACQ_REL) > 0)
                return;
        uv_mutex_destroy(&remote->lock);
        remote->functions->free(remote);
}

static void close_remotes(struct auv__guest *guest, auv_loop *loop);

static struct remotes *remotes_of(const auv_loop *loop)
{
        struct auv__guest *guest = auv__loop_guest(loop, close_remotes);

        return guest ? auv__container_of(guest, struct remotes, guest) : NULL;
}

static int require_remotes(auv_loop *loop, struct remotes **ret_remotes)
{
        struct remotes *remotes = remotes_of(loop);

        if (!remotes) {
                remotes = auv__calloc(sizeof(*remotes));
                if (!remotes)
                        return AUV_ENOMEM;
                remotes->guest.close = close_remotes;
                auv__loop_add_guest(loop, &remotes->guest);
        }
        *ret_remotes = remotes;
        return 0;
}

static void link_to(struct remotes *remotes, struct auv__remote *remote)
{
        remote->previous = NULL;
        remote->next = remotes->first;
        if (remote->next)
                remote->next->previous = remote;
        remotes->first = remote;
}

static void unlink_from(struct remotes *remotes, struct auv__remote *remote)
{
        if (remote->previous)
                remote->previous->next = remote->next;
        else
                remotes->first = remote->next;
        if (remote->next)
                remote->next->previous = remote->previous;
}

/*
 * Parts the loop from a remote that has not ended. Returns the future, with the reference that the
 * remote had; NULL where it was cancelled.
 */
static auv_future *end(struct auv__remote *remote, struct remotes *remotes)
{
        auv_loop *loop = remote->loop;
        auv_future *future = remote->future;

        unlink_from(remotes, remote);
        auv__reactor_unexpect(loop->reactor);
        uv_mutex_lock(&remote->lock);
        remote->loop = NULL;
        uv_mutex_unlock(&remote->lock);
        remote->future = NULL;
        if (future && auv__future_unwatch(future, &remote->on_future))
                let_go(remote);
        if (remote->functions->end)
                remote->functions->end(remote, loop);
        return future;
}

/* Ends a remote as far as its loop is concerned, and leaves the future as it is. */
static void leave(struct auv__remote *remote, struct remotes *remotes)
{
        auv_unref(end(remote, remotes));
        let_go(remote);
}

/* The loop has come to what was posted. */
static void run(struct auv__item *item, bool dropped)
{
        struct auv__remote *remote = auv__container_of(item, struct auv__remote, item);
        auv_future *future = end(remote, remotes_of(remote->loop));

        if (future && !dropped && !auv__future_is_done(future))
                remote->functions->settle(remote, future);
        auv_unref(future);
        let_go(remote); /* the loop's hold, */
        let_go(remote); /* and that of the item */
}

static void cancel(struct auv__remote *remote)
{
        remote->future = auv_unref(remote->future);
        if (!remote->functions->cancel(remote))
                return;
        leave(remote, remotes_of(remote->loop));
        let_go(remote); /* for the poster, who is not going to */
}

/* The future is done: settled here or by somebody else, or cancelled; or its callbacks are dropped. */
static void run_on_future(struct auv__item *item, bool dropped)
{
        struct auv__remote *remote = auv__container_of(item, struct auv__remote, on_future.item);
        auv_future *future = remote->on_future.future;

        if (!dropped && remote->future && future->object.state == AUV__CANCELLED)
                cancel(remote);
        if (future)
                auv__drop(&future->object);
        let_go(remote);
}

static void close_remotes(struct auv__guest *guest, auv_loop *loop)
{
        struct remotes *remotes = auv__container_of(guest, struct remotes, guest);

        while (remotes->first)
                leave(remotes->first, remotes);
        auv__free(remotes);
}

int auv__remote_begin(struct auv__remote *remote, const struct auv__remote_functions *functions,
                      auv_future *future)
{
        struct remotes *remotes;

        AUV_TRY(require_remotes(future->loop, &remotes));
        *remote = (struct auv__remote) { .functions = functions,
                                         .holders = 3, /* the loop, the poster, the future's list */
                                         .loop = future->loop,
                                         .item = { .run = run },
                                         .future = future,
                                         .on_future = { .item = { .run = run_on_future } } };
        AUV_TRY(uv_mutex_init(&remote->lock));
        auv_ref(future);
        auv__future_watch(future, &remote->on_future);
        link_to(remotes, remote);
        auv__reactor_expect(future->loop->reactor);
        return 0;
}

void auv__remote_abandon(struct auv__remote *remote)
{
        leave(remote, remotes_of(remote->loop));
        let_go(remote);
}

void auv__remote_post(struct auv__remote *remote)
{
        /* The loop may have run the item before this returns; until then the poster's hold is kept. */
        hold(remote);
        uv_mutex_lock(&remote->lock);
        if (!remote->loop || auv__wakeup_push(remote->loop, &remote->item) < 0)
                let_go(remote);
        uv_mutex_unlock(&remote->lock);
        let_go(remote);
}

void auv__remote_post_here(struct auv__remote *remote)
{
        if (remote->loop)
                auv__loop_push(remote->loop, &remote->item);
        else
                let_go(remote);
}

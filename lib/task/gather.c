/* SPDX-License-Identifier: MIT */

/*
 * Gather
 *
 * A future that waits in the lists of its children. All memory that it will ever need is taken
 * when it is made, so that nothing can fail when the children end: the waiters of the children
 * and, once all of these have run, the results stand in the same place.
 *
 * Where there are many children, what waits for one is an item and nothing more: these stand in chunks that
 * are aligned to their size, so that the gather, and which child it is, are known from an item's address.
 *
 * A gather that nobody holds any more goes on until its children are done, so that their
 * errors count as seen.
 */

#include "task/gather.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/value.h"
#include "loop/hooks.h"
#include "task/await.h"
#include "task/behind.h"
#include "task/kinds.h"
#include "task/task.h"

#define CHUNK_SIZE ((size_t)1024)
#define LARGE      ((size_t)1 << 20)

enum { MANY = 64, IN_CHUNK = CHUNK_SIZE / sizeof(struct auv__item) - 1 };

struct auv__gather_child {
        struct auv__waiter waiter;
        struct auv__gather *gather;
};

struct auv__gather_chunk {
        struct auv__gather *gather;
        size_t first; /* the child that its first item waits for */
        struct auv__item items[IN_CHUNK];
};

_Static_assert(sizeof(struct auv__gather_chunk) == CHUNK_SIZE, "a chunk is aligned to its size");

/*
 * The result of a child that is done, to be read. An error stands there with a reference of the list's, and
 * counts as seen.
 */
static auv_value result_of(auv_future *child)
{
        auv_error *error;

        switch ((enum auv__future_state)child->object.state) {
        case AUV__CANCELLED:
                error = child->cancelled.message;
                error = error ? auv_ref(error) : auv__error_static(AUV_ECANCELED);
                return auv__value_lent(auv__value_from_error(error));
        case AUV__FAILED:
                return auv__value_lent(auv__value_from_error(auv__future_outcome(child)));
        default:
                return auv__unlikely(child->value.destroy) ? auv__value_lent(child->value) : child->value;
        }
}

static void collect_results(struct auv__gather *gather)
{
        struct auv__list *list = gather->results;

        list->n = gather->n;
        for (size_t i = 0; i < gather->n; i++)
                list->values[i] = result_of(gather->children[i]);
        gather->future.object.flags |= AUV__BORROWED;
        auv__future_succeed(&gather->future, auv__value_from_list(list));
}

/* It does not end with the errors of its children, but has looked at them. */
static void end_cancelled(struct auv__gather *gather)
{
        for (size_t i = 0; i < gather->n; i++)
                gather->children[i]->object.flags &= ~AUV__ERROR_UNSEEN;
        auv__future_fail(&gather->future, auv__future_cancelled_error(gather->children[gather->n - 1]));
}

static void on_child_done(struct auv__gather *gather, auv_future *child)
{
        auv_future *future = &gather->future;

        gather->n_done++;
        if (auv__future_is_done(future)) {
                child->object.flags &= ~AUV__ERROR_UNSEEN;
                return;
        }
        if (!gather->return_exceptions) {
                auv_error *error = auv__future_outcome(child);

                if (error) {
                        auv__future_fail(future, error);
                        return;
                }
        }
        if (gather->n_done < gather->n_unique)
                return;
        if (gather->cancel_requested)
                end_cancelled(gather);
        else
                collect_results(gather);
}

/* What waited for a child has run. @child: with a reference, or NULL where it will never be done. */
static void end_wait(struct auv__gather *gather, auv_future *child, bool dropped)
{
        /* What waited may be overwritten by the results from here on. */
        if (--gather->n_waiting == 0)
                auv__detach(gather->future.loop, &gather->attachment);
        if (!dropped)
                on_child_done(gather, child);
        if (child)
                auv__drop(&child->object);
        if (gather->n_waiting == 0)
                auv__drop(&gather->future.object);
}

static void run_child(struct auv__item *item, bool dropped)
{
        struct auv__gather_child *waiting = auv__container_of(item, struct auv__gather_child, waiter.item);

        end_wait(waiting->gather, waiting->waiter.future, dropped);
}

static const struct auv__gather_chunk *chunk_of(const struct auv__item *item)
{
        return (const void *)((uintptr_t)item & ~(uintptr_t)(CHUNK_SIZE - 1));
}

void auv__gather_wake_of_many(struct auv__item *item, bool dropped)
{
        const struct auv__gather_chunk *chunk = chunk_of(item);

        end_wait(chunk->gather, chunk->gather->children[chunk->first + (size_t)(item - chunk->items)],
                 dropped);
}

auv_future *auv__gather_behind(const struct auv__item *item)
{
        if (item->run == auv__gather_wake_of_many)
                return &chunk_of(item)->gather->future;
        return item->run == run_child
                ? &auv__container_of(item, struct auv__gather_child, waiter.item)->gather->future : NULL;
}

/* The loop is closed: the children that are not done never will be. */
static void drop_attachment(struct auv__attachment *attachment)
{
        struct auv__gather *gather = auv__container_of(attachment, struct auv__gather, attachment);

        auv__keep(&gather->future.object);
        for (size_t i = 0; i < gather->n; i++)
                auv__future_drop_callbacks(gather->children[i]);
        auv__drop(&gather->future.object);
}

/* Room for the waiters of @n children, and later for their results. */
static size_t room_for(size_t n)
{
        const size_t waiting = n < MANY ? n * sizeof(struct auv__gather_child)
                                        : (n / IN_CHUNK + 2) * CHUNK_SIZE; /* one is lost to alignment */
        const size_t results = sizeof(struct auv__list) + n * sizeof(auv_value);

        return waiting > results ? waiting : results;
}

/* Whether so many bytes have a mapping of their own: not where somebody watches allocations. */
static bool stands_apart(const auv_loop *loop, size_t size)
{
        return size >= LARGE && auv__alloc_is_default() && !auv__loop_tasks(loop)->pool.alone;
}

static struct auv__gather *new_gather(auv_loop *loop, size_t n, int flags)
{
        struct auv__gather *gather;
        void *mapping = NULL;
        uint16_t traced;
        size_t size;

        if (auv__tasks_require(loop) < 0 || n > SIZE_MAX / 64)
                return NULL;
        size = n * sizeof(auv_future *) + room_for(n);
        if (stands_apart(loop, size)) {
                mapping = auv__map(size);
                if (!mapping)
                        return NULL;
        }
        gather = auv__made_malloc(loop, sizeof(*gather) + (mapping ? 0 : size), &traced);
        if (!gather) {
                if (mapping)
                        auv__unmap(mapping, size);
                return NULL;
        }
        *gather = (struct auv__gather) { .attachment = { .drop = drop_attachment },
                                         .return_exceptions = flags & AUV_RETURN_EXCEPTIONS,
                                         .n_mapped = mapping ? size : 0 };
        gather->children = mapping ? mapping : (void *)(gather + 1);
        gather->waiting = gather->children + n;
        auv__future_init(&gather->future, loop, AUV__GATHER);
        gather->future.object.flags |= traced;
        return gather;
}

/* What is to wait for a child, which is the i-th. */
static struct auv__item *item_for(struct auv__gather *gather, size_t i, bool many)
{
        struct auv__gather_child *waiting = gather->waiting;
        struct auv__gather_chunk *chunk;

        if (!many) {
                waiting[i].waiter.item.run = run_child;
                waiting[i].gather = gather;
                return &waiting[i].waiter.item;
        }
        chunk = (void *)(((uintptr_t)gather->waiting + CHUNK_SIZE - 1) & ~(uintptr_t)(CHUNK_SIZE - 1));
        chunk += i / IN_CHUNK;
        chunk->gather = gather;
        chunk->first = i - i % IN_CHUNK;
        chunk->items[i % IN_CHUNK].run = auv__gather_wake_of_many;
        return &chunk->items[i % IN_CHUNK];
}

/* Takes the children in; those that are not done are waited for, once each. */
static void add_children(struct auv__gather *gather, auv_future *const *futures, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                auv_future *child = futures[i];
                const bool first_time = !(child->object.flags & AUV__MARKED);

                auv__keep(&child->object);
                gather->children[i] = child;
                if (!first_time)
                        continue;
                child->object.flags |= AUV__MARKED;
                gather->n_unique++;
                if (!auv__future_is_done(child)) {
                        /* Nothing but its item is looked at where the item is one of many. */
                        auv__future_watch(child, (void *)item_for(gather, i, n >= MANY));
                        gather->n_waiting++;
                }
        }
        gather->n = n;
        if (gather->n_waiting > 0) {
                auv__attach(gather->future.loop, &gather->attachment);
                auv__keep(&gather->future.object);
        }
}

/* Those that were done before; with the last of them the gather may be done as well. */
static void count_done_children(struct auv__gather *gather)
{
        for (size_t i = 0; i < gather->n; i++) {
                auv_future *child = gather->children[i];

                if (!(child->object.flags & AUV__MARKED))
                        continue;
                child->object.flags &= ~AUV__MARKED;
                if (auv__future_is_done(child))
                        on_child_done(gather, child);
        }
}

/* The loop that the children belong to; NULL where there is none, or several. */
static auv_loop *common_loop(auv_future *const *futures, size_t n)
{
        auv_loop *loop = n > 0 && futures[0] ? futures[0]->loop : NULL;

        if (n == 0)
                return auv_get_event_loop();
        for (size_t i = 0; i < n; i++)
                if (!futures[i] || futures[i]->loop != loop)
                        return NULL;
        return loop;
}

/* The first of several futures that could not be made has left the reason. */
static bool has_null(auv_future *const *futures, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!futures[i])
                        return true;
        return false;
}

auv_future *auv_gather(auv_future *const *futures, size_t n, int flags)
{
        struct auv__gather *gather;
        auv_loop *loop;

        if ((n > 0 && !futures) || flags & ~AUV_RETURN_EXCEPTIONS)
                return auv__no_future(auv_raise(AUV_EINVAL, "no futures, or flags without meaning"));
        if (has_null(futures, n))
                return auv__no_future(auv_raise(auv__no_future_reason(), "a future could not be made"));
        loop = common_loop(futures, n);
        if (!loop)
                return auv__no_future(n > 0 ? auv_raise(AUV_EINVAL, "the futures belong to several loops")
                                            : auv_raise(AUV_ENOLOOP, NULL));
        if (loop->closed)
                return auv__no_future(auv_raise(AUV_ECLOSED, NULL));
        gather = new_gather(loop, n, flags);
        if (!gather)
                return auv__no_future(auv_raise(AUV_ENOMEM, NULL));
        add_children(gather, futures, n);
        count_done_children(gather);
        if (n == 0)
                collect_results(gather);
        return &gather->future;
}

/*
 * The only result is to be the task's own: the task then holds whoever owns it, as with any await, or has a
 * reference to the error of its own, as no future has that for a result.
 */
AUV_COLD static int hand_on(auv_future *child, auv_value *ret)
{
        if (child->object.state == AUV__HAS_RESULT)
                return auv__future_read(child, ret);
        *ret = auv__value_from_error(auv_ref(auv_value_error(ret)));
        return 0;
}

int auv_await_gather(auv_future *const *futures, size_t n, int flags, auv_value *ret_results)
{
        AUV_AUTO auv_future *gather = NULL;
        struct auv__task *task;
        auv_value result;
        const auv_value *results;

        AUV_TRY(auv__await_begin(&task));
        gather = auv_gather(futures, n, flags);
        AUV_TRY(auv__await(task, gather, &result));
        results = auv_value_list(&result, NULL);
        for (size_t i = 0; ret_results && i < n; i++)
                ret_results[i] = results[i];
        if (auv__unlikely(ret_results == &task->future.value) && n > 0)
                return hand_on(futures[0], ret_results);
        return 0;
}

void auv__gather_deinit(auv_future *future)
{
        struct auv__gather *gather = auv__to_gather(future);

        if (future->object.state == AUV__HAS_RESULT && gather->return_exceptions)
                for (size_t i = 0; i < gather->n; i++)
                        if (gather->children[i]->object.state != AUV__HAS_RESULT)
                                auv_unref(gather->results->values[i].p);
        for (size_t i = 0; i < gather->n; i++)
                auv__drop(&gather->children[i]->object);
        if (gather->n_mapped > 0)
                auv__unmap(gather->children, gather->n_mapped);
}

void auv__gather_walk_begin(struct auv__gather *gather, struct auv__gather *above, auv_future *first,
                            struct auv__task *waiter)
{
        gather->future.object.flags |= AUV__ON_PATH;
        gather->walk.above = above;
        gather->walk.first = first;
        gather->walk.waiter = waiter;
        gather->walk.next = 0;
        gather->walk.accepted = false;
}

bool auv__gather_walk_next(struct auv__gather *gather, bool accepted, auv_future **ret_child)
{
        gather->walk.accepted |= accepted;
        if (gather->walk.next == gather->n)
                return false;
        *ret_child = gather->children[gather->walk.next++];
        return true;
}

void auv__gather_walk_abandon(struct auv__gather *gather)
{
        gather->future.object.flags &= ~AUV__ON_PATH;
}

bool auv__gather_walk_end(struct auv__gather *gather)
{
        gather->future.object.flags &= ~AUV__ON_PATH;
        if (gather->walk.accepted)
                gather->cancel_requested = true;
        return gather->walk.accepted;
}

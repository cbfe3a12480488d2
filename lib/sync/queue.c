/* SPDX-License-Identifier: MIT */

/*
 * Queue
 *
 * Items are not handed over: a put wakes the first in the line of getters, who looks for itself when
 * it runs, and stands in line again, at the end, where somebody was quicker. So it is with a get
 * and the line of putters.
 */

#include <asyncuv/queue.h>

#include "base/alloc.h"
#include "sync/bind.h"
#include "sync/items.h"
#include "task/line.h"

struct auv_queue {
        struct auv__object object;
        bool is_shut_down;
        long maxsize;
        size_t n_unfinished;
        auv_loop *loop; /* see bind.h */
        struct auv__items items;
        struct auv__line getters;
        struct auv__line putters;
        struct auv__line joiners;
};

static auv_queue *new_queue(long maxsize, enum auv__order order, auv_compare_fn compare, void *arg)
{
        auv_queue *queue = auv__calloc(sizeof(*queue));

        if (!queue) {
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        queue->object = auv__object_init(AUV__QUEUE, 0);
        queue->maxsize = maxsize;
        queue->items = (struct auv__items) { .order = order, .compare = compare, .compare_arg = arg };
        return queue;
}

auv_queue *auv_queue_new(long maxsize)
{
        return new_queue(maxsize, AUV__FIFO, NULL, NULL);
}

auv_queue *auv_lifo_queue_new(long maxsize)
{
        return new_queue(maxsize, AUV__LIFO, NULL, NULL);
}

auv_queue *auv_priority_queue_new(long maxsize, auv_compare_fn compare, void *arg)
{
        if (!compare) {
                auv_raise(AUV_EINVAL, "no function to compare with");
                return NULL;
        }
        return new_queue(maxsize, AUV__PRIORITY, compare, arg);
}

void auv__queue_free(struct auv__object *object)
{
        auv_queue *queue = auv__container_of(object, auv_queue, object);

        auv__items_deinit(&queue->items);
        auv__free(queue);
}

size_t auv_queue_qsize(const auv_queue *queue)
{
        return queue ? queue->items.n : 0;
}

long auv_queue_maxsize(const auv_queue *queue)
{
        return queue ? queue->maxsize : 0;
}

static bool is_empty(const auv_queue *queue)
{
        return queue->items.n == 0;
}

static bool is_full(const auv_queue *queue)
{
        return queue->maxsize > 0 && queue->items.n >= (size_t)queue->maxsize;
}

bool auv_queue_empty(const auv_queue *queue)
{
        return !queue || is_empty(queue);
}

bool auv_queue_full(const auv_queue *queue)
{
        return queue && is_full(queue);
}

static int put(auv_queue *queue, auv_value item)
{
        if (queue->is_shut_down)
                return auv_raise(AUV_EQUEUESHUTDOWN, NULL);
        if (is_full(queue))
                return auv_raise(AUV_EQUEUEFULL, NULL);
        if (auv__items_put(&queue->items, item) < 0)
                return auv_raise(AUV_ENOMEM, NULL);
        queue->n_unfinished++;
        auv__line_call_next(&queue->getters);
        return 0;
}

static int get(auv_queue *queue, auv_value *ret_item)
{
        if (is_empty(queue))
                return auv_raise(queue->is_shut_down ? AUV_EQUEUESHUTDOWN : AUV_EQUEUEEMPTY, NULL);
        *ret_item = auv__items_get(&queue->items);
        auv__line_call_next(&queue->putters);
        return 0;
}

int auv_queue_put_nowait(auv_queue *queue, auv_value item)
{
        return queue ? put(queue, item) : auv_raise(AUV_EINVAL, "no queue");
}

int auv_queue_get_nowait(auv_queue *queue, auv_value *ret_item)
{
        if (!queue || !ret_item)
                return auv_raise(AUV_EINVAL, "no queue, or no place for the item");
        return get(queue, ret_item);
}

/* A wait while the queue is blocked for those in the line, and what is done then. */
struct waiting {
        auv_frame frame;
        auv_queue *queue; /* with a reference */
        bool (*blocked)(const auv_queue *queue);
        int (*finish)(struct waiting *self);
        struct auv__line *line;
        union {
                auv_value item;      /* of a put */
                auv_value *ret_item; /* of a get */
        };
        struct auv__place place;
};

/* What all waits begin with. The place is made when it is taken: clearing it would cost more than a get. */
static void begin_wait(struct waiting *self, auv_queue *queue, struct auv__line *line)
{
        self->frame = (auv_frame) { 0 };
        self->queue = auv_ref(queue);
        self->line = line;
}

static int check_wait(struct waiting *self)
{
        if (self->queue->is_shut_down)
                return auv_raise(AUV_EQUEUESHUTDOWN, NULL);
        return auv__sync_bind(&self->queue->loop, auv__steps_task());
}

static int wait_while_blocked(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct waiting, self);
        bool woken;
        int r = 0;

        while (r == 0 && self->blocked(self->queue)) {
                r = check_wait(self);
                if (r < 0)
                        break;
                AUV__AWAIT_IN_LINE_CATCH(r, woken, self->line, &self->place);
                /* Woken, but cancelled before it could make use of it: somebody else may. */
                if (r < 0 && woken && !self->blocked(self->queue))
                        auv__line_call_next(self->line);
        }
        if (r == 0)
                r = self->finish(self);
        auv__drop(&self->queue->object);
        AUV_LEAVE(r);
        AUV_END;
}

static int finish_put(struct waiting *self)
{
        return put(self->queue, self->item);
}

AUV__RETURNS_BY_JUMP int auv_await_queue_put(auv_queue *queue, auv_value item)
{
        struct waiting waiting;
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(queue, &task));
        if (!is_full(queue))
                return put(queue, item);
        begin_wait(&waiting, queue, &queue->putters);
        waiting.blocked = is_full;
        waiting.finish = finish_put;
        waiting.item = item;
        return auv__run_steps(task, wait_while_blocked, &waiting);
}

static int finish_get(struct waiting *self)
{
        return get(self->queue, self->ret_item);
}

AUV__RETURNS_BY_JUMP int auv_await_queue_get(auv_queue *queue, auv_value *ret_item)
{
        struct waiting waiting;
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(queue, &task));
        if (!ret_item)
                return auv_raise(AUV_EINVAL, "no place for the item");
        if (!is_empty(queue))
                return get(queue, ret_item);
        begin_wait(&waiting, queue, &queue->getters);
        waiting.blocked = is_empty;
        waiting.finish = finish_get;
        waiting.ret_item = ret_item;
        return auv__run_steps(task, wait_while_blocked, &waiting);
}

int auv_queue_task_done(auv_queue *queue)
{
        if (!queue)
                return auv_raise(AUV_EINVAL, "no queue");
        if (queue->n_unfinished == 0)
                return auv_raise(AUV_ERUNTIME, "task_done() was called too many times");
        if (--queue->n_unfinished == 0)
                auv__line_wake_all(&queue->joiners);
        return 0;
}

AUV__RETURNS_BY_JUMP int auv_await_queue_join(auv_queue *queue)
{
        struct auv__line_wait wait;
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(queue, &task));
        if (queue->n_unfinished == 0)
                return 0;
        AUV_TRY(auv__sync_bind(&queue->loop, task));
        auv__keep(&queue->object);
        auv__line_wait_init(&wait, &queue->joiners, &queue->object);
        return auv__run_steps(task, auv__line_wait_steps, &wait);
}

/* One by one, for a destructor may use the queue. */
static void drop_items(auv_queue *queue)
{
        while (queue->items.n > 0) {
                const auv_value item = auv__items_get(&queue->items);

                if (queue->n_unfinished > 0)
                        queue->n_unfinished--;
                if (item.destroy)
                        item.destroy(item.p);
        }
        auv__items_deinit(&queue->items);
        if (queue->n_unfinished == 0)
                auv__line_wake_all(&queue->joiners);
}

static void wake_and_dismiss(struct auv__line *line)
{
        while (line->first)
                auv__line_call_next(line);
}

void auv_queue_shutdown(auv_queue *queue, bool immediate)
{
        if (!queue)
                return;
        auv__keep(&queue->object);
        queue->is_shut_down = true;
        if (immediate)
                drop_items(queue);
        wake_and_dismiss(&queue->getters);
        wake_and_dismiss(&queue->putters);
        auv__drop(&queue->object);
}

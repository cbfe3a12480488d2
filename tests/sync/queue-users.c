/* SPDX-License-Identifier: MIT */
#include "queue-users.h"

#include "support/coroutine.h"
#include "support/loop.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

struct user {
        const char *name;
        auv_queue *queue;
        int first; /* of the items to put */
        int n;     /* how many to put or to get */
};

static int puts_items(void *arg, auv_value *ret)
{
        const struct user *user = arg;

        for (int i = 0; i < user->n; i++) {
                const int r = auv_await_queue_put(user->queue, NUMBER(user->first + i));

                if (r < 0) {
                        trace("%s:%s", user->name, auv_error_name(r));
                        return r == AUV_EQUEUESHUTDOWN ? 0 : r;
                }
                trace("%s%d", user->name, user->first + i);
                ret->i++;
        }
        return 0;
}

static int gets_items(void *arg, auv_value *ret)
{
        const struct user *user = arg;

        for (int i = 0; i < user->n; i++) {
                auv_value item = NUMBER(-1);
                const int r = auv_await_queue_get(user->queue, &item);

                if (r < 0) {
                        cr_assert(eq(i64, item.i, -1));
                        trace("%s:%s", user->name, auv_error_name(r));
                        return r == AUV_EQUEUESHUTDOWN ? 0 : r;
                }
                trace("%s%jd", user->name, item.i);
                ret->i++;
        }
        return 0;
}

auv_task *start_putter(const char *name, auv_queue *queue, int first, int n)
{
        return auv_loop_create_task(loop, puts_items, &(struct user) { name, queue, first, n },
                                    sizeof(struct user), NULL);
}

auv_task *start_getter(const char *name, auv_queue *queue, int n)
{
        return auv_loop_create_task(loop, gets_items, &(struct user) { name, queue, 0, n },
                                    sizeof(struct user), NULL);
}

static int joins(void *arg, auv_value *ret)
{
        const struct user *user = arg;
        const int r = auv_await_queue_join(user->queue);

        trace("%s%s", user->name, r < 0 ? auv_error_name(r) : "");
        return r;
}

auv_task *start_joiner(const char *name, auv_queue *queue)
{
        return auv_loop_create_task(loop, joins, &(struct user) { name, queue, 0, 0 }, sizeof(struct user),
                                    NULL);
}

int gets_one(void *arg, auv_value *ret)
{
        return auv_await_queue_get(arg, ret);
}

int puts_one(void *arg, auv_value *ret)
{
        return auv_await_queue_put(arg, NUMBER(1));
}

int joins_one(void *arg, auv_value *ret)
{
        return auv_await_queue_join(arg);
}

void put(auv_queue *queue, int number)
{
        cr_assert(eq(int, auv_queue_put_nowait(queue, NUMBER(number)), 0));
}

int get(auv_queue *queue)
{
        auv_value item = NUMBER(-1);

        cr_assert(eq(int, auv_queue_get_nowait(queue, &item), 0));
        return (int)item.i;
}

static int compare_numbers(const auv_value *a, const auv_value *b, void *arg)
{
        cr_assert(eq(str, (char *)arg, "order"));
        return (a->i > b->i) - (a->i < b->i);
}

auv_queue *new_priority_queue(long maxsize)
{
        return auv_priority_queue_new(maxsize, compare_numbers, "order");
}

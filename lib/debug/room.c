/* SPDX-License-Identifier: MIT */

/* Room: a large stack for a while. */

#include "debug/room.h"

#include "coro/coro.h"
#include "coro/stackful.h"
#include "task/task.h"

#define STACK_SIZE ((size_t)512 << 10)

struct visit {
        void (*fn)(void *arg);
        void *arg;
};

static int run(void *arg, auv_value *ret)
{
        const struct visit *visit = arg;

        visit->fn(visit->arg);
        return 0;
}

void auv__with_room(void (*fn)(void *arg), void *arg)
{
        struct visit visit = { .fn = fn, .arg = arg };
        const auv_loop *loop = auv__running_loop;
        struct auv__coro *coro;
        auv_value value;

        /* Outside of a task, this is the thread's own stack. */
        if (!loop || !loop->current
            || auv__stackful_new(&auv__loop_tasks(loop)->stacks, STACK_SIZE, run, &visit, /* size= */ 0, &value,
                                 &coro) < 0) {
                fn(arg);
                return;
        }
        auv__coro_resume(coro, 0);
        auv__coro_destroy(coro);
}

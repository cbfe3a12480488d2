/* SPDX-License-Identifier: MIT */

/* Room to look for symbols in. */

#include "debug/room.h"

#include "base/clock.h"
#include "coro/coro.h"
#include "coro/stackful.h"
#include "debug/symbols.h"
#include "task/task.h"

#define STACK_SIZE ((size_t)512 << 10)

static _Thread_local int64_t spent_ns;

struct visit {
        void (*fn)(void *arg);
        void *arg;
};

static int run(void *arg, auv_value *ret)
{
        const struct visit *visit = arg;
        const int64_t start_ns = auv__clock_monotonic();

        auv__symbols_enter();
        visit->fn(visit->arg);
        auv__symbols_leave();
        spent_ns += auv__clock_monotonic() - start_ns;
        return 0;
}

void auv__with_room(auv_loop *loop, void (*fn)(void *arg), void *arg)
{
        struct visit visit = { .fn = fn, .arg = arg };
        struct auv__coro *coro;
        auv_value value;

        if (!loop->tenant
            || auv__stackful_new(&auv__loop_tasks(loop)->stacks, STACK_SIZE, run, &visit, /* size= */ 0,
                                 &value, &coro) < 0) {
                run(&visit, &value);
                return;
        }
        auv__coro_resume(coro, 0);
        auv__coro_destroy(coro);
}

int64_t auv__room_ns(void)
{
        return spent_ns;
}

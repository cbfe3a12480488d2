/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_LOOP_H
#define AUV_LOOP_LOOP_H

#include "base/clock.h"
#include "base/heap.h"
#include "base/object.h"
#include "loop/ready.h"
#include "loop/timer.h"

#include <asyncuv/loop.h>

#include <pthread.h>

/*
 * What the task layer keeps with a loop. The loop knows only when to take it down.
 */
struct auv__tenant {
        void (*close)(struct auv__tenant *tenant, auv_loop *loop); /* the loop has just been closed */
        void (*free)(struct auv__tenant *tenant);                  /* the loop's memory goes */
};

struct auv_loop {
        struct auv__object object;

        bool running;
        bool stopping;
        bool closed;
        bool closing;         /* closed, but still being taken down */
        bool debug;
        bool virtual_clock;
        bool report_deadlock; /* only while a run waits for a future */
        bool parked;          /* the caller's uv_run() turns the loop, and is not in a turn */
        enum auv_deadlock deadlock;

        struct auv__ready ready;
        struct auv__heap timers;
        int64_t virtual_now_ns;
        unsigned since_poll;  /* items run since I/O was last looked at */

        auv_task *current;    /* the task whose step runs; kept by the task layer */
        struct auv__tenant *tenant;
        size_t live;          /* objects that need the loop's memory */

        struct auv__item *_Atomic threadsafe; /* newest first; see wakeup.c */
        _Atomic unsigned callers;             /* threads inside of call_soon_threadsafe() */

        struct auv__reactor *reactor;
        pthread_t thread;
        size_t stack_size;

        auv_exception_handler_fn exception_handler;
        void *exception_handler_arg;
};

/* The loop that runs in this thread. */
extern _Thread_local auv_loop *auv__running_loop __attribute__((tls_model("initial-exec")));

/* The loop's clock. */
static inline int64_t auv__loop_now(const auv_loop *loop)
{
        return loop->virtual_clock ? loop->virtual_now_ns : auv__clock_monotonic();
}

/* NULL stands for the running loop. Returns 0, or why nothing can be scheduled on the loop. */
int auv__loop_check(auv_loop **loop);

/* Counts an object whose memory must not outlive the loop's. */
static inline void auv__loop_hold(auv_loop *loop)
{
        loop->live++;
}

void auv__loop_release(auv_loop *loop);

/* Makes items ready, in order, from the loop's thread. The loop must not be closed. */
void auv__loop_unpark(auv_loop *loop);

static inline void auv__loop_push_chain(auv_loop *loop, struct auv__item *first, struct auv__item *last)
{
        auv__ready_push_chain(&loop->ready, first, last);
        if (auv__unlikely(loop->parked))
                auv__loop_unpark(loop);
}

static inline void auv__loop_push(auv_loop *loop, struct auv__item *item)
{
        auv__loop_push_chain(loop, item, item);
}

/*
 * Runs turns until the loop is stopped. Returns 0, or why it cannot run; or AUV_EDEADLK, with
 * @report_deadlock, where nothing can ever make an item ready again.
 */
int auv__loop_run(auv_loop *loop, bool report_deadlock);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_LOOP_H
#define AUV_LOOP_LOOP_H

#include "base/clock.h"
#include "base/object.h"
#include "loop/interrupt.h"
#include "loop/ready.h"
#include "loop/shuffle.h"
#include "loop/timer.h"
#include "loop/watcher.h"

#include <asyncuv/loop.h>
#include <asyncuv/stackless.h>

#include <pthread.h>

/*
 * What the task layer keeps with a loop. The loop knows only when to take it down.
 */
struct auv__tenant {
        void (*close)(struct auv__tenant *tenant, auv_loop *loop); /* the loop has just been closed */
        void (*free)(struct auv__tenant *tenant);                  /* the loop's memory goes */
        const char *(*name)(auv_future *future);                   /* of a task; NULL for other futures */
        struct auv__object **(*context)(auv_future *future);       /* likewise */
};

/*
 * What another layer keeps with a loop; in the loop's list, in which it is known by its close
 * function.
 */
struct auv__guest {
        struct auv__guest *next;
        /* The loop has been closed, and its tasks have ended. The guest's memory goes here. */
        void (*close)(struct auv__guest *guest, auv_loop *loop);
        /* Called in a task before a runner closes the loop; NULL for nothing. Returns 0 or an error. */
        int (*await_end)(struct auv__guest *guest);
};

struct auv_loop {
        struct auv__object object;

        bool running;
        bool stopping;
        bool closed;
        bool closing;         /* closed, but still being taken down */
        bool virtual_clock;
        bool report_deadlock; /* only while a run waits for a future */
        bool parked;          /* libuv has the thread, and must be told when something becomes ready */
        enum auv_deadlock deadlock;

        struct auv__ready ready;
        struct auv__item *turn; /* what this turn has yet to run; see turn.h */
        int64_t virtual_now_ns;
        int64_t until_ns;     /* where auv_loop_run_until() ends; else AUV__NEVER */
        struct auv__shuffle *shuffle; /* NULL: the ready queue is run in order */
        unsigned since_poll;  /* items run since I/O was last looked at */
        unsigned considered;  /* how many they were when there was no need for it, last */

        const void *frame_site; /* where the await of the stackless body that runs returns to */
        auv_task *current;    /* the task whose step runs; kept by the task layer */
        auv_subframe *subframe; /* for the call that it is about to make; likewise */
        auv_future *woken_by; /* what a stackless task has awaited whose step runs; likewise */
        struct auv__tenant *tenant;
        struct auv__guest *guests;
        size_t live;          /* objects that need the loop's memory */

        struct auv__item *_Atomic threadsafe; /* newest first; see wakeup.c */
        _Atomic unsigned callers;             /* threads inside of call_soon_threadsafe() */

        struct auv__reactor *reactor;
        struct auv__signal *signals;
        struct auv__watchers watchers;
        struct auv__interrupt interrupt;
        pthread_t thread;
        size_t stack_size;
        bool stack_watermark;

        const struct auv__debug_hooks *hooks; /* in debug mode, else NULL; any thread may read it */
        int64_t slow_ns;                      /* debug mode: longer than this is worth a report */
        auv_loop *previous_open;              /* in auv__loops */
        auv_loop *next_open;

        auv_exception_handler_fn exception_handler;
        void *exception_handler_arg;

        struct auv__timers timers; /* the last, for it is large, and not cleared as the rest is */
};

/* The loop that runs in this thread. */
extern _Thread_local auv_loop *auv__running_loop;

/* The loop's clock. */
static inline int64_t auv__loop_now(const auv_loop *loop)
{
        return loop->virtual_clock ? loop->virtual_now_ns : auv__clock_monotonic();
}

/*
 * All loops that are not closed, for debuggers, which find them by this name; tools/asyncuv-gdb.py
 * does.
 */
extern auv_loop *auv__loops;

static inline const struct auv__debug_hooks *auv__loop_hooks(const auv_loop *loop)
{
        return __atomic_load_n(&loop->hooks, __ATOMIC_RELAXED);
}

/* In debug mode: returns AUV_ETHREAD in a thread that is not the loop's; else 0. */
AUV_COLD int auv__loop_refuse_thread(const auv_loop *loop);

static inline int auv__loop_check_thread(const auv_loop *loop)
{
        return auv__likely(!auv__loop_hooks(loop)) ? 0 : auv__loop_refuse_thread(loop);
}

/*
 * The options with those that the caller, older than they are, did not know at their defaults. Returns 0,
 * or AUV_EINVAL where one has no meaning.
 */
int auv__loop_options_copy(const auv_loop_options *options, auv_loop_options *ret);

/* Why nothing can be scheduled on a loop that is NULL, closed or in debug mode; or 0. */
int auv__loop_check_well(const auv_loop *loop);

/* NULL stands for the running loop. Returns 0, or why nothing can be scheduled on the loop. */
static inline int auv__loop_check(auv_loop **loop)
{
        if (!*loop)
                *loop = auv__running_loop;
        if (auv__likely(*loop && !(*loop)->closed && !auv__loop_hooks(*loop)))
                return 0;
        return auv__loop_check_well(*loop);
}

/* Counts an object whose memory must not outlive the loop's. */
static inline void auv__loop_hold(auv_loop *loop)
{
        loop->live++;
}

/* Nothing needs the loop's memory any more but whoever has a reference. */
void auv__loop_end_use(auv_loop *loop);

static inline void auv__loop_release(auv_loop *loop)
{
        if (auv__unlikely(--loop->live == 0))
                auv__loop_end_use(loop);
}

/* The guest that has this close function; NULL where there is none yet. */
struct auv__guest *auv__loop_guest(const auv_loop *loop, void (*close)(struct auv__guest *, auv_loop *));
void auv__loop_add_guest(auv_loop *loop, struct auv__guest *guest);

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
 * The same for the callbacks of one future, which keep their order among themselves also where the
 * queue is shuffled.
 */
static inline void auv__loop_push_callbacks(auv_loop *loop, const auv_future *future,
                                            struct auv__item *first, struct auv__item *last)
{
        if (auv__unlikely(loop->shuffle))
                auv__shuffle_push(loop->shuffle, future, first, last);
        auv__loop_push_chain(loop, first, last);
}

/* 0, or why the loop cannot run, which is raised. Before anything is done to the loop for a run of it. */
int auv__loop_check_run(const auv_loop *loop);

/*
 * Runs turns until the loop is stopped; it must be able to run. Returns 0; or AUV_EDEADLK, with
 * @report_deadlock, where nothing can ever make an item ready again.
 */
int auv__loop_run(auv_loop *loop, bool report_deadlock);

#endif

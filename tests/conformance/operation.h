/* SPDX-License-Identifier: MIT */
#ifndef CONFORMANCE_OPERATION_H
#define CONFORMANCE_OPERATION_H

#include <stddef.h>

struct context;
struct op;

/*
 * How an operation is done. Returns 0 to go on with the next one; LEFT, where the coroutine
 * has been left by `return`; or a negative error that is raised.
 */
typedef int (*operation_fn)(struct context *context, const struct op *op);

enum { LEFT = 1 };

enum operation_place {
        ANYWHERE,     /* also as the action of a callback */
        IN_COROUTINE, /* it may suspend, or leave */
        BLOCK,        /* in a coroutine, up to its `end` */
};

struct operation {
        const char *word;
        /*
         * Its arguments, a letter each: w a word, n a name, t a tag, c a coroutine, i a whole
         * number, d seconds, l seconds or none, m a wait mode, N any number of names, a an
         * action or nothing, ? the others may be missing.
         */
        const char *arguments;
        enum operation_place place;
        operation_fn run;
};

/* NULL where there is none. */
const struct operation *operation_find(const char *word);

/* flow */
int op_try(struct context *context, const struct op *op);
int op_repeat(struct context *context, const struct op *op);
int op_return(struct context *context, const struct op *op);
int op_raise(struct context *context, const struct op *op);
int op_reraise(struct context *context, const struct op *op);
int op_call(struct context *context, const struct op *op);
int op_log(struct context *context, const struct op *op);

/* futures */
int op_await(struct context *context, const struct op *op);
int op_future(struct context *context, const struct op *op);
int op_set(struct context *context, const struct op *op);
int op_fail(struct context *context, const struct op *op);
int op_cancel(struct context *context, const struct op *op);
int op_state(struct context *context, const struct op *op);
int op_result(struct context *context, const struct op *op);
int op_exception(struct context *context, const struct op *op);
int op_callback(struct context *context, const struct op *op);
int op_uncallback(struct context *context, const struct op *op);

/* tasks */
int op_create(struct context *context, const struct op *op);
int op_eager(struct context *context, const struct op *op);
int op_group(struct context *context, const struct op *op);
int op_spawn(struct context *context, const struct op *op);
int op_uncancel(struct context *context, const struct op *op);
int op_cancelling(struct context *context, const struct op *op);

/* the loop */
int op_sleep(struct context *context, const struct op *op);
int op_yield(struct context *context, const struct op *op);
int op_soon(struct context *context, const struct op *op);
int op_later(struct context *context, const struct op *op);
int op_at(struct context *context, const struct op *op);
int op_uncall(struct context *context, const struct op *op);

/* several futures */
int op_wait(struct context *context, const struct op *op);
int op_ascompleted(struct context *context, const struct op *op);
int op_gather(struct context *context, const struct op *op);
int op_gatherx(struct context *context, const struct op *op);
int op_shield(struct context *context, const struct op *op);

/* timeouts */
int op_timeout(struct context *context, const struct op *op);
int op_timeoutat(struct context *context, const struct op *op);
int op_reschedule(struct context *context, const struct op *op);
int op_expired(struct context *context, const struct op *op);
int op_waitfor(struct context *context, const struct op *op);
int op_waitforcoro(struct context *context, const struct op *op);

/* locks, semaphores, conditions */
int op_with(struct context *context, const struct op *op);
int op_lock(struct context *context, const struct op *op);
int op_semaphore(struct context *context, const struct op *op);
int op_bounded(struct context *context, const struct op *op);
int op_condition(struct context *context, const struct op *op);
int op_acquire(struct context *context, const struct op *op);
int op_release(struct context *context, const struct op *op);
int op_locked(struct context *context, const struct op *op);
int op_cwait(struct context *context, const struct op *op);
int op_cnotify(struct context *context, const struct op *op);
int op_cnotifyall(struct context *context, const struct op *op);

/* events, barriers */
int op_event(struct context *context, const struct op *op);
int op_ewait(struct context *context, const struct op *op);
int op_eset(struct context *context, const struct op *op);
int op_eclear(struct context *context, const struct op *op);
int op_barrier(struct context *context, const struct op *op);
int op_bwait(struct context *context, const struct op *op);
int op_breset(struct context *context, const struct op *op);
int op_babort(struct context *context, const struct op *op);

/* queues */
int op_queue(struct context *context, const struct op *op);
int op_put(struct context *context, const struct op *op);
int op_get(struct context *context, const struct op *op);
int op_join(struct context *context, const struct op *op);
int op_putnow(struct context *context, const struct op *op);
int op_getnow(struct context *context, const struct op *op);
int op_taskdone(struct context *context, const struct op *op);
int op_qsize(struct context *context, const struct op *op);
int op_shutdown(struct context *context, const struct op *op);

#endif

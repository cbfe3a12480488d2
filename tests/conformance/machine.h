/* SPDX-License-Identifier: MIT */
#ifndef CONFORMANCE_MACHINE_H
#define CONFORMANCE_MACHINE_H

#include "operation.h"
#include "scenario.h"
#include "show.h"
#include "text.h"

#include <asyncuv.h>

/*
 * Machine
 *
 * Runs one scenario: a task named main on a loop of its own with a virtual clock, and the
 * trace that comes of it. The names of the scenario are shared by all its coroutines; what
 * a name stands for is held until the name is given to another thing or the scenario ends,
 * and every task until the scenario ends.
 */

enum kind {
        KIND_FUTURE,
        KIND_TIMEOUT,
        KIND_GROUP,
        KIND_LOCK,
        KIND_EVENT,
        KIND_CONDITION,
        KIND_SEMAPHORE,
        KIND_BARRIER,
        KIND_QUEUE,
};

/* What a name stands for. */
struct thing {
        const char *name;
        enum kind kind;
        void *object; /* holds a reference */
};

/* A callback: `callback`, `soon`, `later`, `at`. It lives until the scenario ends. */
struct action {
        struct machine *machine;
        const char *tag;
        const struct op *op; /* NULL for none */
        bool on_future;      /* of a future, and not of the loop */
        auv_call *call;      /* of the loop's, holds a reference; NULL where it was not made */
        struct action *older;
};

/* Of the coroutines. */
enum form { STACKFUL, STACKLESS };

struct machine {
        const struct scenario *scenario;
        enum form form;
        auv_loop *loop;
        struct text *trace;
        struct thing *things;
        size_t n_things;
        auv_task **born; /* the tasks in the order in which they were made; holds references */
        size_t n_born;
        struct action *actions; /* the last one first */
        bool over;              /* the loop is being closed: what runs is only to end */
        bool no_memory;         /* something of the library has failed with AUV_ENOMEM */
};

/* An error between its raise and its handling. */
struct caught {
        int code;
        auv_error *error; /* holds a reference; NULL where there was no memory for one */
};

/* Futures that names stand for. */
struct futures {
        auv_future **items; /* holds references */
        size_t n;
};

struct block;

/* What an operation makes of how its await ended: @r. It may await once more. Returns as an operation. */
typedef int (*end_fn)(struct context *context, const struct op *op, int r);

/*
 * The body of a block has ended: with 0, LEFT, or an error. It may begin another body of the block, or
 * await, or pop the block and return how that ended.
 */
typedef int (*leave_fn)(struct context *context, struct block *block, int r);

enum await_kind { AWAIT_NOTHING, AWAIT_FUTURE, AWAIT_SLEEP, AWAIT_CALL, AWAIT_CORO };

/* Where an operation runs: in a coroutine, or in a callback, which has the first field only. */
struct context {
        struct machine *machine;
        const struct caught *handled; /* what the enclosing `except` has caught; NULL for nothing */
        auv_value *ret;               /* where `return` leaves its value */
        unsigned int depth;           /* of coroutines that called each other */
        struct block *block;          /* the innermost */
        const struct op *op;          /* the last one that was begun */

        enum await_kind await;        /* what that one awaits, and: */
        auv_future *future;
        double delay;
        operation_fn call;            /* one await function of the library's */
        const struct coro *coro;
        end_fn end;                   /* NULL for nothing to do */

        /* What an operation keeps while it awaits. */
        auv_value value;              /* what it gets of it */
        struct futures futures;
        auv_future **sorted;
        auv_as_completed *iterator;
        void *object;                 /* what is waited for; borrowed, but in `waitforcoro` */
};

/* A block that a coroutine is in. */
struct block {
        struct block *outer;
        const struct op *op;          /* NULL for the coroutine itself */
        const struct op *next;        /* of its body */
        leave_fn leave;
        const struct caught *handled; /* of the context, outside of the block */
        auv_value *ret;               /* likewise */

        /* What its kind keeps. */
        int r;                        /* what is on its way out */
        struct caught caught;
        auv_value value;
        intmax_t times;
        struct thing thing;           /* holds a reference */
};

/* Begins a block of an operation, with the operation's body. */
struct block *block_push(struct context *context, const struct op *op, leave_fn leave);
void block_pop(struct context *context);

/* What an operation returns that awaits: the future, for context->value; a time; a call; a coroutine. */
int await_future(struct context *context, auv_future *future, end_fn end);
int await_sleep(struct context *context, double delay);
int await_call(struct context *context, operation_fn call, end_fn end);
int await_coro(struct context *context, const struct coro *coro, end_fn end);

/*
 * Adds the trace of a scenario, a line each, to trace. Returns whether the library has said that
 * there is no memory, which need not be in the trace: a `finally` may fail with another error.
 */
bool machine_run(const struct scenario *scenario, enum form form, struct text *trace);

/* A line of the trace; with an error or a value behind the text. */
void machine_log(struct machine *m, const char *format, ...) AUV_PRINTF(2, 3);
void machine_log_error(struct machine *m, int code, const auv_error *error, const char *format, ...)
        AUV_PRINTF(4, 5);
void machine_log_value(struct machine *m, const auv_value *value, const char *format, ...) AUV_PRINTF(3, 4);

/* Have a name stand for an object, whose reference the machine takes over. */
void machine_bind(struct machine *m, const char *name, enum kind kind, void *object);

/* The same, and the task counts as created now. */
void machine_bind_task(struct machine *m, const char *name, auv_task *task);

/* The same for what a constructor gives that tells its error with a NULL. Returns 0 or that error. */
int machine_bind_new(struct machine *m, const char *name, enum kind kind, void *object);

/*
 * What a name stands for, borrowed. Returns 1; 0, it stands for nothing, which has been traced:
 * the operation is to do nothing more; or ERROR_ATTRIBUTE, it is of another kind.
 */
int machine_find(struct machine *m, const char *name, enum kind kind, void *ret_object);

/* The same for a name that may stand for things of several kinds; NULL where it stands for nothing. */
const struct thing *machine_find_thing(struct machine *m, const char *name);

/* The futures that names stand for, to be given back by futures_free(). Returns as machine_find(). */
int machine_find_futures(struct machine *m, char *const *names, size_t n, struct futures *ret_futures);
void futures_free(struct futures *futures);

struct action *machine_add_action(struct machine *m, const char *tag, const struct op *op);

/* Do an action as the loop's callback. */
void action_run(struct action *action);

/* The error of a constructor that has just given NULL; code where the library does not say. */
int machine_no_object(int code);

struct caught catch_error(int code);
int rethrow(const struct caught *caught);
void caught_free(struct caught *caught);

/* Run a coroutine in the running task, which has a stack. Returns 0 or a negative error. */
int run_coro(struct machine *m, const struct coro *coro, unsigned int depth, auv_value *ret);

/* The body of a stackful task: a coroutine, its end in the trace. */
struct entry {
        struct machine *machine;
        const struct coro *coro;
};

/* A function that makes a task out of a body of either form; @arg is the caller's. */
typedef auv_task *(*start_fn)(struct machine *m, auv_coro_fn fn, const void *body, size_t size,
                              const auv_task_options *options, void *arg);

/* A task that runs a coroutine, and has its end in the trace. */
auv_task *start_task(struct machine *m, const struct coro *coro, const auv_task_options *options,
                     start_fn start, void *arg);

/* What most are started by. */
auv_task *start_by_loop(struct machine *m, auv_coro_fn fn, const void *body, size_t size,
                        const auv_task_options *options, void *arg);

/* Options of a task of that name. */
auv_task_options machine_task_options(const char *name);

/* Seconds; AUV_NO_TIMEOUT for `none`. */
double seconds(const char *word);

#endif

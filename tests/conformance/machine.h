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

struct machine {
        const struct scenario *scenario;
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

/* Where an operation runs. */
struct context {
        struct machine *machine;
        const struct caught *handled; /* what the enclosing `except` has caught; NULL for nothing */
        auv_value *ret;               /* where `return` leaves its value; NULL in a callback */
        unsigned int depth;           /* of coroutines that called each other */
};

/*
 * Adds the trace of a scenario, a line each, to trace. Returns whether the library has said that
 * there is no memory, which need not be in the trace: a `finally` may fail with another error.
 */
bool machine_run(const struct scenario *scenario, struct text *trace);

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

/*
 * The futures that names stand for, to be given back by futures_free(). Returns 1, 0 or
 * ERROR_TYPE as machine_find().
 */
struct futures {
        auv_future **items; /* holds references */
        size_t n;
};
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

/* Run operations in turn; returns as they do. */
int run_body(struct context *context, const struct op *first);

/* Run a coroutine in the running task. Returns 0 or a negative error. */
int run_coro(struct machine *m, const struct coro *coro, unsigned int depth, auv_value *ret);

/* The body of a task: a coroutine, its end in the trace. */
struct entry {
        struct machine *machine;
        const struct coro *coro;
};
int entry_run(void *arg, auv_value *ret);

/* Options of a task of that name. */
auv_task_options machine_task_options(const char *name);

/* Seconds; AUV_NO_TIMEOUT for `none`. */
double seconds(const char *word);

#endif

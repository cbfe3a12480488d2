/* SPDX-License-Identifier: MIT */
#ifndef CONFORMANCE_SCENARIO_H
#define CONFORMANCE_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

struct operation;
struct source;

/* One operation of a coroutine, or of a callback. */
struct op {
        const struct operation *operation;
        char **words; /* words[0] is the operation's own; NULL behind the last */
        size_t n_words;
        unsigned line;
        struct op *next;           /* in the body that it stands in */
        struct op *older;          /* in the scenario */
        const struct coro *coro;   /* the one that it names, where it names one */
        struct op *action;         /* of a callback; NULL for none */
        struct op *body;           /* of a block */
        struct clause *clauses;    /* of a try */
        struct op *finally;        /* of a try */
        bool has_finally;          /* an empty one has a trace, too */
};

/* `except KIND` and what stands behind it */
struct clause {
        const char *kind;
        struct op *body;
        struct clause *next;
};

struct coro {
        const char *name;
        struct op *body;
        struct coro *older;
};

struct scenario {
        struct coro *coros;    /* the last one first */
        struct op *ops;        /* all, the last one first */
        struct memory *memory; /* what all of it lies in */
};

/* Returns the scenario, or NULL where it cannot be understood, which has been said on standard error. */
struct scenario *scenario_parse(const struct source *source);
void scenario_free(struct scenario *scenario);

/* The last coroutine of that name; NULL where there is none. */
const struct coro *scenario_find_coro(const struct scenario *scenario, const char *name);

#endif

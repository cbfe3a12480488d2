/* SPDX-License-Identifier: MIT */

/*
 * Parser
 *
 * From the text of a scenario to the tree that the machine runs. What can be wrong with a
 * scenario is found here, so that no operation has to look at its arguments' form again.
 * Words behind an operation's last argument are ignored, as oracle.py does.
 */

#include "file.h"
#include "operation.h"
#include "scenario.h"
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A piece of memory that lives as long as its scenario. */
struct memory {
        struct memory *next;
        max_align_t data[];
};

struct parser {
        const struct source *source;
        struct scenario *scenario;
        struct slice rest;
        unsigned line;
        char **words; /* of this line */
        size_t n_words;
};

/* What ends a body. */
enum end { END_BAD, END_END, END_EXCEPT, END_FINALLY };

static void *scenario_alloc(struct scenario *scenario, size_t size)
{
        struct memory *memory = must_alloc(sizeof(*memory) + size);

        memory->next = scenario->memory;
        scenario->memory = memory;
        return memory->data;
}

__attribute__((format(printf, 3, 4))) static void complain(const struct parser *p, unsigned line,
                                                           const char *format, ...)
{
        va_list args;

        fprintf(stderr, "%s:%u: ", p->source->path, line);
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputc('\n', stderr);
}

static size_t count_words(struct slice line)
{
        struct slice word;
        size_t n = 0;

        while (slice_next_word(&line, &word))
                n++;
        return n;
}

static void split_words(struct parser *p, struct slice line)
{
        const size_t n = count_words(line);
        struct slice word;

        p->words = scenario_alloc(p->scenario, (n + 1) * sizeof(*p->words));
        p->n_words = n;
        for (size_t i = 0; slice_next_word(&line, &word); i++) {
                p->words[i] = scenario_alloc(p->scenario, word.length + 1);
                memcpy(p->words[i], word.data, word.length);
        }
}

/* The next line that is neither empty nor a comment; false at the end of the scenario. */
static bool next_line(struct parser *p)
{
        struct slice line, word, copy;

        while (slice_next_line(&p->rest, &line)) {
                p->line++;
                copy = line;
                if (slice_next_word(&copy, &word) && word.data[0] != '#') {
                        split_words(p, line);
                        return true;
                }
        }
        return false;
}

static bool is_whole_number(const char *word)
{
        char *end;

        errno = 0;
        strtoimax(word, &end, 10);
        return !errno && end > word && !*end;
}

static bool is_seconds(const char *word)
{
        char *end;

        strtod(word, &end);
        return end > word && !*end;
}

static bool is_wait_mode(const char *word)
{
        return !strcmp(word, "first") || !strcmp(word, "exception") || !strcmp(word, "all");
}

/* What is wrong with a word as an argument of that letter; NULL for nothing. */
static const char *argument_fault(char letter, const char *word)
{
        switch (letter) {
        case 'i':
                return is_whole_number(word) ? NULL : "is no whole number";
        case 'd':
                return is_seconds(word) ? NULL : "is no number of seconds";
        case 'l':
                return !strcmp(word, "none") || is_seconds(word) ? NULL : "is neither seconds nor none";
        case 'm':
                return is_wait_mode(word) ? NULL : "is none of first, exception, all";
        default:
                return NULL;
        }
}

static struct op *make_op(struct parser *p, char **words, size_t n_words, bool in_callback);

/* Go through the arguments of an operation; false where something is wrong with them. */
static bool read_arguments(struct parser *p, struct op *op)
{
        const char *letter = op->operation->arguments;
        bool optional = false;
        const char *fault;

        for (size_t i = 1; *letter && *letter != 'N'; letter++) {
                if (*letter == '?') {
                        optional = true;
                } else if (*letter == 'a') {
                        if (i < op->n_words)
                                op->action = make_op(p, op->words + i, op->n_words - i, true);
                        return i >= op->n_words || op->action;
                } else if (i >= op->n_words) {
                        if (!optional)
                                complain(p, op->line, "%s: an argument is missing", op->words[0]);
                        return optional;
                } else {
                        fault = argument_fault(*letter, op->words[i]);
                        if (fault) {
                                complain(p, op->line, "%s: %s %s", op->words[0], op->words[i], fault);
                                return false;
                        }
                        i++;
                }
        }
        return true;
}

static void complain_unknown(const struct parser *p, char **words)
{
        struct text text = { 0 };

        for (; *words; words++)
                text_add(&text, " %s", *words);
        complain(p, p->line, "unknown operation:%s", text_string(&text));
        text_deinit(&text);
}

static struct op *make_op(struct parser *p, char **words, size_t n_words, bool in_callback)
{
        const struct operation *operation = operation_find(words[0]);
        struct op *op;

        if (!operation || (in_callback && operation->place != ANYWHERE)) {
                complain_unknown(p, words);
                return NULL;
        }
        op = scenario_alloc(p->scenario, sizeof(*op));
        *op = (struct op) { .operation = operation, .words = words, .n_words = n_words, .line = p->line,
                            .older = p->scenario->ops };
        p->scenario->ops = op;
        return read_arguments(p, op) ? op : NULL;
}

static bool parse_block(struct parser *p, struct op *op);

/* The operations up to `end`, `except` or `finally`, whose words are the parser's then. */
static enum end parse_body(struct parser *p, unsigned start, struct op **ret_body)
{
        struct op **place = ret_body;
        struct op *op;

        while (next_line(p)) {
                if (!strcmp(p->words[0], "end"))
                        return END_END;
                if (!strcmp(p->words[0], "except"))
                        return END_EXCEPT;
                if (!strcmp(p->words[0], "finally"))
                        return END_FINALLY;
                op = make_op(p, p->words, p->n_words, false);
                if (!op || (op->operation->place == BLOCK && !parse_block(p, op)))
                        return END_BAD;
                *place = op;
                place = &op->next;
        }
        complain(p, start, "what begins here has no end");
        return END_BAD;
}

static enum end parse_clause(struct parser *p, struct op *op, struct clause **ret_clause)
{
        struct clause *clause = scenario_alloc(p->scenario, sizeof(*clause));

        if (p->n_words < 2) {
                complain(p, p->line, "except: an argument is missing");
                return END_BAD;
        }
        *clause = (struct clause) { .kind = p->words[1] };
        *ret_clause = clause;
        return parse_body(p, op->line, &clause->body);
}

/* The clauses of a try, from the end of its body on. */
static enum end parse_clauses(struct parser *p, struct op *op, enum end end)
{
        struct clause **place = &op->clauses;

        while (end == END_EXCEPT) {
                end = parse_clause(p, op, place);
                if (end != END_BAD)
                        place = &(*place)->next;
        }
        if (end == END_FINALLY) {
                op->has_finally = true;
                end = parse_body(p, op->line, &op->finally);
        }
        return end;
}

static bool parse_block(struct parser *p, struct op *op)
{
        enum end end = parse_body(p, op->line, &op->body);

        if (!strcmp(op->words[0], "try"))
                end = parse_clauses(p, op, end);
        if (end == END_EXCEPT || end == END_FINALLY)
                complain(p, p->line, "%s stands where none can be", p->words[0]);
        return end == END_END;
}

static bool parse_coro(struct parser *p)
{
        struct coro *coro = scenario_alloc(p->scenario, sizeof(*coro));
        enum end end;

        if (strcmp(p->words[0], "coro")) {
                complain(p, p->line, "%s stands outside a coro", p->words[0]);
                return false;
        }
        if (p->n_words < 2) {
                complain(p, p->line, "a coro without a name");
                return false;
        }
        *coro = (struct coro) { .name = p->words[1], .older = p->scenario->coros };
        p->scenario->coros = coro;
        end = parse_body(p, p->line, &coro->body);
        if (end == END_EXCEPT || end == END_FINALLY)
                complain(p, p->line, "%s stands outside a try", p->words[0]);
        return end == END_END;
}

/* Find the coroutines that operations name, now that all are known. */
static bool resolve_coros(struct parser *p)
{
        const char *letter, *name;

        for (struct op *op = p->scenario->ops; op; op = op->older) {
                letter = strchr(op->operation->arguments, 'c');
                if (!letter)
                        continue;
                name = op->words[1 + (letter - op->operation->arguments)];
                op->coro = scenario_find_coro(p->scenario, name);
                if (!op->coro) {
                        complain(p, op->line, "%s: there is no coro %s", op->words[0], name);
                        return false;
                }
        }
        if (!scenario_find_coro(p->scenario, "main")) {
                complain(p, p->source->line, "a scenario without a coro main");
                return false;
        }
        return true;
}

struct scenario *scenario_parse(const struct source *source)
{
        struct scenario *scenario = must_alloc(sizeof(*scenario));
        struct parser p = {
                .source = source, .scenario = scenario, .rest = source->text, .line = source->line,
        };
        bool good = true;

        while (good && next_line(&p))
                good = parse_coro(&p);
        if (good && resolve_coros(&p))
                return scenario;
        scenario_free(scenario);
        return NULL;
}

void scenario_free(struct scenario *scenario)
{
        struct memory *memory, *next;

        if (!scenario)
                return;
        for (memory = scenario->memory; memory; memory = next) {
                next = memory->next;
                free(memory);
        }
        free(scenario);
}

const struct coro *scenario_find_coro(const struct scenario *scenario, const char *name)
{
        const struct coro *coro = scenario->coros;

        while (coro && strcmp(coro->name, name))
                coro = coro->older;
        return coro;
}

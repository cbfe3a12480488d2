/* SPDX-License-Identifier: MIT */

/*
 * fault-replay - run scenarios with every allocation failing in turn
 *
 * Each scenario is run as often as it makes allocations, and each time another one fails;
 * then again, with all behind that one failing as well until main has ended. However it ends, the
 * library must give back all memory, and it must say that there was none: either some operation
 * fails with AUV_ENOMEM, or the trace is as it was, but for messages of errors, which are
 * documented to get lost. Each scenario has a process of its own, so that one that crashes
 * or hangs is a failure like any other. Of a scenario that allocates very often, allocations that
 * are spread evenly are taken.
 */

#include "conformance/allocator.h"
#include "conformance/file.h"
#include "conformance/machine.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long one run of a scenario may take; most need less than a millisecond. */
#define RUN_SECONDS 5

/* How many of a scenario's allocations fail in turn, about. */
#define MAX_TRIALS 1000

/* One scenario says no more than this about what is wrong. */
#define MAX_COMPLAINTS 3

/* What the process of a scenario is doing, for the one that waits for it. */
struct progress {
        size_t n;        /* the allocation that fails */
        bool sticky;     /* and those behind it */
        size_t n_failed; /* allocations that have failed so far */
};

struct trial {
        const struct source *source;
        const struct scenario *scenario;
        struct progress *progress;
        enum form form;
        struct text usual; /* the trace when nothing fails, without messages */
        unsigned int n_complaints;
};

/* A trace without what stands in value(...) and cancelled(...). */
static void strip_messages(const char *trace, struct text *ret_stripped)
{
        size_t length;

        while (*trace) {
                length = strcspn(trace, "(");
                length += trace[length] == '(';
                text_add_bytes(ret_stripped, trace, length);
                trace += length;
                if (length && trace[-1] == '(')
                        trace += strcspn(trace, ")\n");
        }
}

/* Returns whether the library has said that there is no memory: to an operation, or of a task. */
static bool run(struct trial *trial, size_t n, bool sticky, struct text *ret_trace)
{
        bool told;

        alarm(RUN_SECONDS);
        trial->progress->n = n;
        trial->progress->sticky = sticky;
        allocator_fail(n, sticky);
        told = machine_run(trial->scenario, trial->form, ret_trace);
        trial->progress->n_failed += allocator_failed();
        return told || strstr(text_string(ret_trace), "nomemory");
}

static void complain(struct trial *trial, const char *what, const struct text *trace)
{
        const struct progress *at = trial->progress;

        if (trial->n_complaints++ >= MAX_COMPLAINTS)
                return;
        fprintf(stderr, "%s:%u: scenario %.*s: without allocation %zu%s: %s\n%s", trial->source->path,
                trial->source->line, (int)trial->source->name.length, trial->source->name.data, at->n,
                at->sticky ? " and those behind it" : "", what, text_string(trace));
}

static bool is_as_usual(const struct trial *trial, const struct text *trace)
{
        struct text stripped = { 0 };
        bool same;

        strip_messages(text_string(trace), &stripped);
        same = !strcmp(text_string(&stripped), text_string(&trial->usual));
        text_deinit(&stripped);
        return same;
}

/* Run with the n-th allocation failing; false where the scenario makes fewer. */
static bool try_without(struct trial *trial, size_t n, bool sticky)
{
        struct text trace = { 0 };
        const bool told = run(trial, n, sticky, &trace);
        const size_t n_failed = allocator_failed();

        if (allocator_live() > 0) {
                complain(trial, "not all memory has been given back", &trace);
                _exit(EXIT_FAILURE);
        }
        if (!told && !is_as_usual(trial, &trace))
                complain(trial, "nobody was told", &trace);
        text_deinit(&trace);
        return n_failed > 0;
}

static bool try_scenario(const struct source *source, enum form form, struct progress *progress)
{
        struct scenario *scenario = scenario_parse(source);
        struct trial trial = { .source = source, .scenario = scenario, .progress = progress, .form = form };
        struct text trace = { 0 };
        size_t step;

        if (!scenario)
                return false;
        run(&trial, /* n= */ 0, /* sticky= */ false, &trace);
        strip_messages(text_string(&trace), &trial.usual);
        if (allocator_count() == 0 || allocator_live() > 0)
                complain(&trial, "nothing was counted, or not all was given back", &trace);
        step = 1 + allocator_count() / MAX_TRIALS;
        for (size_t n = 1; try_without(&trial, n, /* sticky= */ false); n += step)
                ;
        for (size_t n = 1; try_without(&trial, n, /* sticky= */ true); n += step)
                ;
        text_deinit(&trial.usual);
        text_deinit(&trace);
        scenario_free(scenario);
        return trial.n_complaints == 0;
}

static void report_signal(const struct source *source, const struct progress *at, int signal)
{
        fprintf(stderr, "%s:%u: scenario %.*s: without allocation %zu%s: %s\n", source->path, source->line,
                (int)source->name.length, source->name.data, at->n, at->sticky ? " and those behind it" : "",
                strsignal(signal));
}

/* Returns whether the scenario passed. */
static bool try_apart(const struct source *source, enum form form, struct progress *progress)
{
        const pid_t child = fork();
        int status;

        if (child < 0) {
                perror("fork");
                return false;
        }
        if (child == 0)
                exit(try_scenario(source, form, progress) ? EXIT_SUCCESS : EXIT_FAILURE);
        if (waitpid(child, &status, 0) < 0) {
                perror("waitpid");
                return false;
        }
        if (WIFSIGNALED(status))
                report_signal(source, progress, WTERMSIG(status));
        return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

struct totals {
        size_t n_passed, n_failed;
};

/* Which scenarios, and how. */
struct options {
        size_t every; /* so many of a file, the first included */
        enum form form;
};

static int try_file(const char *path, const struct options *options, struct progress *progress,
                    struct totals *totals)
{
        struct file file;

        if (file_read(path, &file) < 0)
                return -1;
        for (size_t i = 0; i < file.n_sources; i += options->every) {
                if (try_apart(&file.sources[i], options->form, progress))
                        totals->n_passed++;
                else
                        totals->n_failed++;
        }
        file_deinit(&file);
        return 0;
}

static bool read_option(int letter, struct options *options)
{
        switch (letter) {
        case 'e':
                options->every = strtoul(optarg, NULL, 10);
                return options->every > 0;
        case 'f':
                options->form = strcmp(optarg, "stackless") ? STACKFUL : STACKLESS;
                return options->form == STACKLESS || !strcmp(optarg, "stackful");
        default:
                return false;
        }
}

static bool read_options(int argc, char **argv, struct options *ret_options)
{
        static const struct option known[] = {
                { "every", required_argument, NULL, 'e' },
                { "form", required_argument, NULL, 'f' },
                { 0 },
        };
        int letter;

        while ((letter = getopt_long(argc, argv, "", known, /* longindex= */ NULL)) != -1) {
                if (!read_option(letter, ret_options))
                        return false;
        }
        return optind < argc;
}

int main(int argc, char **argv)
{
        struct options options = { .every = 1 };
        struct totals totals = { 0 };
        struct progress *progress;

        if (!read_options(argc, argv, &options)) {
                fputs("usage: fault-replay [--every N] [--form stackful|stackless] FILE...\n", stderr);
                return 2;
        }
        progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (progress == MAP_FAILED) {
                perror("mmap");
                return 2;
        }
        allocator_install();
        for (int i = optind; i < argc; i++) {
                if (try_file(argv[i], &options, progress, &totals) < 0)
                        return 2;
        }
        printf("%zu allocations failed\n", progress->n_failed);
        printf("%zu passed, %zu failed\n", totals.n_passed, totals.n_failed);
        return totals.n_failed || !totals.n_passed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */

#include "support/program.h"

#include <asyncuv/error.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the command line says. */
struct request {
        struct bench_options options;
        const char *form; /* NULL for all */
        int table;        /* 1 or 0; -1 while nothing was said */
        bool sizes_given;
};

static const char *const forms[] = {
        [BENCH_STACKLESS] = "stackless",
        [BENCH_STACKFUL] = "stackful",
};

static const struct option options[] = {
        { "form", required_argument, NULL, 'f' },
        { "json", no_argument, NULL, 'j' },
        { "table", no_argument, NULL, 'T' },
        { "help", no_argument, NULL, 'h' },
        { "tasks", required_argument, NULL, 't' },
        { "seconds", required_argument, NULL, 's' },
        { "rounds", required_argument, NULL, 'r' },
        { "seed", required_argument, NULL, 'S' },
        { "waves", required_argument, NULL, 'w' },
        { "runs", required_argument, NULL, 'n' },
        { 0 },
};

/* The first ones are those of every program. */
static bool accepts(const struct bench_program *program, int letter)
{
        return strchr("fjTh", letter) || strchr(program->accepted, letter);
}

static void print_usage(const struct bench_program *program, FILE *file)
{
        fprintf(file, "usage: bench-%s", program->workload);
        for (const struct option *option = options; option->name; option++)
                if (accepts(program, option->val))
                        fprintf(file, " [--%s%s]", option->name,
                                option->has_arg == no_argument ? ""
                                : option->val == 'f'           ? " FORM"
                                                               : " N");
        fprintf(file, "\n%s.\nForms:", program->title);
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
                fprintf(file, " %s", forms[i]);
        fputs("; without one, all. Prints a table to a terminal, and lines of JSON elsewhere.\n", file);
}

static bool parse_count(const char *text, uint64_t least, uint64_t *ret_count)
{
        unsigned long long count;
        char *end;

        errno = 0;
        count = strtoull(text, &end, 10);
        if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || count < least)
                return false;
        *ret_count = count;
        return true;
}

static bool parse_seconds(const char *text, double *ret_seconds)
{
        char *end;
        const double seconds = strtod(text, &end);

        if (end == text || *end != '\0' || !isfinite(seconds) || seconds < 0)
                return false;
        *ret_seconds = seconds;
        return true;
}

static bool parse_form(const char *text, const char **ret_form)
{
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
                if (strcmp(text, forms[i]) == 0) {
                        *ret_form = forms[i];
                        return true;
                }
        return false;
}

static bool parse_option(int letter, const char *text, struct request *request)
{
        switch (letter) {
        case 'f':
                return parse_form(text, &request->form);
        case 'j':
                request->table = 0;
                return true;
        case 'T':
                request->table = 1;
                return true;
        case 't':
                request->sizes_given = true;
                return parse_count(text, 1, &request->options.n_tasks);
        case 's':
                return parse_seconds(text, &request->options.seconds);
        case 'r':
                return parse_count(text, 1, &request->options.n_rounds);
        case 'S':
                return parse_count(text, 0, &request->options.seed);
        case 'w':
                return parse_count(text, 1, &request->options.n_waves);
        case 'n':
                return parse_count(text, 1, &request->options.n_runs);
        default:
                return false;
        }
}

/* Exits where the command line asks for nothing that could be measured. */
static struct request parse(int argc, char **argv, const struct bench_program *program)
{
        struct request request = { .options = program->defaults, .table = -1 };
        int letter;

        while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
                if (letter == 'h') {
                        print_usage(program, stdout);
                        exit(EXIT_SUCCESS);
                }
                if (letter == '?' || !accepts(program, letter) || !parse_option(letter, optarg, &request)) {
                        print_usage(program, stderr);
                        if (letter != '?')
                                fprintf(stderr, "bench-%s: what is that to mean: %s?\n", program->workload,
                                        argv[optind - 1]);
                        exit(2);
                }
        }
        if (optind < argc) {
                print_usage(program, stderr);
                exit(2);
        }
        if (request.table < 0)
                request.table = isatty(STDOUT_FILENO);
        return request;
}

static int measure_in_child(const struct bench_program *program, const struct bench_options *measured,
                            struct bench_report *report)
{
        int status, r;
        pid_t child;

        fflush(stdout);
        child = fork();
        if (child < 0)
                return -errno;
        if (child == 0) {
                r = program->measure(measured, report);
                if (r < 0)
                        fprintf(stderr, "bench-%s: %s, %" PRIu64 " tasks: %s\n", program->workload,
                                report->form, measured->n_tasks, auv_strerror(r));
                exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
        }
        if (waitpid(child, &status, 0) < 0)
                return -errno;
        if (WIFSIGNALED(status))
                fprintf(stderr, "bench-%s: %s\n", program->workload, strsignal(WTERMSIG(status)));
        report->begun = true;
        return status == 0 ? 0 : AUV_EIO;
}

/* One form: with the number of tasks that was asked for, or for a table with one after the other. */
static int measure_form(const struct bench_program *program, const struct request *request,
                        enum bench_form form, struct bench_report *report)
{
        struct bench_options measured = request->options;

        measured.form = form;
        if (!request->table || request->sizes_given || program->sizes[0] == 0)
                return measure_in_child(program, &measured, report);
        for (size_t i = 0; i < BENCH_MAX_SIZES && program->sizes[i]; i++) {
                measured.n_tasks = program->sizes[i];
                AUV_TRY(measure_in_child(program, &measured, report));
        }
        return 0;
}

int bench_main(int argc, char **argv, const struct bench_program *program)
{
        const struct request request = parse(argc, argv, program);
        struct bench_report report = { .workload = program->workload, .table = request.table };
        int status = EXIT_SUCCESS;

        if (report.table)
                printf("%s:\n", program->title);
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
                if (request.form && request.form != forms[i])
                        continue;
                report.form = forms[i];
                if (measure_form(program, &request, (enum bench_form)i, &report) < 0)
                        status = EXIT_FAILURE;
        }
        return status;
}

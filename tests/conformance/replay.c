/* SPDX-License-Identifier: MIT */

/*
 * replay - run scenarios on this library
 *
 * Prints what oracle.py prints of the same files: each scenario and its trace. With --check,
 * compares that with what the files hold, and prints where they differ.
 */

#include "allocator.h"
#include "file.h"
#include "machine.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What main() returns; 1 is for a difference, as cmp does. */
enum { EXIT_DIFFERENT = 1, EXIT_BAD = 2 };

struct options {
        bool check;
        enum form form;
        size_t fail_allocation; /* which one of each scenario; 0 for none */
};

static const char usage[] =
        "usage: replay [--check] [--form stackful|stackless] [--fail-allocation N] FILE...\n";

/* Run a scenario, and print it with its trace. Returns 0, or -1 where it is not a good one. */
static int replay(const struct source *source, const struct options *options, struct text *ret_output)
{
        struct scenario *scenario = scenario_parse(source);

        if (!scenario)
                return -1;
        text_add(ret_output, "scenario %.*s\n", (int)source->name.length, source->name.data);
        text_add_bytes(ret_output, source->text.data, source->text.length);
        text_add(ret_output, "\ntrace\n");
        allocator_fail(options->fail_allocation, /* sticky= */ false);
        machine_run(scenario, options->form, ret_output);
        scenario_free(scenario);
        return 0;
}

static void print_lines(char mark, struct slice text, size_t n)
{
        struct slice line;

        for (size_t i = 0; i < n && slice_next_line(&text, &line); i++)
                printf("  %c %.*s\n", mark, (int)line.length, line.data);
}

/* Where two texts part: the lines before, and those that follow in both. */
static void print_difference(const struct source *source, struct slice expected, struct slice actual)
{
        enum { BEFORE = 6, AFTER = 4 };
        struct slice before[BEFORE] = { 0 };
        struct slice rest_expected = expected, rest_actual = actual, line, other;
        unsigned number = source->line;

        for (; slice_next_line(&rest_expected, &line) && slice_next_line(&rest_actual, &other); number++) {
                if (line.length != other.length || memcmp(line.data, other.data, line.length))
                        break;
                memmove(before, before + 1, sizeof(before) - sizeof(*before));
                before[BEFORE - 1] = line;
                expected = rest_expected;
                actual = rest_actual;
        }
        printf("%s:%u: scenario %.*s differs\n", source->path, number, (int)source->name.length,
               source->name.data);
        for (int i = 0; i < BEFORE; i++) {
                if (before[i].data)
                        print_lines(' ', before[i], 1);
        }
        print_lines('-', expected, AFTER);
        print_lines('+', actual, AFTER);
}

/* Returns 0; 1, where the trace is another or memory has been lost; or -1. */
static int check(const struct source *source, const struct options *options)
{
        struct text output = { 0 };
        struct slice actual;
        int r = replay(source, options, &output);

        if (r == 0 && !source->has_trace) {
                printf("%s:%u: there is no trace to compare with\n", source->path, source->line);
                r = 1;
        } else if (r == 0) {
                actual = (struct slice) { output.data, output.length };
                r = actual.length != source->whole.length
                    || memcmp(actual.data, source->whole.data, actual.length) != 0;
                if (r)
                        print_difference(source, source->whole, actual);
        }
        if (r == 0 && allocator_live() > 0) {
                printf("%s:%u: %zu blocks of memory have not been given back\n", source->path, source->line,
                       allocator_live());
                r = 1;
        }
        text_deinit(&output);
        return r;
}

static int print(const struct source *source, const struct options *options)
{
        struct text output = { 0 };
        const int r = replay(source, options, &output);

        if (r == 0)
                fwrite(text_string(&output), 1, output.length, stdout);
        text_deinit(&output);
        return r;
}

/* Returns how many scenarios differ, or -1; adds to *n_passed. */
static long run_file(const char *path, const struct options *options, size_t *n_passed)
{
        struct file file;
        long n_different = 0;
        int r = 0;

        if (file_read(path, &file) < 0)
                return -1;
        for (size_t i = 0; i < file.n_sources && r >= 0; i++) {
                r = (options->check ? check : print)(&file.sources[i], options);
                if (r > 0)
                        n_different++;
        }
        if (r >= 0 && options->check) {
                printf("%s: %zu scenarios, %ld differ\n", path, file.n_sources, n_different);
                *n_passed += file.n_sources - (size_t)n_different;
        }
        file_deinit(&file);
        return r < 0 ? -1 : n_different;
}

static int run_files(char *const *paths, const struct options *options)
{
        size_t n_passed = 0, n_failed = 0;
        long r;

        for (; *paths; paths++) {
                r = run_file(*paths, options, &n_passed);
                if (r < 0)
                        return EXIT_BAD;
                n_failed += (size_t)r;
        }
        if (!options->check)
                return EXIT_SUCCESS;
        printf("%zu passed, %zu failed\n", n_passed, n_failed);
        if (n_passed + n_failed == 0) {
                fputs("replay: no scenario was run\n", stderr);
                return EXIT_BAD;
        }
        return n_failed ? EXIT_DIFFERENT : EXIT_SUCCESS;
}

static bool read_count(const char *word, size_t *ret_count)
{
        char *end;

        *ret_count = strtoul(word, &end, 10);
        return end > word && !*end && *word != '-';
}

static bool read_option(int letter, struct options *options)
{
        switch (letter) {
        case 'c':
                options->check = true;
                return true;
        case 'f':
                options->form = strcmp(optarg, "stackless") ? STACKFUL : STACKLESS;
                if (options->form == STACKLESS || !strcmp(optarg, "stackful"))
                        return true;
                fprintf(stderr, "replay: unknown form of coroutine: %s\n", optarg);
                return false;
        case 'a':
                if (read_count(optarg, &options->fail_allocation))
                        return true;
                fprintf(stderr, "replay: not a count: %s\n", optarg);
                return false;
        default:
                return false;
        }
}

static bool read_options(int argc, char **argv, struct options *ret_options)
{
        static const struct option known[] = {
                { "check", no_argument, NULL, 'c' },
                { "form", required_argument, NULL, 'f' },
                { "fail-allocation", required_argument, NULL, 'a' },
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
        struct options options = { 0 };

        if (!read_options(argc, argv, &options)) {
                fputs(usage, stderr);
                return EXIT_BAD;
        }
        allocator_install();
        return run_files(argv + optind, &options);
}

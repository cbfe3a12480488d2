/* SPDX-License-Identifier: MIT */
/*
 * What the peers in C and C++ share: options, clocks, memory, random durations, lateness, and the
 * lines of JSON. It stands for the program around a workload, and is no part of what is measured.
 *
 * A program defines PEER, the name in its results, before it includes this.
 */

#ifndef BENCH_PEERS_MEASURE_H
#define BENCH_PEERS_MEASURE_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_MS 1000000
#define NS_PER_S  1000000000
#define RUNS_MAX  99

struct options {
        const char *workload;
        size_t n_tasks;
        double seconds;
        size_t n_rounds;
        uint64_t seed;
        size_t n_runs; /* of a primitive; the median counts */
        uint16_t port; /* 0 to get a free one */
};

/* An observer of memory: what there was before the first task, and page tables at their highest. */
struct memory {
        double resident, pagetable;
        double pagetable_peak;
        int64_t cpu_ns; /* that looking has taken while tasks were there */
};

/* How much later than they were due tasks have woken, in nanoseconds; less than 0 is early. */
struct lateness {
        int64_t *ns;
        size_t n, n_max;
};

struct workload {
        const char *name;
        void (*measure)(const struct options *options);
};

__attribute__((noreturn)) static inline void usage(void)
{
        fputs("usage: " PEER " sleep --tasks N --seconds D | storm --tasks N --rounds R --seed S |\n"
              "       stagger --tasks N --seed S | timeouts --tasks N | cancel --tasks N |\n"
              "       primitives --runs N | echo --port P\n",
              stderr);
        exit(2);
}

__attribute__((noreturn)) static inline void fail(const char *what)
{
        fprintf(stderr, PEER ": %s\n", what);
        exit(EXIT_FAILURE);
}

static inline struct options options_parse(int argc, char **argv)
{
        struct options options;

        if (argc < 2 || argc % 2 != 0)
                usage();
        options.workload = argv[1];
        options.n_tasks = 1000;
        options.seconds = 1;
        options.n_rounds = 10;
        options.seed = 1;
        options.n_runs = 9;
        options.port = 0;
        for (int i = 2; i < argc; i += 2) {
                char *end;
                const double value = strtod(argv[i + 1], &end);
                const int is_seconds = strcmp(argv[i], "--seconds") == 0;
                const double limit = is_seconds ? 1e9 : 1e15;

                if (*argv[i + 1] == '\0' || *end != '\0' || !(value >= 0 && value < limit))
                        usage();
                if (!is_seconds && value != (double)(uint64_t)value)
                        usage();
                if (strcmp(argv[i], "--tasks") == 0)
                        options.n_tasks = (size_t)value;
                else if (is_seconds)
                        options.seconds = value;
                else if (strcmp(argv[i], "--rounds") == 0)
                        options.n_rounds = (size_t)value;
                else if (strcmp(argv[i], "--seed") == 0)
                        options.seed = strtoull(argv[i + 1], NULL, 10);
                else if (strcmp(argv[i], "--runs") == 0)
                        options.n_runs = (size_t)value;
                else if (strcmp(argv[i], "--port") == 0 && value <= UINT16_MAX)
                        options.port = (uint16_t)value;
                else
                        usage();
        }
        if (options.n_tasks == 0 || options.n_rounds == 0)
                usage();
        if (options.n_runs == 0 || options.n_runs > RUNS_MAX)
                usage();
        return options;
}

/* The one that was asked for; the last one of @workloads has no name. */
static inline void workload_measure(const struct workload *workloads, const struct options *options)
{
        while (workloads->name && strcmp(options->workload, workloads->name) != 0)
                workloads++;
        if (!workloads->name)
                usage();
        workloads->measure(options);
}

static inline void report(const char *workload, size_t n, const char *metric, double value, const char *unit)
{
        printf("{\"workload\":\"%s\",\"peer\":\"" PEER "\",\"form\":\"\",\"n\":%zu,\"metric\":\"%s\","
               "\"value\":%.9g,\"unit\":\"%s\"}\n",
               workload, n, metric, value, unit);
        fflush(stdout);
}

static inline void *allocate(size_t n, size_t size)
{
        void *p = calloc(n, size);

        if (p == NULL)
                fail("out of memory");
        return p;
}

static inline int64_t clock_ns(clockid_t clock)
{
        struct timespec now;

        clock_gettime(clock, &now);
        return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static inline int64_t now_ns(void)
{
        return clock_ns(CLOCK_MONOTONIC);
}

/* User and system, all threads. */
static inline int64_t cpu_ns(void)
{
        return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* A line of /proc/self/status in bytes. */
static inline double status_bytes(const char *field)
{
        const size_t length = strlen(field);
        double kib = 0;
        char line[128];
        FILE *file;

        file = fopen("/proc/self/status", "re");
        if (file == NULL)
                fail("no /proc/self/status");
        while (fgets(line, sizeof(line), file) != NULL)
                if (strncmp(line, field, length) == 0 && line[length] == ':')
                        kib = strtod(line + length + 1, NULL);
        fclose(file);
        return kib * 1024;
}

static inline void memory_begin(struct memory *memory)
{
        memory->resident = status_bytes("VmRSS");
        memory->pagetable = status_bytes("VmPTE");
        memory->pagetable_peak = memory->pagetable;
        memory->cpu_ns = 0;
}

/* The kernel keeps no peak of the page tables: call this while all tasks are there. */
static inline void memory_sample(struct memory *memory)
{
        const int64_t cpu = cpu_ns();
        const double pagetable = status_bytes("VmPTE");

        if (pagetable > memory->pagetable_peak)
                memory->pagetable_peak = pagetable;
        memory->cpu_ns += cpu_ns() - cpu;
}

static inline void memory_report(struct memory *memory, size_t n)
{
        double peak;

        memory_sample(memory);
        peak = status_bytes("VmHWM") + memory->pagetable_peak;
        report("sleep", n, "memory_per_task", (peak - memory->resident - memory->pagetable) / (double)n,
               "bytes");
        report("sleep", n, "memory_per_task_total", peak / (double)n, "bytes");
}

/* splitmix64: one generator for each task, the same in all peers. */
static inline uint64_t draw(uint64_t *state)
{
        uint64_t z;

        *state += UINT64_C(0x9e3779b97f4a7c15);
        z = *state;
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

/* Uniform between 1 ms and @max_ms. */
static inline int64_t draw_duration_ns(uint64_t *state, int max_ms)
{
        return NS_PER_MS + (int64_t)(draw(state) % ((uint64_t)(max_ms - 1) * NS_PER_MS + 1));
}

static inline void lateness_init(struct lateness *lateness, size_t n_max)
{
        lateness->ns = (int64_t *)allocate(n_max, sizeof(*lateness->ns));
        memset(lateness->ns, 0xff, n_max * sizeof(*lateness->ns)); /* touched before the clocks start */
        lateness->n = 0;
        lateness->n_max = n_max;
}

static inline void lateness_add(struct lateness *lateness, int64_t due_ns)
{
        lateness->ns[lateness->n++] = now_ns() - due_ns;
}

static inline int compare_int64(const void *a, const void *b)
{
        const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

        return (x > y) - (x < y);
}

static inline void lateness_report(struct lateness *lateness, const char *workload, size_t n_tasks)
{
        const size_t n = lateness->n;
        const int64_t *ns = lateness->ns;
        size_t n_early = 0;

        if (n != lateness->n_max)
                fail("a task has not woken");
        qsort(lateness->ns, n, sizeof(*ns), compare_int64);
        while (n_early < n && ns[n_early] < 0)
                n_early++;
        report(workload, n_tasks, "lateness_p50_us", (double)ns[n / 2] / 1e3, "us");
        report(workload, n_tasks, "lateness_p99_us", (double)ns[n * 99 / 100] / 1e3, "us");
        report(workload, n_tasks, "lateness_max_us", (double)ns[n - 1] / 1e3, "us");
        report(workload, n_tasks, "early", (double)n_early, "fires");
        free(lateness->ns);
}

static inline int compare_double(const void *a, const void *b)
{
        const double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

/* @measure returns nanoseconds for each of what it measures. It is run as often before, to get warm. */
static inline void report_primitive(const struct options *options, const char *metric, size_t n,
                                    double (*measure)(size_t n))
{
        double ns[RUNS_MAX];

        for (size_t i = 0; i < options->n_runs; i++)
                measure(n);
        for (size_t i = 0; i < options->n_runs; i++)
                ns[i] = measure(n);
        qsort(ns, options->n_runs, sizeof(*ns), compare_double);
        report("primitives", n, metric, ns[options->n_runs / 2], "ns");
}

#endif

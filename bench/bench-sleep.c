/* SPDX-License-Identifier: MIT */
/*
 * N tasks, each asleep for D seconds, all gathered: what that costs beyond the sleep.
 *
 * For each N three numbers: the time that passed beyond D; the processor time per task, of
 * the whole life of a task from its making to its result; and the peak of the memory per
 * task, with all that stands behind one: stack, task, timer, its place in the gather, the
 * library's tables and, a number of its own, the kernel's page tables.
 *
 * Each N runs in a process of its own, so that its peak is its own.
 */

#include <asyncuv.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct workload {
        size_t n_tasks;
        double seconds;
};

/* A workload as it runs. */
struct run {
        struct workload workload;
        double pagetable; /* bytes, while all tasks sleep */
};

struct result {
        double wall_beyond;        /* seconds */
        double cpu_per_task;       /* microseconds */
        double memory_per_task;    /* bytes, resident at the peak */
        double pagetable_per_task; /* bytes */
};

static int fail(const char *what, int code)
{
        fprintf(stderr, "bench-sleep: %s: %s\n", what, auv_strerror(code));
        return EXIT_FAILURE;
}

static double cpu_seconds(void)
{
        struct rusage usage;

        getrusage(RUSAGE_SELF, &usage);
        return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
                + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* A line of /proc/self/status in bytes. */
static double status_bytes(const char *field)
{
        const size_t length = strlen(field);
        double kib = 0;
        char line[128];
        FILE *file;

        file = fopen("/proc/self/status", "re");
        if (file == NULL)
                return 0;
        while (fgets(line, sizeof(line), file) != NULL)
                if (strncmp(line, field, length) == 0 && line[length] == ':')
                        kib = strtod(line + length + 1, NULL);
        fclose(file);
        return kib * 1024;
}

static int sleeper(void *arg, auv_value *ret)
{
        const double *seconds = arg;

        return auv_await_sleep(*seconds);
}

static void sample_page_tables(void *arg)
{
        struct run *run = arg;

        run->pagetable = status_bytes("VmPTE");
}

static int gather_sleepers(void *arg, auv_value *ret)
{
        struct run *run = arg;
        const struct workload *workload = &run->workload;
        auv_task **tasks;
        int r;

        /* There is no peak to read for them afterwards. Set before all others, this timer fires
         * when all tasks sleep and none has woken yet. */
        AUV_TRY(auv_loop_call_later(/* loop= */ NULL, workload->seconds, sample_page_tables, run,
                                    /* ret_call= */ NULL));

        tasks = calloc(workload->n_tasks, sizeof(*tasks));
        if (tasks == NULL)
                return AUV_ENOMEM;
        for (size_t i = 0; i < workload->n_tasks; i++)
                tasks[i] = auv_create_task(sleeper, &workload->seconds, sizeof(workload->seconds));
        r = auv_await_gather(tasks, workload->n_tasks, /* flags= */ 0, /* ret_results= */ NULL);
        for (size_t i = 0; i < workload->n_tasks; i++)
                auv_unref(tasks[i]);
        free(tasks);
        return r;
}

static int measure(struct workload workload, struct result *ret_result)
{
        AUV_AUTO auv_runner *runner = auv_runner_new(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_MONOTONIC));
        const auv_loop *loop = auv_runner_get_loop(runner);
        const double n = (double)workload.n_tasks;
        struct run run = { .workload = workload };
        double memory, pagetable, cpu, start;
        struct result result;

        memory = status_bytes("VmHWM");
        pagetable = status_bytes("VmPTE");
        cpu = cpu_seconds();
        start = auv_loop_time(loop);

        AUV_TRY(auv_runner_run(runner, gather_sleepers, &run, /* ret= */ NULL));

        result.wall_beyond = auv_loop_time(loop) - start - workload.seconds;
        result.cpu_per_task = (cpu_seconds() - cpu) * 1e6 / n;
        result.memory_per_task = (status_bytes("VmHWM") - memory) / n;
        result.pagetable_per_task = (run.pagetable - pagetable) / n;
        *ret_result = result;
        return 0;
}

static void print_json(struct workload workload, const struct result *result)
{
        const struct {
                const char *metric, *unit;
                double value;
        } rows[] = {
                { "wall_beyond_sleep", "s", result->wall_beyond },
                { "cpu_per_task", "us", result->cpu_per_task },
                { "peak_memory_per_task", "bytes", result->memory_per_task },
                { "page_tables_per_task", "bytes", result->pagetable_per_task },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                printf("{\"workload\": \"sleep\", \"form\": \"stackful\", \"n\": %zu, \"metric\": \"%s\", "
                       "\"value\": %.6g, \"unit\": \"%s\"}\n",
                       workload.n_tasks, rows[i].metric, rows[i].value, rows[i].unit);
}

static void print_row(struct workload workload, const struct result *result)
{
        printf("%10zu %12.4f s %12.2f us %12.2f KiB %12.2f KiB\n", workload.n_tasks, result->wall_beyond,
               result->cpu_per_task, result->memory_per_task / 1024, result->pagetable_per_task / 1024);
}

/* Measures in a child process; the result comes back through a pipe. */
static int measure_in_child(struct workload workload, struct result *ret_result)
{
        int ends[2], status;
        ssize_t n_read;
        pid_t child;

        fflush(stdout);
        if (pipe(ends) < 0)
                return -errno;
        child = fork();
        if (child < 0)
                return -errno;
        if (child == 0) {
                struct result result;
                int r;

                r = measure(workload, &result);
                if (r < 0)
                        _exit(fail("the run failed", r));
                if (write(ends[1], &result, sizeof(result)) != sizeof(result))
                        _exit(EXIT_FAILURE);
                _exit(EXIT_SUCCESS);
        }
        close(ends[1]);
        n_read = read(ends[0], ret_result, sizeof(*ret_result));
        close(ends[0]);
        if (waitpid(child, &status, 0) < 0)
                return -errno;
        return n_read == sizeof(*ret_result) && status == 0 ? 0 : AUV_EIO;
}

static int run_table(double seconds)
{
        static const size_t sizes[] = { 1000, 10000, 100000 };

        printf("Tasks that sleep %g s, gathered:\n", seconds);
        printf("%10s %14s %15s %16s %16s\n", "tasks", "beyond sleep", "CPU/task", "memory/task",
               "page tables/task");
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                const struct workload workload = { sizes[i], seconds };
                struct result result;

                AUV_TRY(measure_in_child(workload, &result));
                print_row(workload, &result);
        }
        return 0;
}

static int run_json(struct workload workload)
{
        struct result result;

        AUV_TRY(measure_in_child(workload, &result));
        print_json(workload, &result);
        return 0;
}

int main(int argc, char **argv)
{
        static const struct option options[] = {
                { "tasks", required_argument, NULL, 't' },
                { "seconds", required_argument, NULL, 's' },
                { 0 },
        };
        struct workload workload = { .seconds = 1 };
        int option, r;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
                switch (option) {
                case 't':
                        workload.n_tasks = strtoull(optarg, NULL, 10);
                        break;
                case 's':
                        workload.seconds = strtod(optarg, NULL);
                        break;
                default:
                        fputs("usage: bench-sleep [--tasks N] [--seconds D]\n"
                              "Prints JSON for N tasks; without N, a table for 1,000, 10,000 and 100,000.\n",
                              stderr);
                        return EXIT_FAILURE;
                }
        }

        r = workload.n_tasks > 0 ? run_json(workload) : run_table(workload.seconds);
        return r < 0 ? fail("cannot measure", r) : EXIT_SUCCESS;
}

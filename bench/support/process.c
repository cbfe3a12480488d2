/* SPDX-License-Identifier: MIT */

#include "support/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t clock)
{
        struct timespec now;

        clock_gettime(clock, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t bench_now_ns(void)
{
        return read_clock(CLOCK_MONOTONIC);
}

int64_t bench_cpu_ns(void)
{
        return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

struct bench_memory bench_read_memory(void)
{
        struct bench_memory memory = { 0 };
        const struct {
                const char *name;
                double *bytes;
        } fields[] = {
                { "VmRSS:", &memory.resident },
                { "VmHWM:", &memory.peak },
                { "VmPTE:", &memory.page_tables },
        };
        char line[128];
        FILE *file;

        file = fopen("/proc/self/status", "re");
        if (!file)
                return memory;
        while (fgets(line, sizeof(line), file))
                for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
                        if (strncmp(line, fields[i].name, strlen(fields[i].name)) == 0)
                                *fields[i].bytes = strtod(line + strlen(fields[i].name), NULL) * 1024;
        fclose(file);
        return memory;
}

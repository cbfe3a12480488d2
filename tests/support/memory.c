/* SPDX-License-Identifier: MIT */
#include "support/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct memory memory_in_use(void)
{
        const size_t page = (size_t)sysconf(_SC_PAGESIZE);
        FILE *file = fopen("/proc/self/statm", "re");
        struct memory memory;

        if (!file || fscanf(file, "%zu %zu", &memory.mapped, &memory.resident) != 2)
                abort();
        fclose(file);
        memory.mapped *= page;
        memory.resident *= page;
        return memory;
}

/* SPDX-License-Identifier: MIT */
#include "support/descriptors.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

int descriptors_open(void)
{
        DIR *directory = opendir("/proc/self/fd");
        int n = 0;

        if (!directory)
                abort();
        for (const struct dirent *entry; (entry = readdir(directory));)
                n += entry->d_name[0] != '.';
        closedir(directory);
        return n - 1; /* but for that of the directory itself */
}

struct rlimit descriptors_limit(int more)
{
        struct rlimit before, limit;
        const int lowest = dup(0);

        close(lowest);
        getrlimit(RLIMIT_NOFILE, &before);
        limit = before;
        limit.rlim_cur = (rlim_t)(lowest + more);
        setrlimit(RLIMIT_NOFILE, &limit);
        return before;
}

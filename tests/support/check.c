/* SPDX-License-Identifier: MIT */
#include "support/check.h"

#include <stdatomic.h>
#include <stdio.h>

/*
 * libuv closes descriptors by a system call that ThreadSanitizer does not see. When another thread is
 * given the same number, it takes that for two owners of one descriptor. What it says of the calls that
 * make and close descriptors is therefore left out; of what is done to them it is not.
 */
const char *__tsan_default_suppressions(void);

const char *__tsan_default_suppressions(void)
{
        return "race:epoll_create1$\n"
               "race:eventfd$\n"
               "race:pipe2$\n"
               "race:timerfd_create$\n"
               "race:^close$\n"
               "race:^__interceptor_close$\n";
}

static atomic_int passed;
static atomic_int failed;

bool check(bool condition, const char *file, int line, const char *text)
{
        if (condition) {
                passed++;
                return true;
        }
        failed++;
        fprintf(stderr, "%s:%d: %s\n", file, line, text);
        return false;
}

int check_report(void)
{
        printf("%d passed, %d failed\n", passed, failed);
        return failed > 0;
}

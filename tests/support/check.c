/* SPDX-License-Identifier: MIT */
#include "support/check.h"

#include <stdatomic.h>
#include <stdio.h>

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

/* SPDX-License-Identifier: MIT */
#include "support/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char text[1 << 16];
static size_t length;

void trace(const char *format, ...)
{
        va_list args;
        int added;

        if (length > 0 && length < sizeof(text) - 1)
                text[length++] = ' ';
        va_start(args, format);
        added = vsnprintf(text + length, sizeof(text) - length, format, args);
        va_end(args);
        if (added < 0 || (size_t)added >= sizeof(text) - length) {
                fputs("trace: no room\n", stderr);
                abort();
        }
        length += (size_t)added;
}

char *trace_text(void)
{
        return text;
}

void trace_clear(void)
{
        length = 0;
        text[0] = 0;
}

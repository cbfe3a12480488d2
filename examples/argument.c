/* SPDX-License-Identifier: MIT */

#include "argument.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static bool parse(const char *text, long min, long max, long *ret_number)
{
        char *end;
        long number;

        errno = 0;
        number = strtol(text, &end, 10);
        if (end == text || *end || errno || number < min || number > max)
                return false;
        *ret_number = number;
        return true;
}

bool argument_port(const char *text, int *ret_port)
{
        long port;

        if (!parse(text, 0, UINT16_MAX, &port))
                return false;
        *ret_port = (int)port;
        return true;
}

bool argument_seconds(const char *text, double *ret_seconds)
{
        char *end;
        const double seconds = strtod(text, &end);

        if (end == text || *end || !isfinite(seconds) || seconds <= 0)
                return false;
        *ret_seconds = seconds;
        return true;
}

bool argument_count(const char *text, long *ret_count)
{
        return parse(text, 1, INT32_MAX, ret_count);
}

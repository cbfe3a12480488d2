/* SPDX-License-Identifier: MIT */
#ifndef AUV_BASE_CLOCK_H
#define AUV_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Time is nanoseconds inside, on CLOCK_MONOTONIC or from 0 on, and seconds in a double outside. */

#define AUV__NEVER INT64_MAX

static inline int64_t auv__clock_monotonic(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* To the nearest nanosecond; what lies out of range becomes AUV__NEVER or its opposite. */
static inline int64_t auv__seconds_to_ns(double seconds)
{
        const double ns = seconds * 1e9;

        if (ns >= 9.2e18)
                return AUV__NEVER;
        if (ns <= -9.2e18)
                return -AUV__NEVER;
        return (int64_t)(ns + (ns < 0 ? -0.5 : 0.5));
}

static inline double auv__ns_to_seconds(int64_t ns)
{
        return ns == AUV__NEVER ? __builtin_inf() : (double)ns / 1e9;
}

/* The moment @delay seconds after @now_ns. */
static inline int64_t auv__clock_after(int64_t now_ns, double delay)
{
        const int64_t delay_ns = auv__seconds_to_ns(delay);
        int64_t when_ns;

        return __builtin_add_overflow(now_ns, delay_ns, &when_ns) ? AUV__NEVER : when_ns;
}

#endif

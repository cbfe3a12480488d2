/* SPDX-License-Identifier: MIT */
#ifndef BENCH_GENERATOR_H
#define BENCH_GENERATOR_H

#include <stdint.h>

/*
 * splitmix64, which each peer's program has too: task i draws from a generator that begins at
 * the seed plus i, so that all programs sleep the same times.
 */

static inline uint64_t bench_draw(uint64_t *state)
{
        uint64_t z = *state += 0x9e3779b97f4a7c15;

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
}

/* A time of @low_ms to @high_ms milliseconds, in nanoseconds. */
static inline int64_t bench_draw_ns(uint64_t *state, int64_t low_ms, int64_t high_ms)
{
        const uint64_t n_values = (uint64_t)(high_ms - low_ms) * 1000000 + 1;

        return low_ms * 1000000 + (int64_t)(bench_draw(state) % n_values);
}

#endif

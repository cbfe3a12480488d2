/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stdint.h>

/* What this process has used so far, as the kernel tells. */

/* The monotonic clock in nanoseconds. */
int64_t bench_now_ns(void);

/* Processor time of all threads, user and system, in nanoseconds. */
int64_t bench_cpu_ns(void);

/* In bytes; page tables stand for themselves, the kernel does not count them as resident. */
struct bench_memory {
        double resident;
        double peak;        /* the highest that @resident has been */
        double page_tables; /* now: of these no peak is kept */
};

struct bench_memory bench_read_memory(void);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef BENCH_SLEEPS_H
#define BENCH_SLEEPS_H

#include "support/process.h"
#include "support/program.h"

#include <asyncuv/coro.h>

#include <stddef.h>
#include <stdint.h>

/*
 * A workload of sleeps: what it costs, and how late they end. There is one sample for each of them,
 * so that the percentiles are exact. The memory is there, and touched, before anything is measured.
 */
struct bench_sleeps {
        const struct bench_options *options;
        int64_t *late_ns; /* nanoseconds past the due time; below zero is early */
        size_t n;
        size_t n_max;
        int64_t cpu_ns; /* from before the first task is made until all have ended */
};

/* Runs @fn as the main task, with @sleeps as its argument; with 0, bench_sleeps_report() has to follow. */
int bench_sleeps_run(struct bench_sleeps *sleeps, const struct bench_options *options, uint64_t n_sleeps,
                     auv_coro_fn fn);

/* What the workload cost, then the lateness. Gives up the samples. */
void bench_sleeps_report(struct bench_sleeps *sleeps, const struct bench_report *report,
                         struct bench_metric cost);

/* A sleep that was due then has ended. */
static inline void bench_sleeps_add(struct bench_sleeps *sleeps, int64_t due_ns)
{
        if (sleeps->n < sleeps->n_max)
                sleeps->late_ns[sleeps->n++] = bench_now_ns() - due_ns;
}

#endif

/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PRIMITIVES_H
#define BENCH_PRIMITIVES_H

#include <stddef.h>

/*
 * The measurements. Each gives the nanoseconds for one of what it measures, of @n things where
 * that makes a difference. They return 0 or an error, and all but those of switch.c run in a task.
 */
typedef int (*bench_measure_fn)(size_t n, double *ret_ns);

/* switch.c: coroutines without a loop */
int bench_measure_switch(size_t n, double *ret_ns); /* into or out of a coroutine; @n take turns */
int bench_measure_life(size_t n, double *ret_ns);   /* from making one to its end, @n at once */

/* tasks.c */
int bench_measure_yield(size_t n, double *ret_ns); /* @n tasks that let each other run */
int bench_measure_create_await(size_t n, double *ret_ns);
int bench_measure_set_wake(size_t n, double *ret_ns);
int bench_measure_gather(size_t n, double *ret_ns); /* making and gathering @n tasks, for each */
int bench_measure_sleep_cancel(size_t n, double *ret_ns);
int bench_measure_call_soon(size_t n, double *ret_ns);

/* sync.c */
int bench_measure_lock(size_t n, double *ret_ns); /* take and give back */
int bench_measure_lock_contended(size_t n, double *ret_ns);
int bench_measure_semaphore(size_t n, double *ret_ns);
int bench_measure_event(size_t n, double *ret_ns);
int bench_measure_queue(size_t n, double *ret_ns); /* put and get through a queue of one */
int bench_measure_queue_unlimited(size_t n, double *ret_ns);

#endif

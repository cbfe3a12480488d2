/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PRIMITIVES_H
#define BENCH_PRIMITIVES_H

#include "support/program.h"

#include <stddef.h>

/*
 * The measurements. Each gives the nanoseconds for one of what it measures, with tasks of a form,
 * @n of them where that makes a difference. They return 0 or an error, and all but those of
 * switch.c run in a task.
 */
typedef int (*bench_measure_fn)(enum bench_form form, size_t n, double *ret_ns);

/* switch.c: coroutines without a loop, @n that take turns */
int bench_measure_switch(enum bench_form form, size_t n, double *ret_ns); /* into one, or out of it */
int bench_measure_life(enum bench_form form, size_t n, double *ret_ns);   /* of a stackful one */

/* tasks.c */
int bench_measure_yield(enum bench_form form, size_t n, double *ret_ns); /* @n tasks let each other run */
int bench_measure_create_await(enum bench_form form, size_t n, double *ret_ns);
int bench_measure_eager_await(enum bench_form form, size_t n, double *ret_ns); /* runs when it is made */
int bench_measure_set_wake(enum bench_form form, size_t n, double *ret_ns);
int bench_measure_gather(enum bench_form form, size_t n, double *ret_ns); /* with the making, a child */
int bench_measure_sleep_cancel(enum bench_form form, size_t n, double *ret_ns);
int bench_measure_call_soon(enum bench_form form, size_t n, double *ret_ns);

/* sync.c, between stackful tasks */
int bench_measure_lock(enum bench_form form, size_t n, double *ret_ns); /* take and give back */
int bench_measure_lock_contended(enum bench_form form, size_t n, double *ret_ns);
int bench_measure_semaphore(enum bench_form form, size_t n, double *ret_ns);
int bench_measure_event(enum bench_form form, size_t n, double *ret_ns);
int bench_measure_queue(enum bench_form form, size_t n, double *ret_ns); /* through a queue of one */
int bench_measure_queue_unlimited(enum bench_form form, size_t n, double *ret_ns);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TESTS_IO_POOL_H
#define TESTS_IO_POOL_H

/*
 * Pool
 *
 * libuv's pool with one thread, so that the order of what runs in it is known, and which a test can hold up;
 * and functions to run in it.
 */

#include <asyncuv.h>

#include <semaphore.h>
#include <stdatomic.h>

/* Functions post the one when they have begun, and wait for the other, where they say so. */
extern sem_t pool_begun;
extern sem_t pool_may_end;

/* How many functions have run, and how many of the values have been destroyed. */
extern atomic_int pool_n_run;
extern atomic_int pool_n_destroyed;

/* A fixture, together with loop_teardown(). */
void pool_setup(void);

/* Returns a value with a destructor. */
int pool_owns(void *arg, auv_value *ret);

/* The same between the two semaphores. */
int pool_owns_when_told(void *arg, auv_value *ret);

/* Doubles an intmax_t. */
int pool_doubles(void *arg, auv_value *ret);

/* Fails with a message that has @arg, a text, in it; the value that it gives all the same is destroyed. */
int pool_fails(void *arg, auv_value *ret);

/* Returns an int, which may be an error. */
int pool_returns(void *arg, auv_value *ret);

#endif

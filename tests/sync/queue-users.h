/* SPDX-License-Identifier: MIT */
#ifndef SYNC_QUEUE_USERS_H
#define SYNC_QUEUE_USERS_H

/* Tasks that use a queue, on the fixture's loop. Those that have a name trace what they do. */

#include <asyncuv.h>

/*
 * Puts n numbers in, the first of them first: NAME with each number; or NAME:ERROR, and then no more,
 * which is no error of the task's where the queue was shut down. The result is how many it has put.
 */
auv_task *start_putter(const char *name, auv_queue *queue, int first, int n);

/* Gets n numbers, and likewise. */
auv_task *start_getter(const char *name, auv_queue *queue, int n);

/* Joins: NAME, with the error behind it if there is one. */
auv_task *start_joiner(const char *name, auv_queue *queue);

/* Bodies that do one thing with the queue that @arg is: get an item, for the result; put 1; join. */
int gets_one(void *arg, auv_value *ret);
int puts_one(void *arg, auv_value *ret);
int joins_one(void *arg, auv_value *ret);

/* At once, which must be possible. */
void put(auv_queue *queue, int number);
int get(auv_queue *queue);

/* A queue of numbers. */
auv_queue *new_priority_queue(long maxsize);

#endif

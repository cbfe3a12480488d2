/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_QUEUE_H
#define ASYNCUV_QUEUE_H

#include <asyncuv/loop.h>

AUV_BEGIN_DECLS

/*
 * Queues
 *
 * Items are values. One that has a destructor belongs to the queue from put to get: it is destroyed
 * where the queue drops it, in an immediate shutdown or when the queue itself goes.
 */
typedef struct auv_queue auv_queue;

/**
 * auv_compare_fn - the order of two items
 * @a, @b:       the items
 * @arg:         what was given with the function
 *
 * Return: less than 0 where @a is to leave the queue before @b; 0 or more otherwise.
 */
typedef int (*auv_compare_fn)(const auv_value *a, const auv_value *b, void *arg);

/**
 * auv_queue_new() - make a queue, first in, first out
 * @maxsize:     how many items it takes; 0 or less for no limit
 *
 * Return: the queue, or NULL: there is no memory.
 * Owns: the caller owns the reference; a task that waits holds one, too.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.Queue().
 */
AUV_API auv_queue *auv_queue_new(long maxsize);

/**
 * auv_lifo_queue_new() - make a queue, last in, first out
 * @maxsize:     how many items it takes; 0 or less for no limit
 *
 * Return: as auv_queue_new().
 * Owns: the caller owns the reference; a task that waits holds one, too.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.LifoQueue().
 */
AUV_API auv_queue *auv_lifo_queue_new(long maxsize);

/**
 * auv_priority_queue_new() - make a queue whose least item leaves it first
 * @maxsize:     how many items it takes; 0 or less for no limit
 * @compare:     called as compare(a, b, arg); it must not use the queue
 * @arg:         handed to @compare
 *
 * Of items that are equal any may leave first, as with Python's heapq.
 *
 * Return: as auv_queue_new(); NULL also where @compare is.
 * Owns: the caller owns the reference; a task that waits holds one, too.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.PriorityQueue(). Cost: O(log n) for put and get.
 */
AUV_API auv_queue *auv_priority_queue_new(long maxsize, auv_compare_fn compare, void *arg);

/**
 * auv_await_queue_put() - put an item in, when there is room
 * @queue:       the queue; NULL is one that could not be made
 * @item:        the item; one with a destructor is the queue's from now on
 *
 * Return: 0, or a negative error, and then @item is still the caller's.
 * Errors: AUV_EQUEUESHUTDOWN; AUV_ECANCELED; AUV_ENOTASK; AUV_ERUNTIME, the queue belongs to another
 * loop; AUV_ENOMEM; AUV_ECLOSED.
 * Owns: see @item.
 * Suspends: yes, unless there is room.    Thread: the loop's.
 * Like: Queue.put().
 */
AUV_API int auv_await_queue_put(auv_queue *queue, auv_value item);

/**
 * auv_queue_put_nowait() - put an item in
 * @queue:       the queue
 * @item:        the item; one with a destructor is the queue's from now on
 *
 * Return: 0, or a negative error, and then @item is still the caller's.
 * Errors: AUV_EINVAL, @queue is NULL; AUV_EQUEUEFULL; AUV_EQUEUESHUTDOWN; AUV_ENOMEM.
 * Owns: see @item.
 * Suspends: no.    Thread: the loop's.
 * Like: Queue.put_nowait().
 */
AUV_API int auv_queue_put_nowait(auv_queue *queue, auv_value item);

/**
 * auv_await_queue_get() - take an item out, when there is one
 * @queue:       the queue; NULL is one that could not be made
 * @ret_item:    receives the item
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, @ret_item is NULL; AUV_EQUEUESHUTDOWN, and the queue is empty; AUV_ECANCELED;
 * AUV_ENOTASK; AUV_ERUNTIME, the queue belongs to another loop; AUV_ECLOSED; AUV_ENOMEM for NULL.
 * Owns: the caller owns an item that has a destructor.
 * Suspends: yes, unless there is an item.    Thread: the loop's.
 * Like: Queue.get().
 */
AUV_API int auv_await_queue_get(auv_queue *queue, auv_value *ret_item);

/**
 * auv_queue_get_nowait() - take an item out
 * @queue:       the queue
 * @ret_item:    receives the item
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, an argument is NULL; AUV_EQUEUEEMPTY; AUV_EQUEUESHUTDOWN, and the queue is empty.
 * Owns: the caller owns an item that has a destructor.
 * Suspends: no.    Thread: the loop's.
 * Like: Queue.get_nowait().
 */
AUV_API int auv_queue_get_nowait(auv_queue *queue, auv_value *ret_item);

/**
 * auv_queue_task_done() - say that an item that was taken out has been dealt with
 * @queue:       the queue
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, @queue is NULL; AUV_ERUNTIME, said more often than items were put in.
 * Suspends: no.    Thread: the loop's.
 * Like: Queue.task_done().
 */
AUV_API int auv_queue_task_done(auv_queue *queue);

/**
 * auv_await_queue_join() - wait until all items have been dealt with
 * @queue:       the queue; NULL is one that could not be made
 *
 * Return: 0, or a negative error.
 * Errors: AUV_ECANCELED; AUV_ENOTASK; AUV_ERUNTIME, the queue belongs to another loop; AUV_ECLOSED;
 * AUV_ENOMEM for NULL.
 * Suspends: yes, unless they have.    Thread: the loop's.
 * Like: Queue.join().
 */
AUV_API int auv_await_queue_join(auv_queue *queue);

/**
 * auv_queue_shutdown() - take no more items
 * @queue:       the queue; NULL does nothing
 * @immediate:   drop the items that are in the queue, which then count as dealt with
 *
 * From now on a put fails with AUV_EQUEUESHUTDOWN, and so does a get when the queue is empty. All that
 * wait are woken.
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Queue.shutdown().
 */
AUV_API void auv_queue_shutdown(auv_queue *queue, bool immediate);

/**
 * auv_queue_qsize() - how many items a queue has
 * @queue:       the queue; NULL has 0
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Queue.qsize().
 */
AUV_API size_t auv_queue_qsize(const auv_queue *queue);

/**
 * auv_queue_maxsize() - how many items a queue takes
 * @queue:       the queue; NULL takes 0
 *
 * Return: as it was made; 0 or less for no limit.
 * Suspends: no.    Thread: the loop's.
 * Like: Queue.maxsize.
 */
AUV_API long auv_queue_maxsize(const auv_queue *queue);

/**
 * auv_queue_empty() - whether a queue has no item
 * @queue:       the queue; NULL has none
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Queue.empty().
 */
AUV_API bool auv_queue_empty(const auv_queue *queue);

/**
 * auv_queue_full() - whether a queue takes no item for now
 * @queue:       the queue; NULL is not full
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Queue.full().
 */
AUV_API bool auv_queue_full(const auv_queue *queue);

AUV_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_EVENT_H
#define ASYNCUV_EVENT_H

#include <asyncuv/loop.h>

AUV_BEGIN_DECLS

/* A flag that tasks can wait for. */
typedef struct auv_event auv_event;

/**
 * auv_event_new() - make an event, not set
 *
 * Return: the event, or NULL: there is no memory.
 * Owns: the caller owns the reference; a task that waits holds one, too.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.Event().
 */
AUV_API auv_event *auv_event_new(void);

/**
 * auv_await_event_wait() - wait until an event is set
 * @event:       the event; NULL is one that could not be made
 *
 * Whoever waits when the event is set is woken, also where it is cleared right after.
 *
 * Return: 0, or a negative error.
 * Errors: AUV_ECANCELED; AUV_ENOTASK; AUV_ERUNTIME, the event belongs to another loop; AUV_ECLOSED;
 * AUV_ENOMEM for NULL.
 * Suspends: yes, unless the event is set.    Thread: the loop's.
 * Like: Event.wait().
 */
AUV_API int auv_await_event_wait(auv_event *event);

/**
 * auv_event_set() - set an event, and wake all that wait for it
 * @event:       the event; NULL does nothing
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Event.set().
 */
AUV_API void auv_event_set(auv_event *event);

/**
 * auv_event_clear() - take the flag of an event away
 * @event:       the event; NULL does nothing
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Event.clear().
 */
AUV_API void auv_event_clear(auv_event *event);

/**
 * auv_event_is_set() - whether an event is set
 * @event:       the event; NULL is not
 *
 * Suspends: no.    Thread: the loop's.
 * Like: Event.is_set().
 */
AUV_API bool auv_event_is_set(const auv_event *event);

AUV_END_DECLS

#endif

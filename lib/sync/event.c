/* SPDX-License-Identifier: MIT */

/* Event: a flag, and the line of those that wait for it. */

#include <asyncuv/event.h>

#include "base/alloc.h"
#include "sync/bind.h"
#include "task/line.h"

struct auv_event {
        struct auv__object object;
        bool is_set;
        auv_loop *loop; /* see bind.h */
        struct auv__line line;
};

auv_event *auv_event_new(void)
{
        auv_event *event = auv__calloc(sizeof(*event));

        if (!event) {
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        event->object = auv__object_init(AUV__EVENT, 0);
        return event;
}

void auv__event_free(struct auv__object *object)
{
        auv__free(auv__container_of(object, auv_event, object));
}

AUV__RETURNS_BY_JUMP int auv_await_event_wait(auv_event *event)
{
        struct auv__line_wait wait;
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(event, &task));
        if (event->is_set)
                return 0;
        AUV_TRY(auv__sync_bind(&event->loop, task));
        auv__keep(&event->object);
        auv__line_wait_init(&wait, &event->line, &event->object);
        return auv__run_steps(task, auv__line_wait_steps, &wait);
}

void auv_event_set(auv_event *event)
{
        if (!event || event->is_set)
                return;
        event->is_set = true;
        auv__line_wake_all(&event->line);
}

void auv_event_clear(auv_event *event)
{
        if (event)
                event->is_set = false;
}

bool auv_event_is_set(const auv_event *event)
{
        return event && event->is_set;
}

/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_ATTACHMENT_H
#define AUV_TASK_ATTACHMENT_H

#include <asyncuv/loop.h>

/*
 * A gather, a shield, and an as_completed wait in the lists of other futures, and hold them: where
 * those are never done, neither side would go. So each is known to its loop for as long as it
 * waits, and is told when the loop is closed: it then drops the callbacks of what it waits for.
 */
struct auv__attachment {
        struct auv__attachment *previous;
        struct auv__attachment *next;
        void (*drop)(struct auv__attachment *attachment);
};

void auv__attach(auv_loop *loop, struct auv__attachment *attachment);
void auv__detach(auv_loop *loop, struct auv__attachment *attachment);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef AUV_SYNC_BIND_H
#define AUV_SYNC_BIND_H

#include "task/steps.h"

/*
 * What every wait for a primitive begins with. Returns 0 with the running task; or why it cannot wait:
 * @object is NULL, there is no task, the loop is closed.
 */
int auv__sync_enter(const void *object, struct auv__task **ret_task);

/* The same in the function that the program calls, see auv__steps_begin(). */
__attribute__((always_inline)) static inline int auv__sync_begin(const void *object,
                                                                 struct auv__task **ret_task)
{
        const int r = auv__sync_enter(object, ret_task);

        if (auv__likely(r == 0))
                auv__steps_note_site(*ret_task, AUV__CALLER);
        return r;
}

/*
 * A primitive belongs to the loop on which it is first waited for: *@bound is that, NULL at first.
 * Returns 0, or AUV_ERUNTIME for a task of another loop.
 */
int auv__sync_bind(auv_loop **bound, const struct auv__task *task);

#endif

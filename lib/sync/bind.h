/* SPDX-License-Identifier: MIT */
#ifndef AUV_SYNC_BIND_H
#define AUV_SYNC_BIND_H

#include "task/steps.h"

/* The error where there is no object, which is raised; negative. */
AUV_COLD int auv__sync_refused(void);

/* What every wait for a primitive begins with: as auv__steps_begin(), but that there has to be an object. */
__attribute__((always_inline)) static inline int auv__sync_begin(const void *object,
                                                                 struct auv__task **ret_task)
{
        AUV_TRY(auv__steps_begin(ret_task));
        return auv__likely(object) ? 0 : auv__sync_refused();
}

/* The error where a primitive belongs to another loop, which is raised; negative. */
int auv__sync_bound_elsewhere(void);

/*
 * A primitive belongs to the loop on which it is first waited for: *@bound is that, NULL at first.
 * Returns 0, or AUV_ERUNTIME for a task of another loop.
 */
static inline int auv__sync_bind(auv_loop **bound, const struct auv__task *task)
{
        if (!*bound)
                *bound = task->future.loop;
        return auv__likely(*bound == task->future.loop) ? 0 : auv__sync_bound_elsewhere();
}

#endif

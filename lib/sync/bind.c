/* SPDX-License-Identifier: MIT */

#include "sync/bind.h"

int auv__sync_enter(const void *object, struct auv__task **ret_task)
{
        AUV_TRY(auv__steps_enter(ret_task));
        if (auv__unlikely(!object))
                return auv_raise(AUV_ENOMEM, "what is waited for could not be made");
        return 0;
}

int auv__sync_bind(auv_loop **bound, const struct auv__task *task)
{
        if (!*bound)
                *bound = task->future.loop;
        if (*bound != task->future.loop)
                return auv_raise(AUV_ERUNTIME, "it belongs to another loop");
        return 0;
}

/* SPDX-License-Identifier: MIT */

#include "sync/bind.h"

int auv__sync_refused(void)
{
        return auv_raise(AUV_ENOMEM, "what is waited for could not be made");
}

int auv__sync_enter(const void *object, struct auv__task **ret_task)
{
        AUV_TRY(auv__steps_enter(ret_task));
        return auv__likely(object) ? 0 : auv__sync_refused();
}

int auv__sync_bound_elsewhere(void)
{
        return auv_raise(AUV_ERUNTIME, "it belongs to another loop");
}

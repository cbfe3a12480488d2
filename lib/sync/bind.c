/* SPDX-License-Identifier: MIT */

#include "sync/bind.h"

int auv__sync_refused(void)
{
        return auv_raise(AUV_ENOMEM, "what is waited for could not be made");
}

int auv__sync_bound_elsewhere(void)
{
        return auv_raise(AUV_ERUNTIME, "it belongs to another loop");
}

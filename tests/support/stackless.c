/* SPDX-License-Identifier: MIT */

#include "support/stackless.h"

#include "support/trace.h"

int stackless_await(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        trace("+");
        AUV_AWAIT(self->future, &self->value);
        trace("-");
        AUV_RETURN(.i = self->value.i + 1);
        AUV_END;
}

int stackless_sleep(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct stackless, self);
        trace("+");
        AUV_AWAIT_SLEEP(self->n); AUV_AWAIT_SLEEP(self->n); trace("-");
        AUV_END;
}

/* SPDX-License-Identifier: MIT */

#include "io/arrival.h"

int auv__await_arrival(struct auv__task *task, struct auv__arrival **place, bool *ret_arrived)
{
        struct auv__arrival arrival = { .status = 0 };
        int r;

        auv__future_init(&arrival.future, task->future.loop, AUV__FUTURE);
        *place = &arrival;
        r = auv__await_pending(task, &arrival.future);
        /* Cancelled, it still stands there; and who was woken is gone from there. */
        if (*place == &arrival)
                *place = NULL;
        auv__future_deinit(&arrival.future);
        *ret_arrived = r == 0;
        return r == 0 ? arrival.status : r;
}

void auv__arrive(struct auv__arrival **place, int status)
{
        struct auv__arrival *arrival = *place;

        *place = NULL;
        if (!arrival || auv__future_is_done(&arrival->future))
                return;
        arrival->status = status;
        auv__future_succeed(&arrival->future, (auv_value) { 0 });
}

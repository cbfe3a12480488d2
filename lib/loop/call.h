/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_CALL_H
#define AUV_LOOP_CALL_H

#include "loop/ready.h"

#include <asyncuv/loop.h>

/* The call that an item stands in; NULL where it is another's. */
auv_call *auv__call_behind(const struct auv__item *item);

auv_call_fn auv__call_fn(const auv_call *call);

#endif

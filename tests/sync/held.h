/* SPDX-License-Identifier: MIT */
#ifndef SYNC_HELD_H
#define SYNC_HELD_H

#include <asyncuv.h>

/*
 * A task that the test does not look at again, but holds to its end, as it does the others:
 *
 *      HELD task = start_user("a", lock, 0);
 */
#define HELD AUV_AUTO __attribute__((unused)) auv_task *

#endif

/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_CANCEL_H
#define AUV_TASK_CANCEL_H

#include "task/future.h"

/*
 * Asks a future to stop, as its kind does it; @message is an AUV_ECANCELED with a message, or NULL.
 * Returns 1; 0 for one that is done; AUV_ERUNTIME, where futures wait for each other in a cycle.
 * Runs nothing.
 */
int auv__cancel(auv_future *future, auv_error *message);

#endif

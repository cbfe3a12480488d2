/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_TIMEOUT_H
#define AUV_TASK_TIMEOUT_H

#include <asyncuv/timeout.h>

/* Makes AUV_ETIMEDOUT the current error, with the current one as its cause; returns it. */
int auv__raise_timeout(void);

#endif

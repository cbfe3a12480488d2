/* SPDX-License-Identifier: MIT */
#ifndef SYNC_ELSEWHERE_H
#define SYNC_ELSEWHERE_H

#include <asyncuv.h>

/* Runs a coroutine to its end on a loop of its own, while that of the fixture stands still. */
int run_elsewhere(auv_coro_fn fn, void *arg);

#endif

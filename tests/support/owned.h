/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_OWNED_H
#define SUPPORT_OWNED_H

/* Results with a destructor, which is counted, in whichever thread it is called. */

#include <asyncuv.h>

#include <stdatomic.h>

extern atomic_int n_destroyed;

void count_destroyed(void *p);

/* Has such a result, a pointer to n_destroyed, after a turn. */
int coro_own(void *arg, auv_value *ret);

#endif

/* SPDX-License-Identifier: MIT */
#include "support/owned.h"

atomic_int n_destroyed;

void count_destroyed(void *p)
{
        n_destroyed++;
}

int coro_own(void *arg, auv_value *ret)
{
        *ret = (auv_value) { .p = &n_destroyed, .destroy = count_destroyed };
        return auv_await_sleep(0);
}

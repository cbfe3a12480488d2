/* SPDX-License-Identifier: MIT */
#include "pool.h"

#include "support/loop.h"

#include <stdlib.h>

sem_t pool_begun;
sem_t pool_may_end;
atomic_int pool_n_run;
atomic_int pool_n_destroyed;

void pool_setup(void)
{
        loop_setup();
        if (auv_set_thread_pool_size(1) < 0)
                abort();
        sem_init(&pool_begun, 0, 0);
        sem_init(&pool_may_end, 0, 0);
}

static void count_destroyed(void *p)
{
        pool_n_destroyed++;
}

int pool_owns(void *arg, auv_value *ret)
{
        pool_n_run++;
        *ret = (auv_value) { .p = &pool_n_destroyed, .destroy = count_destroyed };
        return 0;
}

int pool_owns_when_told(void *arg, auv_value *ret)
{
        sem_post(&pool_begun);
        sem_wait(&pool_may_end);
        return pool_owns(arg, ret);
}

int pool_doubles(void *arg, auv_value *ret)
{
        pool_n_run++;
        ret->i = *(const intmax_t *)arg * 2;
        return 0;
}

int pool_fails(void *arg, auv_value *ret)
{
        *ret = (auv_value) { .p = &pool_n_destroyed, .destroy = count_destroyed };
        return auv_raise(AUV_EUSER, "no luck in %s", (const char *)arg);
}

int pool_returns(void *arg, auv_value *ret)
{
        return *(const int *)arg;
}

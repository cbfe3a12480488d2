/* SPDX-License-Identifier: MIT */
#include "support/failing_allocator.h"

#include <asyncuv.h>

#include <stdio.h>
#include <stdlib.h>

void failing_allocator_install(void)
{
        if (auv_failing_allocator_install() < 0)
                abort();
}

long failing_allocator_live(void)
{
        return auv_failing_allocator_live();
}

long failing_allocator_total(void)
{
        return auv_failing_allocator_total();
}

void failing_allocator_arm(long n)
{
        auv_failing_allocator_arm(n, 1);
}

void failing_allocator_arm_all(void)
{
        auv_failing_allocator_arm(1, -1);
}

bool failing_allocator_disarm(void)
{
        return auv_failing_allocator_disarm() > 0;
}

bool failing_allocator_fired(void)
{
        return auv_failing_allocator_failed() > 0;
}

long failing_allocator_sweep(void (*scenario)(void))
{
        for (long n = 1;; n++) {
                const long before = auv_failing_allocator_live();

                failing_allocator_arm(n);
                scenario();
                if (!failing_allocator_disarm())
                        return auv_failing_allocator_live() == before ? n - 1 : -1;
                if (auv_failing_allocator_live() != before) {
                        fprintf(stderr, "%ld blocks left after failure %ld\n",
                                auv_failing_allocator_live() - before, n);
                        return -1;
                }
        }
}

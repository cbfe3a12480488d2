/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_REPORTS_H
#define SUPPORT_REPORTS_H

/*
 * Reports
 *
 * What a loop has told its exception handler. A test takes what it expects; a
 * report that nobody has taken is a failure when the loop of the test goes.
 */

#include <asyncuv.h>

struct report {
        char message[1024];
        int code;                 /* of the error; 0 where there was none */
        char error_message[1024]; /* of the error; empty where there was none */
        char source[1024];        /* where it was made; empty where that is not known */
        const auv_future *future; /* to be compared only: it may be gone */
        const auv_loop *loop;
};

/* Record what @loop reports. */
void reports_record(auv_loop *loop);

/* How many reports nobody has taken. */
int reports_pending(void);

/* The oldest that has not been taken; all zero where there is none. */
const struct report *reports_take(void);

/* Forget those that nobody has taken; returns how many they were. */
int reports_drop(void);

#endif

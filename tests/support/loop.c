/* SPDX-License-Identifier: MIT */
#include "support/loop.h"

#include "support/descriptors.h"
#include "support/failing_allocator.h"
#include "support/reports.h"
#include "support/trace.h"

#include <stdio.h>
#include <stdlib.h>

auv_loop *loop;

static int descriptors_at_start;

static void check(long found, long expected, const char *what)
{
        if (found == expected)
                return;
        fprintf(stderr, "%s: %ld, not %ld\n", what, found, expected);
        /* an assertion would not count here, after the test */
        abort();
}

static auv_loop *make(enum auv_clock clock)
{
        const auv_loop_options *options = AUV_LOOP_OPTIONS(.clock = clock, .deadlock = AUV_DEADLOCK_REPORT);
        auv_loop *made = NULL;

        check(auv_new_event_loop(options, &made), 0, "error of auv_new_event_loop()");
        reports_record(made);
        return made;
}

auv_loop *loop_new(void)
{
        return make(AUV_CLOCK_VIRTUAL);
}

auv_loop *loop_new_monotonic(void)
{
        return make(AUV_CLOCK_MONOTONIC);
}

void loop_setup(void)
{
        failing_allocator_install();
        /* libuv keeps a pipe of its own from the first loop on */
        auv_unref(loop_new());
        descriptors_at_start = descriptors_open();
        loop = loop_new();
}

void loop_teardown(void)
{
        failing_allocator_disarm();
        loop = auv_unref(loop);
        auv_error_clear();
        while (reports_pending() > 0) {
                const struct report *report = reports_take();

                fprintf(stderr, "report: %s (%s, %s)\n", report->message, auv_error_name(report->code),
                        report->error_message);
                if (reports_pending() == 0)
                        check(1, 0, "reports that nobody has taken");
        }
        check(failing_allocator_live(), 0, "live blocks");
        check(descriptors_open(), descriptors_at_start, "open descriptors");
}

void loop_turn(void)
{
        auv_loop_stop(loop);
        check(auv_loop_run_forever(loop), 0, "error of a turn");
}

void loop_turns(int n)
{
        for (int i = 0; i < n; i++) {
                loop_turn();
                trace("|");
        }
}

int loop_turns_until_done(auv_future *future, int n)
{
        for (int i = 0; i <= n; i++) {
                if (auv_future_done(future))
                        return i;
                loop_turn();
        }
        return -1;
}

int loop_run(auv_coro_fn fn, void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, fn, arg, 0, NULL);

        return auv_loop_run_until_complete(loop, task, ret);
}

void loop_run_apart(auv_coro_fn fn, void *arg)
{
        auv_loop *other = NULL;
        auv_task *task;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &other) == 0) {
                reports_record(other);
                task = auv_loop_create_task(other, fn, arg, 0, NULL);
                (void)auv_loop_run_until_complete(other, task, NULL);
                auv_unref(task);
                auv_unref(other);
        }
        reports_drop();
        auv_error_clear();
}

/* SPDX-License-Identifier: MIT */
#include "support/reports.h"

#include <stdio.h>

enum { ROOM = 64 };

/* A ring; of more than it holds, only the number is known. */
static struct report reports[ROOM];
static unsigned recorded;
static unsigned taken;

static void record(auv_loop *loop, const auv_exception_context *context, void *arg)
{
        struct report *report = &reports[recorded++ % ROOM];
        const char *error_message = auv_error_message(context->error);

        *report = (struct report) { .future = context->future, .loop = loop };
        report->code = auv_error_code(context->error);
        snprintf(report->message, sizeof(report->message), "%s", context->message ? context->message : "");
        snprintf(report->error_message, sizeof(report->error_message), "%s",
                 error_message ? error_message : "");
        snprintf(report->source, sizeof(report->source), "%s", context->source ? context->source : "");
}

void reports_record(auv_loop *loop)
{
        auv_loop_set_exception_handler(loop, record, /* arg= */ NULL);
}

int reports_pending(void)
{
        return (int)(recorded - taken);
}

const struct report *reports_take(void)
{
        static const struct report none;

        return reports_pending() > 0 ? &reports[taken++ % ROOM] : &none;
}

int reports_drop(void)
{
        int n = reports_pending();

        taken = recorded;
        return n;
}

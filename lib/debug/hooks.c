/* SPDX-License-Identifier: MIT */

/*
 * Hooks
 *
 * What a loop does beside its work in debug mode: it times whatever it runs, but for the time that
 * debugging itself takes, and adds to reports where their objects were made. What has taken too long
 * may be gone when that is known, so whatever the report needs of it is held or copied before.
 */

#include "loop/hooks.h"

#include "base/clock.h"
#include "debug/origin.h"
#include "debug/room.h"
#include "debug/symbols.h"
#include "loop/call.h"
#include "loop/callback.h"
#include "task/behind.h"
#include "task/task.h"

#include <stdio.h>

enum { SOURCE_SIZE = 4096 };

static const char created[] = "Object created at";

/* What an item runs. */
struct subject {
        struct auv__task *task; /* with a reference, or NULL */
        auv_call *call;         /* likewise */
        const void *fn;         /* the function, or NULL */
};

static struct subject subject_of(const struct auv__item *item)
{
        struct subject subject = { .task = auv__task_behind(item), .call = auv__call_behind(item) };
        struct auv__body_view view;

        if (subject.task && auv__task_look(subject.task, &view))
                subject.fn = view.fn;
        else if (subject.call)
                subject.fn = (const void *)auv__call_fn(subject.call);
        else
                subject.fn = (const void *)auv__done_callback_behind(item);
        if (!subject.fn)
                subject.fn = (const void *)auv__callback_behind(item);
        auv_ref(subject.task);
        auv_ref(subject.call);
        return subject;
}

struct slow {
        const struct subject *subject;
        double seconds;
        char message[512];
        char source[SOURCE_SIZE];
};

static void describe_slow(void *arg)
{
        struct slow *slow = arg;
        const struct subject *subject = slow->subject;
        const struct auv__origin *origin = NULL;
        struct auv__text text = { .buffer = slow->source, .size = sizeof(slow->source) };
        struct auv__symbol symbol;
        char task[128] = "", function[sizeof(symbol.name) + 8] = "";

        if (subject->task) {
                snprintf(task, sizeof(task), " name='%s'", auv_task_get_name(&subject->task->future));
                origin = auv__origin_of(&subject->task->future.object);
        } else if (subject->call) {
                origin = auv__origin_of((const struct auv__object *)subject->call);
        }
        if (subject->fn) {
                auv__symbol_find(subject->fn, &symbol);
                if (symbol.name[0])
                        snprintf(function, sizeof(function), " %s()", symbol.name);
                else
                        snprintf(function, sizeof(function), " %p", subject->fn);
        }
        snprintf(slow->message, sizeof(slow->message), "Executing <%s%s%s> took %.3f seconds",
                 subject->task ? "Task" : "Call", task, function, slow->seconds);
        if (origin)
                auv__origin_tell(origin, created, &text);
}

static void report_slow(auv_loop *loop, const struct subject *subject, int64_t ns)
{
        struct slow slow = { .subject = subject, .seconds = auv__ns_to_seconds(ns) };

        auv__with_room(loop, describe_slow, &slow);
        auv_loop_call_exception_handler(loop, &(auv_exception_context) {
                .message = slow.message,
                .future = subject->task ? &subject->task->future : NULL,
                .source = slow.source[0] ? slow.source : NULL });
}

static void run(auv_loop *loop, struct auv__item *item)
{
        const struct subject subject = subject_of(item);
        const int64_t start_ns = auv__clock_monotonic() - auv__room_ns();
        int64_t ns;

        item->run(item, /* dropped= */ false);
        ns = auv__clock_monotonic() - auv__room_ns() - start_ns;
        if (ns >= loop->slow_ns)
                report_slow(loop, &subject, ns);
        auv_unref(subject.task);
        auv_unref(subject.call);
}

struct source {
        const struct auv__origin *origin;
        const char *heading;
        char text[SOURCE_SIZE];
};

static void describe_source(void *arg)
{
        struct source *source = arg;
        struct auv__text text = { .buffer = source->text, .size = sizeof(source->text) };

        auv__origin_tell(source->origin, source->heading, &text);
}

static void report(auv_loop *loop, const auv_exception_context *context,
                   void (*tell)(auv_loop *loop, const auv_exception_context *context))
{
        const struct auv__origin *origin = context->future ? auv__origin_of(&context->future->object) : NULL;
        struct source source = { .origin = origin, .heading = created };
        auv_exception_context with_source = *context;

        if (origin && !context->source) {
                auv__with_room(loop, describe_source, &source);
                if (source.text[0])
                        with_source.source = source.text;
        }
        tell(loop, &with_source);
}

static void await_outside(auv_loop *loop)
{
        struct auv__origin here;
        struct source source = { .origin = &here, .heading = "Called at" };

        auv__origin_note(&here);
        auv__with_room(loop, describe_source, &source);
        auv_loop_call_exception_handler(loop, &(auv_exception_context) {
                .message = "an await outside of a task", .source = source.text[0] ? source.text : NULL });
}

const struct auv__debug_hooks auv__debug_hooks = { .note_origin = auv__origin_note,
                                                   .run = run,
                                                   .report = report,
                                                   .await_outside = await_outside };

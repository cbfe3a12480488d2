/* SPDX-License-Identifier: MIT */

/* What CPython's StreamReader did with the same feeds and reads, in the same turns. */

#include "far.h"
#include "form.h"
#include "io/stream_reader.h"
#include "reading.h"
#include "support/loop.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(stream_reader_rows, .init = loop_setup, .fini = loop_teardown);

struct row {
        size_t limit;
        const char *script;
        const char *trace;
};

static const struct row rows[] = {
#include "stream-reader-rows.h"
};

enum { MAX_TASKS = 32 };

struct machine {
        auv_stream_reader *reader;
        auv_transport *transport;
        auv_task *tasks[MAX_TASKS];
        int n_tasks;
        bool paused;
};

static void start(struct machine *machine, const char *word)
{
        machine->tasks[machine->n_tasks] = reading_start(machine->reader, machine->n_tasks, word);
        machine->n_tasks++;
        loop_turn();
}

static void cancel_oldest(struct machine *machine)
{
        for (int i = 0; i < machine->n_tasks; i++) {
                if (!auv_future_done(machine->tasks[i])) {
                        auv_task_cancel(machine->tasks[i], NULL);
                        return;
                }
        }
}

static void act(struct machine *machine, char *word)
{
        AUV_AUTO auv_error *error = NULL;

        switch (word[0]) {
        case 'f':
                reading_feed(machine->reader, word + 1);
                break;
        case 'e':
                auv_stream_feed_eof(machine->reader);
                break;
        case 'x':
                error = auv_error_new(AUV_EUSER, "fed");
                auv_stream_set_exception(machine->reader, error);
                break;
        case 'c':
                cancel_oldest(machine);
                break;
        case 't':
                loop_turn();
                break;
        default:
                start(machine, word);
                break;
        }
        if (auv_transport_is_reading(machine->transport) == machine->paused) {
                machine->paused = !machine->paused;
                trace("%s", machine->paused ? "P" : "R");
        }
}

/* Takes the machine down, and leaves nothing behind. */
static void end(struct machine *machine)
{
        trace("%zu", auv__read_buffer_size(&machine->reader->buffer) - machine->reader->gathered);
        if (auv_stream_at_eof(machine->reader))
                trace("eof");
        trace(".");
        for (int i = 0; i < machine->n_tasks; i++) {
                auv_task_cancel(machine->tasks[i], NULL);
                auv_unref(machine->tasks[i]);
        }
        auv_transport_abort(machine->transport);
        auv_unref(machine->transport);
        loop_turns(4);
        auv_unref(machine->reader);
}

static void replay(const struct row *row, size_t n)
{
        int near, peer = far_pair(&near);
        struct machine machine = { .reader = auv_stream_reader_new(loop, row->limit) };
        char *script = strdup(row->script), *place = NULL;

        machine.transport = reading_transport(machine.reader, near);
        trace_clear();
        for (char *word = strtok_r(script, " ", &place); word; word = strtok_r(NULL, " ", &place))
                act(&machine, word);
        end(&machine);
        cr_assert(strncmp(trace_text(), row->trace, strlen(row->trace)) == 0,
                  "row %zu: %s\n  gives %s\n  not   %s", n, row->script, trace_text(), row->trace);
        free(script);
        close(peer);
}

IN_BOTH_FORMS(stream_reader_rows, are_as_cpython_has_them)
{
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
                replay(&rows[i], i);
}

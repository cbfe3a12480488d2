/* SPDX-License-Identifier: MIT */
#ifndef TESTS_IO_SERVING_H
#define TESTS_IO_SERVING_H

/*
 * Serving
 *
 * What serves the connections of a server of streams, in both forms.
 */

#include <asyncuv.h>

struct serving {
        auv_client_connected_fn fn;
        auv_stackless_fn stackless;
};

/* Answers whatever comes with itself; traces how it ends. The other by the line. */
extern const struct serving echoes;
extern const struct serving echoes_lines;

/* Writes "bye", and ends. */
extern const struct serving returns_at_once;

/* Take a reference to the writer, into serving_kept; the second fails then, as "no service". */
extern const struct serving keeps_the_writer;
extern const struct serving fails;

/* The same, waits for a byte, and has a reference to its task in serving_task. */
extern const struct serving waits_to_be_cancelled;

/* Writes more than fits, as long as it goes; never more is unsent than the high mark and one write. */
extern const struct serving writes_without_end;

extern auv_stream_writer *serving_kept;
extern auv_task *serving_task;

/* As auv_await_start_server(), in the form that form.h tells, on 127.0.0.1 or another host. */
int serving_start(struct serving serving, const char *host, const auv_server_options *options,
                  auv_server **ret_server);

/* As auv_await_start_unix_server(). */
int serving_start_unix(struct serving serving, const char *path, auv_server **ret_server);

/* Where a server listens. */
int serving_port(auv_server *server);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * redis-client - ask a Redis server, once or very often
 *
 *      redis-client SET greeting hello
 *      redis-client -n 100000 SET key:{} value-{}
 *
 * The first sends one command and prints the reply, as `redis-cli --no-raw` does. The second sends
 * the command again and again, with a number in place of each {}, and does not wait for a reply before
 * it sends the next (pipelining): a task of its own sends, while the main task reads. The two keep
 * each other in step by nothing but the stream: when the server takes no more, because nobody reads its
 * replies, the sender waits in drain, and the main task runs.
 */

#include "argument.h"
#include "redis.h"

#include <asyncuv.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct session {
        const char *host;
        int port;
        double time_limit; /* seconds for all; AUV_NO_TIMEOUT for none */
        bool is_resp3;
        char **command; /* ends with NULL */
        long n_times;   /* how often to send it; 0: once, and print the reply */
        long n_errors;  /* replies that are errors */
        auv_stream_writer *writer;
        struct redis_printer printer; /* has the reader */
};

/* An argument, with a number in place of each {}. */
static char *fill_in(const char *argument, long number)
{
        const char *place;
        char *text;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return NULL;
        while ((place = strstr(argument, "{}"))) {
                fprintf(file, "%.*s%ld", (int)(place - argument), argument, number);
                argument = place + 2;
        }
        fputs(argument, file);
        if (fclose(file) == 0)
                return text;
        free(text);
        return NULL;
}

/* A command is an array of strings. Returns its bytes, for free(). */
static char *encode(char *const *command, long number, size_t *ret_size)
{
        char *encoded, *argument;
        size_t n = 0;
        bool good = true;
        FILE *file = open_memstream(&encoded, ret_size);

        if (!file)
                return NULL;
        while (command[n])
                n++;
        fprintf(file, "*%zu\r\n", n);
        for (size_t i = 0; good && i < n; i++) {
                argument = number < 0 ? strdup(command[i]) : fill_in(command[i], number);
                good = argument;
                if (good)
                        fprintf(file, "$%zu\r\n%s\r\n", strlen(argument), argument);
                free(argument);
        }
        if (fclose(file) == 0 && good)
                return encoded;
        free(encoded);
        return NULL;
}

static int await_send(struct session *session, char *const *command, long number)
{
        size_t size;
        char *encoded = encode(command, number, &size);
        int r;

        if (!encoded)
                return AUV_ENOMEM;
        r = auv_stream_write(session->writer, encoded, size);
        free(encoded);
        AUV_TRY(r);
        return auv_await_stream_drain(session->writer);
}

/* The task that sends. */
static int send_commands(void *arg, auv_value *ret)
{
        struct session *session = arg;

        for (long i = 0; i < session->n_times; i++)
                AUV_TRY(await_send(session, session->command, i));
        return 0;
}

static int await_replies(struct session *session)
{
        int r;

        for (long i = 0; i < session->n_times; i++) {
                r = redis_await_reply(&session->printer);
                AUV_TRY(r);
                session->n_errors += r;
        }
        return 0;
}

/* Of the two tasks, the one that fails first ends the other. */
static int await_pipeline(struct session *session)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();
        AUV_AUTO auv_task *sender = NULL;

        AUV_TRY(auv_task_group_enter(group));
        sender = auv_task_group_create_task(group, send_commands, session, 0, /* options= */ NULL);
        AUV_TRY(auv_await_task_group_exit(group, sender ? await_replies(session) : AUV_ENOMEM));
        printf("%ld replies, %ld errors\n", session->n_times, session->n_errors);
        return 0;
}

static int await_single(struct session *session, FILE *output, char *const *command)
{
        int r;

        session->printer.output = output;
        AUV_TRY(await_send(session, command, /* number= */ -1));
        r = redis_await_reply(&session->printer);
        fputc('\n', output);
        AUV_TRY(r);
        session->n_errors = r;
        return 0;
}

static int await_session(struct session *session)
{
        static char *const hello[] = { "HELLO", "3", NULL };

        AUV_TRY(auv_await_open_connection(session->host, session->port, /* options= */ NULL,
                                          &session->printer.reader, &session->writer));
        if (session->is_resp3)
                AUV_TRY(await_single(session, session->printer.nowhere, hello));
        if (session->n_errors > 0)
                return auv_raise(AUV_EPROTO, "the server does not know the third version of the protocol");
        if (session->n_times == 0)
                return await_single(session, stdout, session->command);
        session->printer.output = session->printer.nowhere;
        return await_pipeline(session);
}

static int amain(void *arg, auv_value *ret)
{
        struct session *session = arg;
        AUV_AUTO auv_timeout *limit = auv_timeout_new(session->time_limit);
        int r;

        AUV_TRY(auv_timeout_enter(limit));
        r = auv_timeout_exit(limit, await_session(session));
        auv_unref(session->printer.reader);
        auv_unref(session->writer);
        return r;
}

int main(int argc, char **argv)
{
        struct session session = { .host = "127.0.0.1", .port = 6379, .time_limit = AUV_NO_TIMEOUT };
        bool good = true;
        int option, r;

        while ((option = getopt(argc, argv, "+h:p:t:n:3")) >= 0) {
                if (option == 'h')
                        session.host = optarg;
                else if (option == 'p')
                        good &= argument_port(optarg, &session.port);
                else if (option == 't')
                        good &= argument_seconds(optarg, &session.time_limit);
                else if (option == 'n')
                        good &= argument_count(optarg, &session.n_times);
                else if (option == '3')
                        session.is_resp3 = true;
                else
                        good = false;
        }
        if (!good || optind == argc) {
                fprintf(stderr,
                        "usage: %s [-h HOST] [-p PORT] [-t SECONDS] [-n TIMES] [-3] COMMAND ARGUMENT...\n",
                        argv[0]);
                return 2;
        }

        session.command = argv + optind;
        session.printer.nowhere = fopen("/dev/null", "w");
        if (!session.printer.nowhere) {
                perror("/dev/null");
                return EXIT_FAILURE;
        }
        r = auv_run(amain, &session);
        fclose(session.printer.nowhere);
        return r < 0 || session.n_errors > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

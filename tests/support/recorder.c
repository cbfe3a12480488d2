/* SPDX-License-Identifier: MIT */
#include "support/recorder.h"

#include "support/loop.h"
#include "support/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void note(const struct recorder *recorder, const char *word)
{
        trace("%s%s%s", recorder->name ? recorder->name : "", recorder->name ? ":" : "", word);
}

static void made(void *user, auv_transport *transport)
{
        struct recorder *recorder = user;

        recorder->transport = transport;
        note(recorder, "made");
        if (recorder->on_made)
                recorder->on_made(recorder);
}

static void lost(void *user, auv_error *error)
{
        struct recorder *recorder = user;
        char word[64];

        snprintf(word, sizeof(word), "lost(%s)", auv_error_name(auv_error_code(error)));
        note(recorder, error ? word : "lost");
        recorder->transport = NULL;
        if (recorder->on_lost)
                recorder->on_lost(recorder);
}

static void pause_writing(void *user)
{
        note(user, "pause");
}

static void resume_writing(void *user)
{
        note(user, "resume");
}

uint64_t recorder_sum(uint64_t sum, const void *data, size_t size)
{
        const unsigned char *bytes = data;

        for (size_t i = 0; i < size; i++)
                sum = (sum ^ bytes[i]) * 1099511628211u + 1;
        return sum;
}

static void data_received(void *user, const void *data, size_t size)
{
        struct recorder *recorder = user;
        char word[64];

        recorder->received += size;
        recorder->sum = recorder_sum(recorder->sum, data, size);
        snprintf(word, sizeof(word), "data(%.*s)", (int)size, (const char *)data);
        if (size > 20)
                snprintf(word, sizeof(word), "data(%zu bytes)", size);
        if (!recorder->is_quiet)
                note(recorder, word);
        if (recorder->on_data)
                recorder->on_data(recorder);
}

static bool eof_received(void *user)
{
        const struct recorder *recorder = user;

        note(recorder, "eof");
        return recorder->keeps_open;
}

static void *get_buffer(void *user, size_t size_hint, size_t *ret_size)
{
        struct recorder *recorder = user;

        if (recorder->on_get_buffer)
                recorder->on_get_buffer(recorder);
        *ret_size = recorder->room < sizeof(recorder->buffer) ? recorder->room : sizeof(recorder->buffer);
        return recorder->room == SIZE_MAX ? NULL : recorder->buffer;
}

static void buffer_updated(void *user, size_t size)
{
        struct recorder *recorder = user;

        data_received(user, recorder->buffer, size);
}

static void released(void *user)
{
        note(user, "released");
}

static const auv_protocol_functions functions = AUV_PROTOCOL_FUNCTIONS(
        .connection_made = made, .connection_lost = lost, .pause_writing = pause_writing,
        .resume_writing = resume_writing, .data_received = data_received, .eof_received = eof_received,
        .released = released);

static const auv_protocol_functions buffered_functions = AUV_PROTOCOL_FUNCTIONS(
        .connection_made = made, .connection_lost = lost, .pause_writing = pause_writing,
        .resume_writing = resume_writing, .get_buffer = get_buffer, .buffer_updated = buffer_updated,
        .eof_received = eof_received, .released = released);

auv_protocol recorder_protocol(struct recorder *recorder)
{
        return (auv_protocol) { .functions = recorder->takes_buffer ? &buffered_functions : &functions,
                                .user = recorder };
}

int recorder_factory(void *arg, auv_protocol *ret_protocol)
{
        struct recorder *recorder = arg;

        if (recorder->refuses)
                return auv_raise(recorder->refuses, "refused");
        *ret_protocol = recorder_protocol(recorder);
        return 0;
}

struct connecting {
        struct recorder *recorder;
        int sock;
        auv_transport **ret_transport; /* NULL where nobody wants it */
};

static int connect_accepted(void *arg, auv_value *ret)
{
        struct connecting *connecting = arg;

        return auv_await_connect_accepted_socket(recorder_factory, connecting->recorder, connecting->sock,
                                                 connecting->ret_transport);
}

auv_task *recorder_start(auv_loop *on, struct recorder *recorder, int sock)
{
        struct connecting connecting = { .recorder = recorder, .sock = sock };

        return auv_loop_create_task(on, connect_accepted, &connecting, sizeof(connecting), NULL);
}

auv_transport *recorder_connect(struct recorder *recorder, int *ret_peer)
{
        auv_transport *transport = NULL;
        struct connecting connecting = { .recorder = recorder, .ret_transport = &transport };
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0
            || fcntl(pair[1], F_SETFL, O_NONBLOCK) < 0)
                abort();
        connecting.sock = pair[0];
        if (loop_run(connect_accepted, &connecting, NULL) < 0)
                abort();
        *ret_peer = pair[1];
        return transport;
}

void recorder_until_lost(struct recorder *recorder)
{
        while (recorder->transport)
                loop_turn();
}

long peer_drain(int peer, uint64_t *sum)
{
        static char buffer[65536];
        long total = 0;
        ssize_t n;

        while ((n = read(peer, buffer, sizeof(buffer))) > 0) {
                total += n;
                if (sum)
                        *sum = recorder_sum(*sum, buffer, (size_t)n);
        }
        return n == 0 && total == 0 ? -1 : total;
}

char *peer_text(int peer)
{
        static char text[256];
        const ssize_t n = read(peer, text, sizeof(text) - 1);

        if (n < 0)
                return errno == EAGAIN ? (char *)"(nothing)" : strerror(errno);
        text[n] = '\0';
        return n == 0 ? (char *)"(end)" : text;
}

void peer_send(int peer, const char *text)
{
        if (send(peer, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
                abort();
}

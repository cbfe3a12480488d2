/* SPDX-License-Identifier: MIT */
/*
 * reverse-proxy - one address for several HTTP servers
 *
 *      reverse-proxy -p 8000 127.0.0.1:8001 127.0.0.1:8002
 *
 * Each request goes to the next of the upstreams in turn, and to the one after it where that cannot be
 * connected to. Bodies are passed on piece by piece, in both directions at the same time: a task of its
 * own sends the request's body, while the task of the connection waits for the answer. Nobody reads
 * faster than the other side takes: after each write comes a drain, and a reader that is not read from
 * makes its transport rest. So a body of any size needs little memory.
 *
 * One timeout stands around an exchange, and is moved on whenever anything has moved.
 */

#include "argument.h"
#include "http.h"
#include "service.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct upstream {
        char *host;
        int port;
};

static struct upstream *upstreams;
static size_t n_upstreams;
static size_t next_upstream;

/* One request and its answer. */
struct exchange {
        struct client *client;
        struct http_message request;
        struct http_message answer;
        const struct upstream *upstream;
        auv_stream_reader *reader; /* from the upstream */
        auv_stream_writer *writer; /* to it */
        auv_timeout *limit;
        bool is_idle;            /* no request has come yet */
        bool is_asked;           /* the head of the request is good */
        bool is_client_at_fault; /* for what is wrong behind the head */
        bool is_answered;        /* the client has the head of the answer */
        bool is_kept_alive;      /* the connection to the client */
};

/* Something has moved. Where the time is over already, it stays over. */
static void note_progress(struct exchange *exchange)
{
        const double limit = exchange->client->service->time_limit;

        auv_timeout_reschedule(exchange->limit, auv_loop_time(auv_get_running_loop()) + limit);
}

/* Sends what has been printed to a stream that open_memstream() has made, and closes that. */
static int await_printed(FILE *file, char **text, const size_t *size, auv_stream_writer *writer)
{
        int r = fclose(file) == 0 ? auv_stream_write(writer, *text, *size) : AUV_ENOMEM;

        free(*text);
        AUV_TRY(r);
        return auv_await_stream_drain(writer);
}

/* Passes a body on, piece by piece, with back pressure. */
static int await_relay(struct exchange *exchange, struct http_message *from, auv_stream_writer *to,
                       bool as_chunks)
{
        struct http_text piece;
        const char *end = as_chunks ? "\r\n" : "";
        char length[32] = "";
        auv_buffer pieces[3];
        int r;

        while ((r = http_await_body(from, &piece)) > 0) {
                note_progress(exchange);
                if (as_chunks)
                        snprintf(length, sizeof(length), "%zx\r\n", piece.size);
                pieces[0] = (auv_buffer) { length, strlen(length) };
                pieces[1] = (auv_buffer) { piece.data, piece.size };
                pieces[2] = (auv_buffer) { end, strlen(end) };
                AUV_TRY(auv_stream_writelines(to, pieces, 3));
                AUV_TRY(auv_await_stream_drain(to));
                note_progress(exchange);
        }
        AUV_TRY(r);
        return as_chunks ? auv_stream_write(to, "0\r\n\r\n", 5) : 0;
}

static int await_upstream(struct exchange *exchange)
{
        const struct upstream *upstream;
        char text[256];
        int r = 0;

        for (size_t i = 0; i < n_upstreams; i++) {
                upstream = &upstreams[next_upstream++ % n_upstreams];
                r = auv_await_open_connection(upstream->host, upstream->port, /* options= */ NULL,
                                              &exchange->reader, &exchange->writer);
                exchange->upstream = upstream;
                if (r >= 0 || r == AUV_ECANCELED)
                        break;
                auv_error_format(auv_error_current(), text, sizeof(text));
                fprintf(stderr, "%s:%d: %s\n", upstream->host, upstream->port, text);
        }
        return r;
}

/* HTTP/1.0 does without, HTTP/1.1 does not. */
static void print_host(FILE *file, const struct upstream *upstream)
{
        const bool is_ipv6 = strchr(upstream->host, ':');

        fprintf(file, is_ipv6 ? "Host: [%s]:%d\r\n" : "Host: %s:%d\r\n", upstream->host, upstream->port);
}

static int await_ask(struct exchange *exchange)
{
        const struct http_message *request = &exchange->request;
        char peer[AUV_ADDRESS_SIZE];
        auv_value address = { .p = NULL };
        size_t size;
        char *text;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return AUV_ENOMEM;
        auv_stream_get_extra_info(exchange->client->writer, "peername", &address);
        auv_format_address(address.p, peer, sizeof(peer));

        fprintf(file, "%s %.*s HTTP/1.1\r\n", http_method_str(request->parser.method),
                (int)request->url.size, request->url.data);
        if (!http_find(request, "Host"))
                print_host(file, exchange->upstream);
        http_print_fields(file, request);
        fprintf(file, "Via: 1.%d reverse-proxy\r\nForwarded: for=\"%s\"\r\nConnection: close\r\n%s\r\n",
                request->parser.http_minor, peer,
                request->is_chunked ? "Transfer-Encoding: chunked\r\n" : "");
        return await_printed(file, &text, &size, exchange->writer);
}

/*
 * The task that sends the request's body. When the upstream takes no more, it may have answered all the
 * same; when the client fails, nothing will come of it.
 */
static int send_body(void *arg, auv_value *ret)
{
        struct exchange *exchange = arg;
        const int r =
                await_relay(exchange, &exchange->request, exchange->writer, exchange->request.is_chunked);

        if (r >= 0 || auv_stream_is_closing(exchange->writer))
                return 0;
        if (r == AUV_ECANCELED) /* the answer is over, and tells whose fault that is */
                return r;
        exchange->is_client_at_fault = true;
        auv_transport_abort(auv_stream_transport(exchange->writer));
        return r;
}

static int await_send_head(struct exchange *exchange, bool as_chunks)
{
        const struct http_message *answer = &exchange->answer;
        size_t size;
        char *text;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return AUV_ENOMEM;
        fprintf(file, "HTTP/1.1 %d %.*s\r\n", answer->parser.status_code, (int)answer->reason.size,
                answer->reason.data);
        http_print_fields(file, answer);
        if (answer->parser.status_code >= 200)
                fprintf(file, "Connection: %s\r\n%s", exchange->is_kept_alive ? "keep-alive" : "close",
                        as_chunks ? "Transfer-Encoding: chunked\r\n" : "");
        fprintf(file, "\r\n");
        return await_printed(file, &text, &size, exchange->client->writer);
}

/* Passes the answer on, and those before it that only say that it is on its way. */
static int await_answer(struct exchange *exchange)
{
        const struct http_message *request = &exchange->request;
        struct http_message *answer = &exchange->answer;
        const bool is_old = request->parser.http_minor == 0;
        bool has_end;
        int r;

        for (;;) {
                http_init(answer, HTTP_RESPONSE, exchange->reader);
                answer->without_body = request->parser.method == HTTP_HEAD;
                r = http_await_head(answer);
                AUV_TRY(r);
                if (r == 0 || answer->parser.status_code == HTTP_STATUS_SWITCHING_PROTOCOLS)
                        return auv_raise(AUV_EPROTO, "no answer");
                note_progress(exchange);
                if (answer->parser.status_code >= 200)
                        break;
                if (!is_old)
                        AUV_TRY(await_send_head(exchange, /* as_chunks= */ false));
        }

        /* A body that has no length of its own ends with the connection, or is sent in chunks. */
        has_end = answer->is_complete || (!answer->is_chunked && answer->remaining != UINT64_MAX);
        exchange->is_kept_alive = request->is_kept_alive && request->is_complete && (has_end || !is_old) &&
                                  !exchange->client->service->stopping;
        exchange->is_answered = true;
        AUV_TRY(await_send_head(exchange, !has_end && !is_old));
        return await_relay(exchange, answer, exchange->client->writer, !has_end && !is_old);
}

/* Both ways at the same time. The sender is over before this function is. */
static int await_both(struct exchange *exchange)
{
        AUV_AUTO auv_task *sender = auv_create_task(send_body, exchange, 0);
        int sent, r;

        if (!sender)
                return AUV_ENOMEM;
        r = await_answer(exchange);
        auv_task_cancel(sender, "the answer is complete");
        sent = auv_await(sender, /* ret= */ NULL);
        return sent < 0 && sent != AUV_ECANCELED ? sent : r;
}

static int await_exchange(struct exchange *exchange)
{
        struct http_message *request = &exchange->request;
        int r;

        http_init(request, HTTP_REQUEST, exchange->client->reader);
        exchange->is_idle = true;
        r = http_await_head(request);
        exchange->is_idle = false;
        if (r <= 0)
                return r;
        if (request->parser.http_major != 1 || request->parser.method == HTTP_CONNECT)
                return auv_raise(AUV_EPROTO, "nothing that could be passed on");

        exchange->is_asked = true;
        note_progress(exchange);
        AUV_TRY(await_upstream(exchange));
        note_progress(exchange);
        AUV_TRY(await_ask(exchange));
        return await_both(exchange);
}

/* Whose fault it was is what the status says. 0: there is nobody to tell. */
static enum http_status choose_status(const struct exchange *exchange, int error)
{
        auv_transport *transport = auv_stream_transport(exchange->writer);

        if (!exchange->is_asked || exchange->is_client_at_fault)
                return http_status_of(error);
        if (error == AUV_ECANCELED)
                return 0;
        if (error != AUV_ETIMEDOUT)
                return HTTP_STATUS_BAD_GATEWAY;
        if (transport && !exchange->request.is_complete &&
            auv_transport_get_write_buffer_size(transport) == 0)
                return HTTP_STATUS_REQUEST_TIMEOUT; /* the upstream has all that the client has sent */
        return HTTP_STATUS_GATEWAY_TIMEOUT;
}

/* An answer of our own, or, where there is a part of one already, a connection that breaks. */
static int refuse(struct exchange *exchange, int error)
{
        const enum http_status status = choose_status(exchange, error);
        const char *text = http_status_str(status);
        char answer[256];

        exchange->is_kept_alive = false;
        if (!status)
                return error;
        if (exchange->is_answered) {
                auv_transport_abort(auv_stream_transport(exchange->client->writer));
                return 0;
        }
        snprintf(answer, sizeof(answer),
                 "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: "
                 "close\r\n\r\n%s\n",
                 status, text, strlen(text) + 1, text);
        return auv_stream_write(exchange->client->writer, answer, strlen(answer));
}

/* Returns 1, the connection is kept; 0, it is at its end; or a negative error. */
static int await_limited(struct exchange *exchange)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(exchange->client->service->time_limit);
        int r;

        exchange->limit = limit;
        AUV_TRY(auv_timeout_enter(limit));
        r = auv_timeout_exit(limit, await_exchange(exchange));
        if (r < 0)
                r = refuse(exchange, r);
        return r < 0 ? r : exchange->is_kept_alive;
}

static int serve(struct client *client)
{
        struct exchange exchange;
        int r;

        client->user = &exchange;
        do {
                exchange = (struct exchange) { .client = client };
                r = await_limited(&exchange);
                /* Nothing that is still to be sent to the upstream matters any more. */
                if (exchange.writer)
                        auv_transport_abort(auv_stream_transport(exchange.writer));
                auv_unref(exchange.reader);
                auv_unref(exchange.writer);
        } while (r > 0 && !client->service->stopping);
        return r;
}

/* A request whose head has come is still answered. */
static void stop(struct client *client)
{
        const struct exchange *exchange = client->user;

        if (exchange->is_idle)
                auv_stream_close(client->writer);
}

/* HOST:PORT, where an IPv6 address has brackets around it. Cuts the text in two. */
static bool parse_upstream(char *text, struct upstream *ret_upstream)
{
        char *colon = strrchr(text, ':');

        if (!colon || !argument_port(colon + 1, &ret_upstream->port) || ret_upstream->port == 0)
                return false;
        *colon = '\0';
        if (text[0] == '[' && colon[-1] == ']') {
                colon[-1] = '\0';
                text++;
        }
        ret_upstream->host = text;
        return *text;
}

int main(int argc, char **argv)
{
        struct service service = { .serve = serve, .stop = stop, .grace = 10, .time_limit = 30 };
        bool good = service_parse(&service, argc, argv, "p:t:g:");
        int status;

        upstreams = calloc((size_t)argc, sizeof(*upstreams));
        for (; upstreams && optind < argc; optind++)
                good &= parse_upstream(argv[optind], &upstreams[n_upstreams++]);

        if (good && n_upstreams > 0)
                status = service_run(&service);
        else {
                fprintf(stderr,
                        "usage: %s [-p PORT] [-t SECONDS for which nothing moves] [-g SECONDS for the end] "
                        "HOST:PORT...\n",
                        argv[0]);
                status = 2;
        }
        free(upstreams);
        return status;
}

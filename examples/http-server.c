/* SPDX-License-Identifier: MIT */
/*
 * http-server - HTTP/1.1 for a few texts, and an echo
 *
 *      curl http://127.0.0.1:PORT/
 *      curl --data-binary @file http://127.0.0.1:PORT/echo
 *
 * One task serves one connection, as the protocol reads: a head, a body, an answer, and from the start
 * again. Requests that a client sends before it has the answers (pipelining) wait in the reader, and
 * in the kernel when that is full.
 *
 * A client can make the server keep a head and a body of limited size, for a limited time: one
 * timeout stands around reading a request, and one around sending its answer.
 */

#include "http.h"
#include "service.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
        MAX_HEAD = 16 * 1024,
        MAX_BODY = 1024 * 1024,
};

#define METHOD(name) (1U << HTTP_##name)

struct route {
        const char *path;
        unsigned int methods;
        const char *allow; /* the methods in words */
        const char *text;  /* NULL: what the request has in its body */
};

static const struct route routes[] = {
        { "/", METHOD(GET) | METHOD(HEAD), "GET, HEAD", "This is an example of asyncuv.\n" },
        { "/hello", METHOD(GET) | METHOD(HEAD), "GET, HEAD", "Hello world\n" },
        { "/echo", METHOD(POST) | METHOD(PUT), "POST, PUT", NULL },
};

/* A request, and what becomes of it. */
struct exchange {
        struct client *client;
        struct http_message request;
        const struct route *route;
        enum http_status status;
        bool is_idle; /* the request has not come yet */
        bool is_kept_alive;
        char *body; /* of the request, for a route that needs it */
        size_t size;
        size_t room; /* allocated for it */
        char reason[64];
};

/* The path alone tells, whether the URL is "/hello", as it mostly is, or "http://host/hello". */
static const struct route *find_route(const struct http_text *url)
{
        struct http_parser_url parts = { 0 };
        struct http_text path = { "/", 1 };

        if (http_parser_parse_url(url->data, url->size, /* is_connect= */ 0, &parts) != 0)
                return NULL;
        if (parts.field_set & 1U << UF_PATH)
                path = (struct http_text) { url->data + parts.field_data[UF_PATH].off,
                                            parts.field_data[UF_PATH].len };
        for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
                if (path.size == strlen(routes[i].path) && !memcmp(path.data, routes[i].path, path.size))
                        return &routes[i];
        return NULL;
}

/* What the head alone decides. The views in it are gone when the body is read. */
static enum http_status judge_head(struct exchange *exchange)
{
        const struct http_message *request = &exchange->request;
        const struct http_text *expect = http_find(request, "Expect");

        exchange->is_kept_alive = request->is_kept_alive;
        exchange->route = find_route(&request->url);

        if (request->parser.http_major != 1)
                return HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED;
        if (expect && !http_text_is(expect, "100-continue"))
                return HTTP_STATUS_EXPECTATION_FAILED;
        if (!exchange->route)
                return HTTP_STATUS_NOT_FOUND;
        if (request->parser.method >= 32 || !(exchange->route->methods & 1U << request->parser.method))
                return HTTP_STATUS_METHOD_NOT_ALLOWED;
        return HTTP_STATUS_OK;
}

static int keep_piece(struct exchange *exchange, const struct http_text *piece)
{
        size_t room = exchange->room ? exchange->room : 1024;
        char *body;

        while (room - exchange->size < piece->size)
                room *= 2;
        if (room > exchange->room) {
                body = realloc(exchange->body, room);
                if (!body)
                        return AUV_ENOMEM;
                exchange->body = body;
                exchange->room = room;
        }
        memcpy(exchange->body + exchange->size, piece->data, piece->size);
        return 0;
}

/* Takes the body from the stream in any case: the next request stands behind it. */
static int await_body(struct exchange *exchange)
{
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        struct http_message *request = &exchange->request;
        struct http_text piece;
        int r;

        if (!request->is_complete && request->remaining > MAX_BODY)
                return auv_raise(AUV_EFBIG, "the body is too large");
        if (!request->is_complete && http_find(request, "Expect") && request->parser.http_minor > 0)
                AUV_TRY(auv_stream_write(exchange->client->writer, go_on, strlen(go_on)));

        while ((r = http_await_body(request, &piece)) > 0) {
                if (exchange->size + piece.size > MAX_BODY)
                        return auv_raise(AUV_EFBIG, "the body is too large");
                if (exchange->status == HTTP_STATUS_OK && !exchange->route->text)
                        AUV_TRY(keep_piece(exchange, &piece));
                exchange->size += piece.size;
        }
        return r;
}

/* Returns 1, there is a request; 0, the client has ended; or a negative error. */
static int await_request(struct exchange *exchange)
{
        int r;

        exchange->is_idle = true;
        r = http_await_head(&exchange->request);
        exchange->is_idle = false;
        if (r <= 0)
                return r;

        exchange->status = judge_head(exchange);
        AUV_TRY(await_body(exchange));
        return 1;
}

/* An error is told in words. */
static auv_buffer choose_text(struct exchange *exchange)
{
        const char *text = exchange->reason;

        if (exchange->status == HTTP_STATUS_OK) {
                text = exchange->route->text;
                if (!text)
                        return (auv_buffer) { exchange->body, exchange->size };
        } else
                snprintf(exchange->reason, sizeof(exchange->reason), "%s\n",
                         http_status_str(exchange->status));
        return (auv_buffer) { text, strlen(text) };
}

static int await_answer(struct exchange *exchange)
{
        const auv_buffer text = choose_text(exchange);
        const bool is_head = exchange->request.has_head && exchange->request.parser.method == HTTP_HEAD;
        const time_t now = time(NULL);
        char date[64], allow[64] = "", head[512];
        struct tm tm;
        int size;

        strftime(date, sizeof(date), "%a, %d %b %Y %T GMT", gmtime_r(&now, &tm));
        if (exchange->status == HTTP_STATUS_METHOD_NOT_ALLOWED)
                snprintf(allow, sizeof(allow), "Allow: %s\r\n", exchange->route->allow);
        size = snprintf(head, sizeof(head),
                        "HTTP/1.1 %d %s\r\n"
                        "Date: %s\r\n"
                        "Content-Type: %s\r\n"
                        "Content-Length: %zu\r\n"
                        "%s"
                        "Connection: %s\r\n"
                        "\r\n",
                        exchange->status, http_status_str(exchange->status), date,
                        text.data == exchange->body ? "application/octet-stream" : "text/plain", text.size,
                        allow, exchange->is_kept_alive ? "keep-alive" : "close");

        AUV_TRY(auv_stream_writelines(exchange->client->writer,
                                      (auv_buffer[]) { { head, (size_t)size }, text },
                                      is_head || text.size == 0 ? 1 : 2));
        return auv_await_stream_drain(exchange->client->writer);
}

/* Does a step of an exchange, but not for longer than the limit. */
static int await_limited(int (*await_step)(struct exchange *exchange), struct exchange *exchange)
{
        AUV_AUTO auv_timeout *limit = auv_timeout_new(exchange->client->service->time_limit);

        AUV_TRY(auv_timeout_enter(limit));
        return auv_timeout_exit(limit, await_step(exchange));
}

/* Returns 1, the connection is kept; 0, it is at its end; or a negative error. */
static int await_exchange(struct exchange *exchange)
{
        int r;

        r = await_limited(await_request, exchange);
        if (r == 0)
                return 0;
        if (r < 0) {
                exchange->is_kept_alive = false;
                exchange->status = http_status_of(r);
                if (!exchange->status)
                        return r;
        }
        if (exchange->client->service->stopping)
                exchange->is_kept_alive = false;
        AUV_TRY(await_limited(await_answer, exchange));
        return exchange->is_kept_alive;
}

static int serve(struct client *client)
{
        struct exchange exchange;
        int r;

        client->user = &exchange;
        do {
                exchange = (struct exchange) { .client = client };
                http_init(&exchange.request, HTTP_REQUEST, client->reader);
                r = await_exchange(&exchange);
                free(exchange.body);
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

int main(int argc, char **argv)
{
        struct service service = {
                .serve = serve,
                .stop = stop,
                .grace = 10,
                .time_limit = 30,
                .limit = MAX_HEAD,
        };

        if (!service_parse(&service, argc, argv, "p:t:g:") || optind != argc) {
                fprintf(stderr, "usage: %s [-p PORT] [-t SECONDS for a request] [-g SECONDS for the end]\n",
                        argv[0]);
                return 2;
        }
        return service_run(&service);
}

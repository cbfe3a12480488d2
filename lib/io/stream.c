/* SPDX-License-Identifier: MIT */

/* Streams: connections and servers whose protocol is a stream reader's. */

#include <asyncuv/stream.h>

#include "base/alloc.h"
#include "io/connection.h"
#include "io/server.h"
#include "io/stream_reader.h"
#include "io/stream_writer.h"
#include "task/await.h"

#include <string.h>

/* Clients */

/* What the protocol of a client is made of, and the reader that it was made with. */
struct client {
        size_t limit;
        auv_stream_reader *reader;
};

static int make_clients_protocol(void *arg, auv_protocol *ret_protocol)
{
        struct client *client = arg;

        client->reader = auv_stream_reader_new(/* loop= */ NULL, client->limit);
        return client->reader ? auv_stream_reader_protocol(client->reader, ret_protocol) : AUV_ENOMEM;
}

/* What opening one begins with. 0, or an error with its object. */
static int begin_client(int r, const auv_connection_options *options, auv_stream_reader **ret_reader,
                        auv_stream_writer **ret_writer, struct client *ret_client)
{
        auv_connection_options o = { 0 };

        if (r == 0)
                r = auv__connection_options_copy(options, &o);
        *ret_client = (struct client) { .limit = o.limit };
        return r == 0 && !(ret_reader && ret_writer) ? auv_raise(AUV_EINVAL, "no place for the streams") : r;
}

/* Makes the streams of a connection that was made with @r. Takes over both references. */
static int finish_client(int r, auv_stream_reader *reader, auv_transport *transport,
                         auv_stream_reader **ret_reader, auv_stream_writer **ret_writer)
{
        auv_stream_writer *writer = NULL;

        if (r == 0) {
                writer = auv__stream_writer_make(transport, reader, /* flow= */ reader);
                if (!writer) {
                        auv_transport_abort(transport);
                        r = AUV_ENOMEM;
                }
        }
        auv_unref(transport);
        if (r < 0) {
                auv_unref(reader);
                return r;
        }
        *ret_reader = reader;
        *ret_writer = writer;
        return 0;
}

int auv_await_open_connection(const char *host, int port, const auv_connection_options *options,
                              auv_stream_reader **ret_reader, auv_stream_writer **ret_writer)
{
        auv_transport *transport = NULL;
        struct auv__task *task;
        struct client client;
        int r = auv__await_begin(&task);

        r = begin_client(r, options, ret_reader, ret_writer, &client);
        r = auv__await_create_connection(r, task, make_clients_protocol, &client, host, port, options,
                                         &transport);
        return finish_client(r, client.reader, transport, ret_reader, ret_writer);
}

int auv_await_open_unix_connection(const char *path, const auv_connection_options *options,
                                   auv_stream_reader **ret_reader, auv_stream_writer **ret_writer)
{
        auv_transport *transport = NULL;
        struct auv__task *task;
        struct client client;
        int r = auv__await_begin(&task);

        r = begin_client(r, options, ret_reader, ret_writer, &client);
        r = auv__await_create_unix_connection(r, task, make_clients_protocol, &client, path, options,
                                              &transport);
        return finish_client(r, client.reader, transport, ret_reader, ret_writer);
}

/* Servers */

static int make_servers_protocol(void *arg, auv_protocol *ret_protocol)
{
        struct auv__stream_service *service = arg;
        AUV_AUTO auv_stream_reader *reader = auv_stream_reader_new(service->loop, service->limit);

        if (!reader)
                return AUV_ENOMEM;
        service->refs++;
        reader->protocol.service = service;
        return auv_stream_reader_protocol(reader, ret_protocol);
}

/* Of the options what is for streams. What is wrong with the others is found where the server is made. */
static auv_server_options read_options(const auv_server_options *options)
{
        auv_server_options o = { 0 };

        if (options)
                memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
        return o;
}

static int check_service(auv_client_connected_fn fn, const void *arg, const auv_server_options *options)
{
        if (!fn == !options->stackless)
                return auv_raise(AUV_EINVAL, "there has to be one function to serve the clients");
        if (fn)
                return 0;
        if (!arg || options->frame_size < sizeof(auv_stream_frame))
                return auv_raise(AUV_EINVAL, "no frame for the function, or none with streams in it");
        return 0;
}

/* What starting one begins with. 0, or an error with its object. */
static int begin_server(int r, const struct auv__task *task, auv_client_connected_fn fn, void *arg,
                        const auv_server_options *options, struct auv__serving *ret_serving)
{
        const auv_server_options o = read_options(options);
        const size_t frame_size = fn ? 0 : o.frame_size;
        struct auv__stream_service *service;

        *ret_serving = (struct auv__serving) { .factory = make_servers_protocol };
        if (r < 0)
                return r;
        AUV_TRY(check_service(fn, arg, &o));
        service = frame_size <= SIZE_MAX - sizeof(*service) ? auv__malloc(sizeof(*service) + frame_size) : NULL;
        if (!service)
                return auv_raise(AUV_ENOMEM, NULL);
        *service = (struct auv__stream_service) { .refs = 1,
                                                  .loop = task->future.loop,
                                                  .limit = o.limit,
                                                  .fn = fn,
                                                  .stackless = o.stackless,
                                                  .arg = arg,
                                                  .frame_size = frame_size };
        if (!fn)
                memcpy(service->frame, arg, frame_size);
        ret_serving->arg = service;
        ret_serving->release_arg = auv__stream_service_release;
        return 0;
}

int auv_await_start_server(auv_client_connected_fn fn, void *arg, const char *host, int port,
                           const auv_server_options *options, auv_server **ret_server)
{
        struct auv__serving serving;
        struct auv__task *task;
        int r = auv__await_begin(&task);

        r = begin_server(r, task, fn, arg, options, &serving);
        return auv__await_create_server(r, task, &serving, host, port, options, ret_server);
}

int auv_await_start_unix_server(auv_client_connected_fn fn, void *arg, const char *path,
                                const auv_server_options *options, auv_server **ret_server)
{
        struct auv__serving serving;
        struct auv__task *task;
        int r = auv__await_begin(&task);

        r = begin_server(r, task, fn, arg, options, &serving);
        return auv__await_create_unix_server(r, task, &serving, path, options, ret_server);
}

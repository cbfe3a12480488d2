/* SPDX-License-Identifier: MIT */
/*
 * A TCP echo server as one writes it by hand on libuv. All connections read into one buffer, since
 * what was read is nearly always written at once. What the socket does not take is copied, and the
 * connection reads on when that has been written.
 */

#include "peer.h"

#define BUFFER_SIZE 65536

struct connection {
        uv_tcp_t tcp;
        uv_write_t request;
        char *rest; /* while it is being written */
};

static uv_tcp_t server;
static char buffer[BUFFER_SIZE];
static size_t n_connections;

static void free_connection(uv_handle_t *handle)
{
        struct connection *connection = (struct connection *)handle;

        free(connection->rest);
        free(connection);
}

static void close_connection(uv_stream_t *stream)
{
        if (!uv_is_closing((uv_handle_t *)stream))
                uv_close((uv_handle_t *)stream, free_connection);
}

static void get_buffer(uv_handle_t *handle, size_t suggested_size, uv_buf_t *ret_buf)
{
        (void)handle;
        (void)suggested_size;
        *ret_buf = uv_buf_init(buffer, BUFFER_SIZE);
}

static void echo(uv_stream_t *stream, ssize_t n_read, const uv_buf_t *buf);

static void rest_is_written(uv_write_t *request, int status)
{
        struct connection *connection = request->data;
        uv_stream_t *stream = request->handle;

        free(connection->rest);
        connection->rest = NULL;
        if (status < 0 || uv_read_start(stream, get_buffer, echo) < 0)
                close_connection(stream);
}

static void write_rest(uv_stream_t *stream, const char *data, size_t size)
{
        struct connection *connection = (struct connection *)stream;
        uv_buf_t buf;

        uv_read_stop(stream);
        connection->rest = allocate(1, size);
        memcpy(connection->rest, data, size);
        connection->request.data = connection;
        buf = uv_buf_init(connection->rest, (unsigned)size);
        if (uv_write(&connection->request, stream, &buf, 1, rest_is_written) < 0)
                close_connection(stream);
}

static void echo(uv_stream_t *stream, ssize_t n_read, const uv_buf_t *buf)
{
        uv_buf_t out;
        int n_written;

        if (n_read == 0)
                return;
        if (n_read < 0) {
                close_connection(stream);
                return;
        }
        out = uv_buf_init(buf->base, (unsigned)n_read);
        n_written = uv_try_write(stream, &out, 1);
        if (n_written == n_read)
                return;
        if (n_written == UV_EAGAIN)
                n_written = 0;
        if (n_written < 0)
                close_connection(stream);
        else
                write_rest(stream, buf->base + n_written, (size_t)(n_read - n_written));
}

static void accept_connection(uv_stream_t *listener, int status)
{
        struct connection *connection;
        uv_stream_t *stream;

        check(status);
        connection = allocate(1, sizeof(*connection));
        stream = (uv_stream_t *)&connection->tcp;
        check(uv_tcp_init(listener->loop, &connection->tcp));
        check(uv_accept(listener, stream));
        check(uv_tcp_nodelay(&connection->tcp, /* enable= */ 1));
        check(uv_read_start(stream, get_buffer, echo));
        n_connections++;
}

static void close_what_is_open(uv_handle_t *handle, void *arg)
{
        (void)arg;
        if (handle->type != UV_TCP || handle == (uv_handle_t *)&server)
                uv_close(handle, /* close_cb= */ NULL);
        else
                close_connection((uv_stream_t *)handle);
}

static void stop(uv_signal_t *handle, int signum)
{
        (void)signum;
        uv_walk(handle->loop, close_what_is_open, /* arg= */ NULL);
}

static int port_of_server(void)
{
        struct sockaddr_in address;
        int size = sizeof(address);

        check(uv_tcp_getsockname(&server, (struct sockaddr *)&address, &size));
        return ntohs(address.sin_port);
}

void serve_echo(const struct options *options)
{
        uv_loop_t *loop = uv_default_loop();
        struct sockaddr_in address;
        uv_signal_t terminate;
        int64_t cpu;

        signal(SIGPIPE, SIG_IGN);
        check(uv_signal_init(loop, &terminate));
        check(uv_signal_start(&terminate, stop, SIGTERM));
        check(uv_tcp_init(loop, &server));
        check(uv_ip4_addr("127.0.0.1", options->port, &address));
        check(uv_tcp_bind(&server, (const struct sockaddr *)&address, /* flags= */ 0));
        check(uv_listen((uv_stream_t *)&server, /* backlog= */ 4096, accept_connection));
        cpu = cpu_ns();
        printf("port %d\n", port_of_server());
        fflush(stdout);

        uv_run(loop, UV_RUN_DEFAULT);
        report("echo", n_connections, "cpu_s", (double)(cpu_ns() - cpu) / 1e9, "s");
}

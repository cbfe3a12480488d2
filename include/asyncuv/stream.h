/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_STREAM_H
#define ASYNCUV_STREAM_H

#include <asyncuv/connection.h>
#include <asyncuv/server.h>
#include <asyncuv/stackless.h>
#include <asyncuv/transport.h>

AUV_BEGIN_DECLS

/*
 * Streams
 *
 * A connection as a pair: a reader, which has what came in, and a writer, which sends. Both belong to
 * their loop. The reader gives views into its buffer: what a read returns is not copied, and stays where it
 * is until the next read on this reader, however much comes in meanwhile.
 *
 *      static int echo(void *arg, auv_stream_reader *reader, auv_stream_writer *writer)
 *      {
 *              const char *line;
 *              size_t size;
 *
 *              for (;;) {
 *                      AUV_TRY(auv_await_stream_readline(reader, &line, &size));
 *                      if (size == 0)
 *                              return 0;
 *                      AUV_TRY(auv_stream_write(writer, line, size));
 *                      AUV_TRY(auv_await_stream_drain(writer));
 *              }
 *      }
 *
 * A task without a stack awaits them with AUV_AWAIT_CALL, and may serve connections, too: each then has the
 * memory of its frame, and no stack.
 *
 *      struct echo { auv_stream_frame frame; auv_subframe subframe; const char *line; size_t size; };
 *
 *      static int echo(auv_frame *frame, auv_value *ret)
 *      {
 *              AUV_BEGIN(struct echo, self);
 *              for (;;) {
 *                      AUV_AWAIT_CALL(&self->subframe, auv_await_stream_readline(self->frame.reader,
 *                                                                                &self->line, &self->size));
 *                      if (self->size == 0)
 *                              break;
 *                      AUV_CHECK(auv_stream_write(self->frame.writer, self->line, self->size));
 *                      AUV_AWAIT_CALL(&self->subframe, auv_await_stream_drain(self->frame.writer));
 *              }
 *              AUV_END;
 *      }
 *
 *      r = auv_await_start_server(NULL, &(struct echo) { .size = 0 }, NULL, 7, AUV_SERVER_OPTIONS(
 *                                 .stackless = echo, .frame_size = sizeof(struct echo)), &server);
 */
typedef struct auv_stream_reader auv_stream_reader;
typedef struct auv_stream_writer auv_stream_writer;

/* For auv_await_stream_read(): all there is until the stream ends. */
#define AUV_STREAM_ALL SIZE_MAX

/**
 * auv_client_connected_fn - serves one connection of a server
 * @arg:         what was given with the function
 * @reader:      what the client sends
 * @writer:      sends to the client
 *
 * The body of a task of its own. When it returns, the connection is closed unless a reference to @writer
 * is held elsewhere. An error other than AUV_ECANCELED goes to the loop's exception handler.
 *
 * Return: 0 or a negative error.
 * Owns: nothing; both are borrowed from the task.
 * Suspends: as it likes.    Thread: the loop's.
 */
typedef int (*auv_client_connected_fn)(void *arg, auv_stream_reader *reader, auv_stream_writer *writer);

/**
 * struct auv_stream_frame - what the frame of a stackless body that serves connections begins with
 * @frame:       where the body is
 * @reader, @writer: as in auv_client_connected_fn; the server fills them in
 *
 * See the options of a server. What is said of an auv_client_connected_fn holds for such a body as well; the
 * connection is closed a turn after it has returned.
 */
typedef struct auv_stream_frame {
        auv_frame frame;
        auv_stream_reader *reader;
        auv_stream_writer *writer;
} auv_stream_frame;

/**
 * auv_await_open_connection() - connect to a server
 * @host:        name or address; NULL where @options have a socket
 * @port:        the port
 * @options:     as auv_await_create_connection(), with the reader's limit; NULL for none
 * @ret_reader:  receives the reader
 * @ret_writer:  receives the writer
 *
 * Return: 0, or a negative error, and then there is no connection.
 * Errors: AUV_EINVAL, no place for the streams; as auv_await_create_connection().
 * Owns: the caller owns both references.
 * Suspends: yes.    Thread: the loop's.
 * Like: asyncio.open_connection().
 */
AUV_API int auv_await_open_connection(const char *host, int port, const auv_connection_options *options,
                                      auv_stream_reader **ret_reader, auv_stream_writer **ret_writer);

/**
 * auv_await_open_unix_connection() - connect to a server by a path
 * @path:        of the socket; NULL where @options have a socket
 * @options:     as auv_await_open_connection()
 * @ret_reader:  receives the reader
 * @ret_writer:  receives the writer
 *
 * Return: 0, or a negative error, and then there is no connection.
 * Errors: AUV_EINVAL, no place for the streams; as auv_await_create_unix_connection().
 * Owns: the caller owns both references.
 * Suspends: yes.    Thread: the loop's.
 * Like: asyncio.open_unix_connection().
 */
AUV_API int auv_await_open_unix_connection(const char *path, const auv_connection_options *options,
                                           auv_stream_reader **ret_reader, auv_stream_writer **ret_writer);

/**
 * auv_await_start_server() - serve each connection by a task
 * @fn:          called as fn(arg, reader, writer) in a task of its own for each connection; NULL where
 *               @options have the body of a task without a stack
 * @arg:         handed to @fn; must live until the server is closed and its last task has ended; or that
 *               body's frame, which is copied
 * @host:        name or address to listen on; NULL for all
 * @port:        the port; 0 for any that is free
 * @options:     as auv_await_create_server(), with the readers' limit; NULL for none
 * @ret_server:  receives the server
 *
 * Return: 0, or a negative error, and then nothing listens.
 * Errors: AUV_EINVAL, no function, or two; no frame, or one that is too small; no place for the server; as
 * auv_await_create_server().
 * Owns: the caller owns the reference.
 * Suspends: yes.    Thread: the loop's.
 * Like: asyncio.start_server(), with a coroutine for client_connected_cb.
 */
AUV_API int auv_await_start_server(auv_client_connected_fn fn, void *arg, const char *host, int port,
                                   const auv_server_options *options, auv_server **ret_server);

/**
 * auv_await_start_unix_server() - serve each connection to a path by a task
 * @fn:          as auv_await_start_server()
 * @arg:         likewise
 * @path:        of the socket to make
 * @options:     as auv_await_create_unix_server(), with the readers' limit; NULL for none
 * @ret_server:  receives the server
 *
 * Return: 0, or a negative error, and then nothing listens.
 * Errors: AUV_EINVAL as auv_await_start_server(); as auv_await_create_unix_server().
 * Owns: the caller owns the reference.
 * Suspends: yes.    Thread: the loop's.
 * Like: asyncio.start_unix_server(), with a coroutine for client_connected_cb.
 */
AUV_API int auv_await_start_unix_server(auv_client_connected_fn fn, void *arg, const char *path,
                                        const auv_server_options *options, auv_server **ret_server);

/**
 * auv_stream_reader_new() - make a reader that nothing feeds yet
 * @loop:        the loop; NULL for the running one
 * @limit:       bytes that a line may have without its end, and half of what the buffer may have before
 *               the transport is paused; 0 for 64 KiB
 *
 * Return: the reader, or NULL: there is no memory, no loop, or it is closed.
 * Owns: the caller owns the reference.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.StreamReader(limit, loop). Differs: a limit of 0 is the default and no error.
 */
AUV_API auv_stream_reader *auv_stream_reader_new(auv_loop *loop, size_t limit);

/**
 * auv_stream_reader_protocol() - the protocol that feeds a reader
 * @reader:      a reader without a transport
 * @ret:         receives the protocol
 *
 * For a transport that open_connection() cannot make: the factory given to
 * auv_await_connect_read_pipe() and its like returns this.
 *
 * Return: 0, or AUV_EINVAL: an argument is NULL; AUV_ERUNTIME: @reader has its transport.
 * Owns: the protocol has a reference to @reader, which its transport gives up at its end. So it must be
 * given to exactly one transport.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.StreamReaderProtocol(reader).
 */
AUV_API int auv_stream_reader_protocol(auv_stream_reader *reader, auv_protocol *ret);

/**
 * auv_await_stream_read() - read what there is
 * @reader:      the reader; NULL is one that could not be made
 * @n:           how many bytes at the most; AUV_STREAM_ALL for all until the stream ends
 * @ret_data:    receives the data; they end without a zero byte
 * @ret_size:    receives how many bytes; 0 only at the end of the stream, or for an @n of 0
 *
 * Waits where there is nothing. The limit does not bound what is read.
 *
 * Return: 0, or a negative error, and then nothing was read and nothing is lost.
 * Errors: AUV_EINVAL, no place for the data; the reader's, see auv_stream_set_exception(); AUV_ERUNTIME,
 * another task is waiting for data, or reads to the end, or the reader belongs to another loop; AUV_ENOTASK;
 * AUV_ECANCELED; AUV_ECLOSED; AUV_ENOMEM for NULL.
 * Owns: nothing; the data are borrowed from @reader until its next read.
 * Suspends: yes, unless there is something.    Thread: the loop's.
 * Like: StreamReader.read(). Differs: a task that was woken, and finds that another has taken the data,
 * waits again, where asyncio's returns b'' as at the end; cancelled while it reads all, it has lost nothing.
 * A task that waits is woken when its transport has something, and receives it when it runs; with asyncio
 * it stands in the buffer before that, for any task to read.
 */
AUV_API int auv_await_stream_read(auv_stream_reader *reader, size_t n, const char **ret_data,
                                  size_t *ret_size);

/**
 * auv_await_stream_readline() - read a line
 * @reader:      the reader; NULL is one that could not be made
 * @ret_line:    receives the line, with its "\n"; without one where the stream ends there
 * @ret_size:    receives how many bytes; 0 only at the end of the stream
 *
 * Return: 0, or a negative error; nothing is lost then, but see below.
 * Errors: AUV_EINVAL, the line is longer than the limit, and it, or what there is of it, has been dropped;
 * as auv_await_stream_read().
 * Owns: nothing; the line is borrowed from @reader until its next read.
 * Suspends: yes, unless there is a line.    Thread: the loop's.
 * Like: StreamReader.readline(), whose ValueError is AUV_EINVAL. Differs: as auv_await_stream_readuntil().
 */
AUV_API int auv_await_stream_readline(auv_stream_reader *reader, const char **ret_line, size_t *ret_size);

/**
 * auv_await_stream_readuntil() - read up to a separator
 * @reader:      the reader; NULL is one that could not be made
 * @separators:  the separators; of at least one byte each; they and the array must live until this returns
 * @n:           how many
 * @ret_data:    receives the data, with the separator
 * @ret_size:    receives how many bytes
 *
 * Of several separators, that which ends first counts.
 *
 * Return: 0, or a negative error; what was not returned is still in the buffer then, but see below.
 * Errors: AUV_EINCOMPLETEREAD, the stream ended before, and auv_error_partial() has what was
 * left; AUV_ELIMITOVERRUN, there is no separator within the limit, see auv_error_consumed(); AUV_EINVAL, a
 * separator is empty or there is none; AUV_ENOMEM; as auv_await_stream_read().
 * Owns: nothing; the data are borrowed from @reader until its next read.
 * Suspends: yes, unless there is a separator.    Thread: the loop's.
 * Like: StreamReader.readuntil(separator), with a tuple of separators for more than one. Differs: where
 * another task reads between the moment this one is woken and its next step, the search begins anew, while
 * asyncio's goes on where it was in data that have gone; and where the other waits by then, and this one
 * has to wait again, it fails with AUV_ERUNTIME, while asyncio forgets the other, which hangs.
 */
AUV_API int auv_await_stream_readuntil(auv_stream_reader *reader, const auv_buffer *separators, size_t n,
                                       const char **ret_data, size_t *ret_size);

/**
 * auv_await_stream_readexactly() - read so many bytes
 * @reader:      the reader; NULL is one that could not be made
 * @buffer:      receives them; untouched on failure
 * @n:           how many
 *
 * Return: 0, or a negative error; what was not returned is still in the buffer then, but see below.
 * Errors: AUV_EINCOMPLETEREAD, the stream ended before, and auv_error_partial() has what was left;
 * AUV_EINVAL, no place for the data; AUV_ENOMEM; as auv_await_stream_read().
 * Suspends: yes, unless there are as many.    Thread: the loop's.
 * Like: StreamReader.readexactly(). Differs: of a second task that waits as auv_await_stream_readuntil().
 */
AUV_API int auv_await_stream_readexactly(auv_stream_reader *reader, void *buffer, size_t n);

/**
 * auv_stream_at_eof() - whether the stream has ended and all has been read
 * @reader:      the reader; NULL gives false
 *
 * Suspends: no.    Thread: the loop's.
 * Like: StreamReader.at_eof().
 */
AUV_API bool auv_stream_at_eof(const auv_stream_reader *reader);

/**
 * auv_stream_feed_data() - put data into the buffer of a reader
 * @reader:      the reader
 * @data:        the data, which are copied
 * @size:        how many bytes
 *
 * For a reader that no transport feeds.
 *
 * Return: 0, or a negative error, and then nothing was put in.
 * Errors: AUV_EINVAL, no reader or no data; AUV_ERUNTIME, after auv_stream_feed_eof(); AUV_ENOMEM.
 * Suspends: no.    Thread: the loop's.
 * Like: StreamReader.feed_data(). Differs: after feed_eof() asyncio has an assertion.
 */
AUV_API int auv_stream_feed_data(auv_stream_reader *reader, const void *data, size_t size);

/**
 * auv_stream_feed_eof() - the stream ends here
 * @reader:      the reader
 *
 * Return: 0, or AUV_EINVAL: no reader.
 * Suspends: no.    Thread: the loop's.
 * Like: StreamReader.feed_eof().
 */
AUV_API int auv_stream_feed_eof(auv_stream_reader *reader);

/**
 * auv_stream_set_exception() - let each read fail from now on
 * @reader:      the reader
 * @error:       the error; it comes before what is in the buffer
 *
 * Return: 0, or AUV_EINVAL: no reader or no error.
 * Owns: @reader takes a reference to @error.
 * Suspends: no.    Thread: the loop's.
 * Like: StreamReader.set_exception().
 */
AUV_API int auv_stream_set_exception(auv_stream_reader *reader, auv_error *error);

/**
 * auv_stream_exception() - what each read fails with
 * @reader:      the reader; may be NULL
 *
 * Return: the error, or NULL.
 * Owns: nothing; the error is borrowed from @reader.
 * Suspends: no.    Thread: the loop's.
 * Like: StreamReader.exception().
 */
AUV_API auv_error *auv_stream_exception(const auv_stream_reader *reader);

/**
 * auv_stream_writer_new() - make a writer for a transport
 * @transport:   a transport whose protocol is auv_stream_reader_protocol() of some reader
 * @reader:      whose error auv_await_stream_drain() gives, too; NULL for none
 *
 * open_connection() and start_server() make theirs themselves.
 *
 * Return: the writer, or NULL: there is no memory, no transport, or it has another protocol.
 * Owns: the caller owns the reference; the writer has references to both.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.StreamWriter(transport, protocol, reader, loop).
 */
AUV_API auv_stream_writer *auv_stream_writer_new(auv_transport *transport, auv_stream_reader *reader);

/**
 * auv_stream_write() - send
 * @writer:      the writer
 * @data:        the data; what cannot be sent at once is copied
 * @size:        how many bytes
 *
 * To be followed by auv_await_stream_drain().
 *
 * Return: 0 or a negative error.
 * Errors: AUV_EINVAL, no writer; as auv_transport_write().
 * Suspends: no.    Thread: the loop's.
 * Like: StreamWriter.write().
 */
AUV_API int auv_stream_write(auv_stream_writer *writer, const void *data, size_t size);

/**
 * auv_stream_writelines() - send from several places
 * @writer:      the writer
 * @buffers:     the data; what cannot be sent at once is copied
 * @n:           how many places
 *
 * Return: 0 or a negative error.
 * Errors: AUV_EINVAL, no writer; as auv_transport_writelines().
 * Suspends: no.    Thread: the loop's.
 * Like: StreamWriter.writelines().
 */
AUV_API int auv_stream_writelines(auv_stream_writer *writer, const auv_buffer *buffers, size_t n);

/**
 * auv_await_stream_drain() - wait until it makes sense to write on
 * @writer:      the writer; NULL is one that could not be made
 *
 * Returns at once while no more than the high water mark is unsent; else waits for the low one, see
 * auv_transport_set_write_buffer_limits(). Any number of tasks may wait.
 *
 * Return: 0 or a negative error.
 * Errors: the reader's, see auv_stream_set_exception(); AUV_ECONNRESET, the connection is lost; what it was
 * lost by, where that happens meanwhile; AUV_ENOTASK; AUV_ERUNTIME, the writer belongs to another loop;
 * AUV_ECANCELED; AUV_ECLOSED; AUV_ENOMEM for NULL.
 * Suspends: yes, unless there is nothing to wait for.    Thread: the loop's.
 * Like: StreamWriter.drain().
 */
AUV_API int auv_await_stream_drain(auv_stream_writer *writer);

/**
 * auv_stream_write_eof() - end what is sent, and go on reading
 * @writer:      the writer
 *
 * Return: 0 or a negative error.
 * Errors: AUV_EINVAL, no writer; as auv_transport_write_eof().
 * Suspends: no.    Thread: the loop's.
 * Like: StreamWriter.write_eof().
 */
AUV_API int auv_stream_write_eof(auv_stream_writer *writer);

/**
 * auv_stream_can_write_eof() - whether auv_stream_write_eof() works
 * @writer:      the writer; NULL gives false
 *
 * Suspends: no.    Thread: the loop's.
 * Like: StreamWriter.can_write_eof().
 */
AUV_API bool auv_stream_can_write_eof(const auv_stream_writer *writer);

/**
 * auv_stream_close() - close the connection
 * @writer:      the writer; may be NULL
 *
 * What has been written is still sent. Dropping the last reference to a writer does the same.
 *
 * Suspends: no.    Thread: the loop's.
 * Like: StreamWriter.close().
 */
AUV_API void auv_stream_close(auv_stream_writer *writer);

/**
 * auv_stream_is_closing() - whether the connection is closed or about to be
 * @writer:      the writer; NULL gives true
 *
 * Suspends: no.    Thread: the loop's.
 * Like: StreamWriter.is_closing().
 */
AUV_API bool auv_stream_is_closing(const auv_stream_writer *writer);

/**
 * auv_await_stream_wait_closed() - wait until the connection is closed
 * @writer:      the writer; NULL is one that could not be made
 *
 * Return: 0 or a negative error.
 * Errors: what the connection was lost by; AUV_ENOTASK; AUV_ERUNTIME, the writer belongs to another loop;
 * AUV_ECANCELED; AUV_ECLOSED; AUV_ENOMEM for NULL.
 * Suspends: yes, unless the connection is closed.    Thread: the loop's.
 * Like: StreamWriter.wait_closed(). Differs: one waiter that is cancelled does not cancel the others.
 */
AUV_API int auv_await_stream_wait_closed(auv_stream_writer *writer);

/**
 * auv_stream_get_extra_info() - what is to be known about the connection
 * @writer:      the writer
 * @name:        as auv_transport_get_extra_info()
 * @ret:         receives the information; untouched where there is none
 *
 * Return: 1, or 0: there is none of that name, or @writer is NULL.
 * Owns: nothing; an address is borrowed from the transport.
 * Suspends: no.    Thread: the loop's.
 * Like: StreamWriter.get_extra_info().
 */
AUV_API int auv_stream_get_extra_info(const auv_stream_writer *writer, const char *name, auv_value *ret);

/**
 * auv_stream_transport() - the transport of a writer
 * @writer:      the writer; NULL gives NULL
 *
 * Owns: nothing; the transport is borrowed from @writer.
 * Suspends: no.    Thread: the loop's.
 * Like: StreamWriter.transport.
 */
AUV_API auv_transport *auv_stream_transport(const auv_stream_writer *writer);

AUV_END_DECLS

#endif

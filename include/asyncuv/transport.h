/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_TRANSPORT_H
#define ASYNCUV_TRANSPORT_H

#include <asyncuv/loop.h>
#include <asyncuv/protocol.h>

AUV_BEGIN_DECLS

/*
 * Transports
 *
 * A transport is one end of a connection: a TCP or Unix socket, a pipe, a terminal, a datagram socket. It
 * is made together with its protocol (connection.h, server.h), and lives by itself until its connection is
 * lost: nobody has to hold it for that. The functions that make one give their caller a reference;
 * a protocol and who asks for it elsewhere are lent it, and take a reference with auv_ref() to use it
 * after connection_lost() has been called. A reference keeps the memory and nothing else; giving up the last
 * one closes nothing.
 *
 * Closing the loop closes the descriptors of its transports without another word to their protocols
 * than released().
 */

/* Memory to be written; borrowed for the time of a call. */
typedef struct auv_buffer {
        const void *data;
        size_t size;
} auv_buffer;

/* For auv_transport_set_write_buffer_limits(): asyncio's None. */
#define AUV_DEFAULT_LIMIT SIZE_MAX

/**
 * auv_transport_close() - close a connection when what was written has been sent
 * @transport:   the transport; NULL does nothing
 *
 * Nothing more is received. When all that was written is sent, connection_lost() is called with NULL, and
 * never from within this call. May be called again.
 *
 * Suspends: no.    Thread: the loop's.
 * Like: transport.close().
 */
AUV_API void auv_transport_close(auv_transport *transport);

/**
 * auv_transport_abort() - close a connection at once
 * @transport:   the transport; NULL does nothing
 *
 * What has not been sent yet is dropped. connection_lost() is called with NULL in the next turn.
 *
 * Suspends: no.    Thread: the loop's.
 * Like: WriteTransport.abort(). Differs: it is there for transports that only read, too.
 */
AUV_API void auv_transport_abort(auv_transport *transport);

/**
 * auv_transport_is_closing() - whether a connection is being closed or is gone
 * @transport:   the transport; NULL is closed
 *
 * Suspends: no.    Thread: the loop's.
 * Like: transport.is_closing().
 */
AUV_API bool auv_transport_is_closing(const auv_transport *transport);

/**
 * auv_transport_write() - send data
 * @transport:   a transport that can write
 * @data:        what to send; copied as far as it cannot be sent at once
 * @size:        how many bytes; 0 does nothing
 *
 * Does not wait: what the system does not take now waits in the transport's buffer; heed pause_writing(), or
 * it grows without end. Data for a connection that is lost is dropped; after a few times the loop's
 * exception handler is told. What goes wrong in sending is told by connection_lost().
 *
 * Return: 0, or a negative error.
 * Errors: AUV_ERUNTIME, after auv_transport_write_eof(), or while a file is sent by auv_await_sendfile();
 * AUV_ENOTSUP, the transport cannot write, or is for datagrams; AUV_EINVAL, @transport or @data is NULL;
 * AUV_ENOMEM, and then the connection is lost with that error.
 * Suspends: no.    Thread: the loop's.
 * Like: WriteTransport.write().
 */
AUV_API int auv_transport_write(auv_transport *transport, const void *data, size_t size);

/**
 * auv_transport_writelines() - send data that lies in several places
 * @transport:   a transport that can write
 * @buffers:     what to send, in that order
 * @n:           how many
 *
 * As auv_transport_write() of all in one piece, without putting it together first.
 *
 * Return: as auv_transport_write().
 * Suspends: no.    Thread: the loop's.
 * Like: WriteTransport.writelines().
 */
AUV_API int auv_transport_writelines(auv_transport *transport, const auv_buffer *buffers, size_t n);

/**
 * auv_transport_write_eof() - send no more
 * @transport:   a transport that can write
 *
 * The peer sees the end when it has received what was written before; what it sends is still received. A
 * transport that only writes is closed by this. May be called again.
 *
 * Return: 0, or a negative error.
 * Errors: AUV_ERUNTIME, while a file is sent by auv_await_sendfile(); AUV_ENOTSUP, see
 * auv_transport_can_write_eof(); AUV_EINVAL, @transport is NULL; what the system
 * says, as AUV_ENOTCONN.
 * Suspends: no.    Thread: the loop's.
 * Like: WriteTransport.write_eof(). Differs: refused while a file is sent; asyncio would cut it off.
 */
AUV_API int auv_transport_write_eof(auv_transport *transport);

/**
 * auv_transport_can_write_eof() - whether the peer can be told that no more is sent
 * @transport:   the transport; NULL cannot
 *
 * Suspends: no.    Thread: the loop's.
 * Like: WriteTransport.can_write_eof().
 */
AUV_API bool auv_transport_can_write_eof(const auv_transport *transport);

/**
 * auv_transport_pause_reading() - receive nothing for a while
 * @transport:   a transport that reads; another, or NULL, stays as it is
 *
 * The system's buffers fill up, and the peer has to wait. May be called again.
 *
 * Suspends: no.    Thread: the loop's.
 * Like: ReadTransport.pause_reading().
 */
AUV_API void auv_transport_pause_reading(auv_transport *transport);

/**
 * auv_transport_resume_reading() - receive again
 * @transport:   the transport; one that is not paused, or NULL, stays as it is
 *
 * Suspends: no.    Thread: the loop's.
 * Like: ReadTransport.resume_reading().
 */
AUV_API void auv_transport_resume_reading(auv_transport *transport);

/**
 * auv_transport_is_reading() - whether data is being received
 * @transport:   the transport; NULL does not
 *
 * Return: false where it is paused or closing, or only writes.
 * Suspends: no.    Thread: the loop's.
 * Like: ReadTransport.is_reading().
 */
AUV_API bool auv_transport_is_reading(const auv_transport *transport);

/**
 * auv_transport_get_write_buffer_size() - how much waits to be sent
 * @transport:   the transport; NULL has none
 *
 * Return: bytes.
 * Suspends: no.    Thread: the loop's.
 * Like: WriteTransport.get_write_buffer_size().
 */
AUV_API size_t auv_transport_get_write_buffer_size(const auv_transport *transport);

/**
 * auv_transport_get_write_buffer_limits() - the water marks
 * @transport:   the transport
 * @ret_low:     receives the low one, in bytes; may be NULL
 * @ret_high:    receives the high one, in bytes; may be NULL
 *
 * Return: 0, or AUV_EINVAL: @transport is NULL.
 * Suspends: no.    Thread: the loop's.
 * Like: WriteTransport.get_write_buffer_limits().
 */
AUV_API int auv_transport_get_write_buffer_limits(const auv_transport *transport, size_t *ret_low,
                                                  size_t *ret_high);

/**
 * auv_transport_set_write_buffer_limits() - set the water marks
 * @transport:   the transport
 * @high:        pause_writing() is called when more than this waits to be sent, in bytes;
 *               AUV_DEFAULT_LIMIT for 64 KiB, or for four times @low where that is given
 * @low:         resume_writing() is called when this or less does, in bytes; AUV_DEFAULT_LIMIT for a
 *               quarter of @high
 *
 * May call pause_writing().
 *
 * Return: 0, or AUV_EINVAL: @high is less than @low, or @transport is NULL.
 * Suspends: no.    Thread: the loop's.
 * Like: WriteTransport.set_write_buffer_limits().
 */
AUV_API int auv_transport_set_write_buffer_limits(auv_transport *transport, size_t high, size_t low);

/**
 * auv_transport_get_extra_info() - what is to be known about a connection
 * @transport:   the transport
 * @name:        "peername" or "sockname", the address of the peer or the own one: ret->p is a const
 *               struct sockaddr *; "socket", or "pipe" where it was made from one: ret->i is the
 *               descriptor, as long as it is open
 * @ret:         receives the information; untouched where there is none, so that what it has
 *               been set to before is the default
 *
 * Return: 1, or 0: there is none of that name, or @transport is NULL.
 * Owns: nothing; an address is borrowed from @transport, and stays when the connection is lost.
 * Suspends: no.    Thread: the loop's.
 * Like: transport.get_extra_info(). See auv_format_address().
 */
AUV_API int auv_transport_get_extra_info(const auv_transport *transport, const char *name, auv_value *ret);

/**
 * auv_transport_set_protocol() - have another protocol told of what happens
 * @transport:   a transport whose connection is not lost
 * @protocol:    the protocol; copied; its connection_made() is not called
 *
 * The one that it replaces is released before this returns.
 *
 * Return: 0, or a negative error, and then @protocol is not released.
 * Errors: AUV_EINVAL, @transport or @protocol is NULL, or its functions are; AUV_ERUNTIME, the connection is
 * lost.
 * Suspends: no.    Thread: the loop's.
 * Like: transport.set_protocol().
 */
AUV_API int auv_transport_set_protocol(auv_transport *transport, const auv_protocol *protocol);

/**
 * auv_transport_get_protocol() - who is told of what happens
 * @transport:   the transport
 *
 * Return: its protocol; all zero when the connection is lost, and for NULL.
 * Suspends: no.    Thread: the loop's.
 * Like: transport.get_protocol().
 */
AUV_API auv_protocol auv_transport_get_protocol(const auv_transport *transport);

/**
 * auv_transport_get_loop() - the loop of a transport
 * @transport:   the transport; NULL gives NULL
 *
 * Owns: nothing; the loop is borrowed.
 * Suspends: no.    Thread: the loop's.
 * Differs: asyncio's transports do not tell.
 */
AUV_API auv_loop *auv_transport_get_loop(const auv_transport *transport);

AUV_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_SENDFILE_H
#define ASYNCUV_SENDFILE_H

#include <asyncuv/transport.h>

AUV_BEGIN_DECLS

/* How a file is sent; 0 for the default. */
enum {
        AUV_SENDFILE_NO_FALLBACK = 1 << 0, /* fail where the system cannot do it; asyncio's fallback=False */
};

/**
 * auv_await_sock_sendfile() - send a file to a socket
 * @fd:          a stream socket that does not block
 * @file:        descriptor of the file
 * @offset:      where in the file to begin, in bytes
 * @count:       bytes to send at the most; 0 for all up to the end of the file
 * @flags:       AUV_SENDFILE_NO_FALLBACK or 0
 * @ret_sent:    receives how many bytes were sent; may be NULL
 *
 * The system does it by itself (sendfile(2)) where it can. Where it cannot, as with a pipe for a file, the
 * file is read in libuv's pool of threads and sent from memory. However this ends, the position in the file
 * is right behind what was sent, where anything was. SIGPIPE is not raised.
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, @fd is no stream socket or in debug mode blocks, @offset is negative, or a flag is
 * unknown; AUV_ENOTSUP, the system cannot do it, with AUV_SENDFILE_NO_FALLBACK; AUV_ERUNTIME, a transport
 * has the descriptor; AUV_EPIPE, AUV_ECONNRESET and others of the system's; AUV_ECANCELED; AUV_ENOTASK;
 * AUV_ECLOSED; AUV_ENOMEM.
 * Owns: nothing; @file must stay open until this has returned, and in the pool a read that was cancelled may
 * still use it thereafter.
 * Suspends: yes, unless there is room for all of it.    Thread: the loop's.
 * Like: loop.sock_sendfile(). Differs: what is no regular file is sent to its end; asyncio sends nothing of
 * it.
 */
AUV_API int auv_await_sock_sendfile(int fd, int file, int64_t offset, size_t count, unsigned flags,
                                    size_t *ret_sent);

/**
 * auv_await_sendfile() - send a file over a transport
 * @transport:   a transport of a connected socket
 * @file, @offset, @count, @flags, @ret_sent: as for auv_await_sock_sendfile()
 *
 * What was written before is sent first. Nothing is received meanwhile, and nothing else may be written.
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, @transport is NULL, @offset is negative, or a flag is unknown; AUV_ERUNTIME,
 * @transport is closing, of another kind, or sends a file already; AUV_ECONNRESET, the connection was lost
 * meanwhile; AUV_ENOTSUP, the system cannot do it, with AUV_SENDFILE_NO_FALLBACK; others as
 * auv_await_sock_sendfile().
 * Owns: as auv_await_sock_sendfile().
 * Suspends: yes, unless there is room for all of it.    Thread: the loop's.
 * Like: loop.sendfile(). Differs: as auv_await_sock_sendfile().
 */
AUV_API int auv_await_sendfile(auv_transport *transport, int file, int64_t offset, size_t count,
                               unsigned flags, size_t *ret_sent);

AUV_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_ERROR_H
#define ASYNCUV_ERROR_H

#include <asyncuv/value.h>

#include <errno.h>

AUV_BEGIN_DECLS

/*
 * Errors
 *
 * A function that can fail returns a negative number: one of libuv's UV_E* with its own
 * value, or one of this library's, which stand in a block beside them. With the number may
 * travel an error object, as Python's exception does: code, message, cause, and the
 * members of a group. The object of the most recent failure is kept per task; see
 * auv_error_current().
 */

/* X(NAME, VALUE, "text") for each error; from libuv's, those that its calls on Unix return. */
#define AUV_ERROR_MAP(X)                                                       \
        X(E2BIG, -E2BIG, "argument list too long")                             \
        X(EACCES, -EACCES, "permission denied")                                \
        X(EADDRINUSE, -EADDRINUSE, "address already in use")                   \
        X(EADDRNOTAVAIL, -EADDRNOTAVAIL, "address not available")              \
        X(EAFNOSUPPORT, -EAFNOSUPPORT, "address family not supported")         \
        X(EAGAIN, -EAGAIN, "resource temporarily unavailable")                 \
        X(EALREADY, -EALREADY, "connection already in progress")               \
        X(EBADF, -EBADF, "bad file descriptor")                                \
        X(EBUSY, -EBUSY, "resource busy or locked")                            \
        X(ECANCELED, -ECANCELED, "cancelled")                                  \
        X(ECONNABORTED, -ECONNABORTED, "software caused connection abort")     \
        X(ECONNREFUSED, -ECONNREFUSED, "connection refused")                   \
        X(ECONNRESET, -ECONNRESET, "connection reset by peer")                 \
        X(EDEADLK, -EDEADLK, "nothing can ever wake the loop again")           \
        X(EDESTADDRREQ, -EDESTADDRREQ, "destination address required")         \
        X(EEXIST, -EEXIST, "file already exists")                              \
        X(EFAULT, -EFAULT, "bad address in system call argument")              \
        X(EFBIG, -EFBIG, "file too large")                                     \
        X(EHOSTDOWN, -EHOSTDOWN, "host is down")                               \
        X(EHOSTUNREACH, -EHOSTUNREACH, "host is unreachable")                  \
        X(EILSEQ, -EILSEQ, "illegal byte sequence")                            \
        X(EINTR, -EINTR, "interrupted system call")                            \
        X(EINVAL, -EINVAL, "invalid argument")                                 \
        X(EIO, -EIO, "i/o error")                                              \
        X(EISCONN, -EISCONN, "socket is already connected")                    \
        X(EISDIR, -EISDIR, "illegal operation on a directory")                 \
        X(ELOOP, -ELOOP, "too many symbolic links encountered")                \
        X(EMFILE, -EMFILE, "too many open files")                              \
        X(EMLINK, -EMLINK, "too many links")                                   \
        X(EMSGSIZE, -EMSGSIZE, "message too long")                             \
        X(ENAMETOOLONG, -ENAMETOOLONG, "name too long")                        \
        X(ENETDOWN, -ENETDOWN, "network is down")                              \
        X(ENETUNREACH, -ENETUNREACH, "network is unreachable")                 \
        X(ENFILE, -ENFILE, "file table overflow")                              \
        X(ENOBUFS, -ENOBUFS, "no buffer space available")                      \
        X(ENODEV, -ENODEV, "no such device")                                   \
        X(ENOENT, -ENOENT, "no such file or directory")                        \
        X(ENOMEM, -ENOMEM, "not enough memory")                                \
        X(ENOPROTOOPT, -ENOPROTOOPT, "protocol not available")                 \
        X(ENOSPC, -ENOSPC, "no space left on device")                          \
        X(ENOSYS, -ENOSYS, "function not implemented")                         \
        X(ENOTCONN, -ENOTCONN, "socket is not connected")                      \
        X(ENOTDIR, -ENOTDIR, "not a directory")                                \
        X(ENOTEMPTY, -ENOTEMPTY, "directory not empty")                        \
        X(ENOTSOCK, -ENOTSOCK, "socket operation on non-socket")               \
        X(ENOTSUP, -ENOTSUP, "operation not supported")                        \
        X(ENOTTY, -ENOTTY, "inappropriate ioctl for device")                   \
        X(ENXIO, -ENXIO, "no such device or address")                          \
        X(EOVERFLOW, -EOVERFLOW, "value too large for defined data type")      \
        X(EPERM, -EPERM, "operation not permitted")                            \
        X(EPIPE, -EPIPE, "broken pipe")                                        \
        X(EPROTO, -EPROTO, "protocol error")                                   \
        X(EPROTONOSUPPORT, -EPROTONOSUPPORT, "protocol not supported")         \
        X(EPROTOTYPE, -EPROTOTYPE, "protocol wrong type for socket")           \
        X(ERANGE, -ERANGE, "result too large")                                 \
        X(EROFS, -EROFS, "read-only file system")                              \
        X(ESHUTDOWN, -ESHUTDOWN, "cannot send after transport endpoint shutdown") \
        X(ESOCKTNOSUPPORT, -ESOCKTNOSUPPORT, "socket type not supported")      \
        X(ESPIPE, -ESPIPE, "invalid seek")                                     \
        X(ESRCH, -ESRCH, "no such process")                                    \
        X(ETIMEDOUT, -ETIMEDOUT, "timed out")                                  \
        X(ETXTBSY, -ETXTBSY, "text file is busy")                              \
        X(EXDEV, -EXDEV, "cross-device link not permitted")                    \
        X(EAI_ADDRFAMILY, -3000, "address family not supported")               \
        X(EAI_AGAIN, -3001, "temporary failure")                               \
        X(EAI_BADFLAGS, -3002, "bad ai_flags value")                           \
        X(EAI_CANCELED, -3003, "request canceled")                             \
        X(EAI_FAIL, -3004, "permanent failure")                                \
        X(EAI_FAMILY, -3005, "ai_family not supported")                        \
        X(EAI_MEMORY, -3006, "out of memory")                                  \
        X(EAI_NODATA, -3007, "no address")                                     \
        X(EAI_NONAME, -3008, "unknown node or service")                        \
        X(EAI_OVERFLOW, -3009, "argument buffer overflow")                     \
        X(EAI_SERVICE, -3010, "service not available for socket type")         \
        X(EAI_SOCKTYPE, -3011, "socket type not supported")                    \
        X(EAI_BADHINTS, -3013, "invalid value for hints")                      \
        X(EAI_PROTOCOL, -3014, "resolved protocol is unknown")                 \
        X(ECHARSET, -4080, "invalid Unicode character")                        \
        X(UNKNOWN, -4094, "unknown error")                                     \
        X(EOF, -4095, "end of file")                                           \
        X(ERUNTIME, -5001, "the call is not allowed here")                     \
        X(EINVALIDSTATE, -5002, "the future is not in the right state")        \
        X(ECLOSED, -5003, "the event loop is closed")                          \
        X(ENOLOOP, -5004, "no event loop is running in this thread")           \
        X(ENOTASK, -5005, "not inside a task")                                 \
        X(ENOTATASK, -5006, "the future is not a task")                        \
        X(ESTOPPED, -5007, "the event loop stopped before the future was done") \
        X(ETHREAD, -5008, "called from a thread that the loop does not belong to") \
        X(EGROUP, -5009, "several errors")                                     \
        X(EBROKENBARRIER, -5010, "the barrier is broken")                      \
        X(EQUEUEEMPTY, -5011, "the queue is empty")                            \
        X(EQUEUEFULL, -5012, "the queue is full")                              \
        X(EQUEUESHUTDOWN, -5013, "the queue has been shut down")               \
        X(EINCOMPLETEREAD, -5014, "the stream ended before all was read")      \
        X(ELIMITOVERRUN, -5015, "no separator within the limit of the stream") \
        X(ENOSTACK, -5016, "the task has no stack to wait on")

enum {
#define AUV_ERROR_ENUM_(name, value, text) AUV_##name = (value),
        AUV_ERROR_MAP(AUV_ERROR_ENUM_)
#undef AUV_ERROR_ENUM_
        /* AUV_EUSER and what is below it down to -9999 is the program's own to use. */
        AUV_EUSER = -6000,
};

/**
 * auv_error_name() - the name of an error code
 * @code:        negative error code
 *
 * Return: as "ETIMEDOUT"; "EUSER" for the program's own codes; "UNKNOWN" for others.
 * Suspends: no.    Thread: any.
 */
AUV_API const char *auv_error_name(int code);

/**
 * auv_strerror() - the text of an error code
 * @code:        negative error code
 *
 * Return: as "timed out"; never NULL.
 * Suspends: no.    Thread: any.
 */
AUV_API const char *auv_strerror(int code);

/**
 * auv_error_new() - make an error object
 * @code:        negative error code, one of the list or of the program's own
 * @format:      the message, as for printf(); NULL for none
 *
 * Return: the error, or NULL: there is no memory, or @code is not negative.
 * Owns: the caller owns the reference.
 * Suspends: no.    Thread: any.
 * Like: the call of an exception's class.
 */
AUV_API auv_error *auv_error_new(int code, const char *format, ...) AUV_PRINTF(2, 3);

/**
 * auv_error_new_group() - make an error that stands for several
 * @message:     the message; NULL for none
 * @errors:      the members
 * @n:           how many, at least one
 *
 * Return: an error with the code AUV_EGROUP, or NULL: there is no memory, or no member.
 * Owns: the caller owns the reference; the group takes references of its own to @errors.
 * Suspends: no.    Thread: any.
 * Like: BaseExceptionGroup(message, errors).
 */
AUV_API auv_error *auv_error_new_group(const char *message, auv_error *const *errors, size_t n);

/**
 * auv_error_new_incomplete_read() - make the error of a stream that ended too early
 * @partial:     what was read before the end; may be NULL where @size is 0
 * @size:        how much that is in bytes
 * @expected:    how much was to be read in bytes; 0 where that is not known
 *
 * Return: an error with the code AUV_EINCOMPLETEREAD and asyncio's message, or NULL: there is no
 *         memory, or no @partial.
 * Owns: the caller owns the reference; the error has a copy of @partial.
 * Suspends: no.    Thread: any.
 * Like: asyncio.IncompleteReadError(partial, expected). Differs: 0 stands for an @expected of None.
 */
AUV_API auv_error *auv_error_new_incomplete_read(const void *partial, size_t size, size_t expected);

/**
 * auv_error_new_limit_overrun() - make the error of a stream that has too much before a separator
 * @message:     the message; NULL for none
 * @consumed:    how many bytes at the front of the stream's buffer are known to have no separator
 *
 * Return: an error with the code AUV_ELIMITOVERRUN, or NULL: there is no memory.
 * Owns: the caller owns the reference.
 * Suspends: no.    Thread: any.
 * Like: asyncio.LimitOverrunError(message, consumed).
 */
AUV_API auv_error *auv_error_new_limit_overrun(const char *message, size_t consumed);

/**
 * auv_error_set_cause() - say which error led to this one
 * @error:       a new error, that nobody else has seen yet
 * @cause:       what led to it; NULL for nothing
 *
 * Return: 0, or AUV_EINVAL: @error is NULL, is one that the library shares, or would come to
 *         be its own cause.
 * Owns: @error takes a reference to @cause.
 * Suspends: no.    Thread: any.
 * Like: raise error from cause. Cost: as long as the chain of causes.
 */
AUV_API int auv_error_set_cause(auv_error *error, auv_error *cause);

/**
 * auv_error_code() - the code of an error object
 * @error:       an error; NULL gives 0
 *
 * Suspends: no.    Thread: any.
 */
AUV_API int auv_error_code(const auv_error *error);

/**
 * auv_error_message() - the message of an error object
 * @error:       an error; may be NULL
 *
 * Return: the message, or NULL where it has none.
 * Owns: nothing; the text is borrowed from @error.
 * Suspends: no.    Thread: any.
 */
AUV_API const char *auv_error_message(const auv_error *error);

/**
 * auv_error_cause() - the error that led to this one
 * @error:       an error; may be NULL
 *
 * Return: the cause, or NULL.
 * Owns: nothing; the cause is borrowed from @error.
 * Suspends: no.    Thread: any.
 * Like: exception.__cause__.
 */
AUV_API auv_error *auv_error_cause(const auv_error *error);

/**
 * auv_error_members() - the errors that a group stands for
 * @error:       an error; may be NULL
 * @ret_n:       receives how many; 0 where @error is no group
 *
 * Return: the members, or NULL where @error is no group.
 * Owns: nothing; the members are borrowed from @error.
 * Suspends: no.    Thread: any.
 * Like: ExceptionGroup.exceptions.
 */
AUV_API auv_error *const *auv_error_members(const auv_error *error, size_t *ret_n);

/**
 * auv_error_partial() - what a stream still gave before its end
 * @error:       an error; may be NULL
 * @ret_size:    receives how much that is in bytes; 0 where @error has none; may be NULL
 * @ret_expected: receives how much was to be read; 0 where that is not known; may be NULL
 *
 * Return: the data, or NULL where @error was not made by auv_error_new_incomplete_read().
 * Owns: nothing; the data are borrowed from @error.
 * Suspends: no.    Thread: any.
 * Like: IncompleteReadError.partial and .expected.
 */
AUV_API const void *auv_error_partial(const auv_error *error, size_t *ret_size, size_t *ret_expected);

/**
 * auv_error_consumed() - how much of a stream's buffer has no separator
 * @error:       an error; may be NULL
 *
 * Return: the number of bytes; 0 where @error was not made by auv_error_new_limit_overrun().
 * Suspends: no.    Thread: any.
 * Like: LimitOverrunError.consumed.
 */
AUV_API size_t auv_error_consumed(const auv_error *error);

/**
 * auv_error_format() - an error as text for people
 * @error:       an error; may be NULL
 * @buffer:      receives the text, cut to fit and ended by a zero byte
 * @size:        size of @buffer in bytes; 0 to ask for the length only
 *
 * The name and the message, of a group those of its members, then the causes, on one line.
 *
 * Return: the length in bytes of the whole text, as snprintf().
 * Suspends: no.    Thread: any.
 */
AUV_API size_t auv_error_format(const auv_error *error, char *buffer, size_t size);

/**
 * auv_raise() - fail with a code and a message
 * @code:        negative error code
 * @format:      the message, as for printf(); NULL for none
 *
 * Meant to be returned from a coroutine: `return auv_raise(AUV_EUSER, "no such room: %s", s)`.
 * The error object becomes the current one, and goes with the code to whoever awaits
 * the task. Without memory for it, the code goes alone; one of the program's own, for which memory
 * is needed in any case, becomes AUV_ENOMEM where the task ends with it.
 *
 * Return: @code; AUV_EINVAL where it is not negative.
 * Suspends: no.    Thread: any.
 * Like: raise.
 */
AUV_API int auv_raise(int code, const char *format, ...) AUV_PRINTF(2, 3) AUV_COLD;

/**
 * auv_reraise() - fail with an error object
 * @error:       the error
 *
 * Return: the code of @error; AUV_EINVAL where it is NULL.
 * Owns: a reference of its own is taken to @error.
 * Suspends: no.    Thread: any.
 * Like: raise error.
 */
AUV_API int auv_reraise(auv_error *error);

/**
 * auv_error_current() - the error object of the most recent failure
 *
 * Of the running task, or, in a callback and outside of a loop, of the thread. A failed
 * await, auv_future_result(), auv_raise() and auv_reraise() set it; nothing but
 * auv_error_clear() and the next failure takes it away. To fail with the same error after
 * a clean-up in which something else may fail: take a reference, and auv_reraise() it.
 *
 * Return: the error, or NULL.
 * Owns: nothing; the error is borrowed, and gone at the next failure.
 * Suspends: no.    Thread: any.
 * Like: sys.exception(). Differs: it stays after the error has been handled.
 */
AUV_API auv_error *auv_error_current(void);

/**
 * auv_error_clear() - forget the current error object
 *
 * For a task that has handled an error and may later return the same code for another
 * reason.
 *
 * Suspends: no.    Thread: any.
 */
AUV_API void auv_error_clear(void);

AUV_END_DECLS

#endif

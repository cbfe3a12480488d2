/* SPDX-License-Identifier: MIT */

/*
 * Sending files
 *
 * The same for a socket and for a transport, but for who watches the descriptor: attempts at sendfile(2),
 * one for each time that there is room; and where that is not to be had, a chunk of the file after the
 * other, read in libuv's pool into memory of the library's own.
 */

#include <asyncuv/sendfile.h>

#include "base/error.h"
#include "io/attempt.h"
#include "io/request.h"
#include "io/sigpipe.h"
#include "io/stream_transport.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_SIZE = 64 * 1024 };

/* sendfile(2) sends no more at once. */
static const size_t most_at_once = 0x7ffff000;

struct transfer {
        struct auv__attempt attempt;
        struct auv__task *task;
        auv_transport *transport; /* NULL: a socket of the program's */
        int file;
        int64_t offset; /* of what comes next */
        size_t left;    /* SIZE_MAX for all */
        size_t sent;
        const char *memory; /* what is sent where it is not the file itself */
        size_t memory_size;
};

struct chunk {
        struct auv__request request;
        char data[CHUNK_SIZE];
};

static void advance(struct transfer *transfer, size_t n)
{
        transfer->offset += (int64_t)n;
        transfer->sent += n;
        if (transfer->left != SIZE_MAX)
                transfer->left -= n;
}

static int error_of_errno(void)
{
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? AUV_EAGAIN : -errno;
}

static int send_file(struct auv__attempt *attempt)
{
        struct transfer *transfer = auv__container_of(attempt, struct transfer, attempt);
        const size_t size = transfer->left < most_at_once ? transfer->left : most_at_once;
        off_t position = transfer->offset;
        struct auv__sigpipe sigpipe;
        ssize_t n;

        auv__sigpipe_block(&sigpipe);
        n = auv__sigpipe_unblock(&sigpipe, sendfile(attempt->fd, transfer->file, &position, size));
        if (n < 0)
                return error_of_errno();
        advance(transfer, (size_t)n);
        return n == 0 || transfer->left == 0 ? 0 : AUV_EAGAIN;
}

static int send_memory(struct auv__attempt *attempt)
{
        struct transfer *transfer = auv__container_of(attempt, struct transfer, attempt);
        const ssize_t n = send(attempt->fd, transfer->memory, transfer->memory_size, MSG_NOSIGNAL);

        if (n < 0)
                return error_of_errno();
        transfer->memory += n;
        transfer->memory_size -= (size_t)n;
        advance(transfer, (size_t)n);
        return transfer->memory_size == 0 ? 0 : AUV_EAGAIN;
}

static int await_attempts(struct transfer *transfer, int (*make)(struct auv__attempt *attempt))
{
        transfer->attempt.make = make;
        if (transfer->transport)
                return auv__await_transport_attempt(transfer->task, transfer->transport,
                                                    &transfer->attempt);
        return auv__await_attempt(transfer->task, &transfer->attempt, AUV__WRITER);
}

static int refuse_native(int code)
{
        AUV_AUTO auv_error *cause = auv__error_for(code);
        AUV_AUTO auv_error *error =
                auv_error_new(AUV_ENOTSUP, "the system cannot send this file by itself");

        (void)auv_error_set_cause(error, cause);
        return error ? auv_reraise(error) : auv_raise(AUV_ENOTSUP, NULL);
}

/* Whether the system may be able to do what it has just refused in another way. */
static bool may_fall_back(const struct transfer *transfer, int r)
{
        if (transfer->transport && transfer->transport->is_lost)
                return false;
        return transfer->sent == 0 && r != AUV_ECANCELED && r != AUV_ECLOSED && r != AUV_ENOMEM &&
               r != AUV_ERUNTIME;
}

/* AUV_ENOTSUP where it has to be done otherwise. */
static int await_native(struct transfer *transfer)
{
        struct stat status;
        int r;

        if (fstat(transfer->file, &status) < 0)
                return refuse_native(-errno);
        if (!S_ISREG(status.st_mode))
                return refuse_native(AUV_ESPIPE);
        if (status.st_size == 0)
                return 0;
        r = await_attempts(transfer, send_file);
        return r < 0 && may_fall_back(transfer, r) ? refuse_native(r) : r;
}

static void on_read(uv_fs_t *uv)
{
        auv__request_end((struct auv__request *)uv, (int)uv->result);
}

static void discard_chunk(struct auv__request *request)
{
        uv_fs_req_cleanup(&request->uv.fs);
}

/* Reads what comes next. Returns how much, 0 at the end, or a negative error, and then there is no chunk.
 */
static int await_chunk(struct transfer *transfer, bool seekable, struct chunk **ret_chunk)
{
        struct chunk *chunk = auv__request_new(transfer->task, sizeof(*chunk), discard_chunk);
        uv_buf_t buffer;
        int r;

        if (!chunk)
                return AUV_ENOMEM;
        buffer = uv_buf_init(chunk->data,
                             transfer->left < CHUNK_SIZE ? (unsigned)transfer->left : CHUNK_SIZE);
        r = uv_fs_read(chunk->request.loop, &chunk->request.uv.fs, transfer->file, &buffer, 1,
                       seekable ? transfer->offset : -1, on_read);
        r = auv__await_request(transfer->task, &chunk->request, r);
        if (r >= 0)
                *ret_chunk = chunk;
        return r;
}

static int await_fallback(struct transfer *transfer)
{
        const bool seekable = lseek(transfer->file, 0, SEEK_CUR) >= 0;
        struct chunk *chunk;
        bool at_end;
        int r;

        if (!seekable && transfer->offset > 0)
                return auv_raise(AUV_ESPIPE, NULL);
        while (transfer->left > 0) {
                r = await_chunk(transfer, seekable, &chunk);
                if (r < 0)
                        return r;
                transfer->memory = chunk->data;
                transfer->memory_size = (size_t)r;
                at_end = r == 0;
                if (!at_end)
                        r = await_attempts(transfer, send_memory);
                auv__request_free(&chunk->request);
                if (r < 0 || at_end)
                        return r;
        }
        return 0;
}

static int await_transfer(struct transfer *transfer, unsigned flags, size_t *ret_sent)
{
        int r = await_native(transfer);

        if (r == AUV_ENOTSUP && !(flags & AUV_SENDFILE_NO_FALLBACK))
                r = await_fallback(transfer);
        if (transfer->sent > 0)
                (void)lseek(transfer->file, (off_t)transfer->offset, SEEK_SET);
        if (r < 0)
                return r;
        if (ret_sent)
                *ret_sent = transfer->sent;
        return 0;
}

static int check_parameters(int64_t offset, unsigned flags)
{
        if (offset < 0 || flags & ~(unsigned)AUV_SENDFILE_NO_FALLBACK)
                return auv_raise(AUV_EINVAL, "the offset is negative, or a flag unknown");
        return 0;
}

static int check_socket(int fd)
{
        socklen_t size = sizeof(int);
        int type;

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
                return auv_raise(-errno, NULL);
        return type == SOCK_STREAM ? 0 : auv_raise(AUV_EINVAL, "only stream sockets are sent files over");
}

static size_t limit_of(size_t count)
{
        return count > 0 ? count : SIZE_MAX;
}

int auv_await_sock_sendfile(int fd, int file, int64_t offset, size_t count, unsigned flags,
                            size_t *ret_sent)
{
        struct transfer transfer = {
                .attempt = { .fd = fd }, .file = file, .offset = offset, .left = limit_of(count)
        };

        AUV_TRY(auv__await_begin(&transfer.task));
        AUV_TRY(check_parameters(offset, flags));
        AUV_TRY(check_socket(fd));
        AUV_TRY(auv__attempt_check(transfer.task, fd));
        return await_transfer(&transfer, flags, ret_sent);
}

static int check_transport(const struct auv__task *task, const auv_transport *transport)
{
        if (!transport)
                return auv_raise(AUV_EINVAL, "no transport");
        if (transport->is_closing)
                return auv_raise(AUV_ERUNTIME, "the transport is closing");
        if (transport->kind != &auv__socket_kind)
                return auv_raise(AUV_ERUNTIME, "no files are sent over a transport of this kind");
        if (transport->handle.loop != task->future.loop)
                return auv_raise(AUV_ERUNTIME, "the transport belongs to another loop");
        if (transport->is_sending_file)
                return auv_raise(AUV_ERUNTIME, "the transport sends a file already");
        return transport->wrote_eof ? auv_raise(AUV_ERUNTIME, "cannot write after write_eof()") : 0;
}

int auv_await_sendfile(auv_transport *transport, int file, int64_t offset, size_t count, unsigned flags,
                       size_t *ret_sent)
{
        struct transfer transfer = {
                .transport = transport, .file = file, .offset = offset, .left = limit_of(count)
        };
        bool was_reading;
        int r;

        AUV_TRY(auv__await_begin(&transfer.task));
        AUV_TRY(check_parameters(offset, flags));
        AUV_TRY(check_transport(transfer.task, transport));
        auv__keep(&transport->object);
        was_reading = auv_transport_is_reading(transport);
        auv_transport_pause_reading(transport);
        transport->is_sending_file = true;
        r = await_transfer(&transfer, flags, ret_sent);
        transport->is_sending_file = false;
        if (was_reading)
                auv_transport_resume_reading(transport);
        auv__drop(&transport->object);
        return r;
}

/* SPDX-License-Identifier: MIT */

/*
 * Stream reader
 *
 * What a connection has received and nobody has read yet, and the task that waits for more. All of
 * asyncio's rules: one waiter at a time; an error beats what is in the buffer; the transport rests while
 * there is more than twice the limit, and goes on with no more than the limit.
 *
 * The buffer always has all that came in and was not handed out: each read looks at it, and takes
 * something only when it is about to return. So a read that is cancelled has lost nothing.
 */

#include "io/stream_reader.h"

#include "base/alloc.h"
#include "base/error.h"
#include "io/transport.h"
#include "sync/bind.h"

#include <string.h>

enum { DEFAULT_LIMIT = 64 << 10 };

auv_stream_reader *auv_stream_reader_new(auv_loop *loop, size_t limit)
{
        const int r = auv__loop_check(&loop);
        auv_stream_reader *reader;

        if (r < 0)
                return NULL;
        reader = auv__calloc(sizeof(*reader));
        if (!reader || auv__read_buffer_init(&reader->buffer, loop) < 0) {
                auv__free(reader);
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        reader->object = auv__object_init(AUV__STREAM_READER, 0);
        reader->limit = limit > 0 ? limit : DEFAULT_LIMIT;
        auv__loop_hold(loop);
        return reader;
}

void auv__stream_reader_free(struct auv__object *object)
{
        auv_stream_reader *reader = auv__container_of(object, auv_stream_reader, object);
        auv_loop *loop = reader->buffer.loop;

        auv__stream_protocol_deinit(&reader->protocol);
        auv__read_buffer_deinit(&reader->buffer);
        auv_unref(reader->error);
        auv_unref(reader->transport);
        auv__free(reader);
        auv__loop_release(loop);
}

/* What is there to read, without what a read to the end of the stream has taken already. */
static size_t unread(const auv_stream_reader *reader)
{
        return auv__read_buffer_size(&reader->buffer) - reader->gathered;
}

/* Feeding */

static void resume(auv_stream_reader *reader)
{
        reader->paused = false;
        auv_transport_resume_reading(reader->transport); /* which may be gone */
}

static void resume_if_low(auv_stream_reader *reader)
{
        if (auv__unlikely(reader->paused) && unread(reader) <= reader->limit)
                resume(reader);
}

static void pause_if_high(auv_stream_reader *reader)
{
        const size_t size = unread(reader);

        if (auv__likely(size <= reader->limit || size - reader->limit <= reader->limit))
                return;
        if (!reader->transport || reader->paused)
                return;
        reader->paused = true;
        auv_transport_pause_reading(reader->transport);
}

void auv__stream_reader_commit(auv_stream_reader *reader, size_t size)
{
        auv__read_buffer_commit(&reader->buffer, size);
        auv__arrive(&reader->waiting, 0);
        pause_if_high(reader);
}

/* Why nothing can be fed; 0 where it can. */
static int check_feed(const auv_stream_reader *reader)
{
        return reader ? auv__loop_check_thread(reader->buffer.loop) : auv_raise(AUV_EINVAL, "no reader");
}

int auv_stream_feed_data(auv_stream_reader *reader, const void *data, size_t size)
{
        void *room;

        AUV_TRY(check_feed(reader));
        if (!data && size > 0)
                return auv_raise(AUV_EINVAL, "no data");
        if (reader->eof)
                return auv_raise(AUV_ERUNTIME, "feed_data after feed_eof");
        if (size == 0)
                return 0;
        room = auv__read_buffer_reserve(&reader->buffer, size, /* ret_room= */ NULL);
        if (!room)
                return auv_raise(AUV_ENOMEM, NULL);
        memcpy(room, data, size);
        auv__stream_reader_commit(reader, size);
        return 0;
}

void auv__stream_reader_end(auv_stream_reader *reader)
{
        reader->eof = true;
        auv__arrive(&reader->waiting, 0);
}

int auv_stream_feed_eof(auv_stream_reader *reader)
{
        AUV_TRY(check_feed(reader));
        auv__stream_reader_end(reader);
        return 0;
}

void auv__stream_reader_fail(auv_stream_reader *reader, auv_error *error)
{
        auv_error *old = reader->error;

        reader->error = auv_ref(error);
        auv__arrive(&reader->waiting, auv_error_code(error));
        auv_unref(old);
}

int auv_stream_set_exception(auv_stream_reader *reader, auv_error *error)
{
        AUV_TRY(check_feed(reader));
        if (!error)
                return auv_raise(AUV_EINVAL, "no error");
        auv__stream_reader_fail(reader, error);
        return 0;
}

auv_error *auv_stream_exception(const auv_stream_reader *reader)
{
        return reader ? reader->error : NULL;
}

bool auv_stream_at_eof(const auv_stream_reader *reader)
{
        return reader && reader->eof && unread(reader) == 0;
}

/* Reading */

static int fail_busy(const char *name)
{
        return auv_raise(AUV_ERUNTIME,
                         "%s() called while another coroutine is already waiting for incoming data", name);
}

/*
 * What each read of @n bytes or more begins with. What the one before has handed out is no longer lent. A
 * read to the end of the stream has gathered what there is, and is not to find it gone.
 */
static int begin(auv_stream_reader *reader, const char *name, size_t n)
{
        if (reader->error)
                return auv_reraise(reader->error);
        if (reader->gathering && n > 0)
                return fail_busy(name);
        auv__read_buffer_settle(&reader->buffer);
        return 0;
}

/*
 * Begins to wait until there may be more data, or no more will come. The task is woken when its transport can
 * receive something, and has it received itself; see auv__transport_take().
 */
AUV__HOT static int begin_wait(auv_stream_reader *reader, const char *name, void *waits_at)
{
        struct auv__task *task = auv__steps_task();

        if (reader->waiting)
                return fail_busy(name);
        AUV_TRY(auv__sync_bind(&reader->buffer.loop, task));
        /* Nobody else would: it rests because of data that this read cannot do with. */
        if (reader->paused)
                resume(reader);
        /* Who waits may wait for hours, and there may be a million of them. */
        auv__read_buffer_trim(&reader->buffer);
        auv__arrival_begin(task, &reader->waiting, waits_at);
        return 0;
}

static inline int end_wait(auv_stream_reader *reader, const char *name, int r)
{
        bool arrived;

        r = auv__arrival_end(auv__steps_task(), &reader->waiting, r, &arrived);
        if (auv__likely(reader->transport))
                auv__transport_take(reader->transport, /* wanted= */ r == 0);
        return r < 0 && arrived ? auv_reraise(reader->error) : r;
}

/* As end_wait(), where another task may have begun to read all there is meanwhile, which leaves nothing. */
static inline int end_wait_for_more(auv_stream_reader *reader, const char *name, int r)
{
        r = end_wait(reader, name, r);
        return auv__unlikely(reader->gathering) && r == 0 ? fail_busy(name) : r;
}

/* In steps: the whole wait, with one of these two at its end. @r is 0 or a negative error. */
#define AWAIT_DATA_CATCH(r, reader, name, end)                                                       \
        do {                                                                                         \
                r = begin_wait((reader), (name), frame);                                             \
                if (r == 0) {                                                                        \
                        AUV__SUSPEND_CATCH(r);                                                       \
                        r = end((reader), (name), r);                                                \
                }                                                                                    \
        } while (0)

/*
 * What a read that has to wait begins with: holds the reader. Its steps come behind this wait, see
 * auv__run_steps_on().
 */
static inline int begin_read(auv_stream_reader *reader, const char *name, auv_frame *frame)
{
        AUV_TRY(begin_wait(reader, name, frame));
        auv__keep(&reader->object);
        return 0;
}

/* Hands out the next @size bytes. */
static void take(auv_stream_reader *reader, size_t size, const char **ret_data, size_t *ret_size)
{
        *ret_data = auv__read_buffer_take(&reader->buffer, size);
        *ret_size = size;
        reader->n_takes++;
}

/* Drops the next @size bytes. What another task was lent stays where it is. */
static void discard(auv_stream_reader *reader, size_t size)
{
        auv__read_buffer_drop(&reader->buffer, size);
        reader->n_takes++;
}

/* Fails since the stream has ended before @expected bytes. Without memory for it, nothing is taken. */
static int fail_incomplete(auv_stream_reader *reader, size_t expected)
{
        const size_t size = unread(reader);
        const char *data = auv__read_buffer_data(&reader->buffer);
        auv_error *error = auv_error_new_incomplete_read(data, size, expected);

        if (!error)
                return auv_raise(AUV_ENOMEM, NULL);
        discard(reader, size);
        return auv__error_set_current(error);
}

/* read() */

struct read {
        auv_frame frame;
        auv_stream_reader *reader;
        size_t n;
        const char **ret_data;
        size_t *ret_size;
};

static void begin_gathering(auv_stream_reader *reader)
{
        auv__keep(&reader->object);
        reader->gathering = true;
}

/* Marks up to the limit of what there is as gathered. Returns how much. */
static size_t gather_some(auv_stream_reader *reader)
{
        size_t size = unread(reader);

        if (size > reader->limit)
                size = reader->limit;
        reader->gathered += size;
        resume_if_low(reader);
        return size;
}

static void end_gathering(const struct read *self, int r)
{
        auv_stream_reader *reader = self->reader;
        const size_t size = reader->gathered;

        reader->gathering = false;
        reader->gathered = 0;
        if (r == 0)
                take(reader, size, self->ret_data, self->ret_size);
        else if (reader->error)
                discard(reader, size);
        auv__drop(&reader->object);
}

/*
 * asyncio's loop of reads of at most the limit each; which can be seen from when the transport rests and
 * goes on. What they have read stays in the buffer, marked as gathered.
 */
static int read_all_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct read, self);
        int r;

        begin_gathering(self->reader);
        do {
                r = self->reader->error ? auv_reraise(self->reader->error) : 0;
                if (r == 0 && unread(self->reader) == 0 && !self->reader->eof)
                        AWAIT_DATA_CATCH(r, self->reader, "read", end_wait);
        } while (r == 0 && (gather_some(self->reader) > 0 || !self->reader->eof));
        end_gathering(self, r);
        AUV_LEAVE(r);
        AUV_END;
}

static void take_some(auv_stream_reader *reader, size_t n, const char **ret_data, size_t *ret_size)
{
        const size_t size = unread(reader);

        take(reader, size < n ? size : n, ret_data, ret_size);
        resume_if_low(reader);
}

static void read_nothing(const char **ret_data, size_t *ret_size)
{
        *ret_data = "";
        *ret_size = 0;
}

AUV__HOT static int read_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct read, self);
        int r;

        r = end_wait_for_more(self->reader, "read", frame->error);
        /* Another task may have taken what this one was woken for. */
        while (auv__unlikely(r == 0 && unread(self->reader) == 0 && !self->reader->eof)) {
                r = self->reader->error ? auv_reraise(self->reader->error) : 0;
                if (r == 0)
                        AWAIT_DATA_CATCH(r, self->reader, "read", end_wait_for_more);
        }
        if (auv__likely(r == 0))
                take_some(self->reader, self->n, self->ret_data, self->ret_size);
        auv__drop(&self->reader->object);
        AUV_LEAVE(r);
        AUV_END;
}

AUV__HOT AUV__RETURNS_BY_JUMP int auv_await_stream_read(auv_stream_reader *reader, size_t n,
                                                        const char **ret_data, size_t *ret_size)
{
        struct auv__task *task;
        struct read read;

        AUV_TRY(auv__sync_begin(reader, &task));
        if (auv__unlikely(!ret_data || !ret_size))
                return auv_raise(AUV_EINVAL, "no place for the data");
        AUV_TRY(begin(reader, "read", n));
        read = (struct read) { .reader = reader, .n = n, .ret_data = ret_data, .ret_size = ret_size };
        if (auv__unlikely(n == AUV_STREAM_ALL))
                return auv__run_steps(task, read_all_steps, &read);
        if (n > 0 && unread(reader) == 0 && !reader->eof) {
                AUV_TRY(begin_read(reader, "read", &read.frame));
                return auv__run_steps_on(task, read_steps, &read);
        }
        if (n > 0)
                take_some(reader, n, ret_data, ret_size);
        else
                read_nothing(ret_data, ret_size);
        return 0;
}

/* readuntil(), and readline() */

/* Where the first separator stands, counted from the front of the buffer. */
struct match {
        size_t start;
        size_t end; /* 0: there is none */
};

/* The separators of a readuntil(). */
struct separators {
        const auv_buffer *list;
        size_t n;
        size_t shortest;
        size_t longest;
};

/* The separator that ends first, and of those that end together the shortest. */
static struct match find(const auv_stream_reader *reader, const struct separators *separators, size_t offset)
{
        const char *data = auv__read_buffer_data(&reader->buffer), *from = data + offset;
        size_t size = unread(reader);
        struct match match = { 0 };

        for (size_t i = 0; i < separators->n; i++) {
                const auv_buffer *separator = &separators->list[i];
                const char *found;
                size_t start, end;

                if (size - offset < separator->size)
                        continue;
                found = separator->size == 1 ? memchr(from, *(const char *)separator->data, size - offset)
                                             : memmem(from, size - offset, separator->data, separator->size);
                if (!found)
                        continue;
                start = (size_t)(found - data);
                end = start + separator->size;
                if (match.end == 0 || end < match.end || (end == match.end && start > match.start))
                        match = (struct match) { .start = start, .end = end };
                /* No other can end earlier and begin behind this. */
                size = match.end;
        }
        return match;
}

enum search {
        FOUND,
        ENDED,     /* the stream has, without a separator */
        TOO_LONG,  /* a separator stands beyond the limit */
        NOT_FOUND, /* more than the limit is there without one; match.start is how much */
        NOT_YET,
};

struct read_until {
        auv_frame frame;
        auv_stream_reader *reader;
        const char **ret_data;
        size_t *ret_size;
        struct separators separators;
        size_t offset; /* there is no separator up to here */
        unsigned n_takes;
        bool is_line;  /* and ends as asyncio's readline() does */
};

/* Looks for the first separator, in what has come in since the last look. */
static enum search search_on(struct read_until *self, struct match *ret_match)
{
        const auv_stream_reader *reader = self->reader;
        const struct separators *separators = &self->separators;
        const size_t size = unread(reader);

        *ret_match = (struct match) { 0 };
        if (self->n_takes != reader->n_takes) {
                /* Another task has read in between. */
                self->n_takes = reader->n_takes;
                self->offset = 0;
        }
        if (size - self->offset >= separators->shortest) {
                *ret_match = find(reader, separators, self->offset);
                if (ret_match->end > 0)
                        return ret_match->start > reader->limit ? TOO_LONG : FOUND;
                self->offset = size + 1 > separators->longest ? size + 1 - separators->longest : 0;
                ret_match->start = self->offset;
                if (self->offset > reader->limit)
                        return NOT_FOUND;
        }
        return reader->eof ? ENDED : NOT_YET;
}

static const char *overrun_text(enum search search)
{
        return search == TOO_LONG ? "Separator is found, but chunk is longer than limit"
                                  : "Separator is not found, and chunk exceed the limit";
}

static int end_line(const struct read_until *self, enum search search, const struct match *match)
{
        auv_stream_reader *reader = self->reader;

        switch (search) {
        case FOUND:
                take(reader, match->end, self->ret_data, self->ret_size);
                resume_if_low(reader);
                return 0;
        case ENDED:
                take(reader, unread(reader), self->ret_data, self->ret_size);
                return 0;
        default:
                discard(reader, search == TOO_LONG ? match->end : unread(reader));
                resume_if_low(reader);
                return auv_raise(AUV_EINVAL, "%s", overrun_text(search));
        }
}

static int end_until(const struct read_until *self, enum search search, const struct match *match)
{
        auv_error *error;

        switch (search) {
        case FOUND:
                take(self->reader, match->end, self->ret_data, self->ret_size);
                resume_if_low(self->reader);
                return 0;
        case ENDED:
                return fail_incomplete(self->reader, /* expected= */ 0);
        default:
                error = auv_error_new_limit_overrun(overrun_text(search), match->start);
                return error ? auv__error_set_current(error) : auv_raise(AUV_ENOMEM, NULL);
        }
}

static int end_search(const struct read_until *self, enum search search, const struct match *match)
{
        return self->is_line ? end_line(self, search, match) : end_until(self, search, match);
}

/* Behind the first wait for a separator that is not there yet. */
static int read_until_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct read_until, self);
        enum search search;
        struct match match;
        int r;

        r = end_wait_for_more(self->reader, "readuntil", frame->error);
        while (r == 0 && (search = search_on(self, &match)) == NOT_YET)
                AWAIT_DATA_CATCH(r, self->reader, "readuntil", end_wait_for_more);
        if (r == 0)
                r = end_search(self, search, &match);
        auv__drop(&self->reader->object);
        AUV_LEAVE(r);
        AUV_END;
}

AUV__RETURNS_BY_JUMP static int read_until(struct auv__task *task, struct read_until *read)
{
        struct match match;
        enum search search;

        AUV_TRY(begin(read->reader, "readuntil", 1));
        search = search_on(read, &match);
        if (search != NOT_YET)
                return end_search(read, search, &match);
        AUV_TRY(begin_read(read->reader, "readuntil", &read->frame));
        return auv__run_steps_on(task, read_until_steps, read);
}

AUV__RETURNS_BY_JUMP int auv_await_stream_readline(auv_stream_reader *reader, const char **ret_line,
                                                   size_t *ret_size)
{
        static const auv_buffer newline = { .data = "\n", .size = 1 };
        struct read_until read = { .reader = reader,
                                   .ret_data = ret_line,
                                   .ret_size = ret_size,
                                   .separators = { .list = &newline, .n = 1, .shortest = 1, .longest = 1 },
                                   .is_line = true };
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(reader, &task));
        if (!ret_line || !ret_size)
                return auv_raise(AUV_EINVAL, "no place for the line");
        return read_until(task, &read);
}

static int measure(const auv_buffer *list, size_t n, struct separators *ret)
{
        if (!list || n == 0)
                return auv_raise(AUV_EINVAL, "Separator should contain at least one element");
        *ret = (struct separators) { .list = list, .n = n, .shortest = SIZE_MAX };
        for (size_t i = 0; i < n; i++) {
                if (list[i].size == 0 || !list[i].data)
                        return auv_raise(AUV_EINVAL, "Separator should be at least one-byte string");
                if (list[i].size < ret->shortest)
                        ret->shortest = list[i].size;
                if (list[i].size > ret->longest)
                        ret->longest = list[i].size;
        }
        return 0;
}

AUV__RETURNS_BY_JUMP int auv_await_stream_readuntil(auv_stream_reader *reader, const auv_buffer *separators,
                                                    size_t n, const char **ret_data, size_t *ret_size)
{
        struct read_until read = { .reader = reader, .ret_data = ret_data, .ret_size = ret_size };
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(reader, &task));
        if (!ret_data || !ret_size)
                return auv_raise(AUV_EINVAL, "no place for the data");
        AUV_TRY(measure(separators, n, &read.separators));
        return read_until(task, &read);
}

/* readexactly() */

struct read_exactly {
        auv_frame frame;
        auv_stream_reader *reader;
        void *buffer;
        size_t n;
};

static void copy_out(const struct read_exactly *self)
{
        memcpy(self->buffer, auv__read_buffer_data(&self->reader->buffer), self->n);
        discard(self->reader, self->n);
        resume_if_low(self->reader);
}

static int read_exactly_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct read_exactly, self);
        int r;

        r = end_wait_for_more(self->reader, "readexactly", frame->error);
        while (r == 0 && unread(self->reader) < self->n) {
                if (self->reader->eof)
                        r = fail_incomplete(self->reader, self->n);
                else
                        AWAIT_DATA_CATCH(r, self->reader, "readexactly", end_wait_for_more);
        }
        if (r == 0)
                copy_out(self);
        auv__drop(&self->reader->object);
        AUV_LEAVE(r);
        AUV_END;
}

AUV__RETURNS_BY_JUMP int auv_await_stream_readexactly(auv_stream_reader *reader, void *buffer, size_t n)
{
        struct read_exactly read = { .reader = reader, .buffer = buffer, .n = n };
        struct auv__task *task;

        AUV_TRY(auv__sync_begin(reader, &task));
        if (!buffer && n > 0)
                return auv_raise(AUV_EINVAL, "no place for the data");
        AUV_TRY(begin(reader, "readexactly", n));
        if (unread(reader) >= n) {
                if (n > 0)
                        copy_out(&read);
                return 0;
        }
        if (reader->eof)
                return fail_incomplete(reader, n);
        AUV_TRY(begin_read(reader, "readexactly", &read.frame));
        return auv__run_steps_on(task, read_exactly_steps, &read);
}

/* SPDX-License-Identifier: MIT */
#include "io/stream_reader.h"
#include "form.h"
#include "reading.h"
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>
#include <string.h>

TestSuite(stream_reader, .init = loop_setup, .fini = loop_teardown);

/* Each way to read, so that it waits for more than one byte. */
static const char *const words[] = { "r9", "r*", "l", "u;;,/", "n5" };
enum { N_WORDS = sizeof(words) / sizeof(*words) };

static auv_stream_reader *new_reader(size_t limit)
{
        return auv_stream_reader_new(loop, limit);
}

/* Making */

Test(stream_reader, is_not_at_its_end_when_it_is_new)
{
        AUV_AUTO auv_stream_reader *reader = new_reader(0);

        cr_assert(reader != NULL);
        cr_assert(not(auv_stream_at_eof(reader)));
        cr_assert(auv_stream_exception(reader) == NULL);
}

Test(stream_reader, belongs_to_the_running_loop_where_none_is_given)
{
        cr_assert(auv_stream_reader_new(NULL, 0) == NULL);
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOLOOP));
}

Test(stream_reader, cannot_be_made_on_a_closed_loop)
{
        AUV_AUTO auv_loop *other = loop_new();

        auv_loop_close(other);
        cr_assert(auv_stream_reader_new(other, 0) == NULL);
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ECLOSED));
}

Test(stream_reader, outlives_its_loop)
{
        auv_loop *other = loop_new();
        AUV_AUTO auv_stream_reader *reader = auv_stream_reader_new(other, 0);

        cr_assert(eq(int, auv_stream_feed_data(reader, "a", 1), 0));
        auv_loop_close(other);
        auv_unref(other);
        cr_assert(eq(int, auv_stream_feed_data(reader, "b", 1), 0));
        cr_assert(eq(int, auv_stream_feed_eof(reader), 0));
        cr_assert(not(auv_stream_at_eof(reader)));
}

static void make_and_feed(void)
{
        AUV_AUTO auv_loop *other = NULL;
        AUV_AUTO auv_stream_reader *reader = NULL;
        char data[10000] = "";

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &other) < 0)
                return;
        reader = auv_stream_reader_new(other, 0);
        for (int i = 0; reader && i < 3; i++)
                if (auv_stream_feed_data(reader, data, sizeof(data)) < 0)
                        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOMEM));
}

Test(stream_reader, leaves_nothing_behind_without_memory)
{
        cr_assert(gt(long, failing_allocator_sweep(make_and_feed), 3));
}

/* Bad arguments */

static int reads_nowhere(void *arg, auv_value *ret)
{
        const auv_buffer newline = { "\n", 1 }, empty = { "", 0 };
        auv_stream_reader *reader = arg;
        const char *data;
        size_t size;

        cr_assert(eq(int, auv_await_stream_read(reader, 1, NULL, &size), AUV_EINVAL));
        cr_assert(eq(int, auv_await_stream_read(reader, 1, &data, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_await_stream_readline(reader, NULL, &size), AUV_EINVAL));
        cr_assert(eq(int, auv_await_stream_readline(reader, &data, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_await_stream_readuntil(reader, &newline, 1, NULL, &size), AUV_EINVAL));
        cr_assert(eq(int, auv_await_stream_readexactly(reader, NULL, 1), AUV_EINVAL));
        cr_assert(eq(int, auv_await_stream_readuntil(reader, &newline, 0, &data, &size), AUV_EINVAL));
        cr_assert_text(auv_error_message(auv_error_current()),
                       "Separator should contain at least one element");
        cr_assert(eq(int, auv_await_stream_readuntil(reader, NULL, 1, &data, &size), AUV_EINVAL));
        cr_assert(eq(int, auv_await_stream_readuntil(reader, &empty, 1, &data, &size), AUV_EINVAL));
        cr_assert_text(auv_error_message(auv_error_current()),
                       "Separator should be at least one-byte string");
        return 0;
}

Test(stream_reader, says_what_is_missing_of_a_read)
{
        AUV_AUTO auv_stream_reader *reader = new_reader(0);

        cr_assert(eq(int, loop_run(reads_nowhere, reader, NULL), 0));
}

Test(stream_reader, says_what_is_missing_of_a_feed)
{
        AUV_AUTO auv_stream_reader *reader = new_reader(0);
        auv_error *error = auv_error_new(AUV_EUSER, NULL);
        auv_protocol protocol;

        cr_assert(eq(int, auv_stream_feed_data(NULL, "a", 1), AUV_EINVAL));
        cr_assert(eq(int, auv_stream_feed_data(reader, NULL, 1), AUV_EINVAL));
        cr_assert(eq(int, auv_stream_feed_data(reader, NULL, 0), 0));
        cr_assert(eq(int, auv_stream_feed_eof(NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_stream_set_exception(NULL, error), AUV_EINVAL));
        cr_assert(eq(int, auv_stream_set_exception(reader, NULL), AUV_EINVAL));
        cr_assert(auv_stream_exception(NULL) == NULL);
        cr_assert(not(auv_stream_at_eof(NULL)));
        cr_assert(eq(int, auv_stream_reader_protocol(NULL, &protocol), AUV_EINVAL));
        cr_assert(eq(int, auv_stream_reader_protocol(reader, NULL), AUV_EINVAL));
        auv_unref(error);
}

static int reads_of_none(void *arg, auv_value *ret)
{
        const auv_buffer newline = { "\n", 1 };
        const char *data;
        char byte;
        size_t size;

        cr_assert(eq(int, auv_await_stream_read(NULL, 1, &data, &size), AUV_ENOMEM));
        cr_assert(eq(int, auv_await_stream_readline(NULL, &data, &size), AUV_ENOMEM));
        cr_assert(eq(int, auv_await_stream_readuntil(NULL, &newline, 1, &data, &size), AUV_ENOMEM));
        cr_assert(eq(int, auv_await_stream_readexactly(NULL, &byte, 1), AUV_ENOMEM));
        return 0;
}

Test(stream_reader, that_is_null_could_not_be_made)
{
        cr_assert(eq(int, loop_run(reads_of_none, NULL, NULL), 0));
}

Test(stream_reader, is_read_in_tasks)
{
        AUV_AUTO auv_stream_reader *reader = new_reader(0);
        const char *data;
        size_t size;

        reading_feed(reader, "a/");
        cr_assert(eq(int, auv_await_stream_read(reader, 1, &data, &size), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_stream_readline(reader, &data, &size), AUV_ENOTASK));
}

static int reads_a_byte(void *arg, auv_value *ret)
{
        char byte;

        return auv_await_stream_readexactly(arg, &byte, 1);
}

Test(stream_reader, is_not_waited_for_on_another_loop)
{
        AUV_AUTO auv_loop *other = loop_new();
        AUV_AUTO auv_stream_reader *reader = auv_stream_reader_new(other, 0);

        cr_assert(eq(int, loop_run(reads_a_byte, reader, NULL), AUV_ERUNTIME));
        reading_feed(reader, "a");
        cr_assert(eq(int, loop_run(reads_a_byte, reader, NULL), 0));
        auv_unref_at(&reader);
        auv_loop_close(other);
}

Test(stream_reader, takes_no_data_after_the_end)
{
        AUV_AUTO auv_stream_reader *reader = new_reader(0);

        auv_stream_feed_eof(reader);
        cr_assert(eq(int, auv_stream_feed_data(reader, "a", 1), AUV_ERUNTIME));
        cr_assert(auv_stream_at_eof(reader));
}

/* Views */

struct views {
        auv_stream_reader *reader;
        size_t n_fed;
};

/* Reads one view while much more comes in than the block has room for. */
static int keeps_a_view(void *arg, auv_value *ret)
{
        struct views *views = arg;
        char *piece = malloc(5000);
        const char *data, *rest;
        size_t size;

        AUV_TRY(auv_await_stream_read(views->reader, 7, &data, &size));
        cr_assert(eq(sz, size, 7));
        for (int i = 0; i < 60; i++) {
                memset(piece, 'a' + i % 26, 5000);
                cr_assert(eq(int, auv_stream_feed_data(views->reader, piece, 5000), 0));
                cr_assert(memcmp(data, "0123456", 7) == 0);
        }
        for (int i = 0; i < 60; i++) {
                AUV_TRY(auv_await_stream_readexactly(views->reader, piece, 5000));
                for (int j = 0; j < 5000; j++)
                        cr_assert(piece[j] == 'a' + i % 26);
        }
        AUV_TRY(auv_await_stream_read(views->reader, 0, &rest, &size));
        cr_assert(eq(sz, size, 0));
        free(piece);
        return 0;
}

Test(stream_reader, leaves_a_view_where_it_is_until_the_next_read)
{
        AUV_AUTO auv_stream_reader *reader = new_reader(0);
        struct views views = { .reader = reader };

        reading_feed(reader, "0123456");
        cr_assert(eq(int, loop_run(keeps_a_view, &views, NULL), 0));
}

/* Takes random bites of what it feeds itself, and compares each byte. */
static int bites(void *arg, auv_value *ret)
{
        auv_stream_reader *reader = arg;
        unsigned char piece[3000], fed = 0, read = 0;
        const char *data;
        size_t size, total = 0;

        srand(3);
        for (int i = 0; i < 3000; i++) {
                const size_t n = (size_t)rand() % sizeof(piece);

                for (size_t j = 0; j < n; j++)
                        piece[j] = fed++;
                cr_assert(eq(int, auv_stream_feed_data(reader, piece, n), 0));
                total += n;
                if (total == 0)
                        continue;
                AUV_TRY(auv_await_stream_read(reader, 1 + (size_t)rand() % sizeof(piece), &data, &size));
                for (size_t j = 0; j < size; j++)
                        cr_assert(eq(u8, (unsigned char)data[j], read++));
                total -= size;
        }
        return 0;
}

Test(stream_reader, gives_each_byte_once_and_in_order)
{
        AUV_AUTO auv_stream_reader *reader = new_reader(0);

        cr_assert(eq(int, loop_run(bites, reader, NULL), 0));
}

IN_BOTH_FORMS(stream_reader, that_is_idle_has_no_buffer)
{
        AUV_AUTO auv_stream_reader *reader = new_reader(0);

        for (int i = 0; i < N_WORDS; i++) {
                auv_task *task = reading_start(reader, i, words[i]);

                loop_turn();
                cr_assert(reader->buffer.block == NULL);
                reading_feed(reader, "aaaa/");
                cr_assert(reader->buffer.block != NULL);
                if (i == 1) /* it reads to the end, which does not come */
                        auv_task_cancel(task, NULL);
                loop_turns_until_done(task, 4);
                auv_unref(task);
                if (i == 1) {
                        task = reading_start(reader, i, "r9");
                        loop_turn();
                        auv_unref(task);
                }
        }
        cr_assert_trace("0=aaaa/ 1!cancelled 1=aaaa/ 2=aaaa/ 3=aaaa/ 4=aaaa/");
}

/* Errors */

static int fails(void *arg, auv_value *ret)
{
        auv_stream_reader *reader = arg;
        const auv_buffer semicolon = { ";", 1 };
        const char *data, *partial;
        size_t size, expected;
        char buffer[8] = "untouch";

        cr_assert(
                eq(int, auv_await_stream_readuntil(reader, &semicolon, 1, &data, &size), AUV_ELIMITOVERRUN));
        cr_assert_text(auv_error_message(auv_error_current()),
                       "Separator is found, but chunk is longer than limit");
        cr_assert(eq(sz, auv_error_consumed(auv_error_current()), 6));
        cr_assert(eq(int, auv_await_stream_readline(reader, &data, &size), AUV_EINVAL));
        cr_assert_text(auv_error_message(auv_error_current()),
                       "Separator is not found, and chunk exceed the limit");
        cr_assert(eq(sz, auv_error_consumed(auv_error_current()), 0));
        reading_feed(reader, "xyz");
        auv_stream_feed_eof(reader);
        cr_assert(eq(int, auv_await_stream_readexactly(reader, buffer, 8), AUV_EINCOMPLETEREAD));
        cr_assert_text(auv_error_message(auv_error_current()),
                       "3 bytes read on a total of 8 expected bytes");
        partial = auv_error_partial(auv_error_current(), &size, &expected);
        cr_assert(eq(sz, size, 3));
        cr_assert(eq(sz, expected, 8));
        cr_assert(memcmp(partial, "xyz", 3) == 0);
        cr_assert(eq(str, buffer, (char *)"untouch"));
        cr_assert(auv_stream_at_eof(reader));
        cr_assert(eq(int, auv_await_stream_readuntil(reader, &semicolon, 1, &data, &size),
                     AUV_EINCOMPLETEREAD));
        cr_assert_text(auv_error_message(auv_error_current()),
                       "0 bytes read on a total of undefined expected bytes");
        return 0;
}

Test(stream_reader, fails_in_asyncios_words)
{
        AUV_AUTO auv_stream_reader *reader = new_reader(5);

        reading_feed(reader, "abcdef;ghi");
        cr_assert(eq(int, loop_run(fails, reader, NULL), 0));
}

IN_BOTH_FORMS(stream_reader, fails_with_its_error_though_there_are_data)
{
        AUV_AUTO auv_stream_reader *reader = new_reader(0);
        auv_error *error = auv_error_new(AUV_EUSER, "gone");

        reading_feed(reader, "abcdef/");
        auv_stream_set_exception(reader, error);
        auv_unref(error);
        cr_assert(auv_stream_exception(reader) == error);
        for (int i = 0; i < N_WORDS; i++) {
                auv_task *task = reading_start(reader, i, words[i]);

                loop_turn();
                auv_unref(task);
        }
        cr_assert_trace("0!fed 1!fed 2!fed 3!fed 4!fed");
        cr_assert(not(auv_stream_at_eof(reader)));
}

IN_BOTH_FORMS(stream_reader, without_memory_for_the_error_keeps_what_it_has)
{
        AUV_AUTO auv_stream_reader *reader = new_reader(4);
        auv_task *task;

        reading_feed(reader, "abcdef");
        task = reading_start(reader, 0, "u;");
        failing_allocator_arm_all();
        loop_turn();
        cr_assert(failing_allocator_disarm());
        auv_unref(task);
        auv_stream_feed_eof(reader);
        task = reading_start(reader, 1, "n7");
        failing_allocator_arm_all();
        loop_turn();
        cr_assert(failing_allocator_disarm());
        auv_unref(task);
        task = reading_start(reader, 2, "r*");
        loop_turn();
        auv_unref(task);
        cr_assert_trace("0!ENOMEM 1!ENOMEM 2=abcdef");
}

/* Cancellation, timeouts, the end of the loop */

/*
 * A read is cancelled in each turn of its life, before and after data have come in: whatever it did not
 * return is there for the next.
 */
IN_BOTH_FORMS(stream_reader, loses_nothing_when_a_read_is_cancelled)
{
        for (int i = 0; i < N_WORDS; i++) {
                for (int when = 0; when < 8; when++) {
                        AUV_AUTO auv_stream_reader *reader = new_reader(0);
                        auv_task *task = reading_start(reader, 0, words[i]);
                        char expected[32], data[2] = "a";
                        int turn = 0;

                        trace_clear();
                        for (; turn < when; turn++) {
                                loop_turn();
                                data[0] = (char)('a' + turn);
                                if (i != 0 || turn == when - 1)
                                        reading_feed(reader, data);
                        }
                        auv_task_cancel(task, NULL);
                        loop_turn();
                        cr_assert(auv_future_done(task));
                        auv_unref(task);
                        auv_stream_feed_eof(reader);
                        task = reading_start(reader, 1, "r*");
                        loop_turn();
                        auv_unref(task);
                        if (i == 0)
                                snprintf(expected, sizeof(expected), "0!cancelled 1=%s",
                                         when > 0 ? data : "");
                        else if (i == 4 && when > 5)
                                snprintf(expected, sizeof(expected), "0=abcde 1=%.*s", when - 5, "fg");
                        else if (when > 0)
                                snprintf(expected, sizeof(expected), "0!cancelled 1=%.*s", when, "abcdefg");
                        else
                                snprintf(expected, sizeof(expected), "1=");
                        if (when == 0) /* a task that was cancelled before it began never does */
                                snprintf(expected, sizeof(expected), "1=");
                        cr_assert(eq(str, trace_text(), expected), "%s in turn %d", words[i], when);
                }
        }
}

static int reads_for_a_second(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *task = reading_start(arg, 0, "n9");

        return auv_await_wait_for(task, 1, NULL);
}

IN_BOTH_FORMS(stream_reader, loses_nothing_at_a_timeout)
{
        AUV_AUTO auv_stream_reader *reader = new_reader(0);
        auv_task *task;

        reading_feed(reader, "abc");
        cr_assert(eq(int, loop_run(reads_for_a_second, reader, NULL), 0));
        reading_feed(reader, "defghi");
        task = reading_start(reader, 1, "n9");
        loop_turn();
        auv_unref(task);
        cr_assert_trace("0!cancelled 1=abcdefghi");
}

IN_BOTH_FORMS(stream_reader, lets_its_reads_end_with_the_loop)
{
        for (int i = 0; i < N_WORDS; i++) {
                auv_loop *other = loop_new(), *saved = loop;
                AUV_AUTO auv_stream_reader *reader = auv_stream_reader_new(other, 0);
                auv_task *task;

                loop = other;
                task = reading_start(reader, i, words[i]);
                loop_turn();
                auv_loop_close(other);
                cr_assert(auv_future_done(task));
                auv_unref(task);
                loop = saved;
                auv_unref(other);
        }
        cr_assert_trace("0!ECLOSED 1!ECLOSED 2!ECLOSED 3!ECLOSED 4!ECLOSED");
        cr_assert(eq(int, reports_drop(), N_WORDS));
}

IN_BOTH_FORMS(stream_reader, is_held_by_the_task_that_reads)
{
        auv_stream_reader *reader = new_reader(0);
        auv_task *task = reading_start(reader, 0, "r*");

        loop_turn();
        reading_feed(reader, "abc");
        auv_unref(reader);
        auv_task_cancel(task, NULL);
        loop_turn();
        auv_unref(task);
        cr_assert_trace("0!cancelled");
}

/* Several readers */

IN_BOTH_FORMS(stream_reader, has_one_task_that_waits)
{
        AUV_AUTO auv_stream_reader *reader = new_reader(0);
        auv_task *first = reading_start(reader, 9, "n3");

        loop_turn();
        for (int i = 0; i < N_WORDS; i++) {
                auv_task *task = reading_start(reader, i, words[i]);

                loop_turn();
                auv_unref(task);
        }
        reading_feed(reader, "abc");
        loop_turn();
        auv_unref(first);
        cr_assert_trace(
                "0!busy:read 1!busy:read 2!busy:readuntil 3!busy:readuntil 4!busy:readexactly 9=abc");
}

/* asyncio's first task returns b'' then, as at the end of the stream. */
IN_BOTH_FORMS(stream_reader, waits_again_when_another_task_was_faster)
{
        AUV_AUTO auv_stream_reader *reader = new_reader(0);
        auv_task *first = reading_start(reader, 0, "r9"), *second;

        loop_turn();
        second = reading_start(reader, 1, "r9");
        reading_feed(reader, "abc");
        loop_turn();
        cr_assert_trace("1=abc");
        cr_assert(not(auv_future_done(first)));
        reading_feed(reader, "def");
        loop_turn();
        cr_assert_trace("1=abc 0=def");
        auv_unref(first);
        auv_unref(second);
}

IN_BOTH_FORMS(stream_reader, looks_for_a_separator_from_the_front_when_another_task_has_read)
{
        AUV_AUTO auv_stream_reader *reader = new_reader(0);
        auv_task *first = reading_start(reader, 0, "u;"), *second;

        reading_feed(reader, "aaaaaaaa");
        loop_turn();
        second = reading_start(reader, 1, "r7");
        reading_feed(reader, "b;ccccccc;");
        loop_turn();
        cr_assert_trace("1=aaaaaaa 0=ab;");
        auv_unref(first);
        auv_unref(second);
}

/* Two tasks at once */

/* As in Python, who reads to the end takes what there is, and waits; who was woken before finds nothing. */
IN_BOTH_FORMS(stream_reader, that_is_read_to_its_end_has_nothing_for_who_was_woken_before)
{
        static const char *const late[] = { "l", "u;;,/", "n5" };

        for (size_t i = 0; i < sizeof(late) / sizeof(*late); i++) {
                AUV_AUTO auv_stream_reader *reader = new_reader(0);
                AUV_AUTO auv_task *first = reading_start(reader, 1, late[i]), *second = NULL;

                reading_feed(reader, "abc");
                loop_turn();
                second = reading_start(reader, 2, "r*");
                reading_feed(reader, "d");
                loop_turn();
                reading_feed(reader, "efgh");
                loop_turn();
                auv_stream_feed_eof(reader);
                loop_turn();
        }
        cr_assert_trace("1!busy:readuntil 2=abcdefgh 1!busy:readuntil 2=abcdefgh "
                        "1!busy:readexactly 2=abcdefgh");
}

struct lent {
        auv_stream_reader *reader;
        const char *data;
        size_t size;
};

static int is_lent_ten_bytes(void *arg, auv_value *ret)
{
        struct lent *lent = arg;

        return auv_await_stream_read(lent->reader, 10, &lent->data, &lent->size);
}

static int reads_exactly_100(void *arg, auv_value *ret)
{
        char buffer[100];

        return auv_await_stream_readexactly(arg, buffer, sizeof(buffer));
}

Test(stream_reader, leaves_what_it_has_lent_when_a_read_that_began_before_ends)
{
        AUV_AUTO auv_stream_reader *reader = new_reader(0);
        struct lent lent = { .reader = reader };
        char zs[100];
        AUV_AUTO auv_task *first = auv_loop_create_task(loop, reads_exactly_100, reader, 0, NULL);

        memset(zs, 'z', sizeof(zs));
        reading_feed(reader, "0123456789");
        loop_turn();
        cr_assert(eq(int, loop_run(is_lent_ten_bytes, &lent, NULL), 0));
        cr_assert(eq(int, auv_stream_feed_data(reader, zs, sizeof(zs)), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, first, NULL), 0));
        cr_assert(eq(int, auv_stream_feed_data(reader, zs, sizeof(zs)), 0));
        cr_assert(eq(sz, lent.size, 10));
        cr_assert(zero(int, memcmp(lent.data, "0123456789", 10)));
}

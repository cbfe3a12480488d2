/* SPDX-License-Identifier: MIT */
#include "io/read_buffer.h"
#include "support/failing_allocator.h"
#include "support/instrumented.h"
#include "support/loop.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

TestSuite(read_buffer, .init = loop_setup, .fini = loop_teardown);

enum { SMALL = 4 << 10, LARGE = 64 << 10, MANY = 100 };

static struct auv__read_buffer new_buffer(void)
{
        struct auv__read_buffer buffer;

        cr_assert(eq(int, auv__read_buffer_init(&buffer, loop), 0));
        return buffer;
}

/* As a read from the system that gives @size bytes, or as many as there is room for; returns how many. */
static size_t receive(struct auv__read_buffer *buffer, size_t size, char byte)
{
        size_t room;
        char *to = auv__read_buffer_reserve(buffer, 0, &room);

        cr_assert(to != NULL);
        if (size > room)
                size = room;
        memset(to, byte, size);
        auv__read_buffer_commit(buffer, size);
        return size;
}

static void consume(struct auv__read_buffer *buffer)
{
        auv__read_buffer_take(buffer, auv__read_buffer_size(buffer));
        auv__read_buffer_settle(buffer);
        auv__read_buffer_trim(buffer);
}

/* Receives and reads @size bytes, @n times; returns how many it last were. */
static size_t pass(struct auv__read_buffer *buffer, size_t size, int n)
{
        size_t received = 0;

        for (int i = 0; i < n; i++) {
                received = receive(buffer, size, 'a');
                consume(buffer);
        }
        return received;
}

static struct auv__read_buffer new_buffer_of_small_blocks(void)
{
        struct auv__read_buffer buffer = new_buffer();

        pass(&buffer, 100, MANY);
        return buffer;
}

static bool is_all(const char *data, size_t size, char byte)
{
        return size == 0 || (data[0] == byte && memcmp(data, data + 1, size - 1) == 0);
}

Test(read_buffer, has_no_memory_while_it_is_empty)
{
        struct auv__read_buffer buffer = new_buffer();

        cr_assert(eq(sz, auv__read_buffer_size(&buffer), 0));
        cr_assert(auv__read_buffer_data(&buffer) != NULL);
        receive(&buffer, 10, 'a');
        cr_assert(buffer.block != NULL);
        consume(&buffer);
        cr_assert(buffer.block == NULL);
        auv__read_buffer_deinit(&buffer);
}

Test(read_buffer, is_not_trimmed_while_it_is_lent)
{
        struct auv__read_buffer buffer = new_buffer_of_small_blocks();
        const char *data;

        receive(&buffer, 10, 'a');
        data = auv__read_buffer_take(&buffer, 10);
        auv__read_buffer_trim(&buffer);
        cr_assert(is_all(data, 10, 'a'));
        receive(&buffer, SMALL, 'b');
        receive(&buffer, SMALL, 'b');
        cr_assert(is_all(data, 10, 'a'));
        cr_assert(buffer.lent != NULL);
        auv__read_buffer_settle(&buffer);
        cr_assert(buffer.lent == NULL);
        cr_assert(is_all(auv__read_buffer_data(&buffer), auv__read_buffer_size(&buffer), 'b'));
        auv__read_buffer_deinit(&buffer);
}

Test(read_buffer, may_lend_of_several_blocks)
{
        struct auv__read_buffer buffer = new_buffer_of_small_blocks();
        const char *first, *second;

        receive(&buffer, 10, 'a');
        first = auv__read_buffer_take(&buffer, 10);
        receive(&buffer, SMALL, 'b');
        receive(&buffer, SMALL, 'b');
        second = auv__read_buffer_take(&buffer, 10);
        for (int i = 0; i < 20; i++)
                receive(&buffer, SMALL, 'c');
        cr_assert(is_all(first, 10, 'a'));
        cr_assert(is_all(second, 10, 'b'));
        auv__read_buffer_settle(&buffer);
        cr_assert(buffer.lent == NULL);
        auv__read_buffer_deinit(&buffer);
}

Test(read_buffer, does_not_give_the_place_of_what_is_lent_to_what_comes_when_it_is_empty)
{
        struct auv__read_buffer buffer = new_buffer();
        const char *lent;

        receive(&buffer, 20, 'a');
        lent = auv__read_buffer_take(&buffer, 10);
        auv__read_buffer_drop(&buffer, 10);
        receive(&buffer, 20, 'b');
        cr_assert(is_all(lent, 10, 'a'));
        cr_assert(is_all(auv__read_buffer_data(&buffer), 20, 'b'));
        auv__read_buffer_drop(&buffer, 20);
        auv__read_buffer_settle(&buffer);
        cr_assert(eq(sz, buffer.end, 0));
        auv__read_buffer_deinit(&buffer);
}

Test(read_buffer, takes_a_first_message_whole)
{
        struct auv__read_buffer buffer = new_buffer();

        cr_assert(eq(sz, pass(&buffer, LARGE, 1), LARGE));
        auv__read_buffer_deinit(&buffer);
}

Test(read_buffer, gets_smaller_blocks_for_who_has_no_use_for_them_and_larger_ones_again)
{
        struct auv__read_buffer buffer = new_buffer_of_small_blocks();

        cr_assert(eq(sz, pass(&buffer, SIZE_MAX, 1), SMALL));
        cr_assert(eq(sz, pass(&buffer, SIZE_MAX, 4), LARGE));
        auv__read_buffer_deinit(&buffer);
}

Test(read_buffer, has_large_blocks_still_after_a_few_small_messages)
{
        struct auv__read_buffer buffer = new_buffer();

        for (int i = 0; i < 100; i++) {
                pass(&buffer, 100, 10);
                cr_assert(eq(sz, pass(&buffer, LARGE, 1), LARGE));
        }
        auv__read_buffer_deinit(&buffer);
}

/* It holds at most four times what is unread, or one read's room. */
Test(read_buffer, does_not_grow_where_as_much_goes_as_comes)
{
        struct auv__read_buffer buffer = new_buffer_of_small_blocks();

        for (int i = 0; i < 10000; i++) {
                receive(&buffer, 1000, 'a');
                if (i < 5)
                        continue;
                cr_assert(is_all(auv__read_buffer_take(&buffer, 1000), 1000, 'a'));
                auv__read_buffer_settle(&buffer);
        }
        cr_assert(eq(sz, auv__read_buffer_size(&buffer), 5000));
        cr_assert(le(sz, buffer.begin + 5000, 4 * SMALL));
        auv__read_buffer_deinit(&buffer);
}

Test(read_buffer, asks_for_no_more_memory_than_there_can_be)
{
        struct auv__read_buffer buffer = new_buffer();

        cr_assert(auv__read_buffer_reserve(&buffer, SIZE_MAX, NULL) == NULL);
        cr_assert(auv__read_buffer_reserve(&buffer, SIZE_MAX / 4, NULL) == NULL);
        auv__read_buffer_deinit(&buffer);
}

Test(read_buffer, that_cannot_grow_keeps_what_it_has)
{
        struct auv__read_buffer buffer = new_buffer();

        receive(&buffer, LARGE, 'a');
        failing_allocator_arm_all();
        cr_assert(auv__read_buffer_reserve(&buffer, 1, NULL) == NULL);
        cr_assert(failing_allocator_disarm());
        cr_assert(eq(sz, auv__read_buffer_size(&buffer), LARGE));
        cr_assert(is_all(auv__read_buffer_data(&buffer), LARGE, 'a'));
        auv__read_buffer_deinit(&buffer);
}

#if !WITH_ADDRESS_SANITIZER /* which keeps no block for others */
Test(read_buffer, takes_turns_with_others_at_one_block)
{
        struct auv__read_buffer buffers[100];
        const void *block = NULL;
        long total;

        for (int i = 0; i < 100; i++)
                buffers[i] = new_buffer();
        receive(&buffers[0], 10, 'a');
        block = buffers[0].block;
        consume(&buffers[0]);
        total = failing_allocator_total();
        for (int i = 0; i < 1000; i++) {
                receive(&buffers[i % 100], 10, 'a');
                cr_assert(buffers[i % 100].block == block);
                consume(&buffers[i % 100]);
        }
        cr_assert(eq(long, failing_allocator_total(), total));
        for (int i = 0; i < 100; i++)
                auv__read_buffer_deinit(&buffers[i]);
}
#endif

Test(read_buffer, outlives_its_loop)
{
        auv_loop *other = loop_new();
        struct auv__read_buffer buffer;

        cr_assert(eq(int, auv__read_buffer_init(&buffer, other), 0));
        receive(&buffer, 10, 'a');
        consume(&buffer);
        receive(&buffer, 10, 'b');
        auv_loop_close(other);
        receive(&buffer, LARGE, 'b');
        receive(&buffer, LARGE, 'b');
        cr_assert(is_all(auv__read_buffer_data(&buffer), auv__read_buffer_size(&buffer), 'b'));
        auv__read_buffer_deinit(&buffer);
        auv_unref(other);
}

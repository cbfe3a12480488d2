/* SPDX-License-Identifier: MIT */
#include "support/failing_allocator.h"

#include "io/write_buffer.h"

#include <asyncuv/error.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdint.h>
#include <string.h>

static struct auv__write_buffer buffer;

static void teardown(void)
{
        auv__write_buffer_clear(&buffer);
        if (failing_allocator_live() != 0)
                abort();
}

TestSuite(write_buffer, .init = failing_allocator_install, .fini = teardown);

/* Byte @i of all that is ever appended. */
static char byte_at(size_t i)
{
        return (char)(i * 7 + i / 256);
}

/* Appends those from @from on. */
static void append(size_t from, size_t size)
{
        char data[16384];

        for (size_t i = 0; i < size; i++)
                data[i] = byte_at(from + i);
        cr_assert(eq(int, auv__write_buffer_reserve(&buffer, size), 0));
        auv__write_buffer_append(&buffer, data, size);
}

/* Whether it holds exactly those between the two. */
static bool holds(size_t from, size_t to)
{
        if (auv__write_buffer_size(&buffer) != to - from)
                return false;
        for (size_t i = from; i < to; i++)
                if (buffer.memory[buffer.begin + i - from] != byte_at(i))
                        return false;
        return true;
}

Test(write_buffer, keeps_bytes_in_their_order)
{
        append(0, 10000);
        append(10000, 5000);
        cr_assert(holds(0, 15000));
        auv__write_buffer_consume(&buffer, 12000);
        cr_assert(holds(12000, 15000));
        append(15000, 9000);
        cr_assert(holds(12000, 24000));
}

Test(write_buffer, has_no_memory_when_it_is_empty)
{
        append(0, 100);
        cr_assert(eq(long, failing_allocator_live(), 1));
        auv__write_buffer_consume(&buffer, 100);
        cr_assert(eq(long, failing_allocator_live(), 0));
        append(0, 100);
        auv__write_buffer_clear(&buffer);
        cr_assert(eq(long, failing_allocator_live(), 0));
}

Test(write_buffer, makes_use_of_the_room_at_its_front)
{
        long total;

        append(0, 4096);
        auv__write_buffer_consume(&buffer, 3000);
        total = failing_allocator_total();
        append(4096, 3000);
        cr_assert(eq(long, failing_allocator_total(), total));
        cr_assert(holds(3000, 7096));
}

Test(write_buffer, does_not_move_much_for_little_room)
{
        append(0, 4096);
        auv__write_buffer_consume(&buffer, 100);
        append(4096, 100);
        cr_assert(holds(100, 4196));
        cr_assert(gt(sz, buffer.room, 4096));
}

Test(write_buffer, stays_as_it_is_without_memory)
{
        append(0, 4096);
        failing_allocator_arm(1);
        cr_assert(eq(int, auv__write_buffer_reserve(&buffer, 1), AUV_ENOMEM));
        failing_allocator_disarm();
        cr_assert(eq(int, auv__write_buffer_reserve(&buffer, SIZE_MAX / 4), AUV_ENOMEM));
        cr_assert(holds(0, 4096));
}

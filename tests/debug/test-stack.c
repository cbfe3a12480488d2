/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/text.h"
#include "symbols.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

TestSuite(stack, .init = loop_setup, .fini = loop_teardown);

static auv_loop *new_measuring_loop(void)
{
        auv_loop *made = NULL;

        cr_assert(eq(int, auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL,
                                                              .deadlock = AUV_DEADLOCK_REPORT,
                                                              .stack_watermark = true), &made), 0));
        reports_record(made);
        return made;
}

/* The compiler cannot know that it leaves the memory alone. */
__attribute__((noinline)) static void touch(char *memory)
{
        __asm__ volatile("" : : "r"(memory) : "memory");
}

/* Writes to so many bytes of stack. */
__attribute__((noinline)) static void use(size_t size)
{
        char memory[1024];

        memset(memory, 1, sizeof(memory));
        touch(memory);
        if (size > sizeof(memory))
                use(size - sizeof(memory));
        touch(memory); /* after the call, so that it is no jump */
}

/* Uses little stack in the first second, and a size_t's worth in the next. */
static int go_deep(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await_sleep(1));
        use(*(size_t *)arg);
        AUV_TRY(auv_await_sleep(1));
        return 0;
}

static int stay_high(void *arg, auv_value *ret)
{
        return auv_await_sleep(1);
}

Test(stack, use_is_the_most_that_a_task_has_used)
{
        auv_loop *own = new_measuring_loop();
        size_t size = 16384, before, after;
        AUV_AUTO auv_task *task = auv_loop_create_task(own, go_deep, &size, sizeof(size),
                                                       AUV_TASK_OPTIONS(.stack_size = 300000));

        auv_loop_run_until(own, 0.5);
        before = auv_task_stack_used(task);
        cr_assert(gt(sz, before, 0));
        cr_assert(lt(sz, before, 12288));
        auv_loop_run_until(own, 1.5);
        after = auv_task_stack_used(task);
        cr_assert(ge(sz, after, size));
        cr_assert(lt(sz, after, 300000));
        cr_assert(eq(int, auv_loop_run_until_complete(own, task, NULL), 0));
        cr_assert(eq(sz, auv_task_stack_used(task), 0));
        task = auv_unref(task);
        auv_unref(own);
}

/* A stack that was used before is as good as a fresh one. */
Test(stack, use_is_not_that_of_an_earlier_task)
{
        auv_loop *own = new_measuring_loop();
        auv_task *task = auv_loop_create_task(own, go_deep, &(size_t) { 16384 }, sizeof(size_t), NULL);

        cr_assert(eq(int, auv_loop_run_until_complete(own, task, NULL), 0));
        auv_unref(task);
        task = auv_loop_create_task(own, stay_high, NULL, 0, NULL);
        auv_loop_run_until(own, auv_loop_time(own) + 0.5);
        cr_assert(gt(sz, auv_task_stack_used(task), 0));
        cr_assert(lt(sz, auv_task_stack_used(task), 12288));
        cr_assert(eq(int, auv_loop_run_until_complete(own, task, NULL), 0));
        auv_unref(task);
        auv_unref(own);
}

Test(stack, use_is_measured_in_debug_mode)
{
        AUV_AUTO auv_task *before = start_sleep(loop, 1), *after;

        auv_loop_set_debug(loop, true);
        after = start_sleep(loop, 1);
        loop_turn();
        cr_assert(eq(sz, auv_task_stack_used(before), 0));
        cr_assert(gt(sz, auv_task_stack_used(after), 0));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, after, NULL), 0));
}

Test(stack, use_of_what_is_no_task_is_none)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);

        cr_assert(eq(sz, auv_task_stack_used(future), 0));
        cr_assert(eq(sz, auv_task_stack_used(NULL), 0));
}

Test(stack, use_is_printed_by_function_and_the_largest_first)
{
        auv_loop *own = new_measuring_loop();
        char text[1024] = "", name[64];
        size_t n, max, stack_size;
        FILE *file = tmpfile();

        for (int i = 0; i < 3; i++)
                auv_unref(auv_loop_create_task(own, stay_high, NULL, 0, NULL));
        auv_unref(auv_loop_create_task(own, go_deep, &(size_t) { 16384 }, sizeof(size_t), NULL));
        cr_assert(eq(int, auv_print_stack_use(own, file), 0));
        auv_loop_run_until(own, 5);
        rewind(file);
        cr_assert(eq(int, auv_print_stack_use(own, file), 2));
        rewind(file);
        text[fread(text, 1, sizeof(text) - 1, file)] = 0;
        fclose(file);
        cr_assert_has(text, "     tasks   max used stack size  function\n");
        cr_assert(eq(int, sscanf(strchr(text, '\n'), "%zu %zu %zu %63s", &n, &max, &stack_size, name), 4));
        cr_assert(eq(sz, n, 1));
        cr_assert(ge(sz, max, 16384));
        cr_assert(gt(sz, stack_size, max));
        if (symbols_are_known()) {
                cr_assert_text(name, "go_deep()");
                cr_assert_has(text, "  stay_high()\n");
        }
        auv_unref(own);
}

Test(stack, use_needs_a_loop)
{
        cr_assert(eq(int, auv_print_stack_use(NULL, NULL), AUV_ENOLOOP));
}

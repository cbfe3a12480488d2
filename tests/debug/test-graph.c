/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"
#include "support/small_stack.h"
#include "support/text.h"
#include "symbols.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(graph, .init = loop_setup, .fini = loop_teardown);

static auv_task *start(const char *name, auv_coro_fn fn, void *arg)
{
        return auv_loop_create_task(loop, fn, arg, 0, AUV_TASK_OPTIONS(.name = name));
}

/* The graph of a future, as "name:level" for each entry, with ! for a cycle and = for one shown above. */
static char *graph_of(auv_future *future)
{
        static char text[512];
        auv_call_graph_entry entries[32];
        const int n = auv_capture_call_graph(future, entries, 32);
        size_t length = 0;

        cr_assert(ge(int, n, 0));
        text[0] = 0;
        for (int i = 0; i < n; i++) {
                const char *name = auv_task_get_name(entries[i].future);

                length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s:%zu%s",
                                           i > 0 ? " " : "", name ? name : "-", entries[i].level,
                                           entries[i].cycle ? "!" : entries[i].repeated ? "=" : "");
        }
        return text;
}

/* All of what auv_format_call_graph() has. */
static char *format(auv_future *future)
{
        static char text[16384];
        const int length = auv_format_call_graph(future, text, sizeof(text));

        cr_assert(eq(int, length, (int)strlen(text)));
        return text;
}

static char *all_tasks(int expected)
{
        static char text[16384];
        FILE *file = tmpfile();

        cr_assert(eq(int, auv_print_all_tasks(loop, file), expected));
        rewind(file);
        text[fread(text, 1, sizeof(text) - 1, file)] = 0;
        fclose(file);
        return text;
}

Test(graph, has_who_awaits_a_future_and_who_awaits_those)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *a = start("a", coro_await, future), *b = start("b", coro_await, a);
        AUV_AUTO auv_task *c = start("c", coro_await, b), *d = start("d", coro_await, b);

        loop_turn();
        cr_assert_text(graph_of(future), "-:0 a:1 b:2 c:3 d:3");
        cr_assert_text(graph_of(c), "c:0");
        auv_future_set_result(future, NUMBER(1));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, d, NULL), 0));
        cr_assert_text(graph_of(b), "b:0");
}

static int by_gather(void *arg, auv_value *ret)
{
        return auv_await_gather(arg, 2, 0, NULL);
}

static int by_nested_gather(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *inner = auv_gather(arg, 2, 0), *outer = auv_gather(&inner, 1, 0);

        return auv_await(outer, NULL);
}

static int by_shield(void *arg, auv_value *ret)
{
        return auv_await_shield(*(auv_future **)arg, NULL);
}

static int by_wait(void *arg, auv_value *ret)
{
        return auv_await_wait(arg, 2, AUV_NO_TIMEOUT, AUV_ALL_COMPLETED, NULL);
}

static int by_wait_for(void *arg, auv_value *ret)
{
        return auv_await_wait_for(*(auv_future **)arg, 100, NULL);
}

static int by_wait_for_the_end(void *arg, auv_value *ret)
{
        return auv_await_wait_for(*(auv_future **)arg, 0, NULL);
}

static int by_as_completed(void *arg, auv_value *ret)
{
        AUV_AUTO auv_as_completed *iterator = auv_as_completed_new(arg, 2, AUV_NO_TIMEOUT);

        return auv_await_as_completed(iterator, NULL);
}

/* Who awaits two sleeping tasks in some way. */
static void expect_seen_through(auv_coro_fn fn, auv_coro_fn child)
{
        AUV_AUTO auv_task *a = start("a", child, &(struct steps) { .sleep = 5 });
        AUV_AUTO auv_task *b = start("b", child, &(struct steps) { .sleep = 5 });
        auv_task *both[] = { a, b };
        AUV_AUTO auv_task *waiter = start("w", fn, both), *last = start("z", coro_await, waiter);

        loop_turn();
        cr_assert_text(graph_of(a), "a:0 w:1 z:2");
        cr_assert(ge(int, auv_loop_run_until_complete(loop, last, NULL), AUV_ECANCELED));
        loop_turns(3);
        reports_drop();
        auv_loop_run_until(loop, auv_loop_time(loop) + 20);
}

Test(graph, looks_through_what_stands_between)
{
        expect_seen_through(by_gather, coro_steps);
        expect_seen_through(by_nested_gather, coro_steps);
        expect_seen_through(by_shield, coro_steps);
        expect_seen_through(by_wait, coro_steps);
        expect_seen_through(by_wait_for, coro_steps);
        expect_seen_through(by_as_completed, coro_steps);
}

Test(graph, looks_through_a_wait_for_the_end_of_a_cancelled_task)
{
        AUV_AUTO auv_task *stubborn = start("a", coro_stubborn, &(struct steps) { .sleep = 5 });
        AUV_AUTO auv_task *waiter = NULL;

        loop_turn();
        waiter = start("w", by_wait_for_the_end, (auv_future *[]) { stubborn });
        loop_turns(2);
        cr_assert_text(graph_of(stubborn), "a:0 w:1");
        auv_loop_run_until(loop, 20);
}

static int with_group(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task_group *group = auv_task_group_new();

        AUV_TRY(auv_task_group_enter(group));
        *(auv_task **)arg = auv_task_group_create_task(group, coro_sleep, &(double) { 5 }, sizeof(double),
                                                       /* options= */ NULL);
        return auv_await_task_group_exit(group, 0);
}

Test(graph, has_the_task_of_a_group_awaited_by_that_which_opened_it)
{
        AUV_AUTO auv_task *child = NULL, *parent = start("p", with_group, &child);

        loop_turns(2);
        auv_task_set_name(child, "c");
        cr_assert_text(graph_of(child), "c:0 p:1");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, parent, NULL), 0));
}

Test(graph, has_a_gather_that_nobody_awaits)
{
        AUV_AUTO auv_task *task = start_sleep(loop, 5);
        AUV_AUTO auv_future *gather = auv_gather(&task, 1, 0);

        loop_turn();
        auv_task_set_name(task, "t");
        cr_assert_text(graph_of(task), "t:0 -:1");
        cr_assert_has(format(task), "    * Gather(id=");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, gather, NULL), 0));
}

Test(graph, tells_once_who_awaits_a_task)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *a = start("a", coro_await, future), *b = start("b", coro_await, future);
        auv_task *both[] = { a, b };
        AUV_AUTO auv_task *c = start("c", by_wait, both), *d = start("d", coro_await, c);

        loop_turn();
        cr_assert_text(graph_of(future), "-:0 a:1 c:2 d:3 b:1 c:2=");
        cr_assert_has(format(future), ") [shown above]\n");
        auv_future_set_result(future, NUMBER(1));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, d, NULL), 0));
}

static int await_indirectly(void *arg, auv_value *ret)
{
        return auv_await(*(auv_future **)arg, NULL);
}

Test(graph, ends_where_tasks_await_each_other_in_a_cycle)
{
        auv_task *a, *b;

        a = start("a", await_indirectly, &b);
        b = start("b", await_indirectly, &a);
        loop_turn();
        cr_assert_text(graph_of(a), "a:0 b:1 a:2!");
        cr_assert_has(format(a), "        * Task(name='a', id=");
        cr_assert_has(format(a), ") [cycle]\n");
        auv_unref(a);
        auv_unref(b);
        auv_loop_close(loop);
        cr_assert(eq(int, reports_drop(), 2));
}

Test(graph, gives_how_many_entries_there_are_where_there_is_no_room)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *a = start("a", coro_await, future), *b = start("b", coro_await, a);
        auv_call_graph_entry entries[2] = { { .level = 7 }, { .level = 7 } };

        loop_turn();
        cr_assert(eq(int, auv_capture_call_graph(future, NULL, 0), 3));
        cr_assert(eq(int, auv_capture_call_graph(future, entries, 1), 3));
        cr_assert(eq(sz, entries[0].level, 0));
        cr_assert(eq(sz, entries[1].level, 7));
        cr_assert(eq(int, auv_capture_call_graph(a, entries, 1), 2));
        cr_assert(eq(ptr, entries[0].future, a));
        cr_assert(entries[0].coro == coro_await);
        cr_assert(not(zero(ptr, (void *)entries[0].site)));
        auv_future_set_result(future, NUMBER(1));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, b, NULL), 0));
}

Test(graph, needs_a_future_or_a_task_that_runs)
{
        char text[8];

        cr_assert(eq(int, auv_capture_call_graph(NULL, NULL, 0), AUV_ENOTASK));
        cr_assert(eq(int, auv_format_call_graph(NULL, text, sizeof(text)), AUV_ENOTASK));
        cr_assert(eq(int, auv_print_call_graph(NULL, NULL), AUV_ENOTASK));
        cr_assert(eq(int, auv_print_all_tasks(NULL, NULL), AUV_ENOLOOP));
}

/* Two calls deep, and neither call the last thing that its function does. */
__attribute__((noinline)) static int wait_inside(auv_future *future)
{
        AUV_TRY(auv_await(future, NULL));
        return 1;
}

static int wait_outside(void *arg, auv_value *ret)
{
        const int r = wait_inside(arg);

        return r < 0 ? r : 0;
}

Test(graph, has_the_functions_that_a_task_is_in)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = start("t", wait_outside, future);
        const char *text, *inside, *outside;

        SKIP_WITHOUT_SYMBOLS();
        cr_assert_has(format(task), "* Task(name='t', id=");
        cr_assert_has(format(task), "), not started\n  + Call stack:\n  |   File '");
        loop_turn();
        text = format(task);
        cr_assert_has(text, "), awaits Future(id=");
        cr_assert_has(text, "test-graph.c', line ");
        inside = strstr(text, "in wait_inside()\n");
        outside = strstr(text, "in async wait_outside()\n");
        cr_assert(inside && outside && inside < outside, "%s", text);
        cr_assert(zero(ptr, strstr(text, "auv_")), "functions of the library: %s", text);
        auv_future_set_result(future, NUMBER(1));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
}

static char own_text[4096];

static int format_itself(void *arg, auv_value *ret)
{
        return auv_format_call_graph(NULL, own_text, sizeof(own_text)) > 0 ? 0 : AUV_EINVAL;
}

Test(graph, of_the_running_task_has_where_it_is)
{
        cr_assert(eq(int, loop_run(format_itself, NULL, NULL), 0));
        cr_assert_has(own_text, "), running\n  + Call stack:\n");
        if (symbols_are_known())
                cr_assert_has(own_text, "in async format_itself()\n");
        cr_assert(zero(ptr, strstr(own_text, "auv_")), "functions of the library: %s", own_text);
}

Test(graph, is_cut_off_where_the_buffer_ends)
{
        AUV_AUTO auv_task *task = start_sleep(loop, 1);
        const char *all = format(task);
        const int length = (int)strlen(all);
        char text[8] = "xxxxxxx";

        cr_assert(eq(int, auv_format_call_graph(task, NULL, 0), length));
        cr_assert(eq(int, auv_format_call_graph(task, text, 5), length));
        cr_assert_text(text, "* Ta");
        cr_assert(eq(chr, text[5], 'x'));
        cr_assert(eq(int, auv_format_call_graph(task, NULL, 1), AUV_EINVAL));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
}

static int take_lock(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await_lock_acquire(arg));
        AUV_TRY(auv_await_sleep(10));
        return auv_lock_release(arg);
}

static int read_line(void *arg, auv_value *ret)
{
        const char *line;
        size_t size;

        return auv_await_stream_readline(arg, &line, &size);
}

Test(graph, of_all_tasks_says_who_waits_for_io)
{
        AUV_AUTO auv_stream_reader *reader = auv_stream_reader_new(loop, 0);
        AUV_AUTO auv_task *task = start("reads", read_line, reader);

        loop_turn();
        cr_assert_has(all_tasks(1), symbols_are_known() ? ", waits in auv_await_stream_readline()\n"
                                                        : ", waits for I/O\n");
        auv_stream_feed_eof(reader);
        cr_assert_has(all_tasks(1), ", ready\n");
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
}

Test(graph, of_all_tasks_says_what_each_waits_for)
{
        AUV_AUTO auv_lock *lock = auv_lock_new();
        AUV_AUTO auv_task *a = start("a", take_lock, lock), *b = start("b", take_lock, lock);
        auv_task *both[] = { a, b };
        AUV_AUTO auv_task *c = start("c", by_gather, both), *d = start("d", by_shield, (auv_task *[]) { c });
        const char *text;

        auv_loop_run_until(loop, 2.5);
        text = all_tasks(4);
        cr_assert_has(text, "4 tasks\n* Task(name='a', id=");
        cr_assert_has(text, ", sleeps for 7.500 s more\n");
        if (symbols_are_known())
                cr_assert_has(text, ", waits in auv_await_lock_acquire()\n");
        cr_assert_has(text, ", awaits a gather, of which 0 of 2 are done\n");
        cr_assert_has(text, ", awaits a shield of Task(name='c', id=");
        cr_assert_has(text, "  + Awaited by: Task(name='c', id=");
        auv_loop_run_until(loop, 30);
        cr_assert(auv_future_done(d));
        cr_assert_text(all_tasks(0), "0 tasks\n");
}

Test(graph, of_all_tasks_is_written_when_a_signal_asks_for_it)
{
        AUV_AUTO auv_task *task = start("sleeper", coro_sleep, &(double) { 5 });
        FILE *file = tmpfile();
        const int saved = dup(STDERR_FILENO);
        char text[4096];

        loop_turn();
        cr_assert(eq(int, auv_dump_tasks_on_signal(loop, SIGUSR1), 0));
        dup2(fileno(file), STDERR_FILENO);
        raise(SIGUSR1);
        for (int i = 0; i < 3; i++)
                loop_turn();
        dup2(saved, STDERR_FILENO);
        close(saved);
        rewind(file);
        text[fread(text, 1, sizeof(text) - 1, file)] = 0;
        fclose(file);
        cr_assert_has(text, "1 task\n* Task(name='sleeper', id=");
        cr_assert(eq(int, auv_loop_remove_signal_handler(loop, SIGUSR1), 1));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), 0));
}

static void print_without_memory(void)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(loop);
        AUV_AUTO auv_task *task = future ? start("a", coro_await, future) : NULL;
        char text[4096];

        if (task) {
                loop_turn();
                auv_format_call_graph(future, text, sizeof(text));
                auv_future_set_result(future, NUMBER(1));
                loop_turns(2);
        }
        auv_error_clear();
}

Test(graph, loses_no_memory_when_there_is_none)
{
        /* What the loop has for all of its tasks stays, and so do stacks. */
        print_without_memory();
        cr_assert(gt(long, failing_allocator_sweep(print_without_memory), 3));
}

static auv_task *tasks[SMALL_STACK_TASKS];

static char *chain_is_walked(void)
{
        auv_loop *own = loop_new();
        auv_future *future = auv_loop_create_future(own);
        auv_call_graph_entry *entries = calloc(SMALL_STACK_TASKS + 1, sizeof(*entries));
        FILE *file = fopen("/dev/null", "w");

        for (int i = 0; i < SMALL_STACK_TASKS; i++) {
                tasks[i] = auv_loop_create_task(own, await_indirectly, i == 0 ? &future : &tasks[i - 1], 0,
                                                /* options= */ NULL);
                REQUIRE(tasks[i]);
        }
        auv_loop_stop(own);
        REQUIRE(auv_loop_run_forever(own) == 0);
        REQUIRE(auv_capture_call_graph(future, entries, SMALL_STACK_TASKS + 1) == SMALL_STACK_TASKS + 1);
        for (size_t i = 0; i < SMALL_STACK_TASKS; i++)
                REQUIRE(entries[i + 1].level == i + 1 && entries[i + 1].future == tasks[i]);
        REQUIRE(auv_print_call_graph(tasks[0], file) == 0);
        fclose(file);
        free(entries);
        auv_future_set_result(future, NUMBER(1));
        REQUIRE(auv_loop_run_until_complete(own, tasks[SMALL_STACK_TASKS - 1], NULL) == 0);
        for (int i = 0; i < SMALL_STACK_TASKS; i++)
                auv_unref(tasks[i]);
        auv_unref(future);
        auv_unref(own);
        auv_error_clear();
        return NULL;
}

Test(graph, of_a_chain_of_100000_tasks_is_walked_without_recursion)
{
        cr_assert_text(on_small_stack(chain_is_walked), NULL);
}

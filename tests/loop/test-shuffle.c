/* SPDX-License-Identifier: MIT */
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <pthread.h>
#include <string.h>

static auv_loop *shuffled(uint64_t seed)
{
        const auv_loop_options *options = AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL, .shuffle_seed = seed);
        auv_loop *made;

        cr_assert(eq(int, auv_new_event_loop(options, &made), 0));
        return made;
}

static void trace_name(void *arg)
{
        trace("%s", (const char *)arg);
}

static void trace_done(auv_future *future, void *arg)
{
        trace_name(arg);
}

static void run_turn(auv_loop *on)
{
        auv_loop_stop(on);
        cr_assert(eq(int, auv_loop_run_forever(on), 0));
}

/* What a turn with eight calls traces; the caller frees it. */
static char *trace_of_calls(uint64_t seed)
{
        static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
        AUV_AUTO auv_loop *on = shuffled(seed);

        trace_clear();
        for (size_t i = 0; i < 8; i++)
                auv_loop_call_soon(on, trace_name, (void *)names[i], NULL);
        run_turn(on);
        return strdup(trace_text());
}

Test(shuffle, runs_each_call_once_in_another_order)
{
        char *order = trace_of_calls(7);

        cr_assert(eq(sz, strlen(order), strlen("a b c d e f g h")));
        cr_assert(ne(str, order, (char *)"a b c d e f g h"));
        for (const char *name = "abcdefgh"; *name; name++)
                cr_assert(strchr(order, *name) && strchr(order, *name) == strrchr(order, *name));
        free(order);
}

Test(shuffle, of_the_same_seed_is_the_same_order)
{
        char *first = trace_of_calls(12345), *second = trace_of_calls(12345), *other = trace_of_calls(54321);

        cr_assert(eq(str, first, second));
        cr_assert(ne(str, first, other));
        free(first);
        free(second);
        free(other);
}

Test(shuffle, of_no_seed_is_the_order_of_the_calls)
{
        char *order = trace_of_calls(0);

        cr_assert(eq(str, order, (char *)"a b c d e f g h"));
        free(order);
}

Test(shuffle, keeps_the_callbacks_of_a_future_in_order)
{
        for (uint64_t seed = 1; seed <= 200; seed++) {
                AUV_AUTO auv_loop *on = shuffled(seed);
                AUV_AUTO auv_future *x = auv_loop_create_future(on), *y = auv_loop_create_future(on);
                char *order;

                trace_clear();
                auv_future_add_done_callback(x, trace_done, "1");
                auv_future_add_done_callback(y, trace_done, "a");
                auv_future_add_done_callback(x, trace_done, "2");
                auv_future_add_done_callback(y, trace_done, "b");
                auv_future_set_result(x, (auv_value) { 0 });
                auv_future_set_result(y, (auv_value) { 0 });
                /* Added when it is done: another chain of the same future. */
                auv_future_add_done_callback(x, trace_done, "3");
                auv_future_add_done_callback(y, trace_done, "c");
                auv_future_add_done_callback(x, trace_done, "4");
                run_turn(on);
                order = trace_text();
                cr_assert(eq(sz, strlen(order), 13));
                cr_assert(strchr(order, '1') < strchr(order, '2') && strchr(order, '2') < strchr(order, '3')
                          && strchr(order, '3') < strchr(order, '4'), "%s", order);
                cr_assert(strchr(order, 'a') < strchr(order, 'b') && strchr(order, 'b') < strchr(order, 'c'),
                          "%s", order);
        }
}

Test(shuffle, changes_which_future_comes_first)
{
        bool x_first = false, y_first = false;

        for (uint64_t seed = 1; seed <= 50; seed++) {
                AUV_AUTO auv_loop *on = shuffled(seed);

                trace_clear();
                auv_loop_call_soon(on, trace_name, "x", NULL);
                auv_loop_call_soon(on, trace_name, "y", NULL);
                run_turn(on);
                x_first |= trace_text()[0] == 'x';
                y_first |= trace_text()[0] == 'y';
        }
        cr_assert(x_first && y_first);
}

static void *call_from_thread(void *arg)
{
        static const char *const names[] = { "1", "2", "3", "4", "5" };

        for (size_t i = 0; i < 5; i++)
                auv_loop_call_soon_threadsafe(arg, trace_name, (void *)names[i], NULL);
        return NULL;
}

Test(shuffle, keeps_the_calls_of_a_thread_in_order)
{
        for (uint64_t seed = 1; seed <= 20; seed++) {
                AUV_AUTO auv_loop *on = shuffled(seed);
                pthread_t thread;

                trace_clear();
                cr_assert(eq(int, pthread_create(&thread, NULL, call_from_thread, on), 0));
                pthread_join(thread, NULL);
                run_turn(on);
                cr_assert_trace("1 2 3 4 5");
        }
}

static int increment(void *arg, auv_value *ret)
{
        int *counter = *(int **)arg;

        for (int i = 0; i < 10; i++) {
                (*counter)++;
                AUV_TRY(auv_await_sleep(i % 3 ? 0 : 0.5));
        }
        return 0;
}

static int count_in_tasks(void *arg, auv_value *ret)
{
        auv_future *tasks[50];
        int r;

        for (size_t i = 0; i < 50; i++)
                tasks[i] = auv_create_task(increment, &arg, sizeof(arg));
        r = auv_await_gather(tasks, 50, 0, NULL);
        for (size_t i = 0; i < 50; i++)
                auv_unref(tasks[i]);
        return r;
}

Test(shuffle, loses_no_step_of_any_task)
{
        for (uint64_t seed = 1; seed <= 20; seed++) {
                AUV_AUTO auv_loop *on = shuffled(seed);
                int counter = 0;
                AUV_AUTO auv_task *task = auv_loop_create_task(on, count_in_tasks, &counter, 0, NULL);

                cr_assert(eq(int, auv_loop_run_until_complete(on, task, NULL), 0));
                cr_assert(eq(int, counter, 500));
        }
}

static void count_with_failures(void)
{
        auv_loop *on = NULL;
        int counter = 0;

        if (auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL, .shuffle_seed = 3), &on) < 0)
                return;
        for (int i = 0; i < 3; i++) {
                AUV_AUTO auv_task *task = auv_loop_create_task(on, increment, &(int *) { &counter },
                                                               sizeof(int *), NULL);

                auv_loop_run_until(on, 10 * (i + 1));
        }
        auv_unref(on);
}

Test(shuffle, without_memory_leaves_the_order_as_it_is)
{
        failing_allocator_install();
        cr_assert(gt(long, failing_allocator_sweep(count_with_failures), 0));
}

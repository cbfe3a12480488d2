/* SPDX-License-Identifier: MIT */
/* The public symbols that tell of a program how it is doing; see check.h. */

#include "check.h"

static int wait_for(void *arg, auv_value *ret)
{
        return auv_await(arg, NULL);
}

static int test_graphs(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(NULL);
        AUV_AUTO auv_task *task = auv_create_task(wait_for, future, 0);
        auv_call_graph_entry entries[2];
        FILE *file = tmpfile();
        char text[1024];

        check(auv_await_sleep(0) == 0);
        check(auv_capture_call_graph(future, entries, 2) == 2);
        check(entries[1].future == task && entries[1].coro == wait_for);
        check(auv_format_call_graph(future, text, sizeof(text)) > 0);
        check(auv_print_call_graph(future, file) == 0);
        check(auv_print_all_tasks(NULL, file) == 2);
        fclose(file);

        check(auv_future_set_result(future, (auv_value) { 0 }) == 0);
        return auv_await(task, NULL);
}

static int test_stack_use(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *future = auv_loop_create_future(NULL);
        AUV_AUTO auv_task *task = auv_create_task(wait_for, future, 0);
        FILE *file = tmpfile();

        check(auv_await_sleep(0) == 0);
        check(auv_task_stack_used(task) > 0);
        check(auv_future_set_result(future, (auv_value) { 0 }) == 0);
        check(auv_await(task, NULL) == 0);
        check(auv_print_stack_use(NULL, file) == 1);
        fclose(file);
        return 0;
}

static void test_slow_callback_duration(void)
{
        auv_loop *loop;

        check(auv_new_event_loop(NULL, &loop) == 0);
        auv_loop_set_slow_callback_duration(loop, 0.5);
        check(auv_loop_get_slow_callback_duration(loop) == 0.5);
        auv_unref(loop);
}

int main(void)
{
        AUV_AUTO auv_runner *measuring = auv_runner_new(AUV_LOOP_OPTIONS(.stack_watermark = true));

        run_in_task(test_graphs);
        check(auv_runner_run(measuring, test_stack_use, NULL, NULL) == 0);
        test_slow_callback_duration();
        return EXIT_SUCCESS;
}

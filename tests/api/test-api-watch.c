/* SPDX-License-Identifier: MIT */
/* The public symbols of watched descriptors and signals; see check.h. */

#include "check.h"

#include <signal.h>
#include <unistd.h>

static void end(void *arg)
{
        auv_future_set_result(arg, (auv_value) { 0 });
}

static int test_descriptors(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *readable = auv_loop_create_future(NULL);
        AUV_AUTO auv_future *writable = auv_loop_create_future(NULL);
        int ends[2];

        check(pipe(ends) == 0);
        check(auv_loop_add_writer(NULL, ends[1], end, writable) == 0);
        check(auv_await(writable, NULL) == 0);
        check(auv_loop_remove_writer(NULL, ends[1]) == 1);

        check(write(ends[1], "x", 1) == 1);
        check(auv_loop_add_reader(NULL, ends[0], end, readable) == 0);
        check(auv_await(readable, NULL) == 0);
        check(auv_loop_remove_reader(NULL, ends[0]) == 1);
        close(ends[0]);
        close(ends[1]);
        return 0;
}

static int test_signals(void *arg, auv_value *ret)
{
        AUV_AUTO auv_future *arrived = auv_loop_create_future(NULL);

        check(auv_loop_add_signal_handler(NULL, SIGUSR1, end, arrived) == 0);
        check(kill(getpid(), SIGUSR1) == 0);
        check(auv_await(arrived, NULL) == 0);
        check(auv_loop_remove_signal_handler(NULL, SIGUSR1) == 1);

        check(auv_dump_tasks_on_signal(NULL, SIGUSR2) == 0);
        check(auv_loop_remove_signal_handler(NULL, SIGUSR2) == 1);
        return 0;
}

int main(void)
{
        run_in_task(test_descriptors);
        run_in_task(test_signals);
        return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
#include "pool.h"
#include "support/loop.h"
#include "support/text.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>
#include <unistd.h>

TestSuite(thread_pool, .init = pool_setup, .fini = loop_teardown);

Test(thread_pool, has_its_size_before_its_first_use)
{
        cr_assert(eq(int, auv_set_thread_pool_size(0), AUV_EINVAL));
        cr_assert(eq(int, auv_set_thread_pool_size(1025), AUV_EINVAL));
        cr_assert(eq(int, auv_set_thread_pool_size(2), 0));
        cr_assert_text(getenv("UV_THREADPOOL_SIZE"), "2");
}

Test(thread_pool, is_used_by_an_executor)
{
        AUV_AUTO auv_future *future = auv_loop_run_in_executor(loop, NULL, pool_owns, NULL, 0);

        cr_assert(eq(int, auv_set_thread_pool_size(3), AUV_ERUNTIME));
        cr_assert(eq(int, auv_loop_run_until_complete(loop, future, NULL), 0));
}

static int looks_up(void *arg, auv_value *ret)
{
        struct addrinfo *found;

        AUV_TRY(auv_await_getaddrinfo("localhost", NULL, NULL, &found));
        auv_freeaddrinfo(found);
        return 0;
}

Test(thread_pool, is_used_by_the_look_up_of_a_name)
{
        cr_assert(eq(int, loop_run(looks_up, NULL, NULL), 0));
        cr_assert(eq(int, auv_set_thread_pool_size(3), AUV_ERUNTIME));
}

static int looks_up_digits(void *arg, auv_value *ret)
{
        struct addrinfo *found;

        AUV_TRY(auv_await_getaddrinfo("127.0.0.1", "80", NULL, &found));
        auv_freeaddrinfo(found);
        return 0;
}

Test(thread_pool, is_not_used_by_what_needs_no_thread)
{
        cr_assert(eq(int, loop_run(looks_up_digits, NULL, NULL), 0));
        cr_assert(eq(int, auv_set_thread_pool_size(3), 0));
}

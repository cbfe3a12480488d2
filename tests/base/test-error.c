/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/small_stack.h"
#include "support/text.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <pthread.h>
#include <string.h>
#include <uv.h>

TestSuite(error, .init = loop_setup, .fini = loop_teardown);

static const struct {
        int code;
        const char *name;
        const char *text;
} codes[] = {
#define ROW(name, value, text) { AUV_##name, #name, text },
        AUV_ERROR_MAP(ROW)
#undef ROW
};

enum { N_CODES = sizeof(codes) / sizeof(codes[0]) };

/* A formatted error; the text lives until the next call. */
static char *formatted(const auv_error *error)
{
        static char text[1024];

        auv_error_format(error, text, sizeof(text));
        return text;
}

Test(error, has_a_name_and_a_text_for_every_code)
{
        for (size_t i = 0; i < N_CODES; i++) {
                cr_assert(lt(int, codes[i].code, 0));
                cr_assert_text(auv_error_name(codes[i].code), codes[i].name);
                cr_assert_text(auv_strerror(codes[i].code), codes[i].text);
        }
}

Test(error, codes_are_unique)
{
        for (size_t i = 0; i < N_CODES; i++) {
                for (size_t j = 0; j < i; j++) {
                        cr_assert(ne(int, codes[i].code, codes[j].code));
                        cr_assert(strcmp(codes[i].name, codes[j].name) != 0);
                }
        }
}

Test(error, codes_of_libuv_are_libuvs)
{
        static const struct {
                int code;
                const char *name;
        } libuvs[] = {
#define ROW(name, text) { UV_##name, #name },
                UV_ERRNO_MAP(ROW)
#undef ROW
        };

        for (size_t i = 0; i < sizeof(libuvs) / sizeof(libuvs[0]); i++) {
                for (size_t j = 0; j < N_CODES; j++) {
                        if (codes[j].code == libuvs[i].code && codes[j].code != UV_UNKNOWN)
                                cr_assert_text(codes[j].name, libuvs[i].name);
                        if (strcmp(codes[j].name, libuvs[i].name) == 0)
                                cr_assert(eq(int, codes[j].code, libuvs[i].code));
                }
        }
}

Test(error, codes_leave_room_for_the_programs_own)
{
        for (size_t i = 0; i < N_CODES; i++)
                cr_assert(gt(int, codes[i].code, AUV_EUSER));
        cr_assert_text(auv_error_name(AUV_EUSER), "EUSER");
        cr_assert_text(auv_error_name(AUV_EUSER - 1), "EUSER");
        cr_assert_text(auv_error_name(-9999), "EUSER");
}

Test(error, has_a_name_and_a_text_for_any_number)
{
        for (int code = -11000; code < 20; code++) {
                cr_assert(not(zero(ptr, (void *)auv_error_name(code))));
                cr_assert(not(zero(ptr, (void *)auv_strerror(code))));
        }
        cr_assert_text(auv_error_name(-10000), "UNKNOWN");
        cr_assert_text(auv_error_name(0), "UNKNOWN");
        cr_assert_text(auv_error_name(1), "UNKNOWN");
        cr_assert_text(auv_error_name(-5999), "UNKNOWN");
}

Test(error, keeps_its_code_and_its_message)
{
        AUV_AUTO auv_error *error = auv_error_new(AUV_ETIMEDOUT, "after %d of %s", 3, "x");

        cr_assert(eq(int, auv_error_code(error), AUV_ETIMEDOUT));
        cr_assert_text(auv_error_message(error), "after 3 of x");
        cr_assert(zero(ptr, auv_error_cause(error)));
}

Test(error, may_have_no_message_or_an_empty_one)
{
        AUV_AUTO auv_error *none = auv_error_new(AUV_EUSER, NULL);
        AUV_AUTO auv_error *empty = auv_error_new(AUV_EUSER, "%s", "");

        cr_assert(zero(ptr, (void *)auv_error_message(none)));
        cr_assert_text(auv_error_message(empty), "");
}

Test(error, has_a_code_of_the_program_too)
{
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER - 77, "mine");

        cr_assert(eq(int, auv_error_code(error), AUV_EUSER - 77));
}

Test(error, keeps_a_message_of_any_length)
{
        static char message[20001];
        AUV_AUTO auv_error *error = NULL;

        memset(message, 'x', sizeof(message) - 1);
        error = auv_error_new(AUV_EUSER, "%s", message);
        cr_assert_text(auv_error_message(error), message);
}

Test(error, must_have_a_negative_code)
{
        cr_assert(zero(ptr, auv_error_new(0, "zero")));
        cr_assert(zero(ptr, auv_error_new(22, "positive")));
}

Test(error, of_null_is_asked_safely)
{
        size_t n = 7;

        cr_assert(eq(int, auv_error_code(NULL), 0));
        cr_assert(zero(ptr, (void *)auv_error_message(NULL)));
        cr_assert(zero(ptr, auv_error_cause(NULL)));
        cr_assert(zero(ptr, (void *)auv_error_members(NULL, &n)));
        cr_assert(eq(sz, n, 0));
        cr_assert(eq(int, auv_error_set_cause(NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_reraise(NULL), AUV_EINVAL));
}

Test(error, holds_its_cause)
{
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, "outer");
        auv_error *cause = auv_error_new(AUV_ENOENT, "inner");

        cr_assert(eq(int, auv_error_set_cause(error, cause), 0));
        auv_unref(cause);
        cr_assert(eq(ptr, auv_error_cause(error), cause));
        cr_assert_text(auv_error_message(auv_error_cause(error)), "inner");
}

Test(error, may_get_another_cause_or_none)
{
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, NULL);
        AUV_AUTO auv_error *first = auv_error_new(AUV_EIO, NULL);
        AUV_AUTO auv_error *second = auv_error_new(AUV_EPIPE, NULL);

        cr_assert(eq(int, auv_error_set_cause(error, first), 0));
        cr_assert(eq(int, auv_error_set_cause(error, second), 0));
        cr_assert(eq(ptr, auv_error_cause(error), second));
        cr_assert(eq(int, auv_error_set_cause(error, second), 0));
        cr_assert(eq(ptr, auv_error_cause(error), second));
        cr_assert(eq(int, auv_error_set_cause(error, NULL), 0));
        cr_assert(zero(ptr, auv_error_cause(error)));
}

Test(error, cannot_be_its_own_cause)
{
        AUV_AUTO auv_error *a = auv_error_new(AUV_EUSER, "a");
        AUV_AUTO auv_error *b = auv_error_new(AUV_EUSER, "b");
        AUV_AUTO auv_error *c = auv_error_new(AUV_EUSER, "c");

        cr_assert(eq(int, auv_error_set_cause(a, a), AUV_EINVAL));
        cr_assert(eq(int, auv_error_set_cause(a, b), 0));
        cr_assert(eq(int, auv_error_set_cause(b, c), 0));
        cr_assert(eq(int, auv_error_set_cause(c, a), AUV_EINVAL));
        cr_assert(zero(ptr, auv_error_cause(c)));
}

Test(error, that_the_library_shares_takes_no_cause)
{
        AUV_AUTO auv_error *cause = auv_error_new(AUV_EUSER, NULL);

        cr_assert(eq(int, auv_future_result(NULL, NULL), AUV_EINVAL));
        auv_raise(AUV_EIO, NULL);
        cr_assert(eq(int, auv_error_set_cause(auv_error_current(), cause), AUV_EINVAL));
        cr_assert(zero(ptr, auv_error_cause(auv_error_current())));
}

Test(error, group_has_its_members_in_order)
{
        auv_error *members[3];
        AUV_AUTO auv_error *group = NULL;
        auv_error *const *got;
        size_t n = 0;

        for (int i = 0; i < 3; i++)
                members[i] = auv_error_new(AUV_EUSER - i, "member %d", i);
        group = auv_error_new_group("three", members, 3);
        for (int i = 0; i < 3; i++)
                auv_unref(members[i]);
        cr_assert(eq(int, auv_error_code(group), AUV_EGROUP));
        cr_assert_text(auv_error_message(group), "three");
        got = auv_error_members(group, &n);
        cr_assert(eq(sz, n, 3));
        for (int i = 0; i < 3; i++)
                cr_assert(eq(int, auv_error_code(got[i]), AUV_EUSER - i));
}

Test(error, group_may_have_no_message)
{
        AUV_AUTO auv_error *member = auv_error_new(AUV_EUSER, NULL);
        AUV_AUTO auv_error *group = auv_error_new_group(NULL, &member, 1);

        cr_assert(not(zero(ptr, group)));
        cr_assert(zero(ptr, (void *)auv_error_message(group)));
}

Test(error, group_must_have_members)
{
        AUV_AUTO auv_error *member = auv_error_new(AUV_EUSER, NULL);
        size_t n = 7;

        cr_assert(zero(ptr, auv_error_new_group("none", &member, 0)));
        cr_assert(zero(ptr, auv_error_new_group("none", NULL, 0)));
        cr_assert(zero(ptr, auv_error_new_group("none", NULL, 1)));
        cr_assert(zero(ptr, auv_error_new_group("none", (auv_error *[]) { member, NULL }, 2)));
        cr_assert(zero(ptr, (void *)auv_error_members(member, &n)));
        cr_assert(eq(sz, n, 0));
}

Test(error, text_has_name_and_message)
{
        AUV_AUTO auv_error *error = auv_error_new(AUV_ENOENT, "no such room");
        AUV_AUTO auv_error *bare = auv_error_new(AUV_ENOENT, NULL);

        cr_assert_has(formatted(error), "ENOENT");
        cr_assert_has(formatted(error), "no such room");
        cr_assert_has(formatted(bare), "ENOENT");
}

Test(error, text_has_members_and_causes_on_one_line)
{
        AUV_AUTO auv_error *first = auv_error_new(AUV_ENOENT, "first");
        AUV_AUTO auv_error *second = auv_error_new(AUV_EPIPE, "second");
        AUV_AUTO auv_error *cause = auv_error_new(AUV_EIO, "origin");
        AUV_AUTO auv_error *group = auv_error_new_group("both", (auv_error *[]) { first, second }, 2);
        char *text;

        auv_error_set_cause(group, cause);
        text = formatted(group);
        cr_assert(lt(ptr, strstr(text, "EGROUP"), strstr(text, "ENOENT")));
        cr_assert(lt(ptr, strstr(text, "both"), strstr(text, "first")));
        cr_assert(lt(ptr, strstr(text, "first"), strstr(text, "second")));
        cr_assert(lt(ptr, strstr(text, "second"), strstr(text, "EIO")));
        cr_assert_has(text, "origin");
        cr_assert(zero(ptr, strchr(text, '\n')));
}

Test(error, text_is_cut_to_fit)
{
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, "0123456789");
        char text[64], cut[64];
        const size_t length = auv_error_format(error, text, sizeof(text));

        cr_assert(eq(sz, strlen(text), length));
        cr_assert(eq(sz, auv_error_format(error, NULL, 0), length));
        for (size_t size = 1; size <= length + 1; size++) {
                memset(cut, '#', sizeof(cut));
                cr_assert(eq(sz, auv_error_format(error, cut, size), length));
                cr_assert(eq(sz, strlen(cut), size - 1));
                cr_assert(eq(int, strncmp(cut, text, size - 1), 0));
                cr_assert(eq(int, cut[size], '#'));
        }
        cut[0] = '#';
        cr_assert(eq(sz, auv_error_format(error, cut, 0), length));
        cr_assert(eq(int, cut[0], '#'));
}

Test(error, text_of_null_is_a_text)
{
        char text[64];

        memset(text, '#', sizeof(text));
        cr_assert(eq(sz, auv_error_format(NULL, text, sizeof(text)), strlen(text)));
}

/* Bound from the outside in: what is checked for a circle is the chain behind the new cause. */
static char *chain_of_causes(void)
{
        auv_error *first = auv_error_new(AUV_EUSER, "0"), *last = first;
        size_t length;

        for (int i = 1; i < SMALL_STACK_DEPTH; i++) {
                auv_error *next = auv_error_new(AUV_EUSER, "%d", i);

                REQUIRE(auv_error_set_cause(last, next) == 0);
                auv_unref(next);
                last = next;
        }
        length = auv_error_format(first, NULL, 0);
        REQUIRE(length > SMALL_STACK_DEPTH * strlen("EUSER: 0"));
        auv_unref(first);
        return NULL;
}

Test(error, chain_of_100000_causes_is_freed_without_recursion)
{
        const long before = failing_allocator_live();

        cr_assert_text(on_small_stack(chain_of_causes), NULL);
        cr_assert(eq(long, failing_allocator_live(), before));
}

Test(error, chain_of_causes_is_freed_up_to_one_that_is_held)
{
        auv_error *links[4];

        for (int i = 0; i < 4; i++)
                links[i] = auv_error_new(AUV_EUSER, "%d", i);
        for (int i = 0; i < 3; i++)
                auv_error_set_cause(links[i], links[i + 1]);
        auv_unref(links[0]);
        auv_unref(links[1]);
        auv_unref(links[3]);
        cr_assert_text(auv_error_message(links[2]), "2");
        cr_assert(eq(ptr, auv_error_cause(links[2]), links[3]));
        auv_unref(links[2]);
}

static char *groups_of_groups(void)
{
        auv_error *error = auv_error_new(AUV_EUSER, "innermost");

        for (int i = 0; i < SMALL_STACK_DEPTH; i++) {
                auv_error *group = auv_error_new_group("group", &error, 1);

                REQUIRE(group);
                auv_unref(error);
                error = group;
        }
        REQUIRE(auv_error_format(error, NULL, 0) > 0);
        auv_unref(error);
        return NULL;
}

Test(error, groups_100000_deep_are_freed_without_recursion)
{
        const long before = failing_allocator_live();

        cr_assert_text(on_small_stack(groups_of_groups), NULL);
        cr_assert(eq(long, failing_allocator_live(), before));
}

/* causes in groups in causes, and members that stand in several groups */
Test(error, of_any_shape_is_freed)
{
        auv_error *leaf = auv_error_new(AUV_EUSER, "leaf");
        auv_error *cause = auv_error_new_group("a", (auv_error *[]) { leaf, leaf }, 2);
        auv_error *middle = auv_error_new(AUV_EUSER, "middle");
        auv_error *top;

        auv_error_set_cause(middle, cause);
        top = auv_error_new_group("b", (auv_error *[]) { middle, leaf, middle }, 3);
        auv_error_set_cause(top, cause);
        auv_unref(leaf);
        auv_unref(cause);
        auv_unref(middle);
        cr_assert_text(auv_error_message(leaf), "leaf");
        auv_unref(top);
}

Test(error, raised_is_current)
{
        cr_assert(zero(ptr, auv_error_current()));
        cr_assert(eq(int, auv_raise(AUV_EUSER, "number %d", 1), AUV_EUSER));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EUSER));
        cr_assert_text(auv_error_message(auv_error_current()), "number 1");
        cr_assert(eq(int, auv_raise(AUV_EIO, NULL), AUV_EIO));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EIO));
        cr_assert(zero(ptr, (void *)auv_error_message(auv_error_current())));
        auv_error_clear();
        cr_assert(zero(ptr, auv_error_current()));
        auv_error_clear();
}

Test(error, raised_must_be_negative)
{
        cr_assert(eq(int, auv_raise(0, "zero"), AUV_EINVAL));
        cr_assert(eq(int, auv_raise(3, NULL), AUV_EINVAL));
}

Test(error, reraised_is_the_same_object)
{
        auv_error *error = auv_error_new(AUV_EUSER, "mine");

        cr_assert(eq(int, auv_reraise(error), AUV_EUSER));
        auv_unref(error);
        cr_assert(eq(ptr, auv_error_current(), error));
        cr_assert_text(auv_error_message(error), "mine");
}

Test(error, reraised_may_be_the_current_one)
{
        auv_raise(AUV_EUSER, "once");
        cr_assert(eq(int, auv_reraise(auv_error_current()), AUV_EUSER));
        cr_assert_text(auv_error_message(auv_error_current()), "once");
}

/* The message that is written may be that of the error it takes the place of. */
Test(error, raised_may_quote_the_current_one)
{
        auv_raise(AUV_EUSER, "inner");
        auv_raise(AUV_EUSER, "outer of %s", auv_error_message(auv_error_current()));
        cr_assert_text(auv_error_message(auv_error_current()), "outer of inner");
}

static void *raise_in_thread(void *arg)
{
        const bool had_one = auv_error_current();

        auv_raise(AUV_EUSER, "of the thread");
        return had_one ? "saw another thread's error" : NULL;
}

Test(error, is_current_in_its_thread_alone_and_goes_with_it)
{
        const long before = failing_allocator_live();
        pthread_t thread;
        void *found;

        auv_raise(AUV_EIO, NULL);
        pthread_create(&thread, NULL, raise_in_thread, NULL);
        pthread_join(thread, &found);
        cr_assert(zero(ptr, found));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EIO));
        cr_assert(eq(long, failing_allocator_live(), before));
}

static int raises_and_waits(void *arg, auv_value *ret)
{
        const char *name = arg;

        trace("%s:%s", name, auv_error_current() ? auv_error_message(auv_error_current()) : "none");
        auv_raise(AUV_EUSER, "%s", name);
        auv_await_sleep(0);
        trace("%s:%s", name, auv_error_message(auv_error_current()));
        return 0;
}

Test(error, is_current_in_its_task_alone)
{
        AUV_AUTO auv_task *a = auv_loop_create_task(loop, raises_and_waits, "a", 0, NULL);
        AUV_AUTO auv_task *b = auv_loop_create_task(loop, raises_and_waits, "b", 0, NULL);

        auv_raise(AUV_EIO, "outside");
        loop_turns(3);
        cr_assert_trace("a:none b:none | a:a b:b | |");
        cr_assert_text(auv_error_message(auv_error_current()), "outside");
        cr_assert(auv_future_done(a) && auv_future_done(b));
}

static int raises_with_cause(void *arg, auv_value *ret)
{
        AUV_AUTO auv_error *cause = auv_error_new(AUV_ENOENT, "origin");
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, "result");

        auv_error_set_cause(error, cause);
        return auv_reraise(error);
}

static int awaits_and_passes_on(void *arg, auv_value *ret)
{
        AUV_AUTO auv_task *inner = auv_create_task(raises_with_cause, NULL, 0);

        return auv_await(inner, ret);
}

Test(error, goes_from_the_raiser_through_each_awaiter)
{
        cr_assert(eq(int, loop_run(awaits_and_passes_on, NULL, NULL), AUV_EUSER));
        cr_assert_text(auv_error_message(auv_error_current()), "result");
        cr_assert_text(auv_error_message(auv_error_cause(auv_error_current())), "origin");
}

static int returns_another_code(void *arg, auv_value *ret)
{
        auv_raise(AUV_EUSER, "handled");
        return AUV_ENOENT;
}

Test(error, of_another_code_does_not_go_with_a_code)
{
        cr_assert(eq(int, loop_run(returns_another_code, NULL, NULL), AUV_ENOENT));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOENT));
        cr_assert(zero(ptr, (void *)auv_error_message(auv_error_current())));
}

static int returns_code_after_clear(void *arg, auv_value *ret)
{
        auv_raise(AUV_EUSER, "handled");
        auv_error_clear();
        return AUV_EUSER;
}

Test(error, that_was_cleared_does_not_go_with_a_code)
{
        cr_assert(eq(int, loop_run(returns_code_after_clear, NULL, NULL), AUV_EUSER));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_EUSER));
        cr_assert(zero(ptr, (void *)auv_error_message(auv_error_current())));
}

static int reraises_after_clean_up(void *arg, auv_value *ret)
{
        AUV_AUTO auv_error *kept = NULL;

        auv_raise(AUV_EUSER, "first");
        kept = auv_ref(auv_error_current());
        cr_assert(lt(int, auv_await(NULL, NULL), 0));
        return auv_reraise(kept);
}

Test(error, that_was_kept_can_be_raised_again)
{
        cr_assert(eq(int, loop_run(reraises_after_clean_up, NULL, NULL), AUV_EUSER));
        cr_assert_text(auv_error_message(auv_error_current()), "first");
}

static void make_errors(void)
{
        AUV_AUTO auv_error *error = auv_error_new(AUV_EUSER, "message %d", 1);
        AUV_AUTO auv_error *group = NULL;

        if (!error)
                return;
        group = auv_error_new_group("message", &error, 1);
        cr_assert(group || failing_allocator_fired());
}

/* Payloads */

Test(error, of_an_incomplete_read_has_what_was_read)
{
        char data[] = "abc";
        AUV_AUTO auv_error *error = auv_error_new_incomplete_read(data, 3, 10);
        size_t size = 99, expected = 99;
        const void *partial;

        data[0] = 'x';
        cr_assert(eq(int, auv_error_code(error), AUV_EINCOMPLETEREAD));
        cr_assert_text(auv_error_message(error), "3 bytes read on a total of 10 expected bytes");
        partial = auv_error_partial(error, &size, &expected);
        cr_assert(eq(sz, size, 3));
        cr_assert(eq(sz, expected, 10));
        cr_assert(memcmp(partial, "abc", 3) == 0);
        cr_assert(auv_error_partial(error, NULL, NULL) == partial);
        cr_assert(eq(sz, auv_error_consumed(error), 0));
}

Test(error, of_an_incomplete_read_need_not_know_what_was_expected)
{
        AUV_AUTO auv_error *error = auv_error_new_incomplete_read(NULL, 0, 0);
        size_t size = 99, expected = 99;

        cr_assert_text(auv_error_message(error), "0 bytes read on a total of undefined expected bytes");
        cr_assert(auv_error_partial(error, &size, &expected) != NULL);
        cr_assert(eq(sz, size, 0));
        cr_assert(eq(sz, expected, 0));
        cr_assert(auv_error_new_incomplete_read(NULL, 1, 0) == NULL);
        cr_assert(auv_error_new_incomplete_read("a", SIZE_MAX - 8, 0) == NULL);
}

Test(error, of_a_limit_has_how_much_is_consumed)
{
        for (size_t length = 0; length < 20; length++) {
                char message[32] = "";
                AUV_AUTO auv_error *error = NULL;
                size_t size = 99;

                memset(message, 'm', length);
                error = auv_error_new_limit_overrun(message, 1000 + length);
                cr_assert(eq(int, auv_error_code(error), AUV_ELIMITOVERRUN));
                cr_assert_text(auv_error_message(error), message);
                cr_assert(eq(sz, auv_error_consumed(error), 1000 + length));
                cr_assert(auv_error_partial(error, &size, NULL) == NULL);
                cr_assert(eq(sz, size, 0));
        }
}

Test(error, of_a_limit_may_have_no_message)
{
        AUV_AUTO auv_error *error = auv_error_new_limit_overrun(NULL, 7);

        cr_assert(auv_error_message(error) == NULL);
        cr_assert(eq(sz, auv_error_consumed(error), 7));
}

Test(error, without_payload_has_none)
{
        AUV_AUTO auv_error *incomplete = auv_error_new(AUV_EINCOMPLETEREAD, NULL);
        AUV_AUTO auv_error *overrun = auv_error_new(AUV_ELIMITOVERRUN, "m");
        size_t size = 99, expected = 99;

        cr_assert(auv_error_partial(incomplete, &size, &expected) == NULL);
        cr_assert(eq(sz, size, 0));
        cr_assert(eq(sz, expected, 0));
        cr_assert(auv_error_partial(NULL, NULL, NULL) == NULL);
        cr_assert(eq(sz, auv_error_consumed(overrun), 0));
        cr_assert(eq(sz, auv_error_consumed(NULL), 0));
}

Test(error, without_memory_is_null)
{
        cr_assert(eq(long, failing_allocator_sweep(make_errors), 2));
}

Test(error, raised_without_memory_is_the_code_alone)
{
        failing_allocator_arm_all();
        cr_assert(eq(int, auv_raise(AUV_ENOENT, "message"), AUV_ENOENT));
        cr_assert(eq(int, auv_error_code(auv_error_current()), AUV_ENOENT));
        cr_assert(zero(ptr, (void *)auv_error_message(auv_error_current())));
        cr_assert(eq(int, auv_raise(AUV_EUSER - 5, "message"), AUV_EUSER - 5));
        failing_allocator_disarm();
}

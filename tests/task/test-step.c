/* SPDX-License-Identifier: MIT */

/* The steps of many tasks that are ready at once, of both forms. */

#include "support/coroutine.h"
#include "support/loop.h"
#include "support/stackless.h"
#include "support/trace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>

TestSuite(step, .init = loop_setup, .fini = loop_teardown);

/* More than are taken from a turn at once, of the one form, of the other, and of both by turns. */
enum { N = 40 };

struct member {
        auv_frame frame;
        auv_task **self;
        auv_future *future;
        int n;
        int i;
        int r;
};

static bool is_stackless(int i)
{
        return i < N / 2 ? i < N / 4 : i % 2;
}

static auv_task *start(int i, auv_stackless_fn stackless, auv_coro_fn fn, struct member *member)
{
        if (is_stackless(i))
                return auv_loop_create_task(loop, NULL, member, sizeof(*member),
                                            AUV_TASK_OPTIONS(.stackless = stackless));
        return auv_loop_create_task(loop, fn, member, sizeof(*member), NULL);
}

static void expect_own_state(const struct member *self)
{
        cr_assert(eq(ptr, auv_current_task(NULL), *self->self));
        cr_assert(zero(ptr, (void *)auv_error_current()));
        trace("%d", self->n);
}

static int lets_others_run_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct member, self);
        for (self->i = 0; self->i < 3; self->i++) {
                expect_own_state(self);
                AUV_AWAIT_SLEEP(0);
        }
        AUV_END;
}

static int lets_others_run(void *arg, auv_value *ret)
{
        struct member *self = arg;

        for (self->i = 0; self->i < 3; self->i++) {
                expect_own_state(self);
                AUV_TRY(auv_await_sleep(0));
        }
        return 0;
}

static void expect_no_task(void *arg)
{
        cr_assert(zero(ptr, auv_current_task(NULL)));
        trace("callback");
}

/* Tasks with callbacks between them, which are called once. */
Test(step, comes_in_the_order_in_which_tasks_became_ready)
{
        char *words;
        size_t size;
        FILE *text = open_memstream(&words, &size);
        auv_task *tasks[N];

        for (int i = 0; i < N; i++) {
                if (i % 11 == 10)
                        auv_loop_call_soon(loop, expect_no_task, NULL, NULL);
                tasks[i] = start(i, lets_others_run_without_stack, lets_others_run,
                                 &(struct member) { .self = &tasks[i], .n = i });
        }
        loop_turns(4);
        for (int turn = 0; turn < 4; turn++) {
                for (int i = 0; i < N && turn < 3; i++)
                        fprintf(text, "%s%d ", turn == 0 && i % 11 == 10 ? "callback " : "", i);
                fprintf(text, turn < 3 ? "| " : "|");
        }
        fclose(text);
        cr_assert_trace(words);
        free(words);
        for (int i = 0; i < N; i++) {
                cr_assert(auv_future_done(tasks[i]));
                auv_unref(tasks[i]);
        }
}

static int tells_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct member, self);
        AUV_AWAIT_CATCH(self->r, self->future, NULL);
        trace("%d", self->r);
        if (self->r < 0)
                cr_assert(eq(int, auv_error_code(auv_error_current()), self->r));
        else
                expect_own_state(self);
        AUV_END;
}

static int tells(void *arg, auv_value *ret)
{
        struct member *self = arg;

        self->r = auv_await(self->future, NULL);
        trace("%d", self->r);
        if (self->r < 0)
                cr_assert(eq(int, auv_error_code(auv_error_current()), self->r));
        else
                expect_own_state(self);
        return 0;
}

/* Of four each, one is woken by a result, one by an error, one cancelled, and one cancelled when woken. */
Test(step, throws_into_each_task_what_is_its_own)
{
        char *words;
        size_t size;
        FILE *text = open_memstream(&words, &size);
        auv_future *futures[N];
        auv_task *tasks[N];

        for (int i = 0; i < N; i++) {
                futures[i] = auv_loop_create_future(loop);
                tasks[i] = start(i, tells_without_stack, tells,
                                 &(struct member) { .self = &tasks[i], .future = futures[i], .n = i });
        }
        loop_turn();
        for (int i = 0; i < N; i++) {
                switch (i % 4) {
                case 0:
                        cr_assert(zero(int, auv_future_set_result(futures[i], NUMBER(i))));
                        fprintf(text, "0 %d ", i);
                        break;
                case 1:
                        cr_assert(zero(int, auv_future_fail(futures[i], AUV_EUSER - i, "%d", i)));
                        fprintf(text, "%d ", AUV_EUSER - i);
                        break;
                case 3:
                        cr_assert(zero(int, auv_future_set_result(futures[i], NUMBER(i))));
                        /* fall through */
                default:
                        cr_assert(eq(int, auv_task_cancel(tasks[i], NULL), 1));
                        fprintf(text, "%d ", AUV_ECANCELED);
                        break;
                }
        }
        loop_turns(1);
        fprintf(text, "|");
        fclose(text);
        cr_assert_trace(words);
        free(words);
        for (int i = 0; i < N; i++) {
                cr_assert(eq(int, auv_future_result(tasks[i], NULL), 0));
                auv_unref(tasks[i]);
                auv_unref(futures[i]);
        }
}

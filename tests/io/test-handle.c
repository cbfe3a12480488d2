/* SPDX-License-Identifier: MIT */
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/trace.h"

#include "base/alloc.h"
#include "io/handle.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>

TestSuite(handle, .init = loop_setup, .fini = loop_teardown);

/* Something with a handle that stands behind other things. */
struct ticker {
        const char *name;
        uv_timer_t timer;
        struct auv__handle handle;
};

static void loop_closed(struct auv__handle *handle)
{
        trace("%s:loop_closed", auv__container_of(handle, struct ticker, handle)->name);
}

static void closed(struct auv__handle *handle)
{
        struct ticker *ticker = auv__container_of(handle, struct ticker, handle);

        trace("%s:closed", ticker->name);
        auv__free(ticker);
}

static const struct auv__handle_functions functions = { .loop_closed = loop_closed, .closed = closed };
static const struct auv__handle_functions no_loop_closed = { .closed = closed };

static struct ticker *open_ticker(auv_loop *on, const char *name, const struct auv__handle_functions *with)
{
        struct ticker *ticker = auv__malloc(sizeof(*ticker));

        if (!ticker)
                return NULL;
        if (auv__handle_prepare(&ticker->handle, on, with) < 0) {
                auv__free(ticker);
                return NULL;
        }
        ticker->name = name;
        uv_timer_init(auv__handle_uv_loop(&ticker->handle), &ticker->timer);
        auv__handle_open(&ticker->handle, (uv_handle_t *)&ticker->timer);
        return ticker;
}

Test(handle, is_freed_when_libuv_has_let_go_of_it)
{
        struct ticker *ticker = open_ticker(loop, "a", &functions);

        cr_assert(auv__handle_is_open(&ticker->handle));
        cr_assert(auv__handle_of(&ticker->timer) == &ticker->handle);
        auv__handle_close(&ticker->handle);
        cr_assert(eq(int, auv__handle_is_open(&ticker->handle), 0));
        auv__handle_close(&ticker->handle);
        cr_assert_trace("");
        loop_turn();
        cr_assert_trace("a:closed");
}

Test(handle, is_closed_with_its_loop)
{
        open_ticker(loop, "a", &functions);
        open_ticker(loop, "b", &no_loop_closed);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_trace("a:loop_closed a:closed b:closed");
}

Test(handle, that_closes_is_not_closed_again_by_the_loop)
{
        struct ticker *a = open_ticker(loop, "a", &functions);
        struct ticker *b = open_ticker(loop, "b", &functions);
        struct ticker *c = open_ticker(loop, "c", &functions);

        auv__handle_close(&b->handle);
        auv__handle_close(&c->handle);
        auv__handle_close(&a->handle);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert_trace("a:closed c:closed b:closed");
}

Test(handle, outlives_a_loop_over_a_libuv_loop_of_the_programs)
{
        auv_loop *embedded;
        uv_loop_t uv;

        uv_loop_init(&uv);
        cr_assert(eq(int, auv_new_event_loop(AUV_LOOP_OPTIONS(.uv_loop = &uv), &embedded), 0));
        open_ticker(embedded, "a", &functions);
        cr_assert(eq(int, auv_loop_close(embedded), 0));
        auv_unref(embedded);
        cr_assert_trace("a:loop_closed");
        uv_run(&uv, UV_RUN_DEFAULT);
        cr_assert_trace("a:loop_closed a:closed");
        cr_assert(eq(int, uv_loop_close(&uv), 0));
}

Test(handle, cannot_be_prepared_without_memory)
{
        struct auv__handle handle;

        failing_allocator_arm(1);
        cr_assert(eq(int, auv__handle_prepare(&handle, loop, &functions), AUV_ENOMEM));
        failing_allocator_disarm();
        cr_assert(eq(int, auv__handle_prepare(&handle, loop, &functions), 0));
}

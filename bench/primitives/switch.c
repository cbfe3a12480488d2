/* SPDX-License-Identifier: MIT */

/*
 * What a switch costs, and what a coroutine does that never suspends, without a loop or a
 * task around it. With one coroutine everything stays in the first-level cache; with many,
 * their stacks compete for the caches and the TLB.
 */

#include "primitives/primitives.h"

#include "coro/coro.h"
#include "coro/stack.h"
#include "coro/stackful.h"
#include "coro/stackless.h"
#include "support/process.h"

#include <asyncuv/error.h>

#include <stdlib.h>

enum { N_SWITCHES = 400000 };

static int suspend_until_told(void *arg, auv_value *ret)
{
        struct auv__coro **coro = arg;

        while (auv__stackful_suspend(*coro) == 0)
                ;
        return 0;
}

static int return_at_once(void *arg, auv_value *ret)
{
        return 0;
}

struct suspender {
        auv_frame frame;
        size_t n_resumed;
};

/* A task knows its body by a pointer: the compiler must not know which it is. */
static auv_stackless_fn hide(auv_stackless_fn fn)
{
        __asm__("" : "+r"(fn));
        return fn;
}

/* A place for @n coroutines, and a pool for their stacks. */
struct stage {
        struct auv__stack_pool pool;
        struct auv__coro **coros;
        size_t n;
};

static int open_stage(struct stage *stage, size_t n)
{
        *stage = (struct stage) { .n = n };
        stage->coros = calloc(n, sizeof(struct auv__coro *));
        return stage->coros ? auv__stack_pool_init(&stage->pool, /* default_size= */ 0) : AUV_ENOMEM;
}

static void close_stage(struct stage *stage)
{
        free(stage->coros);
        auv__stack_pool_deinit(&stage->pool);
}

static int fill_stage(struct stage *stage, auv_coro_fn fn)
{
        for (size_t i = 0; i < stage->n; i++) {
                struct auv__coro **coro = &stage->coros[i];

                AUV_TRY(auv__stackful_new(&stage->pool, /* stack_size= */ 0, fn, coro, /* size= */ 0,
                                          /* ret= */ NULL, coro));
        }
        return 0;
}

static void end_all(struct stage *stage)
{
        for (size_t i = 0; i < stage->n && stage->coros[i]; i++) {
                auv__coro_resume(stage->coros[i], AUV_ECANCELED);
                auv__coro_destroy(stage->coros[i]);
                stage->coros[i] = NULL;
        }
}

static int measure_stackful(size_t n, double *ret_ns)
{
        const size_t turns = N_SWITCHES / n + 1;
        struct stage stage;
        int64_t start_ns;
        int r;

        AUV_TRY(open_stage(&stage, n));
        r = fill_stage(&stage, suspend_until_told);
        for (size_t i = 0; r == 0 && i < n; i++)
                auv__coro_resume(stage.coros[i], 0);
        start_ns = bench_now_ns();
        for (size_t turn = 0; r == 0 && turn < turns; turn++)
                for (size_t i = 0; i < n; i++)
                        auv__coro_resume(stage.coros[i], 0);
        /* In, and out again. */
        *ret_ns = (double)(bench_now_ns() - start_ns) / ((double)(turns * n) * 2);
        end_all(&stage);
        close_stage(&stage);
        return r;
}

/* What AUV_AWAIT does once it has to wait, for ever. */
static int suspend_always(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct suspender, self);
        for (;;) {
                __label__ resumed;

                AUV_SUSPEND_AT_(resumed);
        resumed:
                self->n_resumed++;
        }
        AUV_END;
}

static int measure_stackless(size_t n, double *ret_ns)
{
        const size_t turns = N_SWITCHES / n + 1;
        struct suspender *suspenders;
        auv_value unused;
        int64_t start_ns;

        suspenders = calloc(n, sizeof(*suspenders));
        if (!suspenders)
                return AUV_ENOMEM;
        start_ns = bench_now_ns();
        for (size_t turn = 0; turn < turns; turn++)
                for (size_t i = 0; i < n; i++)
                        auv__stackless_resume(hide(suspend_always), &suspenders[i].frame, &unused, 0);
        *ret_ns = (double)(bench_now_ns() - start_ns) / ((double)(turns * n) * 2);
        free(suspenders);
        return 0;
}

int bench_measure_switch(enum bench_form form, size_t n, double *ret_ns)
{
        return form == BENCH_STACKLESS ? measure_stackless(n, ret_ns) : measure_stackful(n, ret_ns);
}

int bench_measure_life(enum bench_form form, size_t n, double *ret_ns)
{
        const size_t turns = N_SWITCHES / n + 1;
        struct stage stage;
        int64_t start_ns;
        int r;

        AUV_TRY(open_stage(&stage, n));
        r = 0;
        start_ns = bench_now_ns();
        for (size_t turn = 0; r == 0 && turn < turns; turn++) {
                r = fill_stage(&stage, return_at_once);
                end_all(&stage);
        }
        *ret_ns = (double)(bench_now_ns() - start_ns) / (double)(turns * n);
        close_stage(&stage);
        return r;
}

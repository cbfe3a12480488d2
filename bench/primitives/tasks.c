/* SPDX-License-Identifier: MIT */

/* What tasks and futures cost, on a loop that never waits. */

#include "primitives/primitives.h"

#include "support/crowd.h"
#include "support/process.h"

enum { N_TIMES = 10000 };

/* ---- Tasks that let each other run */

struct yielder {
        auv_frame frame;
        size_t rounds;
};

static int yield_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct yielder, self);
        while (self->rounds-- > 0)
                AUV_AWAIT_SLEEP(0);
        AUV_END;
}

static int yield_with_stack(void *arg, auv_value *ret)
{
        struct yielder *self = arg;

        while (self->rounds-- > 0)
                AUV_TRY(auv_await_sleep(0));
        return 0;
}

static const struct bench_body yield_many_times = { yield_without_stack, yield_with_stack };

int bench_measure_yield(enum bench_form form, size_t n, double *ret_ns)
{
        const struct yielder yielder = { .rounds = 1000000 / n };
        struct bench_crowd *crowd;
        int64_t start_ns;
        int r;

        crowd = bench_crowd_new(n);
        if (!crowd)
                return AUV_ENOMEM;
        start_ns = bench_now_ns();
        bench_crowd_fill(crowd, form, yield_many_times, &yielder, sizeof(yielder));
        r = bench_await_crowd(crowd, /* flags= */ 0);
        *ret_ns = (double)(bench_now_ns() - start_ns) / (double)(n * yielder.rounds);
        bench_crowd_free(crowd);
        return r;
}

/* ---- A task after the other, made and awaited by one of the same form */

struct nothing {
        auv_frame frame;
};

static int return_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct nothing, self);
        AUV_RETURN(.i = 1);
        AUV_END;
}

static int return_with_stack(void *arg, auv_value *ret)
{
        ret->i = 1;
        return 0;
}

static const struct bench_body return_at_once = { return_without_stack, return_with_stack };

struct maker {
        auv_frame frame;
        auv_task *task;
        int i;
        bool eager;
        int64_t *ns;
};

static auv_task *make_one_without_stack(bool eager)
{
        const struct nothing nothing = { 0 };

        if (!eager)
                return auv_create_stackless_task(return_without_stack, &nothing, sizeof(nothing));
        return auv_loop_create_task(/* loop= */ NULL, /* fn= */ NULL, &nothing, sizeof(nothing),
                                    AUV_TASK_OPTIONS(.stackless = return_without_stack,
                                                     .eager_start = true));
}

static auv_task *make_one_with_stack(bool eager)
{
        if (!eager)
                return auv_create_task(return_with_stack, /* arg= */ NULL, /* size= */ 0);
        return auv_loop_create_task(/* loop= */ NULL, return_with_stack, /* arg= */ NULL, /* size= */ 0,
                                    AUV_TASK_OPTIONS(.eager_start = true));
}

static int make_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct maker, self);
        *self->ns = -bench_now_ns();
        for (; self->i < N_TIMES; self->i++) {
                self->task = make_one_without_stack(self->eager);
                AUV_AWAIT(self->task, NULL);
                self->task = auv_unref(self->task);
        }
        *self->ns += bench_now_ns();
        AUV_FINALLY;
        auv_unref(self->task);
        AUV_END;
}

static int make_with_stack(void *arg, auv_value *ret)
{
        const struct maker *self = arg;

        *self->ns = -bench_now_ns();
        for (int i = 0; i < N_TIMES; i++) {
                AUV_AUTO auv_task *task = make_one_with_stack(self->eager);

                AUV_TRY(auv_await(task, NULL));
        }
        *self->ns += bench_now_ns();
        return 0;
}

static const struct bench_body make_many = { make_without_stack, make_with_stack };

static int measure_making(enum bench_form form, bool eager, double *ret_ns)
{
        int64_t ns = 0;
        const struct maker maker = { .eager = eager, .ns = &ns };
        AUV_AUTO auv_task *task = bench_create_task(form, make_many, &maker, sizeof(maker));

        AUV_TRY(auv_await(task, NULL));
        *ret_ns = (double)ns / N_TIMES;
        return 0;
}

int bench_measure_create_await(enum bench_form form, size_t n, double *ret_ns)
{
        return measure_making(form, /* eager= */ false, ret_ns);
}

int bench_measure_eager_await(enum bench_form form, size_t n, double *ret_ns)
{
        return measure_making(form, /* eager= */ true, ret_ns);
}

/* ---- Two tasks wake each other: each sets the future that the other awaits */

enum { N_FUTURES = 1000, N_BATCHES = N_TIMES / N_FUTURES }; /* at a time so few that they stay in the cache */

struct futures {
        struct bench_crowd *there, *back;
};

struct waker {
        auv_frame frame;
        const struct futures *futures;
        size_t i;
};

static int set_future(auv_future *future)
{
        return auv_future_set_result(future, (auv_value) { .i = 1 });
}

static int go_and_wait_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct waker, self);
        for (; self->i < N_FUTURES; self->i++) {
                AUV_CHECK(set_future(self->futures->there->tasks[self->i]));
                AUV_AWAIT(self->futures->back->tasks[self->i], NULL);
        }
        AUV_END;
}

static int go_and_wait_with_stack(void *arg, auv_value *ret)
{
        const struct waker *self = arg;

        for (size_t i = 0; i < N_FUTURES; i++) {
                AUV_TRY(set_future(self->futures->there->tasks[i]));
                AUV_TRY(auv_await(self->futures->back->tasks[i], NULL));
        }
        return 0;
}

static const struct bench_body go_and_wait = { go_and_wait_without_stack, go_and_wait_with_stack };

static int wait_and_go_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct waker, self);
        for (; self->i < N_FUTURES; self->i++) {
                AUV_AWAIT(self->futures->there->tasks[self->i], NULL);
                AUV_CHECK(set_future(self->futures->back->tasks[self->i]));
        }
        AUV_END;
}

static int wait_and_go_with_stack(void *arg, auv_value *ret)
{
        const struct waker *self = arg;

        for (size_t i = 0; i < N_FUTURES; i++) {
                AUV_TRY(auv_await(self->futures->there->tasks[i], NULL));
                AUV_TRY(set_future(self->futures->back->tasks[i]));
        }
        return 0;
}

static const struct bench_body wait_and_go = { wait_and_go_without_stack, wait_and_go_with_stack };

static int wake_each_other(enum bench_form form, const struct futures *futures, int64_t *ns)
{
        const struct waker waker = { .futures = futures };
        AUV_AUTO auv_task *second = bench_create_task(form, wait_and_go, &waker, sizeof(waker));
        AUV_AUTO auv_task *first = NULL;

        AUV_TRY(auv_await_sleep(0)); /* the second one waits */
        *ns -= bench_now_ns();
        first = bench_create_task(form, go_and_wait, &waker, sizeof(waker));
        AUV_TRY(auv_await(first, NULL));
        *ns += bench_now_ns();
        return auv_await(second, NULL);
}

int bench_measure_set_wake(enum bench_form form, size_t n, double *ret_ns)
{
        int64_t ns = 0;
        int r = 0;

        for (int i = 0; r == 0 && i < N_BATCHES; i++) {
                const struct futures futures = { bench_crowd_of_futures(N_FUTURES),
                                                 bench_crowd_of_futures(N_FUTURES) };

                r = futures.there && futures.back ? wake_each_other(form, &futures, &ns) : AUV_ENOMEM;
                bench_crowd_free(futures.there);
                bench_crowd_free(futures.back);
        }
        *ret_ns = (double)ns / N_TIMES / 2;
        return r;
}

/* ---- Many tasks, from the making of the first to the end of the last */

static int measure_crowd(enum bench_form form, size_t n, struct bench_body body,
                         int (*await_end)(struct bench_crowd *crowd), double *ret_ns)
{
        const struct nothing nothing = { 0 };
        struct bench_crowd *crowd;
        int64_t start_ns;
        int r;

        crowd = bench_crowd_new(n); /* by mmap(): not what others measure */
        if (!crowd)
                return AUV_ENOMEM;
        start_ns = bench_now_ns();
        bench_crowd_fill(crowd, form, body, &nothing, sizeof(nothing));
        r = await_end(crowd);
        bench_crowd_empty(crowd);
        *ret_ns = (double)(bench_now_ns() - start_ns) / (double)n;
        bench_crowd_free(crowd);
        return r;
}

static int gather_crowd(struct bench_crowd *crowd)
{
        return bench_await_crowd(crowd, /* flags= */ 0);
}

int bench_measure_gather(enum bench_form form, size_t n, double *ret_ns)
{
        return measure_crowd(form, n, return_at_once, gather_crowd, ret_ns);
}

static int sleep_without_stack(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct nothing, self);
        AUV_AWAIT_SLEEP(3600);
        AUV_END;
}

static int sleep_with_stack(void *arg, auv_value *ret)
{
        return auv_await_sleep(3600);
}

static const struct bench_body sleep_for_an_hour = { sleep_without_stack, sleep_with_stack };

static int cancel_crowd(struct bench_crowd *crowd)
{
        AUV_TRY(auv_await_sleep(0)); /* all sleep now */
        for (size_t i = 0; i < crowd->n; i++)
                AUV_TRY(auv_task_cancel(crowd->tasks[i], /* message= */ NULL));
        return bench_await_crowd(crowd, AUV_RETURN_EXCEPTIONS);
}

int bench_measure_sleep_cancel(enum bench_form form, size_t n, double *ret_ns)
{
        return measure_crowd(form, n, sleep_for_an_hour, cancel_crowd, ret_ns);
}

/* ---- No task at all */

static void do_nothing(void *arg)
{
}

int bench_measure_call_soon(enum bench_form form, size_t n, double *ret_ns)
{
        const int64_t start_ns = bench_now_ns();

        for (size_t i = 0; i < n; i++)
                AUV_TRY(auv_loop_call_soon(NULL, do_nothing, NULL, NULL));
        AUV_TRY(auv_await_sleep(0));
        *ret_ns = (double)(bench_now_ns() - start_ns) / (double)n;
        return 0;
}

/* SPDX-License-Identifier: MIT */

/* The queue of timers by itself, against a model of it: an array that is searched. */

#include "loop/timer.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

enum { N = 300, ROUNDS = 60000 };

static struct auv__timers *timers;
static struct auv__timer nodes[N];
static unsigned long order[N]; /* when the timer was set, counted */
static unsigned long n_set;
static int64_t now_ns;

static void setup(void)
{
        timers = malloc(sizeof(*timers));
        cr_assert(ne(ptr, timers, NULL));
        memset(timers, 0xa5, sizeof(*timers));
        auv__timers_init(timers);
}

static void teardown(void)
{
        free(timers);
}

TestSuite(timers, .init = setup, .fini = teardown);

static uint64_t next_random(void)
{
        static uint64_t state = 88172645463325252;

        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
}

static void set(size_t i, int64_t when_ns)
{
        auv__timers_set(timers, &nodes[i], when_ns);
        order[i] = ++n_set;
}

/* Takes what is due, and expects timers by number, then -1. */
static void expect_due(int64_t at_ns, const int *expected)
{
        struct auv__timer *timer;

        auv__timers_advance(timers, at_ns);
        for (; *expected >= 0; expected++) {
                timer = auv__timers_take(timers);
                cr_assert(ne(ptr, timer, NULL));
                cr_assert(eq(int, (int)(timer - nodes), *expected));
                cr_assert(not(auv__timer_is_set(timer)));
        }
        cr_assert(eq(ptr, auv__timers_take(timers), NULL));
}

#define EXPECT_DUE(at_ns, ...) expect_due(at_ns, (const int[]) { __VA_ARGS__, -1 })

Test(timers, are_none_at_first)
{
        cr_assert(eq(i64, auv__timers_next(timers), AUV__NEVER));
        cr_assert(not(auv__timers_may_be_due(timers)));
        EXPECT_DUE(1000, -1);
}

Test(timers, leave_by_time_whatever_their_distance)
{
        set(0, INT64_C(1) << 62);
        set(1, 1);
        set(2, 4096);
        set(3, 4095);
        set(4, 0);
        set(5, AUV__NEVER - 1);
        set(6, 64);
        cr_assert(eq(i64, auv__timers_next(timers), 0));
        EXPECT_DUE(0, 4);
        cr_assert(eq(i64, auv__timers_next(timers), 1));
        EXPECT_DUE(4095, 1, 6, 3);
        cr_assert(eq(i64, auv__timers_next(timers), 4096));
        EXPECT_DUE(AUV__NEVER - 2, 2, 0);
        EXPECT_DUE(AUV__NEVER - 1, 5);
}

Test(timers, of_one_time_leave_as_they_were_set)
{
        set(0, 1000000);
        set(1, 1000000);
        EXPECT_DUE(999999, -1);
        set(2, 1000000);
        EXPECT_DUE(1000000, 0, 1, 2);
}

Test(timers, for_the_past_come_before_all_others_in_order)
{
        auv__timers_advance(timers, 100000);
        set(0, 100000);
        set(1, 50);
        set(2, -7);
        set(3, 50);
        set(4, INT64_MIN);
        set(5, 99999);
        cr_assert(le(i64, auv__timers_next(timers), 100000));
        EXPECT_DUE(100000, 4, 2, 1, 3, 5, 0);
}

Test(timers, for_the_past_are_many_and_in_no_order)
{
        struct auv__timer *timer, *last = NULL;
        size_t n = 0;

        auv__timers_advance(timers, 100000);
        for (size_t i = 0; i < N; i++)
                set(i, (int64_t)(next_random() % 50));
        auv__timers_advance(timers, 100000);
        for (; (timer = auv__timers_take(timers)); last = timer, n++)
                if (last)
                        cr_assert(last->when_ns < timer->when_ns
                                  || (last->when_ns == timer->when_ns && last < timer));
        cr_assert(eq(sz, n, N));
}

Test(timers, for_never_are_not_due_at_the_end_of_time)
{
        set(0, AUV__NEVER);
        cr_assert(eq(i64, auv__timers_next(timers), AUV__NEVER));
        cr_assert(not(auv__timers_may_be_due(timers)));
        EXPECT_DUE(AUV__NEVER, -1);
        auv__timer_stop(&nodes[0]);
        cr_assert(not(auv__timer_is_set(&nodes[0])));
}

Test(timers, that_were_stopped_do_not_leave)
{
        set(0, 5000);
        set(1, 5000);
        set(2, 70000);
        auv__timer_stop(&nodes[0]);
        auv__timer_stop(&nodes[0]);
        EXPECT_DUE(6000, 1);
        auv__timer_stop(&nodes[2]);
        cr_assert(eq(i64, auv__timers_next(timers), AUV__NEVER));
        cr_assert(not(auv__timers_may_be_due(timers)));
}

/* Those that are due may be stopped until they are taken. */
Test(timers, are_stopped_when_they_are_due)
{
        for (size_t i = 0; i < 4; i++)
                set(i, 10);
        auv__timers_advance(timers, 10);
        auv__timer_stop(&nodes[2]);
        auv__timer_stop(&nodes[0]);
        cr_assert(eq(ptr, auv__timers_take(timers), &nodes[1]));
        cr_assert(eq(ptr, auv__timers_take(timers), &nodes[3]));
        cr_assert(eq(ptr, auv__timers_take(timers), NULL));
}

Test(timers, set_while_others_are_due_wait_for_the_next_time)
{
        set(0, 500);
        set(1, 700);
        auv__timers_advance(timers, 1000);
        cr_assert(eq(ptr, auv__timers_take(timers), &nodes[0]));
        set(2, 600);
        set(3, 1000);
        set(4, 1001);
        cr_assert(eq(ptr, auv__timers_take(timers), &nodes[1]));
        cr_assert(eq(ptr, auv__timers_take(timers), NULL));
        cr_assert(le(i64, auv__timers_next(timers), 1000));
        EXPECT_DUE(1000, 2, 3);
        EXPECT_DUE(1001, 4);
}

/* The least of those that are set; N where there is none. */
static size_t model_first(void)
{
        size_t first = N;

        for (size_t i = 0; i < N; i++)
                if (auv__timer_is_set(&nodes[i])
                    && (first == N || nodes[i].when_ns < nodes[first].when_ns
                        || (nodes[i].when_ns == nodes[first].when_ns && order[i] < order[first])))
                        first = i;
        return first;
}

static int64_t random_time(void)
{
        switch (next_random() % 8) {
        case 0:
                return now_ns - (int64_t)(next_random() % 1000);
        case 1:
                return now_ns;
        case 2:
                return now_ns + (int64_t)(next_random() % 16);
        case 3:
                return now_ns + (int64_t)(next_random() >> 1) % (AUV__NEVER - now_ns);
        case 4:
                return next_random() % 64 ? now_ns + 1000000 : AUV__NEVER;
        default:
                return now_ns + 1000000 + (int64_t)(next_random() % 9000000);
        }
}

/* Of like delays as a rule, so that most are set in order. */
static int64_t like_time(void)
{
        const uint64_t random = next_random();

        return now_ns + (random % 16 ? INT64_C(1) << (20 + random % 3) : (int64_t)(random >> 8) % 9000000);
}

static void take_and_compare(void)
{
        size_t first = model_first();

        auv__timers_advance(timers, now_ns);
        for (; first < N && nodes[first].when_ns <= now_ns && nodes[first].when_ns != AUV__NEVER;
             first = model_first())
                cr_assert(eq(ptr, auv__timers_take(timers), &nodes[first]));
        cr_assert(eq(ptr, auv__timers_take(timers), NULL));
}

/* Steps of each size, such that the timers of each level come to be due. */
static void let_time_pass(void)
{
        const int64_t step = (int64_t)(next_random() >> (20 + next_random() % 44));

        now_ns += next_random() % 100 ? step % 2000000 : step % (INT64_C(1) << 50);
}

static void compare_with_model(int64_t (*when)(void))
{
        size_t first;
        int64_t next_ns;
        bool stopped = false;

        for (int round = 0; round < ROUNDS; round++) {
                const size_t i = next_random() % N;

                if (!auv__timer_is_set(&nodes[i])) {
                        set(i, when());
                } else if (next_random() % 4 == 0) {
                        auv__timer_stop(&nodes[i]);
                        stopped = true;
                }
                if (next_random() % 4 > 0)
                        continue;
                first = model_first();
                next_ns = auv__timers_next(timers);
                if (first == N || nodes[first].when_ns == AUV__NEVER)
                        cr_assert(eq(i64, next_ns, AUV__NEVER));
                else if (stopped || nodes[first].when_ns <= timers->now_ns)
                        cr_assert(le(i64, next_ns, nodes[first].when_ns <= timers->now_ns
                                                  ? timers->now_ns : nodes[first].when_ns));
                else
                        cr_assert(eq(i64, next_ns, nodes[first].when_ns));
                let_time_pass();
                if (next_random() % 3 == 0 && next_ns != AUV__NEVER && next_ns > now_ns)
                        now_ns = next_ns;
                take_and_compare();
        }
}

Test(timers, leave_as_the_model_says)
{
        compare_with_model(random_time);
}

Test(timers, of_like_delays_leave_as_the_model_says)
{
        compare_with_model(like_time);
}

/* Where the first of a slot was stopped, one wakeup too many at the most is asked for. */
Test(timers, ask_for_no_more_than_one_wakeup_for_one_that_was_stopped)
{
        int wakeups = 0;

        for (size_t i = 0; i < 100; i++)
                set(i, 10000000 + (int64_t)i * 1000);
        auv__timer_stop(&nodes[0]);
        for (size_t left = 99; left > 0; wakeups++) {
                const int64_t next_ns = auv__timers_next(timers);

                cr_assert(ne(i64, next_ns, AUV__NEVER));
                auv__timers_advance(timers, next_ns);
                while (auv__timers_take(timers))
                        left--;
        }
        cr_assert(le(int, wakeups, 100));
}

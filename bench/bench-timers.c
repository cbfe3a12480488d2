/* SPDX-License-Identifier: MIT */

/*
 * Queues of timers: the library's, lib/loop/timer.c, beside two others that it could have had, a 4-ary heap
 * with its keys in the array and a radix heap of one bit a digit. For 1,000 to 1,000,000 timers, what each
 * of them costs in nanoseconds, the median of several runs:
 *
 *      same     all set for the same delay, one after the other, and fired
 *      storm    each set for 1 to 10 ms at random, and again when it has fired
 *      timeout  each set for the same delay and taken out before, the oldest first
 *
 * The timers stand in blocks of the size of a task. One JSON line for each result.
 */

#include "base/object.h"
#include "loop/timer.h"
#include "support/generator.h"
#include "support/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 3, BLOCK = 112 };

#define SECOND INT64_C(1000000000)

static void *allocate(size_t n, size_t size)
{
        void *p = calloc(n, size);

        if (!p) {
                perror("bench-timers");
                exit(EXIT_FAILURE);
        }
        return p;
}

/* A queue: sets, takes out, and takes one that is due at @now, or NULL. */
struct queue {
        const char *name;
        void (*init)(size_t n);
        void (*deinit)(void);
        void (*set)(void *timer, int64_t key);
        void (*remove)(void *timer);
        void *(*take)(int64_t now);
};

/* 4-ary heap */

struct heap_timer {
        uint64_t sequence;
        size_t place;
};

static struct heap_entry {
        int64_t key;
        struct heap_timer *timer;
} *heap;
static size_t heap_n;
static uint64_t heap_sequence;

static void heap_init(size_t n)
{
        heap = allocate(n, sizeof(*heap));
        heap_n = 0;
}

static void heap_deinit(void)
{
        free(heap);
}

static bool heap_before(const struct heap_entry *a, const struct heap_entry *b)
{
        return a->key < b->key || (a->key == b->key && a->timer->sequence < b->timer->sequence);
}

static void heap_put(size_t i, struct heap_entry entry)
{
        heap[i] = entry;
        entry.timer->place = i;
}

static void heap_up(size_t i, struct heap_entry entry)
{
        for (; i > 0 && heap_before(&entry, &heap[(i - 1) / 4]); i = (i - 1) / 4)
                heap_put(i, heap[(i - 1) / 4]);
        heap_put(i, entry);
}

static void heap_down(size_t i, struct heap_entry entry)
{
        for (size_t least; (least = i * 4 + 1) < heap_n; i = least) {
                const size_t end = least + 4 < heap_n ? least + 4 : heap_n;

                for (size_t child = least + 1; child < end; child++)
                        if (heap_before(&heap[child], &heap[least]))
                                least = child;
                if (!heap_before(&heap[least], &entry))
                        break;
                heap_put(i, heap[least]);
        }
        heap_put(i, entry);
}

static void heap_set(void *timer, int64_t key)
{
        ((struct heap_timer *)timer)->sequence = heap_sequence++;
        heap_up(heap_n++, (struct heap_entry) { key, timer });
}

static void heap_remove(void *timer)
{
        const size_t i = ((struct heap_timer *)timer)->place;
        const struct heap_entry last = heap[--heap_n];

        if (i == heap_n)
                return;
        if (i > 0 && heap_before(&last, &heap[(i - 1) / 4]))
                heap_up(i, last);
        else
                heap_down(i, last);
}

static void *heap_take(int64_t now)
{
        void *timer = heap_n > 0 && heap[0].key <= now ? heap[0].timer : NULL;

        if (timer)
                heap_remove(timer);
        return timer;
}

/*
 * Radix heap of one bit a digit: bucket i has the keys that differ from the last first in bit i - 1. A
 * bucket's own is the least.
 */

struct radix_timer {
        struct radix_timer *next, *previous;
        int64_t key;
};

static struct radix_timer radix[65];
static uint64_t radix_last;

static void radix_init(size_t n)
{
        (void)n;
        radix_last = 0;
        for (int i = 0; i < 65; i++)
                radix[i].next = radix[i].previous = &radix[i];
}

static void radix_deinit(void)
{
}

static void radix_place(struct radix_timer *timer)
{
        const uint64_t difference = (uint64_t)timer->key ^ radix_last;
        struct radix_timer *bucket = &radix[difference ? 64 - __builtin_clzll(difference) : 0];

        if (bucket->next == bucket || timer->key < bucket->key)
                bucket->key = timer->key;
        timer->next = bucket;
        timer->previous = bucket->previous;
        timer->previous->next = timer;
        bucket->previous = timer;
}

static void radix_set(void *timer, int64_t key)
{
        ((struct radix_timer *)timer)->key = key;
        radix_place(timer);
}

static void radix_remove(void *timer)
{
        struct radix_timer *t = timer;

        t->next->previous = t->previous;
        t->previous->next = t->next;
}

static void *radix_take(int64_t now)
{
        struct radix_timer *first;
        int i = 0;

        while (i < 65 && radix[i].next == &radix[i])
                i++;
        if (i == 65)
                return NULL;
        if (i > 0) {
                struct radix_timer *bucket = &radix[i], *timer = bucket->next, *next;

                if (bucket->key > now)
                        return NULL;
                radix_last = (uint64_t)bucket->key;
                bucket->previous->next = NULL;
                bucket->next = bucket->previous = bucket;
                for (; timer; timer = next) {
                        next = timer->next;
                        radix_place(timer);
                }
        }
        first = radix[0].next;
        if (first == &radix[0] || first->key > now)
                return NULL;
        radix_remove(first);
        return first;
}

/* The library's */

static struct auv__timers wheel;

static void wheel_init(size_t n)
{
        (void)n;
        auv__timers_init(&wheel);
}

static void wheel_deinit(void)
{
}

static void wheel_set(void *timer, int64_t key)
{
        auv__timers_set(&wheel, timer, key);
}

static void wheel_remove(void *timer)
{
        auv__timer_stop(timer);
}

static void *wheel_take(int64_t now)
{
        if (now != wheel.now_ns)
                auv__timers_advance(&wheel, now);
        return auv__timers_take(&wheel);
}

static const struct queue queues[] = {
        { "heap4", heap_init, heap_deinit, heap_set, heap_remove, heap_take },
        { "radix2", radix_init, radix_deinit, radix_set, radix_remove, radix_take },
        { "wheel64", wheel_init, wheel_deinit, wheel_set, wheel_remove, wheel_take },
};

enum { SAME_SET, SAME_FIRE, STORM, TIMEOUT, N_METRICS };

static const char *const metrics[] = { "same_set", "same_fire", "storm", "timeout" };

static char *blocks;
static uint64_t generator;

static void *block(size_t i)
{
        return blocks + i * BLOCK;
}

static double since(int64_t start_ns)
{
        return (double)(bench_now_ns() - start_ns);
}

/* Set one each 50 ns for in 10 s, then fired in turns of 10 us. */
static void run_same(const struct queue *queue, size_t n, double *ret)
{
        int64_t start = bench_now_ns();
        int64_t now = SECOND;
        size_t left = n;

        for (size_t i = 0; i < n; i++)
                queue->set(block(i), now + 10 * SECOND + (int64_t)i * 50);
        ret[SAME_SET] = since(start) / (double)n;
        start = bench_now_ns();
        for (now += 10 * SECOND; left > 0; now += 10000)
                while (queue->take(now))
                        left--;
        ret[SAME_FIRE] = since(start) / (double)n;
}

/* Each fires several times, in a loop that takes 100 ns for each that fires. */
static void run_storm(const struct queue *queue, size_t n, double *ret)
{
        const size_t n_fires = n < 1000000 ? 10 * n : 2 * n;
        int64_t start;
        int64_t now = 100 * SECOND;
        size_t fires = 0;
        void *timer;

        for (size_t i = 0; i < n; i++)
                queue->set(block(i), now + bench_draw_ns(&generator, 1, 10));
        start = bench_now_ns();
        for (; fires < n_fires; now += 10000) {
                const int64_t turn = now;

                for (; (timer = queue->take(turn)); fires++, now += 100)
                        queue->set(timer, now + bench_draw_ns(&generator, 1, 10));
        }
        ret[STORM] = since(start) / (double)fires;
        for (size_t i = 0; i < n; i++)
                queue->remove(block(i));
}

/* @n at a time, for in 30 s, taken out in the order in which they were set; one a microsecond. */
static void run_timeout(const struct queue *queue, size_t n, double *ret)
{
        const size_t n_set = 2 * n;
        int64_t start;
        int64_t now = 200 * SECOND;

        for (size_t i = 0; i < n; i++)
                queue->set(block(i), now + 30 * SECOND);
        start = bench_now_ns();
        for (size_t i = 0; i < n_set; i++, now += 1000) {
                if (queue->take(now))
                        abort();
                queue->remove(block(i % n));
                queue->set(block(i % n), now + 30 * SECOND);
        }
        ret[TIMEOUT] = since(start) / (double)n_set;
        for (size_t i = 0; i < n; i++)
                queue->remove(block(i));
}

static int compare(const void *a, const void *b)
{
        const double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

static void measure(const struct queue *queue, size_t n)
{
        double results[N_METRICS][RUNS];

        for (int run = 0; run < RUNS; run++) {
                double result[N_METRICS];

                queue->init(n);
                run_same(queue, n, result);
                run_storm(queue, n, result);
                run_timeout(queue, n, result);
                queue->deinit();
                for (int metric = 0; metric < N_METRICS; metric++)
                        results[metric][run] = result[metric];
        }
        for (int metric = 0; metric < N_METRICS; metric++) {
                qsort(results[metric], RUNS, sizeof(results[metric][0]), compare);
                printf("{\"workload\":\"timers\",\"form\":\"%s\",\"n\":%zu,\"metric\":\"%s\",\"value\":%.1f,"
                       "\"unit\":\"ns\"}\n", queue->name, n, metrics[metric], results[metric][RUNS / 2]);
        }
        fflush(stdout);
}

/* With "few" on the command line, the fewest alone. */
int main(int argc, char **argv)
{
        const bool few = argc == 2 && strcmp(argv[1], "few") == 0;

        if (argc > 1 && !few) {
                fprintf(stderr, "usage: bench-timers [few]\n");
                return 2;
        }
        for (size_t n = 1000; n <= (few ? 1000 : 1000000); n *= n == 1000 ? 100 : 10) {
                blocks = allocate(n, BLOCK);
                for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++)
                        measure(&queues[i], n);
                free(blocks);
        }
        return EXIT_SUCCESS;
}

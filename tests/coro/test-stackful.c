/* SPDX-License-Identifier: MIT */

#include "coro/stackful.h"

#include "coro/coro.h"
#include "coro/sanitizer.h"
#include "coro/stack.h"
#include "support/memory.h"
#include "support/scene.h"

#include <asyncuv/error.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <execinfo.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define KIB          ((size_t)1024)
#define N_COROUTINES 100000

extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));
extern void *__asan_get_current_fake_stack(void) __attribute__((weak));

TestSuite(stackful, .init = scene_setup, .fini = scene_teardown);

static bool is_watched(void)
{
        return auv__sanitizer_watches_switches() || auv__sanitizer_is_valgrind();
}

static int suspend_three_times(void *arg, auv_value *ret)
{
        struct scene *scene = arg;

        for (int i = 0; i < 3; i++) {
                const int err = auv__stackful_suspend(scene->coro);

                scene->errs[scene->n++] = err;
        }
        return scene->result;
}

static int never_run(void *arg, auv_value *ret)
{
        abort();
}

Test(stackful, does_not_run_before_it_is_resumed)
{
        auv__coro_destroy(start_coro(never_run, NULL, 0, NULL));
}

Test(stackful, resume_returns_at_each_suspension_and_at_the_end)
{
        struct scene scene = { .n = 0 };
        struct auv__coro *coro = start_scene(&scene, suspend_three_times);

        for (int i = 0; i < 3; i++) {
                cr_assert(eq(int, auv__coro_resume(coro, 0), AUV__CORO_SUSPENDED));
                cr_assert(eq(int, scene.n, i));
        }
        cr_assert(eq(int, auv__coro_resume(coro, 0), 0));
        cr_assert(eq(int, scene.n, 3));
        auv__coro_destroy(coro);
}

Test(stackful, resume_returns_how_the_body_ended)
{
        static const struct {
                int returned, expected;
        } rows[] = { { 0, 0 },   { 1, 0 },          { 2, 0 }, { 1 << 30, 0 }, { AUV_ENOMEM, AUV_ENOMEM },
                     { -1, -1 }, { -99999, -99999 } };

        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                struct scene scene = { .result = rows[i].returned };
                struct auv__coro *coro = start_scene(&scene, suspend_three_times);

                for (int j = 0; j < 3; j++)
                        cr_assert(eq(int, auv__coro_resume(coro, 0), AUV__CORO_SUSPENDED));
                cr_assert(eq(int, auv__coro_resume(coro, 0), rows[i].expected));
                auv__coro_destroy(coro);
        }
}

Test(stackful, error_is_thrown_in_at_the_suspension_point)
{
        struct scene scene = { .n = 0 };
        struct auv__coro *coro = start_scene(&scene, suspend_three_times);

        auv__coro_resume(coro, 0);
        auv__coro_resume(coro, AUV_ECANCELED);
        auv__coro_resume(coro, 0);
        auv__coro_resume(coro, -12345);
        cr_assert(eq(int, scene.errs[0], AUV_ECANCELED));
        cr_assert(eq(int, scene.errs[1], 0));
        cr_assert(eq(int, scene.errs[2], -12345));
        auv__coro_destroy(coro);
}

Test(stackful, error_of_the_first_resume_is_ignored)
{
        struct scene scene = { .n = 0 };
        struct auv__coro *coro = start_scene(&scene, suspend_three_times);

        cr_assert(eq(int, auv__coro_resume(coro, AUV_ECANCELED), AUV__CORO_SUSPENDED));
        cr_assert(eq(int, scene.n, 0));
        auv__coro_destroy(coro);
}

static int set_ret(void *arg, auv_value *ret)
{
        ret->s = "the result";
        return 0;
}

Test(stackful, body_gets_the_place_of_its_result)
{
        auv_value value = { .i = 0 };
        struct auv__coro *coro = start_coro(set_ret, NULL, 0, &value);

        auv__coro_resume(coro, 0);
        auv__coro_destroy(coro);
        cr_assert(eq(str, (char *)value.s, (char *)"the result"));
}

static int return_arg(void *arg, auv_value *ret)
{
        ret->p = arg;
        return 0;
}

Test(stackful, body_gets_the_pointer_itself_when_its_size_is_0)
{
        int arg = 1;
        auv_value value = { .i = 0 };
        struct auv__coro *coro = start_coro(return_arg, &arg, 0, &value);

        auv__coro_resume(coro, 0);
        auv__coro_destroy(coro);
        cr_assert(eq(ptr, value.p, &arg));
}

static struct auv__coro *me;
static size_t expected_size;
static unsigned char expected[300 * 1024];

static int compare_arg(void *arg, auv_value *ret)
{
        if (arg == expected || (uintptr_t)arg % 16)
                return -1;
        auv__stackful_suspend(me);
        for (size_t i = 0; i < expected_size; i++)
                if (((unsigned char *)arg)[i] != (unsigned char)(i * 7))
                        return -1;
        memset(arg, 0xff, expected_size); /* it is the body's own */
        return 0;
}

Test(stackful, body_gets_a_copy_of_its_argument)
{
        static const size_t sizes[] = { 1,     2,     8,      15,     16,       17,    24,
                                        63,    64,    1000,   4095,   4096,     10000, 32768,
                                        65536, 70000, 131072, 200000, 300 * KIB };

        for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
                expected_size = sizes[i];
                for (size_t j = 0; j < sizes[i]; j++)
                        expected[j] = (unsigned char)(j * 7);
                me = start_coro(compare_arg, expected, sizes[i], NULL);
                memset(expected, 0xaa, sizes[i]);
                cr_assert(eq(int, auv__coro_resume(me, 0), AUV__CORO_SUSPENDED));
                cr_assert(eq(int, auv__coro_resume(me, 0), 0));
                auv__coro_destroy(me);
        }
}

/* Frames of a bit more than 1 KiB each, which no optimizer can merge. */
static int __attribute__((noinline)) recurse(int depth, struct auv__coro *coro)
{
        volatile char frame[1024];
        int r;

        for (size_t i = 0; i < sizeof(frame); i += 64)
                frame[i] = (char)(depth + (int)i);
        if (depth == 0)
                return coro ? auv__stackful_suspend(coro) : 0;
        r = recurse(depth - 1, coro);
        for (size_t i = 0; i < sizeof(frame); i += 64)
                if (frame[i] != (char)(depth + (int)i))
                        return -1;
        return r;
}

static int recurse_40_kib(void *arg, auv_value *ret)
{
        return recurse(36, NULL);
}

Test(stackful, stack_is_as_deep_as_promised)
{
        struct auv__coro *coro = start_coro(recurse_40_kib, NULL, 0, NULL);

        cr_assert(eq(int, auv__coro_resume(coro, 0), 0));
        auv__coro_destroy(coro);
}

Test(stackful, stack_is_larger_for_a_large_argument)
{
        struct auv__coro *coro = start_coro(recurse_40_kib, expected, sizeof(expected), NULL);

        cr_assert(eq(int, auv__coro_resume(coro, 0), 0));
        auv__coro_destroy(coro);
}

static int recurse_900_kib(void *arg, auv_value *ret)
{
        return recurse(800, NULL);
}

Test(stackful, stack_is_as_large_as_asked_for)
{
        const size_t size = auv__sanitizer_watches_switches() ? 4096 * KIB : 1024 * KIB;
        struct auv__coro *coro;

        cr_assert(eq(int, auv__stackful_new(&scene_pool, size, recurse_900_kib, NULL, 0, NULL, &coro), 0));
        cr_assert(eq(int, auv__coro_resume(coro, 0), 0));
        auv__coro_destroy(coro);
}

Test(stackful, too_large_a_stack_is_an_invalid_argument)
{
        struct auv__coro *coro = (void *)&scene_pool;

        cr_assert(eq(int, auv__stackful_new(&scene_pool, AUV__STACK_MAX + 1, never_run, NULL, 0, NULL,
                                            &coro), AUV_EINVAL));
        cr_assert(eq(int, auv__stackful_new(&scene_pool, 0, never_run, expected, AUV__STACK_MAX, NULL,
                                            &coro), AUV_EINVAL));
        cr_assert(eq(int, auv__stackful_new(&scene_pool, 0, never_run, expected, SIZE_MAX - 8, NULL,
                                            &coro), AUV_EINVAL));
        cr_assert(eq(ptr, coro, (void *)&scene_pool));
}

static int suspend_deep_down(void *arg, auv_value *ret)
{
        struct scene *scene = arg;

        scene->errs[0] = recurse(20, scene->coro);
        return recurse(10, scene->coro);
}

Test(stackful, suspends_at_any_depth)
{
        struct scene scene = { .n = 0 };
        struct auv__coro *coro = start_scene(&scene, suspend_deep_down);

        cr_assert(eq(int, auv__coro_resume(coro, 0), AUV__CORO_SUSPENDED));
        cr_assert(eq(int, auv__coro_resume(coro, -7), AUV__CORO_SUSPENDED));
        cr_assert(eq(int, scene.errs[0], -7));
        cr_assert(eq(int, auv__coro_resume(coro, -8), -8));
        auv__coro_destroy(coro);
}

/* Each link resumes the next one, twice, and suspends before, between and after. */
struct link {
        struct auv__coro *coro;
        struct link *next;
        char *log, name;
};

static void note(struct link *link, char what)
{
        const size_t n = strlen(link->log);

        link->log[n] = link->name;
        link->log[n + 1] = what;
        link->log[n + 2] = '\0';
}

static int resume_the_next(void *arg, auv_value *ret)
{
        struct link *link = arg;

        note(link, '1');
        if (link->next)
                auv__coro_resume(link->next->coro, 0);
        note(link, '2');
        auv__stackful_suspend(link->coro);
        note(link, '3');
        if (link->next)
                auv__coro_resume(link->next->coro, 0);
        note(link, '4');
        return 0;
}

Test(stackful, resume_nests)
{
        char log[64] = "";
        struct link c = { .log = log, .name = 'c' };
        struct link b = { .next = &c, .log = log, .name = 'b' };
        struct link a = { .next = &b, .log = log, .name = 'a' };

        a.coro = start_coro(resume_the_next, &a, 0, NULL);
        b.coro = start_coro(resume_the_next, &b, 0, NULL);
        c.coro = start_coro(resume_the_next, &c, 0, NULL);
        auv__coro_resume(a.coro, 0);
        cr_assert(eq(str, log, (char *)"a1b1c1c2b2a2"));
        auv__coro_resume(a.coro, 0);
        cr_assert(eq(str, log, (char *)"a1b1c1c2b2a2a3b3c3c4b4a4"));
        auv__coro_destroy(a.coro);
        auv__coro_destroy(b.coro);
        auv__coro_destroy(c.coro);
}

Test(stackful, may_be_resumed_by_another_the_next_time)
{
        char log[64] = "";
        struct link b = { .log = log, .name = 'b' };
        struct link a = { .next = &b, .log = log, .name = 'a' };

        a.coro = start_coro(resume_the_next, &a, 0, NULL);
        b.coro = start_coro(resume_the_next, &b, 0, NULL);
        auv__coro_resume(a.coro, 0);
        cr_assert(eq(int, auv__coro_resume(b.coro, 0), 0));
        cr_assert(eq(str, log, (char *)"a1b1b2a2b3b4"));
        auv__coro_destroy(b.coro);
        auv__coro_destroy(a.coro);
}

static int create_and_destroy_another(void *arg, auv_value *ret)
{
        struct scene *mine = arg, scene = { .result = -3 };
        struct auv__coro *coro = start_scene(&scene, suspend_three_times);

        auv__coro_resume(coro, 0);
        auv__stackful_suspend(mine->coro);
        auv__coro_resume(coro, 0);
        auv__coro_resume(coro, 0);
        mine->result = auv__coro_resume(coro, 0);
        auv__coro_destroy(coro);
        return 0;
}

Test(stackful, may_create_and_destroy_others)
{
        struct scene scene = { .n = 0 };
        struct auv__coro *coro = start_scene(&scene, create_and_destroy_another);

        cr_assert(eq(int, auv__coro_resume(coro, 0), AUV__CORO_SUSPENDED));
        cr_assert(eq(int, auv__coro_resume(coro, 0), 0));
        cr_assert(eq(int, scene.result, -3));
        auv__coro_destroy(coro);
}

static int jump_inside(void *arg, auv_value *ret)
{
        struct scene *scene = arg;
        jmp_buf there;
        volatile int n = 0;

        if (setjmp(there) < 3) {
                n = n + 1;
                auv__stackful_suspend(scene->coro);
                longjmp(there, n);
        }
        return -n;
}

Test(stackful, body_may_longjmp_inside_itself)
{
        struct scene scene = { .n = 0 };
        struct auv__coro *coro = start_scene(&scene, jump_inside);
        int r;

        for (int i = 0; i < 3; i++)
                cr_assert(eq(int, auv__coro_resume(coro, 0), AUV__CORO_SUSPENDED));
        r = auv__coro_resume(coro, 0);
        cr_assert(eq(int, r, -3));
        auv__coro_destroy(coro);
}

static int take_backtrace(void *arg, auv_value *ret)
{
        struct scene *scene = arg;
        void *frames[64];

        auv__stackful_suspend(scene->coro);
        return -backtrace(frames, 64);
}

Test(stackful, backtrace_ends_at_the_first_frame)
{
        struct scene scene = { .n = 0 };
        struct auv__coro *coro = start_scene(&scene, take_backtrace);
        int r;

        auv__coro_resume(coro, 0);
        r = auv__coro_resume(coro, 0);
        /* this body, run() and start_coro(); makecontext() adds one or two, a sanitizer one */
        cr_assert(le(int, r, -3));
        cr_assert(ge(int, r, -6));
        auv__coro_destroy(coro);
}

/* Touches the stack at each of its pages, in frames much smaller than the guard. */
static int overflow_by_recursion(void *arg, auv_value *ret)
{
        return recurse(1 << 20, NULL);
}

static int __attribute__((noinline)) recurse_by_12_kib(int depth)
{
        volatile char frame[12 * 1024];

        frame[depth % 7] = (char)depth;
        return depth ? recurse_by_12_kib(depth - 1) + frame[depth % 7] : 0;
}

/* One frame can reach from the last page of the stack past a guard of three pages. */
static int overflow_by_large_frames(void *arg, auv_value *ret)
{
        return recurse_by_12_kib(1 << 20);
}

static void overflow(auv_coro_fn fn, enum auv__stack_guard guard)
{
        struct auv__coro *coros[20];

        if (auv__sanitizer_is_valgrind())
                cr_skip_test("memcheck counts it as an error");
        signal(SIGSEGV, SIG_DFL); /* sanitizers would report it, and exit */
        scene_pool.guard = guard;
        for (size_t i = 0; i < 20; i++)
                coros[i] = start_coro(fn, NULL, 0, NULL);
        auv__coro_resume(coros[17], 0);
}

Test(stackful, overflow_is_a_fault, .signal = SIGSEGV)
{
        overflow(overflow_by_recursion, AUV__STACK_GUARD_UNTRIED);
}

Test(stackful, overflow_is_a_fault_at_a_guard_by_mprotect, .signal = SIGSEGV)
{
        overflow(overflow_by_recursion, AUV__STACK_GUARD_MPROTECT);
}

Test(stackful, overflow_by_large_frames_is_a_fault, .signal = SIGSEGV)
{
        overflow(overflow_by_large_frames, AUV__STACK_GUARD_UNTRIED);
}

Test(stackful, overflow_by_large_frames_is_a_fault_at_a_guard_by_mprotect, .signal = SIGSEGV)
{
        overflow(overflow_by_large_frames, AUV__STACK_GUARD_MPROTECT);
}

static int abort_when_resumed(void *arg, auv_value *ret)
{
        struct scene *scene = arg;
        volatile char frame[3000];

        memset((void *)frame, 1, sizeof(frame));
        auv__stackful_suspend(scene->coro);
        abort();
}

Test(stackful, suspended_body_is_abandoned_where_it_stands)
{
        for (int i = 0; i < 100; i++) {
                struct scene scene = { .n = 0 };
                struct auv__coro *coro = start_scene(&scene, i % 2 ? abort_when_resumed : suspend_deep_down);

                auv__coro_resume(coro, 0);
                auv__coro_destroy(coro);
        }
        /* The stack is as good as new. */
        auv__coro_destroy(start_coro(recurse_40_kib, NULL, 0, NULL));
        for (int i = 0; i < 3; i++) {
                struct auv__coro *coro = start_coro(recurse_40_kib, expected, 4000, NULL);

                cr_assert(eq(int, auv__coro_resume(coro, 0), 0));
                auv__coro_destroy(coro);
        }
}

Test(stackful, stack_of_the_last_one_destroyed_is_used_again)
{
        struct scene scene = { .n = 0 };
        struct auv__coro *first = start_scene(&scene, suspend_three_times);

        auv__coro_resume(first, 0);
        auv__coro_destroy(first);
        for (int i = 0; i < 10; i++) {
                struct auv__coro *coro = start_scene(&scene, suspend_three_times);

                cr_assert(eq(ptr, coro, first));
                auv__coro_destroy(coro);
        }
}

static int add_up(void *arg, auv_value *ret)
{
        struct scene *scene = arg;
        intmax_t sum = scene->n;

        auv__stackful_suspend(scene->coro);
        sum += scene->n;
        auv__stackful_suspend(scene->coro);
        ret->i += sum + scene->n;
        return 0;
}

Test(stackful, can_be_one_of_100000)
{
        struct scene *scenes = calloc(N_COROUTINES, sizeof(*scenes));
        auv_value value = { .i = 0 };
        int n = is_watched() ? 1000 : N_COROUTINES;

        auv__coro_destroy(start_scene(&scenes[0], never_run));
        if (scene_pool.guard == AUV__STACK_GUARD_MPROTECT && n > 10000)
                n = 10000; /* the limit of mappings */

        for (int i = 0; i < n; i++) {
                scenes[i].n = i;
                scenes[i].coro = start_coro(add_up, &scenes[i], 0, &value);
        }
        for (int turn = 0; turn < 3; turn++)
                for (int i = 0; i < n; i++)
                        cr_assert(eq(int, auv__coro_resume(scenes[i].coro, 0),
                                     turn < 2 ? AUV__CORO_SUSPENDED : 0));
        cr_assert(eq(long, value.i, 3L * n * (n - 1) / 2));
        for (int i = 0; i < n; i++)
                auv__coro_destroy(scenes[i].coro);
        free(scenes);
}

static int suspend_with_some_locals(void *arg, auv_value *ret)
{
        struct scene *scene = arg;
        volatile char frame[1024];

        memset((void *)frame, 1, sizeof(frame));
        auv__stackful_suspend(scene->coro);
        return frame[0] - 1;
}

Test(stackful, suspended_takes_one_page)
{
        enum { N = 10000 };
        static struct scene scenes[N];
        size_t before, bytes;

        if (is_watched())
                cr_skip_test("the sanitizer has memory of its own");
        memset(scenes, 1, sizeof(scenes));
        before = memory_in_use().resident;
        for (int i = 0; i < N; i++) {
                start_scene(&scenes[i], suspend_with_some_locals);
                auv__coro_resume(scenes[i].coro, 0);
        }
        bytes = (memory_in_use().resident - before) / N;
#ifdef AUV_CORO_UCONTEXT
        cr_assert(lt(sz, bytes, 8600)); /* two contexts of nearly 1 KiB are in there */
#else
        cr_assert(lt(sz, bytes, (size_t)sysconf(_SC_PAGESIZE) + 410));
#endif
        for (int i = 0; i < N; i++)
                auv__coro_destroy(scenes[i].coro);
}

Test(stackful, without_memory_for_a_stack_is_out_of_memory)
{
        const struct rlimit none = { 0, RLIM_INFINITY }, all = { RLIM_INFINITY, RLIM_INFINITY };
        struct auv__coro *coro = NULL;

        if (is_watched())
                cr_skip_test("the sanitizer would miss the memory first");
        cr_assert(eq(int, setrlimit(RLIMIT_AS, &none), 0));
        cr_assert(eq(int, auv__stackful_new(&scene_pool, 0, never_run, NULL, 0, NULL, &coro), AUV_ENOMEM));
        cr_assert(eq(int, setrlimit(RLIMIT_AS, &all), 0));
        cr_assert(eq(ptr, coro, NULL));
}

static int hold_memory(void *arg, auv_value *ret)
{
        struct scene *scene = arg;
        int *volatile memory = malloc(12345);

        memory[0] = 5;
        auv__stackful_suspend(scene->coro);
        scene->result = memory[0];
        free(memory);
        return 0;
}

Test(stackful, leak_check_finds_pointers_on_suspended_stacks)
{
        struct scene scenes[50] = { { .n = 0 } };
        int leaks = 0;

        if (__asan_get_current_fake_stack && __asan_get_current_fake_stack())
                cr_skip_test("LeakSanitizer does not look at fake frames that are not in use");
        for (size_t i = 0; i < 50; i++)
                auv__coro_resume(start_scene(&scenes[i], hold_memory), 0);
        if (__lsan_do_recoverable_leak_check)
                leaks = __lsan_do_recoverable_leak_check();
        for (size_t i = 0; i < 50; i++) {
                cr_assert(eq(int, auv__coro_resume(scenes[i].coro, 0), 0));
                cr_assert(eq(int, scenes[i].result, 5));
                auv__coro_destroy(scenes[i].coro);
        }
        cr_assert(eq(int, leaks, 0));
}

/* Each thread has a pool and coroutines of its own. Returns what went wrong. */
static void *run_thread(void *arg)
{
        struct auv__stack_pool mine;
        struct scene scenes[20];
        auv_value value = { .i = 0 };

        if (auv__stack_pool_init(&mine, 0) < 0)
                return "init";
        for (int turn = 0; turn < 100; turn++) {
                for (int i = 0; i < 20; i++) {
                        scenes[i].n = i;
                        if (auv__stackful_new(&mine, 0, add_up, &scenes[i], 0, &value, &scenes[i].coro) < 0)
                                return "new";
                }
                for (int i = 0; i < 60; i++)
                        auv__coro_resume(scenes[i % 20].coro, 0);
                for (int i = 0; i < 20; i++)
                        auv__coro_destroy(scenes[i].coro);
        }
        auv__stack_pool_deinit(&mine);
        return value.i == 100 * 3 * 190 ? NULL : "sum";
}

Test(stackful, threads_have_nothing_in_common)
{
        pthread_t threads[4];

        for (size_t i = 0; i < 4; i++)
                cr_assert(eq(int, pthread_create(&threads[i], NULL, run_thread, NULL), 0));
        for (size_t i = 0; i < 4; i++) {
                void *wrong = NULL;

                pthread_join(threads[i], &wrong);
                cr_assert(eq(ptr, wrong, NULL));
        }
}

/* SPDX-License-Identifier: MIT */

#include "coro/stack.h"

#include "coro/sanitizer.h"
#include "support/failing_allocator.h"
#include "support/memory.h"

#include <asyncuv/error.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KIB ((size_t)1024)
#define MIB ((size_t)1024 * 1024)

static const enum auv__stack_guard guards[] = { AUV__STACK_GUARD_UNTRIED, AUV__STACK_GUARD_INSTALL,
                                               AUV__STACK_GUARD_MPROTECT };
#define N_GUARDS (sizeof(guards) / sizeof(*guards))

static struct auv__stack_pool pool;

static void init(void)
{
        cr_assert(eq(int, auv__stack_pool_init(&pool, /* default_size= */ 0), 0));
}

static void fini(void)
{
        auv__stack_pool_deinit(&pool);
}

TestSuite(stack, .init = init, .fini = fini);

/* A pool that tries this kind of guard, in place of the one that the suite made. */
static void init_guard(enum auv__stack_guard guard)
{
        auv__stack_pool_deinit(&pool);
        init();
        pool.guard = guard;
}

static bool is_watched(void)
{
        return auv__sanitizer_watches_switches() || auv__sanitizer_is_valgrind();
}

static struct auv__stack *acquire(size_t size)
{
        struct auv__stack *stack = NULL;

        cr_assert(eq(int, auv__stack_acquire(&pool, size, &stack), 0));
        return stack;
}

static size_t bytes_of(const struct auv__stack *stack)
{
        return (size_t)((char *)stack - stack->low);
}

/* A sanitizer's own memory comes and goes: 0 then. */
static size_t address_space(void)
{
        return is_watched() ? 0 : memory_in_use().mapped;
}

static size_t resident(void)
{
        return is_watched() ? 0 : memory_in_use().resident;
}

static size_t count_mappings(void)
{
        FILE *file = fopen("/proc/self/maps", "re");
        size_t n = 0;
        int c;

        cr_assert(ne(ptr, file, NULL));
        while ((c = getc(file)) != EOF)
                n += c == '\n';
        fclose(file);
        return n;
}

/* Sanitizers would report the fault, and exit. */
static void die_of_faults(void)
{
        if (auv__sanitizer_is_valgrind())
                cr_skip_test("memcheck counts it as an error");
        signal(SIGSEGV, SIG_DFL);
}

Test(stack, is_of_the_size_asked_for_rounded_up)
{
        static const struct {
                size_t asked, got;
        } rows[] = {
                { 1, 16 * KIB },
                { 16 * KIB, 16 * KIB },
                { 16 * KIB + 1, 48 * KIB },
                { 100 * KIB, 112 * KIB },
                { MIB, 2 * MIB - 16 * KIB },
                { 33 * MIB, 64 * MIB - 16 * KIB },
                { AUV__STACK_MAX, AUV__STACK_MAX },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                struct auv__stack *stack = acquire(rows[i].asked);

                cr_assert(le(sz, bytes_of(stack), rows[i].got));
                cr_assert(ge(sz, bytes_of(stack), rows[i].got - 2 * KIB));
                auv__stack_release(stack);
        }
}

Test(stack, is_of_the_default_size_unless_asked_for_another)
{
        struct auv__stack *stack;

        fini();
        cr_assert(eq(int, auv__stack_pool_init(&pool, 496 * KIB), 0));
        stack = acquire(0);
        cr_assert(bytes_of(stack) > 494 * KIB && bytes_of(stack) <= 496 * KIB);
        auv__stack_release(stack);
}

Test(stack, of_48_kib_is_the_default)
{
        if (auv__sanitizer_watches_switches())
                cr_assert(eq(sz, pool.default_size, 240 * KIB));
        else
                cr_assert(eq(sz, pool.default_size, 48 * KIB));
}

Test(stack, larger_than_the_largest_is_an_invalid_argument)
{
        struct auv__stack *stack = (void *)&pool;
        struct auv__stack_pool other;

        cr_assert(eq(int, auv__stack_acquire(&pool, AUV__STACK_MAX + 1, &stack), AUV_EINVAL));
        cr_assert(eq(int, auv__stack_acquire(&pool, SIZE_MAX, &stack), AUV_EINVAL));
        cr_assert(eq(ptr, stack, (void *)&pool));
        cr_assert(eq(int, auv__stack_pool_init(&other, AUV__STACK_MAX + 1), AUV_EINVAL));
}

/* As where pages are so large that a guard of one page leaves less of the span. */
Test(stack, larger_than_guards_of_large_pages_leave_is_an_invalid_argument)
{
        struct auv__stack *stack;

        pool.classes[AUV__STACK_CLASSES - 1].size -= 48 * KIB;
        cr_assert(eq(int, auv__stack_acquire(&pool, AUV__STACK_MAX, &stack), AUV_EINVAL));
        cr_assert(eq(int, auv__stack_acquire(&pool, AUV__STACK_MAX - 48 * KIB, &stack), 0));
        auv__stack_release(stack);
}

Test(stack, ends_at_a_cache_line)
{
        struct auv__stack *stacks[40];

        for (size_t i = 0; i < 40; i++) {
                stacks[i] = acquire(0);
                cr_assert(eq(sz, (uintptr_t)(stacks[i] + 1) % 64, 0));
        }
        for (size_t i = 0; i < 40; i++)
                auv__stack_release(stacks[i]);
}

Test(stack, can_be_written_from_end_to_end)
{
        for (size_t g = 0; g < N_GUARDS; g++) {
                struct auv__stack *stacks[40];

                init_guard(guards[g]);
                for (size_t i = 0; i < 40; i++) {
                        stacks[i] = acquire(0);
                        memset(stacks[i]->low, (int)i, bytes_of(stacks[i]));
                }
                for (size_t i = 0; i < 40; i++) {
                        cr_assert(eq(chr, stacks[i]->low[0], (char)i));
                        cr_assert(eq(chr, ((char *)stacks[i])[-1], (char)i));
                        auv__stack_release(stacks[i]);
                }
        }
}

static sigjmp_buf jump;

static void on_fault(int signal_number)
{
        (void)signal_number;
        siglongjmp(jump, 1);
}

static bool faults(volatile char *address)
{
        if (sigsetjmp(jump, /* savemask= */ 1))
                return true;
        *address = 1;
        return false;
}

/* Every page of it, below every stack; by a handler, so that all can be seen in one test. */
Test(stack, has_16_kib_of_guard_below)
{
        if (auv__sanitizer_is_valgrind())
                cr_skip_test("memcheck counts it as an error");
        signal(SIGSEGV, on_fault);
        for (size_t g = 0; g < N_GUARDS; g++) {
                struct auv__stack *stacks[40];

                init_guard(guards[g]);
                for (size_t i = 0; i < 40; i++) {
                        stacks[i] = acquire(i % 2 ? 0 : 20 * KIB);
                        for (size_t below = 1; below <= 16 * KIB; below += 1023)
                                cr_assert(faults(stacks[i]->low - below));
                        cr_assert(faults(stacks[i]->low - 16 * KIB));
                        cr_assert(not(faults(stacks[i]->low)));
                }
                for (size_t i = 0; i < 40; i++)
                        auv__stack_release(stacks[i]);
        }
        signal(SIGSEGV, SIG_DFL);
}

Test(stack, has_a_guard_that_kills, .signal = SIGSEGV)
{
        die_of_faults();
        acquire(0)->low[-1] = 1;
}

Test(stack, has_a_guard_by_mprotect_that_kills, .signal = SIGSEGV)
{
        die_of_faults();
        init_guard(AUV__STACK_GUARD_MPROTECT);
        acquire(0)->low[-1] = 1;
}

/* As a container may refuse it. */
static void refuse_process_madvise(void)
{
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_madvise, /* jt= */ 0, /* jf= */ 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct sock_fprog program = { .len = sizeof(filter) / sizeof(*filter), .filter = filter };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
                cr_skip_test("the kernel does not filter system calls");
}

Test(stack, has_its_guard_where_several_at_once_are_refused)
{
        struct auv__stack *stacks[40];

        if (auv__sanitizer_is_valgrind())
                cr_skip_test("memcheck counts it as an error");
        refuse_process_madvise();
        signal(SIGSEGV, on_fault);
        for (size_t i = 0; i < 40; i++) {
                stacks[i] = acquire(0);
                cr_assert(faults(stacks[i]->low - 1));
        }
        signal(SIGSEGV, SIG_DFL);
        cr_assert(ne(int, pool.guard, AUV__STACK_GUARD_BATCH));
        for (size_t i = 0; i < 40; i++)
                auv__stack_release(stacks[i]);
}

static size_t resident_pages(void *memory, size_t size)
{
        const size_t n = size / (size_t)sysconf(_SC_PAGESIZE);
        unsigned char *pages = calloc(n, 1);
        size_t n_resident = 0;

        cr_assert(eq(int, mincore(memory, size, pages), 0));
        for (size_t i = 0; i < n; i++)
                n_resident += pages[i] & 1;
        free(pages);
        return n_resident;
}

/* Where it is cheaper, its first page is there before it is used. */
Test(stack, is_made_ready_ahead_for_no_more_than_are_in_use)
{
        enum { N = 16 };
        const size_t span = AUV__STACK_SIZE(1) + AUV__STACK_GUARD;
        struct auv__stack *stacks[N];

        if (is_watched())
                cr_skip_test("stacks are larger then");
        for (size_t i = 0; i < N; i++) {
                stacks[i] = acquire(0);
                cr_assert(le(sz, resident_pages(stacks[0]->low, (N - 1) * span), 2 * (i + 1)));
        }
        for (size_t i = 0; i < N; i++)
                auv__stack_release(stacks[i]);
}

/* DONTNEED is what the pool does to deep pages. */
Test(stack, keeps_its_guard_after_its_deep_pages_were_given_back)
{
        struct auv__stack *stacks[200];

        if (auv__sanitizer_is_valgrind())
                cr_skip_test("memcheck counts it as an error");
        for (size_t i = 0; i < 200; i++) {
                stacks[i] = acquire(0);
                memset(stacks[i]->low, 1, bytes_of(stacks[i]));
        }
        for (size_t i = 0; i < 200; i++)
                auv__stack_release(stacks[i]);
        for (size_t i = 0; i < 200; i++)
                stacks[i] = acquire(0);
        signal(SIGSEGV, on_fault);
        for (size_t i = 0; i < 200; i++) {
                cr_assert(faults(stacks[i]->low - 1));
                cr_assert(not(faults(stacks[i]->low)));
        }
        signal(SIGSEGV, SIG_DFL);
        for (size_t i = 0; i < 200; i++)
                auv__stack_release(stacks[i]);
}

Test(stack, released_last_is_acquired_first)
{
        struct auv__stack *a = acquire(0), *b = acquire(0), *c = acquire(0);

        auv__stack_release(b);
        auv__stack_release(a);
        auv__stack_release(c);
        cr_assert(eq(ptr, acquire(0), c));
        cr_assert(eq(ptr, acquire(0), a));
        cr_assert(eq(ptr, acquire(0), b));
        auv__stack_release(a);
        auv__stack_release(b);
        auv__stack_release(c);
}

Test(stack, is_acquired_again_before_a_new_one_is_made)
{
        struct auv__stack *stacks[500], *again[500];
        size_t size;

        for (size_t i = 0; i < 500; i++)
                stacks[i] = acquire(0);
        size = address_space();
        for (size_t i = 0; i < 500; i += 2)
                auv__stack_release(stacks[i]);
        for (size_t i = 0; i < 500; i += 2) {
                bool known = false;

                again[i] = acquire(0);
                for (size_t j = 0; j < 500; j += 2)
                        known |= again[i] == stacks[j];
                cr_assert(known);
        }
        cr_assert(eq(sz, address_space(), size));
        for (size_t i = 0; i < 500; i++)
                auv__stack_release(i % 2 ? stacks[i] : again[i]);
}

Test(stack, of_one_size_is_not_acquired_for_another)
{
        struct auv__stack *small = acquire(16 * KIB), *large;

        auv__stack_release(small);
        large = acquire(MIB);
        cr_assert(ne(ptr, large, small));
        cr_assert(gt(sz, bytes_of(large), MIB - 2 * KIB));
        cr_assert(eq(ptr, acquire(10 * KIB), small));
        auv__stack_release(small);
        auv__stack_release(large);
}

/* What MADV_GUARD_INSTALL is for: the limit is 65530 mappings in the usual case. */
Test(stack, can_be_one_of_100000_under_the_limit_of_mappings)
{
        enum { N = 100000 };
        struct auv__stack **stacks;

        if (is_watched())
                cr_skip_test("guards are by mprotect(), or it takes minutes");
        auv__stack_release(acquire(0));
        if (pool.guard == AUV__STACK_GUARD_MPROTECT)
                cr_skip_test("the kernel does not have MADV_GUARD_INSTALL");
        stacks = calloc(N, sizeof(*stacks));
        for (size_t i = 0; i < N; i++)
                stacks[i] = acquire(0);
        cr_assert(lt(sz, count_mappings(), 1000));
        for (size_t i = 0; i < N; i++)
                auv__stack_release(stacks[i]);
        free(stacks);
}

Test(stack, without_a_mapping_for_its_guard_is_out_of_memory)
{
        enum { N = 100000 };
        struct auv__stack **stacks;
        size_t n = 0;
        int r;

        if (is_watched())
                cr_skip_test("it takes minutes");
        init_guard(AUV__STACK_GUARD_MPROTECT);
        stacks = calloc(N, sizeof(*stacks));
        while (n < N && (r = auv__stack_acquire(&pool, 0, &stacks[n])) == 0)
                n++;
        if (n == N)
                cr_skip_test("the kernel has no limit of mappings");
        cr_assert(eq(int, r, AUV_ENOMEM));
        cr_assert(gt(sz, n, 1000));

        /* One that has its guard will do, wherever it is. */
        for (size_t i = 0; i < n; i += n / 7) {
                struct auv__stack *again;

                auv__stack_release(stacks[i]);
                again = acquire(0);
                cr_assert(eq(ptr, again, stacks[i]));
        }
        for (size_t i = 0; i < n; i++)
                auv__stack_release(stacks[i]);
        cr_assert(lt(sz, count_mappings(), 10000));
        free(stacks);
}

Test(stack, without_address_space_is_out_of_memory)
{
        const struct rlimit none = { address_space(), RLIM_INFINITY },
                            all = { RLIM_INFINITY, RLIM_INFINITY };
        struct auv__stack *stack = NULL;

        if (is_watched())
                cr_skip_test("the sanitizer would miss the memory first");
        cr_assert(eq(int, setrlimit(RLIMIT_AS, &none), 0));
        cr_assert(eq(int, auv__stack_acquire(&pool, MIB, &stack), AUV_ENOMEM));
        cr_assert(eq(ptr, stack, NULL));
        cr_assert(eq(int, setrlimit(RLIMIT_AS, &all), 0));
        auv__stack_release(acquire(MIB));
}

Test(stack, without_heap_is_out_of_memory)
{
        const size_t size = address_space();
        struct auv__stack *stack = NULL;

        failing_allocator_install();
        failing_allocator_arm_all();
        cr_assert(eq(int, auv__stack_acquire(&pool, 0, &stack), AUV_ENOMEM));
        failing_allocator_disarm();
        cr_assert(eq(ptr, stack, NULL));
        cr_assert(eq(sz, address_space(), size));
        auv__stack_release(acquire(0));
}

Test(stack, gives_its_memory_back_after_a_peak)
{
        enum { N = 20000 };
        struct auv__stack **stacks;
        size_t before, peak, after;

        if (is_watched())
                cr_skip_test("the sanitizer has memory of its own");
        stacks = calloc(N, sizeof(*stacks));
        memset(stacks, 1, N * sizeof(*stacks));
        before = address_space();
        for (size_t i = 0; i < N; i++)
                stacks[i] = acquire(0);
        peak = address_space() - before;
        cr_assert(ge(sz, peak, N * pool.default_size));

        /* in an order that is not that of the slabs */
        for (size_t i = 0; i < N; i++)
                auv__stack_release(stacks[i * 7919 % N]);
        after = address_space() - before;
        cr_assert(le(sz, after, 128 * MIB + 32 * MIB));
        free(stacks);
}

Test(stack, is_not_unmapped_while_as_many_are_in_use)
{
        enum { N = 4000 };
        struct auv__stack **stacks = calloc(N, sizeof(*stacks));
        size_t size;

        for (size_t i = 0; i < N; i++)
                stacks[i] = acquire(0);
        size = address_space();
        for (size_t turn = 0; turn < 5; turn++) {
                for (size_t i = N / 2; i < N; i++)
                        auv__stack_release(stacks[i]);
                cr_assert(eq(sz, address_space(), size));
                for (size_t i = N / 2; i < N; i++)
                        stacks[i] = acquire(0);
                cr_assert(eq(sz, address_space(), size));
        }
        for (size_t i = 0; i < N; i++)
                auv__stack_release(stacks[i]);
        free(stacks);
}

Test(stack, pool_gives_everything_back)
{
        struct auv__stack *stacks[1000];
        size_t before;

        if (is_watched())
                cr_skip_test("the sanitizer has memory of its own");
        init_guard(AUV__STACK_GUARD_UNTRIED);
        before = address_space();
        for (size_t i = 0; i < 1000; i++)
                stacks[i] = acquire(i % 3 * 20 * KIB);
        for (size_t i = 0; i < 1000; i++)
                auv__stack_release(stacks[i]);
        auv__stack_pool_deinit(&pool);
        cr_assert(le(sz, address_space(), before + MIB));
        init();
}

Test(stack, gives_deep_pages_back_when_released)
{
        enum { N = 800 };
        struct auv__stack **stacks;
        size_t before, peak, after;

        if (is_watched())
                cr_skip_test("the sanitizer has memory of its own");
        stacks = calloc(N, sizeof(*stacks));
        memset(stacks, 1, N * sizeof(*stacks));
        before = resident();
        for (size_t i = 0; i < N; i++) {
                stacks[i] = acquire(0);
                memset(stacks[i]->low, 1, bytes_of(stacks[i]));
        }
        peak = resident() - before;
        cr_assert(ge(sz, peak, N * 46 * KIB));
        for (size_t i = 0; i < N; i++)
                auv__stack_release(stacks[i]);
        after = resident() - before;
        cr_assert(le(sz, after, N * 16 * KIB + 4 * MIB + MIB));
        free(stacks);
}

Test(stack, that_is_deep_as_a_habit_keeps_its_pages)
{
        struct rusage before, after;

        if (is_watched())
                cr_skip_test("the sanitizer has memory of its own");
        for (size_t turn = 0; turn < 1000; turn++) {
                struct auv__stack *stack = acquire(0);

                memset(stack->low, 1, bytes_of(stack));
                auv__stack_release(stack);
                if (turn == 1)
                        getrusage(RUSAGE_SELF, &before);
        }
        getrusage(RUSAGE_SELF, &after);
        cr_assert(lt(sz, after.ru_minflt - before.ru_minflt, 20));
}

Test(stack, that_was_deep_once_is_still_counted_when_it_is_not_deep_any_more)
{
        struct auv__stack *stack = acquire(0);
        struct auv__stack_class *class;

        if (auv__sanitizer_is_valgrind())
                cr_skip_test("depth is not looked at");
        memset(stack->low, 1, bytes_of(stack));
        auv__stack_release(stack);
        cr_assert(eq(ptr, acquire(0), stack));
        auv__stack_release(stack);
        class = &pool.classes[auv__sanitizer_watches_switches() ? 3 : 1];
        cr_assert(eq(sz, class->n_deep, 1));
}

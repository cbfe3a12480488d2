/* SPDX-License-Identifier: MIT */
#ifndef AUV_CORO_SANITIZER_H
#define AUV_CORO_SANITIZER_H

/*
 * Sanitizer
 *
 * What AddressSanitizer, LeakSanitizer, ThreadSanitizer and Valgrind have to be told
 * about stacks that they do not know:
 *
 * - ASan and TSan, each switch, right before and right after it, in the function
 *   that switches; hence always_inline: the instrumentation of a function's own
 *   entry and exit would run on either side of the switch;
 * - LSan, the slabs, in which it has to look for pointers. It reads whatever
 *   /proc/self/maps calls readable and does not know guards by MADV_GUARD_INSTALL;
 *   a pool in such a process therefore takes mprotect() for its guards.
 *   With detect_stack_use_after_return, locals lie in fake frames, and in those of a
 *   body that is suspended LSan does not look: it may call leaked what they point to;
 * - memcheck, where the stacks are, or it takes a switch for a huge frame.
 *
 * The sanitizers' runtimes are found at run time, by weak symbols, and not by how
 * the library was compiled: the library as it is installed serves an
 * instrumented program as well.
 */

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#define AUV__HAVE_VALGRIND 1
#include <valgrind/memcheck.h>
#endif
#endif

#define AUV__WEAK          __attribute__((weak))
#define AUV__ALWAYS_INLINE static inline __attribute__((always_inline))

extern void __sanitizer_start_switch_fiber(void **fake_stack, const void *low, size_t size) AUV__WEAK;
extern void __sanitizer_finish_switch_fiber(void *fake_stack, const void **ret_low,
                                            size_t *ret_size) AUV__WEAK;
extern void __asan_poison_memory_region(const volatile void *address, size_t size) AUV__WEAK;
extern void __asan_unpoison_memory_region(const volatile void *address, size_t size) AUV__WEAK;
extern void __lsan_register_root_region(const void *address, size_t size) AUV__WEAK;
extern void __lsan_unregister_root_region(const void *address, size_t size) AUV__WEAK;
extern void *__tsan_get_current_fiber(void) AUV__WEAK;
extern void *__tsan_create_fiber(unsigned int flags) AUV__WEAK;
extern void __tsan_destroy_fiber(void *fiber) AUV__WEAK;
extern void __tsan_switch_to_fiber(void *fiber, unsigned int flags) AUV__WEAK;

/* What the sanitizers know of one coroutine. */
struct auv__fiber {
        void *fake_stack;        /* ASan: the body's, while it is suspended */
        const void *resumer_low; /* ASan: the resumer's stack, while the body runs */
        size_t resumer_size;
        void *tsan;
        void *tsan_resumer; /* while the body runs */
};

static inline bool auv__sanitizer_watches_switches(void)
{
        return __sanitizer_start_switch_fiber || __tsan_create_fiber;
}

static inline bool auv__sanitizer_finds_leaks(void)
{
        return __lsan_register_root_region;
}

static inline bool auv__sanitizer_is_valgrind(void)
{
#ifdef AUV__HAVE_VALGRIND
        return RUNNING_ON_VALGRIND;
#else
        return false;
#endif
}

static inline void auv__sanitizer_slab_mapped(const void *memory, size_t size)
{
        if (__lsan_register_root_region)
                __lsan_register_root_region(memory, size);
}

static inline void auv__sanitizer_slab_unmapped(const void *memory, size_t size)
{
        /* Whatever is mapped at these addresses next must not find them poisoned. */
        if (__asan_unpoison_memory_region)
                __asan_unpoison_memory_region(memory, size);
        if (__lsan_unregister_root_region)
                __lsan_unregister_root_region(memory, size);
}

static inline unsigned int auv__sanitizer_stack_carved(char *guard, char *low, char *top)
{
#ifdef AUV__HAVE_VALGRIND
        (void)VALGRIND_MAKE_MEM_NOACCESS(guard, low - guard);
        return VALGRIND_STACK_REGISTER(low, top - 1);
#else
        (void)guard;
        (void)low;
        (void)top;
        return 0;
#endif
}

static inline void auv__sanitizer_stack_gone(unsigned int valgrind_id)
{
#ifdef AUV__HAVE_VALGRIND
        VALGRIND_STACK_DEREGISTER(valgrind_id);
#else
        (void)valgrind_id;
#endif
}

/* The memory is nobody's: whoever still reads it is at fault. */
static inline void auv__sanitizer_hide(void *memory, size_t size)
{
        if (__asan_poison_memory_region)
                __asan_poison_memory_region(memory, size);
#ifdef AUV__HAVE_VALGRIND
        (void)VALGRIND_MAKE_MEM_NOACCESS(memory, size);
#endif
}

/* From here on memcheck says nothing of what this thread does with memory; with false, it does again. */
static inline void auv__sanitizer_disregard(bool whether)
{
#ifdef AUV__HAVE_VALGRIND
        if (whether)
                VALGRIND_DISABLE_ERROR_REPORTING;
        else
                VALGRIND_ENABLE_ERROR_REPORTING;
#else
        (void)whether;
#endif
}

/* The content is what it is to be, though it came from memory that has none for memcheck. */
static inline void auv__sanitizer_vouch(void *memory, size_t size)
{
#ifdef AUV__HAVE_VALGRIND
        (void)VALGRIND_MAKE_MEM_DEFINED(memory, size);
#else
        (void)memory;
        (void)size;
#endif
}

/* The memory may be written and has no content, whatever it was before. */
static inline void auv__sanitizer_show(void *memory, size_t size)
{
        if (__asan_unpoison_memory_region)
                __asan_unpoison_memory_region(memory, size);
#ifdef AUV__HAVE_VALGRIND
        (void)VALGRIND_MAKE_MEM_UNDEFINED(memory, size);
#endif
}

/*
 * TSan keeps a signal back until the program calls a function that TSan intercepts, and keeps it with
 * the fiber on which it came: if that one is left before, a loop waits in vain to be woken by it. To
 * make a fiber and to destroy one is to be on it for a moment. pthread_sigmask() is such a function,
 * and none comes any more until the fiber is the right one.
 */
AUV__ALWAYS_INLINE void auv__tsan_hold_signals(sigset_t *ret_before)
{
        sigset_t all;

        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, ret_before);
}

AUV__ALWAYS_INLINE void auv__tsan_release_signals(const sigset_t *before)
{
        pthread_sigmask(SIG_SETMASK, before, NULL);
}

static inline void auv__fiber_init(struct auv__fiber *fiber)
{
        *fiber = (struct auv__fiber){ 0 };
        if (__tsan_create_fiber) {
                sigset_t before;

                auv__tsan_hold_signals(&before);
                fiber->tsan = __tsan_create_fiber(0);
                auv__tsan_release_signals(&before);
        }
}

/*
 * Not on the fiber itself. ASan destroys fake frames for the running fiber only, so those of
 * a body that was abandoned go by a switch to its stack and back that is only announced.
 */
__attribute__((no_sanitize_address)) static inline void auv__fiber_deinit(struct auv__fiber *fiber,
                                                                          void *low, size_t size)
{
        if (fiber->tsan) {
                sigset_t before;

                auv__tsan_hold_signals(&before);
                __tsan_destroy_fiber(fiber->tsan);
                auv__tsan_release_signals(&before);
        }
        if (fiber->fake_stack) {
                void *mine;

                __sanitizer_start_switch_fiber(&mine, low, size);
                __sanitizer_finish_switch_fiber(fiber->fake_stack, &fiber->resumer_low,
                                                &fiber->resumer_size);
                __sanitizer_start_switch_fiber(NULL, fiber->resumer_low, fiber->resumer_size);
                __sanitizer_finish_switch_fiber(mine, NULL, NULL);
        }
}

AUV__ALWAYS_INLINE void auv__fiber_tsan_switch(void *fiber)
{
        sigset_t before;

        auv__tsan_hold_signals(&before);
        __tsan_switch_to_fiber(fiber, 0);
        auv__tsan_release_signals(&before);
}

/* On the resumer's stack. *ret_fake_stack is to be handed to auv__fiber_after_resume(). */
AUV__ALWAYS_INLINE void auv__fiber_before_resume(struct auv__fiber *fiber, void *low, size_t size,
                                                 void **ret_fake_stack)
{
        if (__sanitizer_start_switch_fiber)
                __sanitizer_start_switch_fiber(ret_fake_stack, low, size);
        if (fiber->tsan) {
                fiber->tsan_resumer = __tsan_get_current_fiber();
                auv__fiber_tsan_switch(fiber->tsan);
        }
}

AUV__ALWAYS_INLINE void auv__fiber_after_resume(void *fake_stack)
{
        if (__sanitizer_finish_switch_fiber)
                __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
}

/* The rest on the body's stack. */
AUV__ALWAYS_INLINE void auv__fiber_after_suspend(struct auv__fiber *fiber)
{
        if (__sanitizer_finish_switch_fiber)
                __sanitizer_finish_switch_fiber(fiber->fake_stack, &fiber->resumer_low,
                                                &fiber->resumer_size);
        fiber->fake_stack = NULL;
}

AUV__ALWAYS_INLINE void auv__fiber_before_suspend(struct auv__fiber *fiber)
{
        if (__sanitizer_start_switch_fiber)
                __sanitizer_start_switch_fiber(&fiber->fake_stack, fiber->resumer_low, fiber->resumer_size);
        if (fiber->tsan)
                auv__fiber_tsan_switch(fiber->tsan_resumer);
}

AUV__ALWAYS_INLINE void auv__fiber_before_end(struct auv__fiber *fiber)
{
        if (__sanitizer_start_switch_fiber)
                __sanitizer_start_switch_fiber(NULL, fiber->resumer_low, fiber->resumer_size);
        if (fiber->tsan)
                auv__fiber_tsan_switch(fiber->tsan_resumer);
}

#endif

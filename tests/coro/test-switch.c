/* SPDX-License-Identifier: MIT */

/* What a switch keeps for those on both sides, and what a new stack begins with. */

#include "coro/coro.h"
#include "coro/sanitizer.h"
#include "coro/stackful.h"
#include "support/scene.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <fenv.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

TestSuite(switches, .init = scene_setup, .fini = scene_teardown);

/* More values alive than there are registers, so the preserved ones are all taken. */
static uint64_t mix(uint64_t seed, struct auv__coro *suspend, struct auv__coro *resume)
{
        uint64_t a = seed + 1, b = seed * 3, c = seed ^ 5, d = seed - 7, e = seed * 9, f = seed + 11,
                 g = ~seed, h = 1;
        double p = (double)seed, q = p * 1.5, r = p + 2.5, s = p - 3.5, t = p * 4.5, u = p + 5.5,
               v = p - 6.5, w = 7.5;

        for (int i = 0; i < 100; i++) {
                if (suspend)
                        auv__stackful_suspend(suspend);
                if (resume)
                        auv__coro_resume(resume, 0);
                a += b, b ^= c, c += d, d ^= e, e += f, f ^= g, g += h, h = h * 31 + a;
                p += q * .5, q -= r * .25, r += s * .125, s -= t * .5, t += u * .25, u -= v * .5,
                        v += w * .125, w = p * .5;
        }
        p = p + q + r + s + t + u + v + w;
        memcpy(&h, &p, sizeof(h));
        return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h;
}

static int mix_in_body(void *arg, auv_value *ret)
{
        ret->u = mix(1234, *(struct auv__coro **)arg, NULL);
        return 0;
}

Test(switches, switch_preserves_what_a_call_preserves)
{
        auv_value value = { .i = 0 };
        struct auv__coro *coro = NULL;

        coro = start_coro(mix_in_body, &coro, 0, &value);
        auv__coro_resume(coro, 0);
        cr_assert(eq(u64, mix(99, NULL, coro), mix(99, NULL, NULL)));
        cr_assert(eq(u64, value.u, mix(1234, NULL, NULL)));
        auv__coro_destroy(coro);
}

static const volatile double one = 1, three = 3, minus_one = -1;
static const volatile long double long_one = 1, long_three = 3, long_minus_one = -1;

/*
 * The rounding mode that the vector unit and, where there is one, the x87 really use. Each quotient is
 * volatile, or the compiler moves the sign from one to the other.
 */
static int rounding(void)
{
        volatile double third = one / three, minus_third = minus_one / three;
        volatile long double long_third = long_one / long_three,
                             long_minus_third = long_minus_one / long_three;
        const bool up = third > -minus_third, down = third < -minus_third;

        if (up != (long_third > -long_minus_third) || down != (long_third < -long_minus_third))
                return -1;
        return up ? FE_UPWARD : down ? FE_DOWNWARD : FE_TONEAREST;
}

static int round_upward(void *arg, auv_value *ret)
{
        struct scene *scene = arg;

        scene->errs[scene->n++] = rounding();
        fesetround(FE_UPWARD);
        for (int i = 0; i < 3; i++) {
                auv__stackful_suspend(scene->coro);
                scene->errs[scene->n++] = rounding();
        }
        return 0;
}

Test(switches, has_a_rounding_mode_of_its_own)
{
        struct scene scene = { .n = 0 };
        struct auv__coro *coro = start_scene(&scene, round_upward);

        if (auv__sanitizer_is_valgrind())
                cr_skip_test("Valgrind rounds to nearest");
        cr_assert(eq(int, rounding(), FE_TONEAREST));
        auv__coro_resume(coro, 0);
        cr_assert(eq(int, rounding(), FE_TONEAREST));
        fesetround(FE_DOWNWARD);
        auv__coro_resume(coro, 0);
        cr_assert(eq(int, rounding(), FE_DOWNWARD));
        fesetround(FE_TONEAREST);
        auv__coro_resume(coro, 0);
        cr_assert(eq(int, rounding(), FE_TONEAREST));
        auv__coro_resume(coro, 0);
        cr_assert(eq(int, rounding(), FE_TONEAREST));
        cr_assert(eq(int, scene.errs[0], FE_TONEAREST));
        for (int i = 1; i < 4; i++)
                cr_assert(eq(int, scene.errs[i], FE_UPWARD));
        auv__coro_destroy(coro);
}

Test(switches, begins_with_the_rounding_mode_of_its_creator)
{
        struct scene scene = { .n = 0 };
        struct auv__coro *coro;

        if (auv__sanitizer_is_valgrind())
                cr_skip_test("Valgrind rounds to nearest");
        fesetround(FE_DOWNWARD);
        coro = start_scene(&scene, round_upward);
        fesetround(FE_TONEAREST);
        auv__coro_resume(coro, 0);
        cr_assert(eq(int, scene.errs[0], FE_DOWNWARD));
        cr_assert(eq(int, rounding(), FE_TONEAREST));
        auv__coro_destroy(coro);
}

#ifndef AUV_CORO_UCONTEXT

static int divide_by_zero(void *arg, auv_value *ret)
{
        struct scene *scene = arg;
        const volatile double zero = 0;
        volatile double infinity = one / zero;

        (void)infinity;
        fesetround(FE_UPWARD);
        auv__stackful_suspend(scene->coro);
        return fetestexcept(FE_ALL_EXCEPT) ? 0 : -1;
}

Test(switches, shares_the_floating_point_exceptions_of_its_thread)
{
        struct scene scene = { .n = 0 };
        struct auv__coro *coro = start_scene(&scene, divide_by_zero);

        if (auv__sanitizer_is_valgrind())
                cr_skip_test("Valgrind has no exception flags");
        feclearexcept(FE_ALL_EXCEPT);
        auv__coro_resume(coro, 0);
        cr_assert(ne(int, fetestexcept(FE_DIVBYZERO), 0));
        feclearexcept(FE_ALL_EXCEPT);
        cr_assert(ne(int, auv__coro_resume(coro, 0), 0));
        auv__coro_destroy(coro);
}

#endif

static int check_alignment(void *arg, auv_value *ret)
{
        volatile char odd = 1;
        alignas(16) volatile char sixteen[16] = { odd };
        alignas(64) volatile char sixty_four[64] = { odd };
        char text[100];

        if ((uintptr_t)sixteen % 16 || (uintptr_t)sixty_four % 64)
                return -1;
        /* Variadic functions save the vector registers by aligned stores. */
        snprintf(text, sizeof(text), "%.2f %d %.3Lf %s %.1f", 1.25, 2, (long double)3.5, "four", 5.0);
        return strcmp(text, "1.25 2 3.500 four 5.0") ? -2 : 0;
}

Test(switches, stack_is_aligned_as_the_abi_wants)
{
        const char argument[200] = { 0 };

        for (size_t size = 0; size < sizeof(argument); size++) {
                struct auv__coro *coro = start_coro(check_alignment, argument, size, NULL);

                cr_assert(eq(int, auv__coro_resume(coro, 0), 0));
                auv__coro_destroy(coro);
        }
}

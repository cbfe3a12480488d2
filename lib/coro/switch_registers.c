/* SPDX-License-Identifier: MIT */

/*
 * What the switches in assembly leave behind, for debuggers. ORDER CONTEXT: the layouts are those that
 * switch_x86_64.S and switch_aarch64.S describe at their heads, and tools/asyncuv-gdb.py has them, too.
 */

#include "coro/switch.h"

#if defined(__x86_64__) && defined(__LP64__) && !defined(AUV_CORO_UCONTEXT)

bool auv__switch_registers(const void *context, struct auv__registers *ret)
{
        const uintptr_t *saved = context;

        *ret = (struct auv__registers) { .n = 17, .pc = saved[7] };
        ret->values[15] = saved[1];
        ret->values[14] = saved[2];
        ret->values[13] = saved[3];
        ret->values[12] = saved[4];
        ret->values[3] = saved[5]; /* rbx */
        ret->values[6] = saved[6]; /* rbp */
        ret->values[7] = (uintptr_t)(saved + 8);
        ret->values[16] = saved[7];
        return true;
}

#elif defined(__aarch64__) && !defined(AUV_CORO_UCONTEXT)

bool auv__switch_registers(const void *context, struct auv__registers *ret)
{
        const uintptr_t *saved = context;

        *ret = (struct auv__registers) { .n = 32 };
        for (unsigned i = 0; i < 10; i++)
                ret->values[19 + i] = saved[2 + i];
        ret->values[29] = saved[0];
        ret->values[30] = (uintptr_t)__builtin_extract_return_addr((void *)saved[1]);
        ret->values[31] = (uintptr_t)(saved + 22);
        ret->pc = ret->values[30];
        return true;
}

#endif

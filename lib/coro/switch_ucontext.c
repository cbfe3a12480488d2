/* SPDX-License-Identifier: MIT */

/*
 * Switch by POSIX ucontext
 *
 * For the ABIs that have no assembly here. Each switch costs a system call, for the
 * signal mask that swapcontext() exchanges.
 *
 * What the slot holds is the context of the end that is not running, and it lies on that
 * end's own stack, in the frame of the switch that left it.
 */

#include "coro/switch.h"

#if defined(AUV_CORO_UCONTEXT) || !((defined(__x86_64__) && defined(__LP64__)) || defined(__aarch64__))

#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

struct context {
        ucontext_t ucontext;
        int payload;
};

struct start {
        struct context context; /* first: what the slot points to */
        void (*entry)(void *arg);
        void *arg;
};

/* The context must stay on the stack that it stands for, also where AddressSanitizer would
 * move it to its heap of fake frames. */
__attribute__((no_sanitize_address)) static int exchange(void **other, int payload)
{
        struct context here, *there = *other;

        /* AddressSanitizer looks at it, and swapcontext() does not set it. */
        here.ucontext.uc_stack = (stack_t){ .ss_size = 0 };
        there->payload = payload;
        *other = &here;
        if (swapcontext(&here.ucontext, &there->ucontext) < 0)
                abort();
        return here.payload;
}

bool auv__switch_registers(const void *context, struct auv__registers *ret)
{
        const mcontext_t *machine = &((const struct context *)context)->ucontext.uc_mcontext;

        *ret = (struct auv__registers) { .n = 0 };
#if defined(__x86_64__)
        static const int order[] = { REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP,
                                     REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
                                     REG_RIP };

        for (; ret->n < sizeof(order) / sizeof(order[0]); ret->n++)
                ret->values[ret->n] = (uintptr_t)machine->gregs[order[ret->n]];
        ret->pc = (uintptr_t)machine->gregs[REG_RIP];
        return true;
#elif defined(__aarch64__)
        for (; ret->n < 31; ret->n++)
                ret->values[ret->n] = machine->regs[ret->n];
        ret->values[ret->n++] = machine->sp;
        ret->pc = machine->pc;
        return true;
#else
        (void)machine;
        return false;
#endif
}

int auv__switch_in(void **other, int payload)
{
        return exchange(other, payload);
}

int auv__switch_out(void **other, int payload)
{
        return exchange(other, payload);
}

/* makecontext() hands over ints only. */
static void begin(unsigned int high, unsigned int low)
{
        const struct start *start = (void *)(uintptr_t)((uint64_t)high << 32 | low);

        start->entry(start->arg);
        abort();
}

void *auv__switch_prepare(void *low, void *top, void (*entry)(void *arg), void *arg)
{
        struct start *start = (void *)(((uintptr_t)top - sizeof(*start)) & ~(uintptr_t)63);
        ucontext_t *ucontext = &start->context.ucontext;
        const uint64_t address = (uintptr_t)start;

        start->entry = entry;
        start->arg = arg;
        if (getcontext(ucontext) < 0)
                abort();
        ucontext->uc_stack = (stack_t){ .ss_sp = low, .ss_size = (size_t)((char *)start - (char *)low) };
        ucontext->uc_link = NULL;
        makecontext(ucontext, (void (*)(void))begin, 2, (unsigned int)(address >> 32),
                    (unsigned int)address);
        return start;
}

#endif

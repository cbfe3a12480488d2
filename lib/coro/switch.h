/* SPDX-License-Identifier: MIT */
#ifndef AUV_CORO_SWITCH_H
#define AUV_CORO_SWITCH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Switch
 *
 * The two ends of a coroutine, its body and whoever resumes it, take turns on one
 * processor, and one slot holds the stack pointer of the end that is not running. A
 * switch exchanges it with the running end's: what a function call must
 * preserve is pushed on the one stack and popped off the other.
 *
 * There is one implementation for each ABI, which compiles to nothing elsewhere:
 * switch_x86_64.S, switch_aarch64.S, and switch_ucontext.c for the rest, or for
 * all with AUV_CORO_UCONTEXT.
 */

/*
 * Go to the end that *other stands for, leave this end there, and hand payload over. Returns the
 * payload of the switch that comes back. Both do the same; in is for the resumer and out for the
 * body, so that the processor can predict the two ways apart.
 */
int auv__switch_in(void **other, int payload);
int auv__switch_out(void **other, int payload);

/*
 * For a function that returns after a switch has come back to it. A ret would be predicted to go where the
 * last call came from, and that was on the other stack: it would be wrong each time. With this the function
 * returns by a jump, which is predicted by where it went before.
 */
#if defined(__x86_64__) && defined(__LP64__) && !defined(AUV_CORO_UCONTEXT) && defined(__has_attribute)
#if __has_attribute(function_return)
#define AUV__RETURNS_BY_JUMP __attribute__((function_return("thunk-extern")))
#endif
#endif
#ifndef AUV__RETURNS_BY_JUMP
#define AUV__RETURNS_BY_JUMP
#endif

/*
 * Lay out a stack, [low, top), such that the first switch to it calls entry(arg). Returns what
 * the slot has to hold. entry must not return. It starts with the rounding mode and
 * the other floating-point controls that are set now.
 */
void *auv__switch_prepare(void *low, void *top, void (*entry)(void *arg), void *arg);

/* What a debugger wants to know of an end that is not running, by the numbers that DWARF has. */
struct auv__registers {
        uintptr_t values[33]; /* those that a call preserves, stack pointer and return address; else 0 */
        unsigned n;
        uintptr_t pc;         /* where it goes on */
};

/* @context: what the slot holds. False where the ABI is not known. */
bool auv__switch_registers(const void *context, struct auv__registers *ret);

#endif

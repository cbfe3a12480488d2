/* SPDX-License-Identifier: MIT */

/*
 * Switch for x86-64, System V ABI
 *
 * A function call must preserve rbx, rbp, r12-r15 and the control bits of mxcsr and
 * of the x87 control word. A stack that is left looks like this, from its
 * stack pointer up, and that is one cache line:
 *
 *       0  mxcsr, 4 bytes; x87 control word, 2 bytes
 *       8  r15, r14, r13, r12, rbx, rbp
 *      56  where to go on
 *
 * ORDER CONTEXT: switch_registers.c reads it for debuggers.
 *
 * Loading the control words is slow and they are nearly always the same on
 * both sides, so they are loaded only where they differ. The exception flags of
 * mxcsr belong to the thread: they neither count as a difference nor change.
 *
 * The way back is a jump and not a ret. A ret would be predicted to go where the
 * call came from, which is the other end, and so be wrong each time; a jump is predicted by
 * where it went before. For this reason there are two copies, with a jump each: the way
 * out of a body has few targets, the way in has many. And for this reason the callers in C
 * switch as the last thing they do: as tail calls they add no ret of their own.
 *
 * SHSTK is not claimed: the shadow stack would have to be switched as well, and
 * there would have to be one for each coroutine. A program that links this
 * runs with IBT but without shadow stacks.
 */

#if defined(__x86_64__) && defined(__LP64__) && !defined(AUV_CORO_UCONTEXT)

#if defined(__CET__) && (__CET__ & 1)
#define LANDING_PAD endbr64
#define JUMP_BACK   notrack jmp *%rcx
#else
#define LANDING_PAD
#define JUMP_BACK   jmp *%rcx
#endif

#define MXCSR_FLAGS    0x3f
#define MXCSR_CONTROLS 0xffffffc0

        .section .text.hot, "ax", %progbits /* see AUV__HOT */

        .macro  SWITCH name
        .globl  \name
        .hidden \name
        .type   \name, @function
        .balign 64
\name: /* rdi: other, esi: payload */
        .cfi_startproc
        LANDING_PAD
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r15, 0
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)

        movl    (%rsp), %eax
        movzwl  4(%rsp), %ecx
        movq    (%rdi), %rdx
        movq    %rsp, (%rdi)

        /* From here on the frame is the other end's. Its layout is the same, and so is what
         * the debugger has to know. */
        movq    %rdx, %rsp
        xorl    (%rsp), %eax
        testl   $MXCSR_CONTROLS, %eax
        jnz     3f
1:      /* mxcsr is set */
        cmpw    4(%rsp), %cx
        jne     4f
2:      /* and so is the x87 control word */
        movl    %esi, %eax
        .cfi_remember_state
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbp
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        .cfi_register rip, rcx
        JUMP_BACK

        .cfi_restore_state
3:      /* eax: the bits of mxcsr that differ */
        andl    $MXCSR_FLAGS, %eax
        xorl    (%rsp), %eax
        movl    %eax, (%rsp)
        ldmxcsr (%rsp)
        jmp     1b
4:      fldcw   4(%rsp)
        jmp     2b
        .cfi_endproc
        .size   \name, . - \name
        .endm

        SWITCH  auv__switch_in
        SWITCH  auv__switch_out

        /* By way of this a function returns that has AUV__RETURNS_BY_JUMP, and not by a ret. */
        .globl  __x86_return_thunk
        .hidden __x86_return_thunk
        .type   __x86_return_thunk, @function
        .balign 16
__x86_return_thunk:
        .cfi_startproc
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        .cfi_register rip, rcx
        JUMP_BACK
        .cfi_endproc
        .size   __x86_return_thunk, . - __x86_return_thunk

        .globl  auv__switch_prepare
        .hidden auv__switch_prepare
        .type   auv__switch_prepare, @function
        .balign 16
auv__switch_prepare: /* rsi: top, rdx: entry, rcx: arg */
        .cfi_startproc
        LANDING_PAD
        andq    $-16, %rsi
        leaq    -64(%rsi), %rax
        stmxcsr (%rax)
        fnstcw  4(%rax)
        movq    %rcx, 32(%rax)  /* r12 */
        movq    %rdx, 40(%rax)  /* rbx */
        movq    $0, 48(%rax)    /* rbp */
        leaq    start(%rip), %rcx
        movq    %rcx, 56(%rax)
        ret
        .cfi_endproc
        .size   auv__switch_prepare, . - auv__switch_prepare

        /* The outermost frame of a coroutine: nothing called it. */
        .type   start, @function
        .balign 16
start:
        .cfi_startproc
        .cfi_undefined rip
        LANDING_PAD
        movq    %r12, %rdi
        callq   *%rbx
        ud2
        .cfi_endproc
        .size   start, . - start

#if defined(__CET__) && (__CET__ & 1)
        .section .note.gnu.property, "a"
        .balign 8
        .long   4               /* length of the name */
        .long   16              /* length of what follows the name */
        .long   5               /* NT_GNU_PROPERTY_TYPE_0 */
        .string "GNU"
        .long   0xc0000002      /* GNU_PROPERTY_X86_FEATURE_1_AND */
        .long   4
        .long   1               /* IBT */
        .long   0
#endif

#endif

#if defined(__linux__) && defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif

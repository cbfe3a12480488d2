/* SPDX-License-Identifier: MIT */

/*
 * Switch for AArch64, AAPCS64
 *
 * A function call must preserve x19-x30, the low halves of v8-v15 and the
 * floating-point controls. A stack that is left looks like this, from its stack pointer
 * up:
 *
 *       0  x29, and x30, which is where to go on
 *      16  x19-x28
 *      96  d8-d15
 *     160  fpcr
 *
 * ORDER CONTEXT: switch_registers.c reads it for debuggers.
 *
 * fpcr is loaded only where it differs, for that is slow and rarely the case.
 *
 * The way back is a jump and not a ret, and there are two copies, for the reasons
 * that switch_x86_64.S gives. With branch target identification it has to be a ret: a jump
 * may only go to where a landing pad is, and behind a call there is none.
 *
 * With pointer authentication the saved x30 is signed, with the stack pointer of
 * the caller as everywhere; so is the one that auv__switch_prepare() makes up.
 *
 * A guarded control stack is not supported, as shadow stacks are not on x86-64.
 */

#if defined(__aarch64__) && !defined(AUV_CORO_UCONTEXT)

/* All by number, for assemblers that are not told of the extensions. */
#if defined(__ARM_FEATURE_PAC_DEFAULT) && (__ARM_FEATURE_PAC_DEFAULT & 1)
#define PAC_MARK        2
#define SIGN_X30        hint #25                /* paciasp, a landing pad as well */
#define CHECK_X30       hint #29                /* autiasp */
#define SIGN_X17        hint #8                 /* pacia1716 */
#define CFI_KEY
#define CFI_SIGN_TOGGLE .cfi_negate_ra_state
#elif defined(__ARM_FEATURE_PAC_DEFAULT) && (__ARM_FEATURE_PAC_DEFAULT & 2)
#define PAC_MARK        2
#define SIGN_X30        hint #27                /* pacibsp */
#define CHECK_X30       hint #31                /* autibsp */
#define SIGN_X17        hint #10                /* pacib1716 */
#define CFI_KEY         .cfi_b_key_frame
#define CFI_SIGN_TOGGLE .cfi_negate_ra_state
#else
#define PAC_MARK        0
#define SIGN_X30        LANDING_PAD
#define CHECK_X30
#define SIGN_X17
#define CFI_KEY
#define CFI_SIGN_TOGGLE
#endif

#ifdef __ARM_FEATURE_BTI_DEFAULT
#define BTI_MARK        1
#define LANDING_PAD     hint #34                /* bti c */
#define JUMP_BACK       ret
#else
#define BTI_MARK        0
#define LANDING_PAD
#define JUMP_BACK       br x30
#endif

#define FRAME 176

        .section .text.hot, "ax", %progbits /* see AUV__HOT */

        .macro  SWITCH name
        .globl  \name
        .hidden \name
        .type   \name, %function
        .balign 64
\name:  /* x0: other, w1: payload */
        .cfi_startproc
        CFI_KEY
        SIGN_X30
        CFI_SIGN_TOGGLE
        sub     sp, sp, #FRAME
        .cfi_def_cfa_offset FRAME
        stp     x29, x30, [sp, #0]
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        stp     x19, x20, [sp, #16]
        .cfi_rel_offset x19, 16
        .cfi_rel_offset x20, 24
        stp     x21, x22, [sp, #32]
        .cfi_rel_offset x21, 32
        .cfi_rel_offset x22, 40
        stp     x23, x24, [sp, #48]
        .cfi_rel_offset x23, 48
        .cfi_rel_offset x24, 56
        stp     x25, x26, [sp, #64]
        .cfi_rel_offset x25, 64
        .cfi_rel_offset x26, 72
        stp     x27, x28, [sp, #80]
        .cfi_rel_offset x27, 80
        .cfi_rel_offset x28, 88
        stp     d8, d9, [sp, #96]
        .cfi_rel_offset d8, 96
        .cfi_rel_offset d9, 104
        stp     d10, d11, [sp, #112]
        .cfi_rel_offset d10, 112
        .cfi_rel_offset d11, 120
        stp     d12, d13, [sp, #128]
        .cfi_rel_offset d12, 128
        .cfi_rel_offset d13, 136
        stp     d14, d15, [sp, #144]
        .cfi_rel_offset d14, 144
        .cfi_rel_offset d15, 152
        mrs     x9, fpcr
        str     x9, [sp, #160]

        ldr     x10, [x0]
        mov     x11, sp
        str     x11, [x0]

        /* From here on the frame is the other end's. Its layout is the same, and so is what
         * the debugger has to know. */
        mov     sp, x10
        ldr     x10, [sp, #160]
        cmp     x9, x10
        b.ne    2f
1:      mov     w0, w1
        ldp     x29, x30, [sp, #0]
        ldp     x19, x20, [sp, #16]
        ldp     x21, x22, [sp, #32]
        ldp     x23, x24, [sp, #48]
        ldp     x25, x26, [sp, #64]
        ldp     x27, x28, [sp, #80]
        ldp     d8, d9, [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        .cfi_remember_state
        .irp    register, x29, x30, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28
        .cfi_restore \register
        .endr
        .irp    register, d8, d9, d10, d11, d12, d13, d14, d15
        .cfi_restore \register
        .endr
        add     sp, sp, #FRAME
        .cfi_def_cfa_offset 0
        CHECK_X30
        CFI_SIGN_TOGGLE
        JUMP_BACK

        .cfi_restore_state
2:      msr     fpcr, x10
        b       1b
        .cfi_endproc
        .size   \name, . - \name
        .endm

        SWITCH  auv__switch_in
        SWITCH  auv__switch_out

        .globl  auv__switch_prepare
        .hidden auv__switch_prepare
        .type   auv__switch_prepare, %function
        .balign 16
auv__switch_prepare: /* x1: top, x2: entry, x3: arg */
        .cfi_startproc
        LANDING_PAD
        and     x16, x1, #-16
        sub     x0, x16, #FRAME
        mrs     x9, fpcr
        str     x9, [x0, #160]
        stp     x2, x3, [x0, #16]       /* x19, x20 */
        adr     x17, start
        SIGN_X17                        /* for the stack pointer in x16 */
        stp     xzr, x17, [x0, #0]      /* x29, x30 */
        ret
        .cfi_endproc
        .size   auv__switch_prepare, . - auv__switch_prepare

        /* The outermost frame of a coroutine: nothing called it. */
        .type   start, %function
        .balign 16
start:
        .cfi_startproc
        .cfi_undefined x30
        mov     x0, x20
        blr     x19
        brk     #1
        .cfi_endproc
        .size   start, . - start

#if PAC_MARK || BTI_MARK
        .section .note.gnu.property, "a"
        .balign 8
        .long   4                       /* length of the name */
        .long   16                      /* length of what follows the name */
        .long   5                       /* NT_GNU_PROPERTY_TYPE_0 */
        .string "GNU"
        .long   0xc0000000              /* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
        .long   4
        .long   PAC_MARK | BTI_MARK
        .long   0
#endif

#endif

#if defined(__linux__) && defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif

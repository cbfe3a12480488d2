/* SPDX-License-Identifier: MIT */
#ifndef AUV_CORO_STACK_GUARD_H
#define AUV_CORO_STACK_GUARD_H

#include <stddef.h>

/* How guards are set. Each is tried before those below it, and given up for good where it does not work. */
enum auv__stack_guard {
        AUV__STACK_GUARD_UNTRIED,  /* MADV_GUARD_INSTALL until shown not to work here */
        AUV__STACK_GUARD_BATCH,    /* the same, seen to work; those of several stacks by one system call */
        AUV__STACK_GUARD_INSTALL,  /* the same, one by one */
        AUV__STACK_GUARD_MPROTECT, /* PROT_NONE; each guard splits a mapping */
};

/* Stacks side by side that were never used: each is span bytes, the lowest of which are its guard. */
struct auv__stack_row {
        char *memory;
        size_t n;
        size_t span;
        size_t guard; /* in bytes; whole pages */
};

/*
 * Sets the guards of the first stacks of @row: of one, or of as many as can be had by one system call
 * and are likely to be used soon. Those have the page at their top then, too. *@how is what the pool has
 * found out. Returns how many, or AUV_ENOMEM.
 */
int auv__stack_guard_set(enum auv__stack_guard *how, const struct auv__stack_row *row);

#endif

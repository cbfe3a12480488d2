/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_SMALL_STACK_H
#define SUPPORT_SMALL_STACK_H

#include "support/instrumented.h"

/*
 * Small stack
 *
 * Runs a function in a thread that has too little stack for any recursion over
 * SMALL_STACK_DEPTH objects, or SMALL_STACK_TASKS tasks: the least frame there is takes 16 bytes, and
 * the stack has less for each of them.
 */

enum {
        SMALL_STACK_DEPTH = 100000,
#if WITH_ADDRESS_SANITIZER || WITH_THREAD_SANITIZER
        /* Under LeakSanitizer a task takes two of the 65,530 mappings that a process may have; and the
         * sanitizers need stack for their own frames and thread-local storage. */
        SMALL_STACK_TASKS = 25000,
        SMALL_STACK_SIZE = 384 * 1024,
#else
        SMALL_STACK_TASKS = 100000,
        SMALL_STACK_SIZE = 64 * 1024,
#endif
};

/*
 * @fn returns NULL, or what it found wrong, as REQUIRE() does: an assertion of the test
 * framework cannot be left from another thread. Returns the same.
 */
char *on_small_stack(char *(*fn)(void));

#define SMALL_STACK_TEXT_(line) #line
#define SMALL_STACK_LINE_(line) SMALL_STACK_TEXT_(line)
#define REQUIRE(condition)                                                                  \
        do {                                                                                \
                if (!(condition))                                                           \
                        return (char *)"line " SMALL_STACK_LINE_(__LINE__) ": " #condition; \
        } while (0)

#endif

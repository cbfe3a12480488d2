/* SPDX-License-Identifier: MIT */
#ifndef TESTS_IO_FORM_H
#define TESTS_IO_FORM_H

/*
 * Form
 *
 * Tests that hold for tasks of both forms. Written once, they run twice:
 *
 *      IN_BOTH_FORMS(stream, is_closed_when_its_task_returns) { ... }
 *
 * is a test of that name, and one that ends with _without_a_stack. What makes the tasks looks at
 * `without_stack`.
 */

#include <criterion/criterion.h>

extern bool without_stack;

#define IN_BOTH_FORMS(suite, name, ...)                                                              \
        static void suite##_##name(void);                                                            \
        Test(suite, name, ##__VA_ARGS__)                                                             \
        {                                                                                            \
                without_stack = false;                                                               \
                suite##_##name();                                                                    \
        }                                                                                            \
        Test(suite, name##_without_a_stack, ##__VA_ARGS__)                                           \
        {                                                                                            \
                without_stack = true;                                                                \
                suite##_##name();                                                                    \
        }                                                                                            \
        static void suite##_##name(void)

#endif

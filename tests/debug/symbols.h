/* SPDX-License-Identifier: MIT */
#ifndef DEBUG_SYMBOLS_H
#define DEBUG_SYMBOLS_H

/*
 * Symbols
 *
 * Names of static functions, and files and lines, are known only where libdw is there to be loaded.
 */

#include <stdbool.h>

bool symbols_are_known(void);

/* Ends the test as one that is skipped, where they are not. */
#define SKIP_WITHOUT_SYMBOLS()                                  \
        do {                                                    \
                if (!symbols_are_known())                       \
                        cr_skip_test("no libdw.so.1");          \
        } while (0)

#endif

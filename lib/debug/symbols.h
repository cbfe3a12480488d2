/* SPDX-License-Identifier: MIT */
#ifndef AUV_DEBUG_SYMBOLS_H
#define AUV_DEBUG_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What stands at an address: the function by dladdr(), which knows those that are exported, or by
 * libdw, which knows all that there are symbols for, and file and line. Any thread may ask. The
 * answers need more stack than a coroutine has by default, see room.h.
 */
struct auv__symbol {
        const void *address;
        const void *start; /* of the function; NULL where that is not known */
        char name[128];    /* of the function; empty where it is not known */
        char file[256];    /* empty where it is not known, and line is 0 */
        int line;
};

/* Around any number of the calls below: what is read for them is kept until then. */
void auv__symbols_enter(void);
void auv__symbols_leave(void);

/* @address: of an instruction, so of one byte less than where a call returns to. */
void auv__symbol_find(const void *address, struct auv__symbol *ret);

/*
 * Where a suspended coroutine stands: @context as in switch.h, and its stack. Gives return addresses,
 * the innermost first, at most @n, up to the first whose function starts at @bottom. Returns how
 * many; 0 where there is no libdw.
 */
size_t auv__symbol_unwind(const void *context, const char *low, const char *high, const void *bottom,
                          const void **ret_frames, size_t n);

#endif

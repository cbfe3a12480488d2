/* SPDX-License-Identifier: MIT */
#ifndef AUV_BASE_ALLOC_H
#define AUV_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/*
 * All heap memory of the library comes from here, so that one call replaces the
 * allocator and a test can make the n-th allocation fail.
 */

void *auv__malloc(size_t size);
void *auv__calloc(size_t size); /* one object, zeroed */
void *auv__realloc(void *memory, size_t size);
char *auv__strdup(const char *text);

/*
 * Writes zeros. For more than a hundred bytes: a compiler that sees the size may choose an instruction
 * which takes longer to begin than this to end.
 */
void auv__clear(void *memory, size_t size);

void auv__free(void *memory);

/*
 * The same where a cache line begins, for what the system copies to and from, which takes it up to a tenth
 * longer elsewhere. Only auv__free_line() takes it back.
 */
enum { AUV__CACHE_LINE = 64 };

void *auv__malloc_line(size_t size);
void auv__free_line(void *memory);

/*
 * A mapping, all of which is going to be used: malloc() would take a large block from a mapping as well, but
 * not any more once one was freed, and then keep its memory. NULL where there is none.
 */
void *auv__map(size_t size);
void auv__unmap(void *memory, size_t size);

/* Asks for all pages of a mapping at once: one call in place of a fault for each. */
void auv__populate(void *memory, size_t size);

/* Whether it is the C library's; if not, the program may want to see each allocation. */
bool auv__alloc_is_default(void);

#endif

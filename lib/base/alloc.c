/* SPDX-License-Identifier: MIT */

#include "base/alloc.h"

#include <asyncuv/alloc.h>
#include <asyncuv/error.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static void *(*malloc_fn)(size_t) = malloc;
static void *(*realloc_fn)(void *, size_t) = realloc;
static void (*free_fn)(void *) = free;

int auv_set_allocator(void *(*new_malloc)(size_t), void *(*new_realloc)(void *, size_t),
                      void (*new_free)(void *))
{
        if (!new_malloc != !new_realloc || !new_malloc != !new_free)
                return AUV_EINVAL;
        malloc_fn = new_malloc ? new_malloc : malloc;
        realloc_fn = new_realloc ? new_realloc : realloc;
        free_fn = new_free ? new_free : free;
        return 0;
}

bool auv__alloc_is_default(void)
{
        return malloc_fn == malloc;
}

void *auv__malloc(size_t size)
{
        return malloc_fn(size);
}

void *auv__calloc(size_t size)
{
        void *memory = malloc_fn(size);

        return memory ? memset(memory, 0, size) : NULL;
}

void *auv__realloc(void *memory, size_t size)
{
        return realloc_fn(memory, size);
}

char *auv__strdup(const char *text)
{
        const size_t size = strlen(text) + 1;
        char *copy = malloc_fn(size);

        return copy ? memcpy(copy, text, size) : NULL;
}

void auv__clear(void *memory, size_t size)
{
        memset(memory, 0, size);
}

void auv__free(void *memory)
{
        if (memory)
                free_fn(memory);
}

void *auv__malloc_line(size_t size)
{
        char *block = malloc_fn(size + AUV__CACHE_LINE), *memory;

        if (!block)
                return NULL;
        /* Before it there is room for where the block begins, as that was aligned for any type. */
        memory = block + AUV__CACHE_LINE - (uintptr_t)block % AUV__CACHE_LINE;
        ((char **)(void *)memory)[-1] = block;
        return memory;
}

void auv__free_line(void *memory)
{
        if (memory)
                free_fn(((char **)memory)[-1]);
}

void auv__populate(void *memory, size_t size)
{
        /* An error: the kernel is older than Linux 5.14; or there is no memory, as will show. */
        madvise(memory, size, MADV_POPULATE_WRITE);
}

void *auv__map(size_t size)
{
        void *memory = mmap(/* addr= */ NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                            /* fd= */ -1, /* offset= */ 0);

        if (memory == MAP_FAILED)
                return NULL;
        auv__populate(memory, size);
        return memory;
}

void auv__unmap(void *memory, size_t size)
{
        /* A process without mappings to spare may not cut one in two. Address space is lost then. */
        if (munmap(memory, size) < 0)
                madvise(memory, size, MADV_DONTNEED);
}

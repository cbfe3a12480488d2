/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_ALLOC_H
#define ASYNCUV_ALLOC_H

#include <asyncuv/macros.h>

#include <stddef.h>

AUV_BEGIN_DECLS

/**
 * auv_set_allocator() - take memory from functions of the program's own
 * @malloc_fn, @realloc_fn, @free_fn: the C library's in meaning; @malloc_fn and @realloc_fn
 *               return NULL when there is no memory
 *
 * For everything that this library allocates itself, but for the stacks of coroutines,
 * which are mapped, and what libuv allocates (uv_replace_allocator() is for that). To be
 * called before any other function of the library; three NULLs restore the C library's.
 *
 * Return: 0, or a negative error, and then nothing has changed.
 * Errors: AUV_EINVAL, some of the three are NULL and some are not.
 * Suspends: no.    Thread: any, while no other uses the library.
 */
AUV_API int auv_set_allocator(void *(*malloc_fn)(size_t size),
                              void *(*realloc_fn)(void *memory, size_t size),
                              void (*free_fn)(void *memory));

AUV_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_VALUE_H
#define ASYNCUV_VALUE_H

#include <asyncuv/macros.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

AUV_BEGIN_DECLS

/**
 * struct auv_value - what a future carries: a number or a pointer
 * @i, @u, @d, @p, @s: the value; which one is between who sets it and who reads it
 * @destroy:     called as destroy(p) when the future that owns the value goes; NULL where
 *               there is nothing to do
 *
 * All zero is asyncio's None.
 *
 * A value with a destructor belongs to whoever has it. One that is read from a future is borrowed
 * from it: valid as long as the future is, and without a destructor, or with one that does nothing.
 * But what an await puts into the result of a task's body has that of the future, which the task holds;
 * see auv_coro_fn.
 */
typedef struct auv_value {
        union {
                intmax_t i;
                uintmax_t u;
                double d;
                void *p;
                const char *s;
        };
        void (*destroy)(void *p);
} auv_value;

typedef struct auv_error auv_error;

/**
 * auv_value_error() - the error that stands as a value
 * @value:       a value
 *
 * A gather with AUV_RETURN_EXCEPTIONS puts the errors of its children among the results.
 *
 * Return: the error, or NULL where @value is no error.
 * Owns: nothing; the error is borrowed as the value is.
 * Suspends: no.    Thread: the loop's.
 * Like: isinstance(value, BaseException).
 */
AUV_API auv_error *auv_value_error(const auv_value *value);

/**
 * auv_value_list() - the results of a gather that stand as a value
 * @value:       a value
 * @ret_n:       receives the number of results; untouched where @value is no list
 *
 * Return: the results in the order of the gather's arguments, or NULL where @value is no
 *         list. A list of none is not NULL.
 * Owns: nothing; the results are borrowed as the value is.
 * Suspends: no.    Thread: the loop's.
 * Like: isinstance(value, list).
 */
AUV_API const auv_value *auv_value_list(const auv_value *value, size_t *ret_n);

/**
 * auv_value_unref() - the destructor of a value whose pointer is a reference
 * @object:      any object of this library; may be NULL
 *
 * For `(auv_value) { .p = auv_ref(future), .destroy = auv_value_unref }`: auv_unref() in the shape that
 * a destructor has.
 *
 * Suspends: no.    Thread: as auv_unref().
 */
AUV_API void auv_value_unref(void *object);

AUV_END_DECLS

#endif

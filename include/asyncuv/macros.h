/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_MACROS_H
#define ASYNCUV_MACROS_H

/*
 * What the other headers are written with: visibility, C++, and the two pieces
 * of sugar that most programs use, AUV_AUTO and AUV_TRY.
 */

#ifdef __cplusplus
#define AUV_BEGIN_DECLS extern "C" {
#define AUV_END_DECLS   }
#else
#define AUV_BEGIN_DECLS
#define AUV_END_DECLS
#endif

#define AUV_API __attribute__((visibility("default")))

/* The result is the whole point of the call: the compiler warns where it is dropped. */
#define AUV_MUST_CHECK __attribute__((warn_unused_result))

/* Seldom called: what leads to such a call is put out of the way of the rest. */
#define AUV_COLD __attribute__((cold))

#define AUV_PRINTF(string, first) __attribute__((format(printf, string, first)))

AUV_BEGIN_DECLS

/**
 * auv_ref() - take another reference to an object
 * @object:      any object of this library; may be NULL
 *
 * Return: @object.
 * Owns: the caller owns one reference more.
 * Suspends: no.    Thread: the loop's; any, for a loop, an error or a call made by
 * auv_loop_call_soon_threadsafe().
 */
AUV_API void *auv_ref(void *object);

/**
 * auv_unref() - give up a reference to an object
 * @object:      any object of this library; may be NULL
 *
 * The object goes when its last reference does. That never cancels anything: a
 * pending task is held by its loop and runs on.
 *
 * Return: NULL, for `task = auv_unref(task)`.
 * Owns: the caller's reference is gone.
 * Suspends: no.    Thread: as auv_ref().
 */
AUV_API void *auv_unref(void *object);

/**
 * auv_unref_at() - give up the reference that a variable holds
 * @variable:    address of a pointer to any object; the pointer may be NULL
 *
 * What AUV_AUTO calls at the end of the scope. The pointer is set to NULL.
 *
 * Suspends: no.    Thread: as auv_ref().
 */
AUV_API void auv_unref_at(void *variable);

AUV_END_DECLS

/* A pointer to an object, declared with AUV_AUTO, drops its reference at the end of the scope. */
#define AUV_AUTO __attribute__((cleanup(auv_unref_at), unused))

/* auv_ref() that keeps the type of its argument. */
#define auv_ref(object) ((__typeof__(object))(auv_ref)(object))

/* Evaluates a call that returns an int; a negative one is returned from the function at once. */
#define AUV_TRY(call)                           \
        do {                                    \
                const int auv_try_ = (call);    \
                if (auv_try_ < 0)               \
                        return auv_try_;        \
        } while (0)

/*
 * What AUV_LOOP_OPTIONS() and its like are made of: the address of a struct, all zero but what is named. In
 * C++ it is gone at the end of the statement, and the names stand in the order of the struct.
 */
#ifdef __cplusplus
template <typename T> inline const T *auv_address_(const T &value)
{
        return &value;
}
#define AUV_OPTIONS_(type, ...) \
        auv_address_(__extension__ type { .size = sizeof(type), __VA_ARGS__ })
#else
#define AUV_OPTIONS_(type, ...) (&(type) { .size = sizeof(type), __VA_ARGS__ })
#endif

#endif

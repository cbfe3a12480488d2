/* SPDX-License-Identifier: MIT */

/*
 * Errors
 *
 * An error object is one block: the struct, its members, its message, its payload. For each code of the list
 * there is one that needs no memory and is shared by all threads: it is what travels when there
 * is no message to carry, and when there is no memory. Errors never change once somebody else has
 * seen them, and count their references atomically, so they may cross threads.
 */

#include "base/error.h"

#include "base/alloc.h"
#include "base/object.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What an error tells beside its message: AUV_EINCOMPLETEREAD and AUV_ELIMITOVERRUN have one. */
struct payload {
        size_t size;     /* of data */
        size_t number;   /* bytes that were expected, 0 for unknown; or that are consumed */
        char data[];     /* what was read */
};

struct auv_error {
        struct auv__object object;
        int code;
        auv_error *cause;    /* also the link of the errors that auv__error_free() has yet to free */
        const char *message; /* points behind the members, or is NULL */
        const struct payload *payload; /* NULL, but for the two that have their functions for it */
        size_t n_members;
        auv_error *members[];
};

_Thread_local auv_error **auv__error_slot;

/* The slot outside of tasks. Its destructor runs when the thread ends. */
static _Thread_local auv_error *thread_error;
static pthread_key_t thread_error_key;
static pthread_once_t thread_error_once = PTHREAD_ONCE_INIT;

enum {
#define INDEX(name, value, text) INDEX_##name,
        AUV_ERROR_MAP(INDEX)
#undef INDEX
};

static auv_error static_errors[] = {
#define STATIC(name, value, text)                                                       \
        { .object = { .refs = AUV__IMMORTAL, .kind = AUV__ERROR, .flags = AUV__SHARED }, .code = (value) },
        AUV_ERROR_MAP(STATIC)
#undef STATIC
};

const char *auv_error_name(int code)
{
        switch (code) {
#define NAME(name, value, text) case (value): return #name;
                AUV_ERROR_MAP(NAME)
#undef NAME
        default:
                return code <= AUV_EUSER && code > -10000 ? "EUSER" : "UNKNOWN";
        }
}

const char *auv_strerror(int code)
{
        switch (code) {
#define TEXT(name, value, text) case (value): return text;
                AUV_ERROR_MAP(TEXT)
#undef TEXT
        default:
                return code <= AUV_EUSER && code > -10000 ? "error of the program" : "unknown error";
        }
}

auv_error *auv__error_static(int code)
{
        /* The one that tasks end with by the thousand: without a search. */
        if (code == AUV_ECANCELED)
                return &static_errors[INDEX_ECANCELED];
        switch (code) {
#define FIND(name, value, text) case (value): return &static_errors[INDEX_##name];
                AUV_ERROR_MAP(FIND)
#undef FIND
        default:
                return NULL;
        }
}

/* An error with room for a message of @size bytes, its zero byte included; 0 for none. */
static auv_error *allocate(int code, size_t n_members, size_t size)
{
        const size_t fixed = sizeof(auv_error) + n_members * sizeof(auv_error *);
        auv_error *error = auv__malloc(fixed + size);

        if (!error)
                return NULL;
        *error = (auv_error) { .object = auv__object_init(AUV__ERROR, AUV__SHARED),
                               .code = code,
                               .message = size ? (char *)error + fixed : NULL,
                               .n_members = n_members };
        return error;
}

static auv_error *new_formatted(int code, const char *format, va_list arguments)
{
        va_list again;
        auv_error *error;
        int length;

        if (!format)
                return allocate(code, 0, 0);
        va_copy(again, arguments);
        length = vsnprintf(NULL, 0, format, again);
        va_end(again);
        if (length < 0)
                return NULL;
        error = allocate(code, 0, (size_t)length + 1);
        if (error)
                vsnprintf((char *)error->message, (size_t)length + 1, format, arguments);
        return error;
}

auv_error *auv_error_new(int code, const char *format, ...)
{
        va_list arguments;
        auv_error *error;

        if (code >= 0)
                return NULL;
        va_start(arguments, format);
        error = new_formatted(code, format, arguments);
        va_end(arguments);
        return error;
}

/* An error with a message of its own and a payload with room for @size bytes, which the caller fills. */
static auv_error *new_with_payload(int code, const char *message, size_t size, struct payload **ret_payload)
{
        const size_t length = message ? strlen(message) + 1 : 0;
        const size_t offset = (length + alignof(struct payload) - 1) & ~(alignof(struct payload) - 1);
        auv_error *error;

        if (size > SIZE_MAX / 2)
                return NULL;
        error = allocate(code, 0, offset + sizeof(struct payload) + size);
        if (!error)
                return NULL;
        *ret_payload = (struct payload *)((char *)error + sizeof(*error) + offset);
        **ret_payload = (struct payload) { .size = size };
        error->payload = *ret_payload;
        if (message)
                memcpy((char *)error->message, message, length);
        else
                error->message = NULL;
        return error;
}

auv_error *auv_error_new_incomplete_read(const void *partial, size_t size, size_t expected)
{
        struct payload *payload;
        char message[96], total[24] = "undefined";
        auv_error *error;

        if (size > 0 && !partial)
                return NULL;
        if (expected > 0)
                snprintf(total, sizeof(total), "%zu", expected);
        snprintf(message, sizeof(message), "%zu bytes read on a total of %s expected bytes", size, total);
        error = new_with_payload(AUV_EINCOMPLETEREAD, message, size, &payload);
        if (!error)
                return NULL;
        payload->number = expected;
        if (size > 0)
                memcpy(payload->data, partial, size);
        return error;
}

auv_error *auv_error_new_limit_overrun(const char *message, size_t consumed)
{
        struct payload *payload;
        auv_error *error = new_with_payload(AUV_ELIMITOVERRUN, message, 0, &payload);

        if (error)
                payload->number = consumed;
        return error;
}

auv_error *auv_error_new_group(const char *message, auv_error *const *errors, size_t n)
{
        const size_t size = message ? strlen(message) + 1 : 0;
        auv_error *group;

        if (n == 0 || !errors)
                return NULL;
        for (size_t i = 0; i < n; i++)
                if (!errors[i])
                        return NULL;
        group = allocate(AUV_EGROUP, n, size);
        if (!group)
                return NULL;
        if (message)
                memcpy((char *)group->message, message, size);
        for (size_t i = 0; i < n; i++)
                group->members[i] = auv_ref(errors[i]);
        return group;
}

/* Gives up one reference; an error that nobody holds any more goes to the list *dead. */
static void release(auv_error *error, auv_error **dead)
{
        auv_error *cause;

        /* The list is linked through the cause, so the error gives that up before it goes on the list. */
        while (error && __atomic_load_n(&error->object.refs, __ATOMIC_RELAXED) != AUV__IMMORTAL
               && __atomic_sub_fetch(&error->object.refs, 1, __ATOMIC_ACQ_REL) == 0) {
                cause = error->cause;
                error->cause = *dead;
                *dead = error;
                error = cause;
        }
}

/* Causes of causes and groups of groups may be of any depth: they are freed without recursion. */
void auv__error_free(struct auv__object *object)
{
        auv_error *dead = NULL, *error = auv__container_of(object, auv_error, object);

        error->object.refs = 1;
        release(error, &dead);
        while (dead) {
                error = dead;
                dead = error->cause;
                for (size_t i = 0; i < error->n_members; i++)
                        release(error->members[i], &dead);
                auv__free(error);
        }
}

int auv_error_set_cause(auv_error *error, auv_error *cause)
{
        auv_error *old;

        if (!error || error->object.refs == AUV__IMMORTAL)
                return AUV_EINVAL;
        for (const auv_error *e = cause; e; e = e->cause)
                if (e == error)
                        return AUV_EINVAL;
        old = error->cause;
        error->cause = auv_ref(cause);
        auv_unref(old);
        return 0;
}

int auv_error_code(const auv_error *error)
{
        return error ? error->code : 0;
}

const char *auv_error_message(const auv_error *error)
{
        return error ? error->message : NULL;
}

auv_error *auv_error_cause(const auv_error *error)
{
        return error ? error->cause : NULL;
}

auv_error *const *auv_error_members(const auv_error *error, size_t *ret_n)
{
        if (ret_n)
                *ret_n = error ? error->n_members : 0;
        return error && error->n_members ? error->members : NULL;
}

const void *auv_error_partial(const auv_error *error, size_t *ret_size, size_t *ret_expected)
{
        const struct payload *payload = auv_error_code(error) == AUV_EINCOMPLETEREAD ? error->payload : NULL;

        if (ret_size)
                *ret_size = payload ? payload->size : 0;
        if (ret_expected)
                *ret_expected = payload ? payload->number : 0;
        return payload ? payload->data : NULL;
}

size_t auv_error_consumed(const auv_error *error)
{
        return auv_error_code(error) == AUV_ELIMITOVERRUN && error->payload ? error->payload->number : 0;
}

/* Text that is cut to fit a buffer, while its whole length is counted. */
struct text {
        char *buffer;
        size_t size;
        size_t length;
};

static void AUV_PRINTF(2, 3) add(struct text *text, const char *format, ...)
{
        const size_t room = text->length < text->size ? text->size - text->length : 0;
        va_list arguments;
        int length;

        va_start(arguments, format);
        length = vsnprintf(room ? text->buffer + text->length : NULL, room, format, arguments);
        va_end(arguments);
        if (length > 0)
                text->length += (size_t)length;
}

static void add_error(struct text *text, const auv_error *error, int depth)
{
        enum { MAX_DEPTH = 8 };

        add(text, "%s: %s", auv_error_name(error->code),
            error->message ? error->message : auv_strerror(error->code));
        if (error->n_members == 0)
                return;
        if (depth == MAX_DEPTH) {
                add(text, " [...]");
                return;
        }
        add(text, " [");
        for (size_t i = 0; i < error->n_members; i++) {
                add(text, i ? "; " : "");
                add_error(text, error->members[i], depth + 1);
        }
        add(text, "]");
}

size_t auv_error_format(const auv_error *error, char *buffer, size_t size)
{
        struct text text = { .buffer = buffer, .size = buffer ? size : 0 };

        if (text.size)
                buffer[0] = '\0';
        if (!error)
                add(&text, "no error");
        for (const auv_error *e = error; e; e = e->cause) {
                add(&text, e == error ? "" : ", caused by ");
                add_error(&text, e, 0);
        }
        return text.length;
}

static void forget_thread_error(void *slot)
{
        auv_unref_at(slot);
}

static void make_thread_error_key(void)
{
        /* Without a key, the last error of a thread is not freed when it ends. */
        (void)pthread_key_create(&thread_error_key, forget_thread_error);
}

static auv_error **slot(void)
{
        return auv__error_slot ? auv__error_slot : &thread_error;
}

int auv__error_set_current(auv_error *error)
{
        auv_error **current = slot(), *old = *current;

        if (current == &thread_error && !old) {
                pthread_once(&thread_error_once, make_thread_error_key);
                pthread_setspecific(thread_error_key, &thread_error);
        }
        *current = error;
        auv_unref(old);
        return error->code;
}

auv_error *auv_error_current(void)
{
        return *slot();
}

void auv_error_clear(void)
{
        auv_unref_at(slot());
}

/* An error without a message. Only for a code of the program's own is memory needed. */
static auv_error *make_bare(int code)
{
        auv_error *error = auv__error_static(code);

        if (!error)
                error = allocate(code, 0, 0);
        return error ? error : auv__error_static(AUV_ENOMEM);
}

auv_error *auv__error_make(int code, const char *format, va_list arguments)
{
        auv_error *error = format ? new_formatted(code, format, arguments) : NULL;

        return error ? error : make_bare(code);
}

auv_error *auv__error_for(int code)
{
        auv_error *error = auv_error_current();

        return error && error->code == code ? auv_ref(error) : make_bare(code);
}

auv_error *auv__error_cancelled(const char *message)
{
        return message ? auv_error_new(AUV_ECANCELED, "%s", message) : NULL;
}

int auv_raise(int code, const char *format, ...)
{
        auv_error *error;
        va_list arguments;

        if (code >= 0)
                return auv_raise(AUV_EINVAL, "auv_raise() was given %d, which is no error", code);
        va_start(arguments, format);
        error = auv__error_make(code, format, arguments);
        va_end(arguments);
        auv__error_set_current(error);
        /* Without memory, one of the program's own codes has no object. */
        if (error->code != code)
                auv_error_clear();
        return code;
}

int auv_reraise(auv_error *error)
{
        return error ? auv__error_set_current(auv_ref(error)) : AUV_EINVAL;
}

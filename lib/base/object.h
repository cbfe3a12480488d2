/* SPDX-License-Identifier: MIT */
#ifndef AUV_BASE_OBJECT_H
#define AUV_BASE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Objects
 *
 * Whatever is handed out with a reference begins with the same eight bytes, so that one
 * auv_ref() and one auv_unref() do for all of them. A loop and its objects belong to one thread,
 * and their counts are plain numbers; objects that cross threads have AUV__SHARED and count
 * atomically. A count of AUV__IMMORTAL is never written to.
 */

enum auv__kind {
        AUV__ERROR,
        AUV__LOOP,
        AUV__CALL,
        AUV__FUTURE,
        AUV__TASK,
        AUV__GATHER,
        AUV__SHIELD,
        AUV__TIMEOUT,
        AUV__TASK_GROUP,
        AUV__AS_COMPLETED,
        AUV__RUNNER,
        AUV__LOCK,
        AUV__EVENT,
        AUV__CONDITION,
        AUV__SEMAPHORE,
        AUV__BARRIER,
        AUV__QUEUE,
        AUV__CONTEXT,
        AUV__CONTEXT_VAR,
        AUV__CONTEXT_TOKEN,
        AUV__CONTEXT_ENTRY,
        AUV__CONTEXT_BRANCH,
        AUV__EXECUTOR,
        AUV__THREAD_FUTURE,
        AUV__WRAPPER,
        AUV__TRANSPORT,
        AUV__SERVER,
        AUV__STREAM_READER,
        AUV__STREAM_WRITER,
        AUV__N_KINDS,
};

enum auv__object_flags {
        AUV__SHARED = 1 << 0,
        AUV__TRACED = 1 << 15, /* before it stands where it was made; see loop/hooks.h */
        /* those between are the kind's own */
};

#define AUV__IMMORTAL UINT32_MAX

struct auv__object {
        uint32_t refs;
        uint8_t kind;
        uint8_t state;  /* the kind's own */
        uint16_t flags; /* enum auv__object_flags, and the kind's own */
};

#define auv__object_init(object_kind, object_flags)                             \
        ((struct auv__object) { .refs = 1, .kind = (object_kind), .flags = (object_flags) })

#define auv__likely(x)   __builtin_expect(!!(x), 1)
#define auv__unlikely(x) __builtin_expect(!!(x), 0)

/*
 * What each step of a task, or each message of a stream, goes through. It stands side by side in a few
 * pages: a program that has slept finds its code in no cache, and has to look up each page again.
 */
#define AUV__HOT __attribute__((hot))

#define auv__container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

/* Takes down an object whose last reference has gone: calls its kind's function below. */
void auv__object_free(struct auv__object *object);

/* What it calls: for each kind, the function in the file of its noun, in whatever layer that is. */
void auv__error_free(struct auv__object *object);
void auv__loop_free(struct auv__object *object);
void auv__call_free(struct auv__object *object);
void auv__future_free(struct auv__object *object);
void auv__timeout_free(struct auv__object *object);
void auv__task_group_free(struct auv__object *object);
void auv__as_completed_free(struct auv__object *object);
void auv__runner_free(struct auv__object *object);
void auv__lock_free(struct auv__object *object);
void auv__event_free(struct auv__object *object);
void auv__condition_free(struct auv__object *object);
void auv__semaphore_free(struct auv__object *object);
void auv__barrier_free(struct auv__object *object);
void auv__queue_free(struct auv__object *object);
void auv__context_free(struct auv__object *object);
void auv__context_var_free(struct auv__object *object);
void auv__context_token_free(struct auv__object *object);
void auv__context_entry_free(struct auv__object *object);
void auv__context_branch_free(struct auv__object *object);
void auv__executor_free(struct auv__object *object);
void auv__thread_future_free(struct auv__object *object);
void auv__transport_free(struct auv__object *object);
void auv__server_free(struct auv__object *object);
void auv__stream_reader_free(struct auv__object *object);
void auv__stream_writer_free(struct auv__object *object);

/* For objects that are not shared: the hot path. */
static inline void auv__keep(struct auv__object *object)
{
        object->refs++;
}

static inline void auv__drop(struct auv__object *object)
{
        if (--object->refs == 0)
                auv__object_free(object);
}

#endif

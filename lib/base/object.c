/* SPDX-License-Identifier: MIT */

#include "base/object.h"

#include <asyncuv/macros.h>

#include <stddef.h>

static void (*const free_fns[AUV__N_KINDS])(struct auv__object *object) = {
        [AUV__ERROR] = auv__error_free,
        [AUV__LOOP] = auv__loop_free,
        [AUV__CALL] = auv__call_free,
        [AUV__FUTURE] = auv__future_free,
        [AUV__TASK] = auv__future_free,
        [AUV__GATHER] = auv__future_free,
        [AUV__SHIELD] = auv__future_free,
        [AUV__TIMEOUT] = auv__timeout_free,
        [AUV__TASK_GROUP] = auv__task_group_free,
        [AUV__AS_COMPLETED] = auv__as_completed_free,
        [AUV__RUNNER] = auv__runner_free,
        [AUV__LOCK] = auv__lock_free,
        [AUV__EVENT] = auv__event_free,
        [AUV__CONDITION] = auv__condition_free,
        [AUV__SEMAPHORE] = auv__semaphore_free,
        [AUV__BARRIER] = auv__barrier_free,
        [AUV__QUEUE] = auv__queue_free,
        [AUV__CONTEXT] = auv__context_free,
        [AUV__CONTEXT_VAR] = auv__context_var_free,
        [AUV__CONTEXT_TOKEN] = auv__context_token_free,
        [AUV__CONTEXT_ENTRY] = auv__context_entry_free,
        [AUV__CONTEXT_BRANCH] = auv__context_branch_free,
        [AUV__EXECUTOR] = auv__executor_free,
        [AUV__THREAD_FUTURE] = auv__thread_future_free,
        [AUV__WRAPPER] = auv__future_free,
        [AUV__TRANSPORT] = auv__transport_free,
        [AUV__SERVER] = auv__server_free,
        [AUV__STREAM_READER] = auv__stream_reader_free,
        [AUV__STREAM_WRITER] = auv__stream_writer_free,
};

void auv__object_free(struct auv__object *object)
{
        free_fns[object->kind](object);
}

void *(auv_ref)(void *object)
{
        struct auv__object *o = object;

        if (!o)
                return NULL;
        if (auv__likely(!(o->flags & AUV__SHARED)))
                o->refs++;
        else if (__atomic_load_n(&o->refs, __ATOMIC_RELAXED) != AUV__IMMORTAL)
                __atomic_add_fetch(&o->refs, 1, __ATOMIC_RELAXED);
        return object;
}

void *auv_unref(void *object)
{
        struct auv__object *o = object;

        if (!o)
                return NULL;
        if (auv__likely(!(o->flags & AUV__SHARED)))
                auv__drop(o);
        else if (__atomic_load_n(&o->refs, __ATOMIC_RELAXED) != AUV__IMMORTAL
                 && __atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL) == 0)
                auv__object_free(o);
        return NULL;
}

void auv_unref_at(void *variable)
{
        void **pointer = variable;

        *pointer = auv_unref(*pointer);
}

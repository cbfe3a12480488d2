/* SPDX-License-Identifier: MIT */

/*
 * Context
 *
 * Variables whose values belong to a task or a callback. Values are in maps that never change; a context
 * is a place that has one of them, and setting a variable puts another one there.
 */

#include "base/context.h"

#include "base/alloc.h"
#include "base/context_map.h"
#include "base/value.h"

#include <asyncuv/error.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct auv_context {
        struct auv__object object;
        _Atomic bool entered; /* by auv_context_run(), or before another one was */
        struct auv__object *map;
};

struct auv_context_token {
        struct auv__object object;
        bool used;
        auv_context *context;          /* where the variable was set; with a reference */
        auv_context_var *var;          /* likewise */
        struct auv__context_entry *old; /* what it had there; likewise, or NULL */
};

_Thread_local struct auv__object **auv__context_slot;

/* The context outside of tasks and callbacks. Its destructor runs when the thread ends. */
static _Thread_local struct auv__object *thread_context;
static pthread_key_t thread_context_key;
static bool thread_context_has_key;
static pthread_once_t thread_context_once = PTHREAD_ONCE_INIT;

static uint64_t next_number = 1; /* of all threads, so counted atomically */

static auv_context *to_context(struct auv__object *object)
{
        return auv__container_of(object, auv_context, object);
}

static bool is_context(const struct auv__object *object)
{
        return object && object->kind == AUV__CONTEXT;
}

static struct auv__object **current_slot(void)
{
        return auv__context_slot ? auv__context_slot : &thread_context;
}

/* Where a context has its map. */
static struct auv__object **map_of(struct auv__object **context)
{
        return is_context(*context) ? &to_context(*context)->map : context;
}

struct auv__object *auv__context_copy_current(void)
{
        return auv__context_map_ref(*map_of(current_slot()));
}

static void drop_thread_context(void *arg)
{
        struct auv__object **context = arg, *old = *context;

        *context = NULL;
        auv__context_drop(old);
}

static void make_thread_context_key(void)
{
        /* Without a key, what a thread has set outside of tasks is not freed when it ends. */
        thread_context_has_key = pthread_key_create(&thread_context_key, drop_thread_context) == 0;
}

/* What is put into the thread's own context is to be dropped when it ends. */
static void will_change(struct auv__object **context)
{
        if (context != &thread_context)
                return;
        pthread_once(&thread_context_once, make_thread_context_key);
        if (thread_context_has_key)
                pthread_setspecific(thread_context_key, &thread_context);
}

/* Takes over the reference. */
static void set_map(struct auv__object **context, struct auv__object *map)
{
        struct auv__object **place = map_of(context), *old = *place;

        will_change(context);
        *place = map;
        auv__context_map_unref(old);
}

/* A context with this map, to which it takes over the reference. */
static auv_context *new_context(struct auv__object *map)
{
        auv_context *context = auv__malloc(sizeof(*context));

        if (context)
                *context = (auv_context) { .object = auv__object_init(AUV__CONTEXT, AUV__SHARED),
                                           .map = map };
        return context;
}

static auv_context *new_copy(struct auv__object *map)
{
        auv_context *context = new_context(auv__context_map_ref(map));

        if (!context) {
                auv__context_map_unref(map);
                auv_raise(AUV_ENOMEM, NULL);
        }
        return context;
}

auv_context *auv__context_require(struct auv__object **context)
{
        auv_context *made;

        if (is_context(*context))
                return to_context(*context);
        made = new_context(*context);
        if (!made) {
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        will_change(context);
        *context = &made->object;
        return made;
}

auv_context *auv_context_new(void)
{
        return new_copy(NULL);
}

auv_context *auv_copy_context(void)
{
        return new_copy(*map_of(current_slot()));
}

auv_context *auv_context_copy(const auv_context *context)
{
        if (!context) {
                auv_raise(AUV_EINVAL, "no context");
                return NULL;
        }
        return new_copy(context->map);
}

void auv__context_free(struct auv__object *object)
{
        auv_context *context = to_context(object);

        auv__context_map_unref(context->map);
        auv__free(context);
}

int auv_context_run(auv_context *context, auv_call_fn fn, void *arg)
{
        struct auv__object *entered, *current = *current_slot(), **outer;
        bool was_entered = true;

        if (!context || !fn)
                return auv_raise(AUV_EINVAL, "no context, or no function to call");
        if (current == &context->object || atomic_exchange(&context->entered, true))
                return auv_raise(AUV_ERUNTIME, "the context has been entered already");
        entered = auv_ref(&context->object);
        if (is_context(current))
                was_entered = atomic_exchange(&to_context(current)->entered, true);
        outer = auv__context_enter(&entered);
        fn(arg);
        auv__context_leave(outer);
        if (!was_entered)
                atomic_store(&to_context(current)->entered, false);
        atomic_store(&context->entered, false);
        auv_unref(entered);
        return 0;
}

int auv_context_get(const auv_context *context, const auv_context_var *var, auv_value *ret)
{
        const struct auv__context_entry *entry;

        if (!context || !var)
                return auv_raise(AUV_EINVAL, "no context, or no variable");
        entry = auv__context_map_get(context->map, var);
        if (!entry)
                return auv_raise(AUV_ENOENT, "the context has no '%s'", var->name);
        if (ret)
                *ret = auv__value_lent(entry->value);
        return 0;
}

size_t auv_context_vars(const auv_context *context, auv_context_var **ret_vars, size_t n)
{
        return context ? auv__context_map_vars(context->map, ret_vars, n) : 0;
}

auv_context_var *auv_context_var_new(const char *name, const auv_value *default_value)
{
        const size_t size = name ? strlen(name) + 1 : 0;
        auv_context_var *var;

        if (!name) {
                auv_raise(AUV_EINVAL, "no name");
                return NULL;
        }
        var = auv__malloc(sizeof(*var) + size);
        if (!var) {
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        *var = (auv_context_var) { .object = auv__object_init(AUV__CONTEXT_VAR, AUV__SHARED),
                                   .key = __atomic_fetch_add(&next_number, 1, __ATOMIC_RELAXED)
                                          * UINT64_C(0x9e3779b97f4a7c15),
                                   .has_default = default_value != NULL };
        if (default_value)
                var->default_value = *default_value;
        memcpy(var->name, name, size);
        return var;
}

void auv__context_var_free(struct auv__object *object)
{
        auv_context_var *var = auv__container_of(object, auv_context_var, object);

        if (var->default_value.destroy)
                var->default_value.destroy(var->default_value.p);
        auv__free(var);
}

const char *auv_context_var_name(const auv_context_var *var)
{
        return var ? var->name : NULL;
}

int auv_context_var_get(const auv_context_var *var, auv_value *ret)
{
        const struct auv__context_entry *entry;

        if (!var)
                return auv_raise(AUV_EINVAL, "no variable");
        entry = auv__context_map_get(*map_of(current_slot()), var);
        if (!entry && !var->has_default)
                return auv_raise(AUV_ENOENT, "'%s' is not set", var->name);
        if (ret)
                *ret = auv__value_lent(entry ? entry->value : var->default_value);
        return 0;
}

/* Puts a value into the current context, which owns it from then on. Returns 0 or AUV_ENOMEM. */
static int set(struct auv__object **slot, auv_context_var *var, auv_value value)
{
        struct auv__context_entry *entry = auv__context_entry_new(var, value);
        struct auv__object *map = entry ? auv__context_map_set(*map_of(slot), entry) : NULL;

        if (!map) {
                if (entry)
                        auv__context_entry_cancel(entry);
                return auv_raise(AUV_ENOMEM, NULL);
        }
        auv__context_map_unref(&entry->object);
        set_map(slot, map);
        return 0;
}

/* A token for what a variable has now. */
static auv_context_token *new_token(struct auv__object **slot, auv_context_var *var)
{
        auv_context *context = auv__context_require(slot);
        auv_context_token *token = context ? auv__malloc(sizeof(*token)) : NULL;

        if (!token)
                return NULL;
        *token = (auv_context_token) { .object = auv__object_init(AUV__CONTEXT_TOKEN, AUV__SHARED),
                                       .context = auv_ref(context),
                                       .var = auv_ref(var),
                                       .old = auv_ref(auv__context_map_get(context->map, var)) };
        return token;
}

void auv__context_token_free(struct auv__object *object)
{
        auv_context_token *token = auv__container_of(object, auv_context_token, object);

        auv_unref(token->context);
        auv_unref(token->old);
        auv_unref(token->var);
        auv__free(token);
}

int auv_context_var_set(auv_context_var *var, auv_value value, auv_context_token **ret_token)
{
        struct auv__object **slot = current_slot();
        auv_context_token *token = NULL;
        int r;

        if (!var)
                return auv_raise(AUV_EINVAL, "no variable");
        if (ret_token) {
                token = new_token(slot, var);
                if (!token)
                        return auv_raise(AUV_ENOMEM, NULL);
        }
        r = set(slot, var, value);
        if (r < 0)
                auv_unref(token);
        else if (ret_token)
                *ret_token = token;
        return r;
}

int auv_context_var_reset(auv_context_var *var, auv_context_token *token)
{
        struct auv__object **slot = current_slot(), *map = NULL;

        if (!var || !token)
                return auv_raise(AUV_EINVAL, "no variable, or no token");
        if (token->used)
                return auv_raise(AUV_ERUNTIME, "the token has been used already");
        if (token->var != var)
                return auv_raise(AUV_EINVAL, "the token was made by another variable");
        if (*slot != &token->context->object)
                return auv_raise(AUV_EINVAL, "the token was made in another context");
        if (token->old)
                map = auv__context_map_set(token->context->map, token->old);
        if (token->old ? !map : auv__context_map_delete(token->context->map, var, &map) < 0)
                return auv_raise(AUV_ENOMEM, NULL);
        token->used = true;
        set_map(slot, map);
        return 0;
}

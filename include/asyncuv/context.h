/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_CONTEXT_H
#define ASYNCUV_CONTEXT_H

#include <asyncuv/future.h>

AUV_BEGIN_DECLS

/*
 * Context variables
 *
 * A context variable has a value for each flow of control, and not one for the program: what a
 * task sets, it alone sees, and what it starts from then on. A new task, a call, a done callback
 * has a copy of the context in which it was made. Outside of all of them, a thread has a context
 * of its own. They are Python's contextvars; make a variable once and keep it, as a static variable
 * does:
 *
 *      request = auv_context_var_new("request", NULL);
 *      ...
 *      AUV_TRY(auv_context_var_set(request, (auv_value) { .p = r }, NULL));
 *
 * Where no variable is set, nothing has to be copied and nothing is.
 */
typedef struct auv_context_var auv_context_var;

/* What a variable had before it was set. */
typedef struct auv_context_token auv_context_token;

/**
 * auv_context_var_new() - make a context variable
 * @name:        what messages call it; copied
 * @default_value: its value in contexts in which it has not been set; copied; NULL for none
 *
 * Return: the variable, or NULL: there is no memory, or @name is NULL.
 * Owns: the caller owns the reference. Contexts hold the variables that they have. With
 * @default_value->destroy set, the variable owns the value, and destroys it when it goes.
 * Suspends: no.    Thread: any, and the variable is for all threads.
 * Like: contextvars.ContextVar().
 */
AUV_API auv_context_var *auv_context_var_new(const char *name, const auv_value *default_value);

/**
 * auv_context_var_name() - the name of a context variable
 * @var:         the variable; NULL gives NULL
 *
 * Owns: nothing; the name is borrowed from @var.
 * Suspends: no.    Thread: any.
 * Like: ContextVar.name.
 */
AUV_API const char *auv_context_var_name(const auv_context_var *var);

/**
 * auv_context_var_get() - the value of a variable in the current context
 * @var:         the variable
 * @ret:         receives the value, or else the default; may be NULL
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, @var is NULL; AUV_ENOENT, it is not set and has no default.
 * Owns: nothing; the value is borrowed from the context, until the variable is set anew there; see
 * auv_value.
 * Suspends: no.    Thread: any; each has contexts of its own.
 * Like: ContextVar.get(). Cost: O(log n) in the variables that the context has.
 */
AUV_API int auv_context_var_get(const auv_context_var *var, auv_value *ret);

/**
 * auv_context_var_set() - set a variable in the current context
 * @var:         the variable
 * @value:       its value; with @value.destroy set, contexts own it from now on
 * @ret_token:   receives what auv_context_var_reset() takes; may be NULL
 *
 * The value is destroyed when no context and no token has it any more, by the thread that has given up the
 * last one.
 *
 * Return: 0, or a negative error, and then @value is still the caller's.
 * Errors: AUV_EINVAL, @var is NULL; AUV_ENOMEM.
 * Owns: see @value; the caller owns *ret_token, and giving it up resets nothing.
 * Suspends: no.    Thread: any; each has contexts of its own.
 * Like: ContextVar.set(). Cost: O(log n), in memory as well.
 */
AUV_API int auv_context_var_set(auv_context_var *var, auv_value value, auv_context_token **ret_token);

/**
 * auv_context_var_reset() - give a variable what it had before it was set
 * @var:         the variable
 * @token:       what setting it gave, in this same context; good for one reset
 *
 * Return: 0, or a negative error, and then nothing has changed.
 * Errors: AUV_EINVAL, an argument is NULL, or @token was made by another variable or in another
 * context; AUV_ERUNTIME, it has been used; AUV_ENOMEM.
 * Owns: nothing; @token is still the caller's.
 * Suspends: no.    Thread: any; each has contexts of its own.
 * Like: ContextVar.reset(). Cost: O(log n), in memory as well.
 */
AUV_API int auv_context_var_reset(auv_context_var *var, auv_context_token *token);

/**
 * auv_context_new() - make an empty context
 *
 * Return: the context, or NULL: there is no memory.
 * Owns: the caller owns the reference.
 * Suspends: no.    Thread: any. A context may be handed to another thread, but at any time only one may
 * use it.
 * Like: contextvars.Context().
 */
AUV_API auv_context *auv_context_new(void);

/**
 * auv_copy_context() - make a copy of the current context
 *
 * Return: the context, or NULL: there is no memory.
 * Owns: the caller owns the reference.
 * Suspends: no.    Thread: any; see auv_context_new().
 * Like: contextvars.copy_context(). Cost: O(1).
 */
AUV_API auv_context *auv_copy_context(void);

/**
 * auv_context_copy() - make a copy of a context
 * @context:     the context
 *
 * Return: the context, or NULL: there is no memory, or @context is NULL.
 * Owns: the caller owns the reference.
 * Suspends: no.    Thread: whichever uses @context.
 * Like: Context.copy(). Cost: O(1).
 */
AUV_API auv_context *auv_context_copy(const auv_context *context);

/**
 * auv_context_run() - run a function in a context
 * @context:     the context, which keeps what is set in it
 * @fn:          called as fn(arg) at once, from inside this call
 * @arg:         handed to @fn
 *
 * In a task @fn may await, though its type says otherwise; the context is then entered until it has
 * returned.
 *
 * Return: 0 when @fn has returned, or a negative error, and then it has not been called.
 * Errors: AUV_EINVAL, @context or @fn is NULL; AUV_ERUNTIME, @context is the current one or has been
 * entered already.
 * Suspends: no; but see @fn.    Thread: any; see auv_context_new().
 * Like: Context.run().
 */
AUV_API int auv_context_run(auv_context *context, auv_call_fn fn, void *arg);

/**
 * auv_context_get() - the value of a variable in a context
 * @context:     the context
 * @var:         the variable
 * @ret:         receives the value; may be NULL
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, @context or @var is NULL; AUV_ENOENT, @context does not have @var, whose default
 * does not count.
 * Owns: nothing; the value is borrowed from the context, until the variable is set anew there; see
 * auv_value.
 * Suspends: no.    Thread: whichever uses @context.
 * Like: Context.get(). Cost: O(log n).
 */
AUV_API int auv_context_get(const auv_context *context, const auv_context_var *var, auv_value *ret);

/**
 * auv_context_vars() - the variables that a context has
 * @context:     the context; NULL has none
 * @ret_vars:    receives them, in no particular order; may be NULL
 * @n:           how many @ret_vars has room for
 *
 * Return: how many there are, also where that is more than @n.
 * Owns: nothing; the variables are borrowed from the context, until it is changed.
 * Suspends: no.    Thread: whichever uses @context.
 * Like: Context.keys() and len(Context). Cost: O(n) in the variables that the context has.
 */
AUV_API size_t auv_context_vars(const auv_context *context, auv_context_var **ret_vars, size_t n);

/**
 * auv_loop_call_soon_in_context() - run a function once, in the next turn, in a given context
 * @loop:        loop to run it on; NULL for the running one
 * @context:     the context to run it in; NULL for a copy of the current one
 * @fn, @arg, @ret_call: as for auv_loop_call_soon()
 *
 * Return: as auv_loop_call_soon().
 * Owns: the call holds @context; the caller owns *ret_call.
 * Suspends: no.    Thread: the loop's.
 * Like: loop.call_soon(context=). Differs: a context that has been entered when the call is due is no
 * error.
 */
AUV_API int auv_loop_call_soon_in_context(auv_loop *loop, auv_context *context, auv_call_fn fn, void *arg,
                                          auv_call **ret_call);

/**
 * auv_loop_call_at_in_context() - run a function once, at a time of the loop's clock, in a given context
 * @loop:        loop to run it on; NULL for the running one
 * @context:     the context to run it in; NULL for a copy of the current one
 * @when, @fn, @arg, @ret_call: as for auv_loop_call_at()
 *
 * Return: as auv_loop_call_at().
 * Owns: the call holds @context; the caller owns *ret_call.
 * Suspends: no.    Thread: the loop's.
 * Like: loop.call_at(context=), and loop.call_later(context=). Differs: as
 * auv_loop_call_soon_in_context().
 */
AUV_API int auv_loop_call_at_in_context(auv_loop *loop, auv_context *context, double when, auv_call_fn fn,
                                        void *arg, auv_call **ret_call);

/**
 * auv_call_get_context() - the context of a call
 * @call:        the call
 *
 * Return: the context in which it runs, or NULL: there is no memory, or @call is NULL.
 * Owns: nothing; the context is borrowed from @call.
 * Suspends: no.    Thread: the loop's.
 * Like: Handle.get_context().
 */
AUV_API auv_context *auv_call_get_context(auv_call *call);

/**
 * auv_future_add_done_callback_in_context() - have a function called in a given context when a future is
 * done
 * @future:      the future
 * @context:     the context to call it in; NULL for a copy of the current one
 * @fn, @arg:    as for auv_future_add_done_callback()
 *
 * Return: as auv_future_add_done_callback().
 * Owns: the callback holds @context.
 * Suspends: no.    Thread: the loop's.
 * Like: Future.add_done_callback(context=). Differs: as auv_loop_call_soon_in_context().
 */
AUV_API int auv_future_add_done_callback_in_context(auv_future *future, auv_context *context, auv_done_fn fn,
                                                    void *arg);

/**
 * auv_task_get_context() - the context of a task
 * @task:        the task
 *
 * Return: the context in which it runs, or NULL: there is no memory, or @task is NULL or no task.
 * Owns: nothing; the context is borrowed from @task.
 * Suspends: no.    Thread: the loop's.
 * Like: Task.get_context().
 */
AUV_API auv_context *auv_task_get_context(auv_task *task);

AUV_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_STACKLESS_H
#define ASYNCUV_STACKLESS_H

#include <asyncuv/error.h>
#include <asyncuv/task.h>

AUV_BEGIN_DECLS

/*
 * Tasks without a stack
 *
 * A stackless body is a function that returns where it waits, and is called again when that is over.
 * What has to outlast an await stands in a frame: a struct of the program's that begins with an auv_frame,
 * and of which the task keeps a copy in its own memory. The macros below make the function read as if it
 * were called once:
 *
 *      struct greeter { auv_frame frame; const char *name; int times; };
 *
 *      static int greet(auv_frame *frame, auv_value *ret)
 *      {
 *              AUV_BEGIN(struct greeter, self);
 *              while (self->times-- > 0) {
 *                      AUV_AWAIT_SLEEP(1.0);
 *                      printf("Hello, %s\n", self->name);
 *              }
 *              AUV_RETURN(.s = "done");
 *              AUV_END;
 *      }
 *
 *      task = auv_create_stackless_task(greet, &(struct greeter) { .name = "you", .times = 3 },
 *                                       sizeof(struct greeter));
 *
 * The task is like any other to all that have to do with it: it can be awaited, cancelled, put into a group,
 * and its body may make stackful tasks and await those. Such a task has no more memory than struct auv_task
 * and the frame.
 *
 * In a stackless body:
 *   - The parameters are called frame and ret.
 *   - Local variables have no value any more behind an await. Those that are used on both sides of one
 *     belong into the frame. Neither may an AUV_AUTO, nor a VLA, be in scope at an await; clang refuses to
 *     compile it. In C++ the same holds for every variable with an initializer.
 *   - An await stands in the body itself, as a statement: in a block, a loop, a switch, as often as one
 *     likes on one line; not in a function that the body calls, unless that is stackless too
 *     (AUV_AWAIT_INLINE), and not within a statement expression.
 *   - The functions with "await" in their names need a stack, and fail with AUV_ENOSTACK; but for those
 *     that AUV_AWAIT_CALL may call.
 *   - The body is left by AUV_RETURN, AUV_RAISE, AUV_LEAVE, AUV_CHECK, by a failed await, or at its end. All
 *     of them come by AUV_FINALLY; a plain `return`, and with it AUV_TRY, does not.
 */

/* What a stackless body returns where it waits. */
#define AUV_SUSPENDED 1

/**
 * struct auv_frame - where a stackless body is; stands at the begin of what it keeps
 * @at:          where to go on; 0 for the begin
 * @error:       with what to go on: 0, or a negative error to be thrown there; more than 0 while it waits
 *
 * All zero is a body that has not started. The macros read and write it, and nobody else needs to.
 */
typedef struct auv_frame {
        int32_t at;
        int32_t error;
} auv_frame;

/**
 * struct auv_subframe - the place for one await of the library's in a stackless body
 * @fn, @frame, @room: the library's own
 *
 * A member of the frame of a body that uses AUV_AWAIT_CALL. One is enough for any number of them, as only
 * one at a time is awaited.
 */
typedef struct auv_subframe {
        auv_stackless_fn fn;
        auv_frame frame;
        void *room[22];
} auv_subframe;

/**
 * auv_create_stackless_task() - run a stackless body as a task of the running loop
 * @fn:          the body
 * @frame:       a struct that begins with an auv_frame
 * @size:        its size in bytes; that many are copied into the task
 *
 * The same with a loop and options: auv_loop_create_task(loop, NULL, frame, size, options), the options
 * having @fn as their .stackless. So it is with auv_task_group_create_task(), and in a task factory.
 *
 * Return: as auv_create_task(); NULL also where @size is less than that of an auv_frame.
 * Owns: the caller owns the reference; giving it up detaches the task.
 * Suspends: no.    Thread: the loop's.
 * Like: asyncio.create_task().
 */
AUV_API auv_task *auv_create_stackless_task(auv_stackless_fn fn, const void *frame, size_t size);

/**
 * auv_frame_wait() - begin to await a future in a stackless body
 * @future:      future to wait for; NULL is one that could not be made
 * @ret:         receives the result where @future is done; may be NULL
 *
 * What AUV_AWAIT begins with. On AUV_SUSPENDED the body is to return that; when it is called again,
 * auv_frame_resumed() has the outcome.
 *
 * Return: AUV_SUSPENDED; 0, @future is done and *@ret is its result; or a negative error.
 * Errors: that of @future; AUV_ENOTASK; AUV_ERUNTIME, the running task has a stack; AUV_ECLOSED.
 * Owns: nothing; the task holds @future while it waits.
 * Suspends: no: the body does, by returning.    Thread: the loop's.
 */
AUV_API int auv_frame_wait(auv_future *future, auv_value *ret);

/**
 * auv_frame_resumed() - the outcome of what auv_frame_wait() has begun
 * @frame:       the body's
 * @ret:         receives the result; may be NULL
 *
 * Return: 0, or a negative error: that of the future, or AUV_ECANCELED, or AUV_ECLOSED; or AUV_ERUNTIME, the
 * future was the task itself or belongs to another loop.
 * Owns: nothing; the result is borrowed from the future, which the task holds until it suspends again.
 * Suspends: no.    Thread: the loop's.
 */
AUV_API int auv_frame_resumed(const auv_frame *frame, auv_value *ret);

/**
 * auv_frame_sleep() - begin to sleep in a stackless body
 * @delay:       seconds; 0 or less lets the other tasks run for one turn
 *
 * What AUV_AWAIT_SLEEP begins with. On AUV_SUSPENDED the body is to return that; when it is called
 * again, frame->error is how the sleep ended.
 *
 * Return: AUV_SUSPENDED, or a negative error.
 * Errors: AUV_EINVAL, @delay is not a number; AUV_ENOTASK; AUV_ERUNTIME, the running task has a stack;
 * AUV_ENOMEM; AUV_ECLOSED.
 * Suspends: no: the body does, by returning.    Thread: the loop's.
 */
AUV_API int auv_frame_sleep(double delay);

/**
 * auv_frame_leave() - keep the error with which a stackless body is left, during its cleanup
 * @r:           how the body is left: 0 or a negative error
 * @ret_left:    receives the error, or NULL where @r is 0
 *
 * Owns: the caller owns *@ret_left, until auv_frame_left() takes it.
 * Suspends: no.    Thread: the loop's.
 */
AUV_API void auv_frame_leave(int r, auv_error **ret_left);

/**
 * auv_frame_left() - the end of a stackless body, behind its cleanup
 * @r:           how the cleanup ended: 0 or a negative error
 * @left:        what auv_frame_leave() has kept; becomes NULL
 *
 * Return: @r where that is an error; else that of *@left, which becomes the current one; else 0.
 * Suspends: no.    Thread: the loop's.
 * Like: the end of a finally.
 */
AUV_API int auv_frame_left(int r, auv_error **left);

/**
 * auv_subframe_begin() - give the next call of the library a subframe to await in
 * @subframe:    the subframe
 *
 * What AUV_AWAIT_CALL begins with.
 *
 * Suspends: no.    Thread: the loop's.
 */
AUV_API void auv_subframe_begin(auv_subframe *subframe);

/**
 * auv_subframe_waits() - whether the call has begun to wait
 * @subframe:    the subframe
 *
 * Return: true, and what the call returned means nothing: the body is to return AUV_SUSPENDED, and when it
 * is called again to call auv_subframe_resume(); or false, the call has returned its result.
 * Suspends: no.    Thread: the loop's.
 */
AUV_API bool auv_subframe_waits(const auv_subframe *subframe);

/**
 * auv_subframe_resume() - go on with a call that waits
 * @subframe:    the subframe
 * @frame:       that of the body
 *
 * Return: what the call returns; it means nothing where auv_subframe_waits() still.
 * Suspends: no.    Thread: the loop's.
 */
AUV_API int auv_subframe_resume(auv_subframe *subframe, const auv_frame *frame);

/* Begins another stackless body, or lets it go on, as part of the one that @outer is of. */
static inline int auv_frame_run_inline(auv_frame *outer, void *inner, auv_stackless_fn fn, auv_value *ret)
{
        auv_frame *frame = (auv_frame *)inner;
        auv_value unwanted;
        int r;

        /* Nothing may be known of the function here: a body is not to be inlined, nor made in variants. */
        __asm__("" : "+r"(fn));
        frame->error = outer->error;
        if (ret)
                return fn(frame, ret);
        unwanted.p = NULL;
        unwanted.destroy = NULL;
        r = fn(frame, &unwanted);
        if (unwanted.destroy)
                unwanted.destroy(unwanted.p);
        return r;
}

AUV_END_DECLS

/*
 * Begins a stackless body: declares @self, a pointer to the frame of this type, whose first member has to be
 * an auv_frame called frame, or a struct that begins with one, and goes to where the body is. It is followed
 * by statements, then AUV_END, with AUV_FINALLY or AUV_FINALLY_AWAIT between where there is something to
 * clean up.
 */
#define AUV_BEGIN(type, self)                                                                       \
        type *const self = (type *)(void *)frame;                                                   \
        auv_error *auv_left_ = NULL;                                                                \
        int auv_r_ = 0;                                                                             \
        AUV_FRAME_IS_FIRST_(type);                                                                  \
        (void)self;                                                                                 \
        (void)ret;                                                                                  \
        (void)auv_left_;                                                                            \
        AUV_PEDANTIC_OFF_                                                                           \
        AUV_GO_ON_;                                                                                 \
auv_begin_:                                                                                         \
        {                                                                                           \
                __label__ auv_leave_, auv_return_;                                                  \
                AUV_PEDANTIC_ON_                                                                    \
                if (0) {                                                                            \
                auv_return_:                                                                        \
                        AUV_LABEL_MAY_BE_UNUSED_;                                                   \
                        return auv_r_;                                                              \
                }                                                                                   \
                {                                                                                   \
                        (void)0

/* Ends a stackless body. */
#define AUV_END                                                                                     \
                        auv_r_ = 0;                                                                 \
                        goto auv_leave_;                                                            \
                }                                                                                   \
        auv_leave_:                                                                                 \
                goto auv_return_;                                                                   \
        }

/*
 * Between here and AUV_END stands what is to be done once, however the body is left: at its end, by an
 * error, because the task is cancelled or its loop is closed. Where that fails itself, the body ends with
 * the new error, as it does in Python's finally. It cannot await.
 */
#define AUV_FINALLY                                                                                 \
        AUV_FINALLY_(&auv_left_);                                                                   \
        AUV_CANNOT_AWAIT_

/*
 * The same where the cleanup awaits. @left is a variable of type auv_error * in the frame, which has the
 * error that is on its way out meanwhile.
 */
#define AUV_FINALLY_AWAIT(left) AUV_FINALLY_(&(left))

/* Leaves the body with a result, as in AUV_RETURN(.i = 3); with none, as in AUV_RETURN(). */
#define AUV_RETURN(...)                                                                             \
        do {                                                                                        \
                AUV_VALUE_OFF_                                                                      \
                *ret = (auv_value) { __VA_ARGS__ };                                                 \
                AUV_PEDANTIC_ON_                                                                    \
                auv_r_ = 0;                                                                         \
                goto auv_leave_;                                                                    \
        } while (0)

/* Leaves the body with an error, as in AUV_RAISE(AUV_EUSER, "no room %d", n); see auv_raise(). */
#define AUV_RAISE(...) AUV_LEAVE(auv_raise(__VA_ARGS__))

/* Leaves the body with what a call has returned: a negative error; or 0 or more, and *ret as it is. */
#define AUV_LEAVE(r)                                                                                \
        do {                                                                                        \
                auv_r_ = (r);                                                                       \
                if (auv_r_ > 0)                                                                     \
                        auv_r_ = 0;                                                                 \
                goto auv_leave_;                                                                    \
        } while (0)

/* Evaluates a call that returns an int, and leaves the body where that is negative. */
#define AUV_CHECK(call)                                                                             \
        do {                                                                                        \
                auv_r_ = (call);                                                                    \
                if (auv_r_ < 0)                                                                     \
                        goto auv_leave_;                                                            \
        } while (0)

/*
 * Awaits a future, which is evaluated once, and leaves the body with its error. @ret receives the result;
 * it may be NULL, and is evaluated where the await begins, and again where it goes on. See auv_await().
 */
#define AUV_AWAIT(future, ret) AUV_OR_LEAVE_(AUV_AWAIT_FUTURE_((future), (ret)))

/* The same, but that the body goes on in either case: @r, a variable, is set to 0 or the error. */
#define AUV_AWAIT_CATCH(r, future, ret) AUV_CATCH_(r, AUV_AWAIT_FUTURE_((future), (ret)))

/* Awaits until a time has passed, as auv_await_sleep(). */
#define AUV_AWAIT_SLEEP(delay)          AUV_OR_LEAVE_(AUV_AWAIT_SLEEP_((delay)))
#define AUV_AWAIT_SLEEP_CATCH(r, delay) AUV_CATCH_(r, AUV_AWAIT_SLEEP_((delay)))

/*
 * Runs another stackless body to its end, as a part of this one: what a call is to a stackful body. @inner
 * points to its frame, which stands in this one's; @ret receives its result, and may be NULL: what the inner
 * body then puts there is destroyed, where it has a destructor, as soon as that body waits or ends. The three
 * are evaluated again each time that the inner body goes on. Cost: one call for each level at each step.
 */
#define AUV_AWAIT_INLINE(fn, inner, ret)          AUV_OR_LEAVE_(AUV_AWAIT_INLINE_((fn), (inner), (ret)))
#define AUV_AWAIT_INLINE_CATCH(r, fn, inner, ret) AUV_CATCH_(r, AUV_AWAIT_INLINE_((fn), (inner), (ret)))

/*
 * Awaits one of the library's functions that wait by themselves, as in
 *
 *      AUV_AWAIT_CALL(&self->subframe, auv_await_queue_get(self->queue, &self->item));
 *
 * These are auv_await_wait(), auv_await_wait_for(), auv_await_as_completed(), auv_await_task_group_exit(),
 * those of locks, events, conditions, semaphores, barriers and queues, and those of stream readers and
 * writers. Some others have a future that can be awaited in place of them: auv_gather(), auv_shield(),
 * auv_to_thread(). To open connections, to start servers and wait for them, and to use bare sockets, needs a
 * task with a stack, which a stackless one may make and await. A coroutine with a limit of time, as
 * auv_await_wait_for_coro() has it, is AUV_AWAIT_INLINE_CATCH in the scope of an auv_timeout.
 *
 * The arguments of the call are evaluated once. What they point to must stand in the frame, as the function
 * uses it in the end. With _CATCH, @r is set to what the function returns, be it an error or not.
 */
#define AUV_AWAIT_CALL(subframe, call)          AUV_OR_LEAVE_(AUV_AWAIT_CALL_((subframe), (call)))
#define AUV_AWAIT_CALL_CATCH(r, subframe, call) AUV_CATCH_(r, AUV_AWAIT_CALL_((subframe), (call)))

/* ---- What those are made of; not for programs. */

#ifdef __cplusplus
#define AUV_FRAME_IS_FIRST_(type)                                                                   \
        static_assert(__builtin_offsetof(type, frame) == 0, "a frame begins with its auv_frame")
#else
#define AUV_FRAME_IS_FIRST_(type)                                                                   \
        _Static_assert(__builtin_offsetof(type, frame) == 0, "a frame begins with its auv_frame")
#endif

#define AUV_LABEL_MAY_BE_UNUSED_ __attribute__((unused))

/* Compilers that are asked to be pedantic tell about labels as values, local labels, and C in C++. */
#define AUV_PEDANTIC_OFF_                                                                           \
        _Pragma("GCC diagnostic push")                                                              \
        _Pragma("GCC diagnostic ignored \"-Wpedantic\"")
#define AUV_PEDANTIC_ON_ _Pragma("GCC diagnostic pop")
#define AUV_VALUE_OFF_                                                                              \
        AUV_PEDANTIC_OFF_                                                                           \
        _Pragma("GCC diagnostic ignored \"-Wmissing-field-initializers\"")                          \
        AUV_DESIGNATORS_OFF_
#if defined(__cplusplus) && (defined(__clang__) || __GNUC__ >= 12)
#define AUV_DESIGNATORS_OFF_ _Pragma("GCC diagnostic ignored \"-Wc++20-extensions\"")
#else
#define AUV_DESIGNATORS_OFF_
#endif

/*
 * Places are kept as distances from auv_begin_, in half of a word. There is one auv_begin_ for each body,
 * because compilers neither inline nor copy a function that is called by pointer only.
 */
#define AUV_GO_ON_ goto *(void *)((char *)&&auv_begin_ + frame->at)

/* Leaves the body, to go on at a label, which has to follow. */
#define AUV_SUSPEND_AT_(label)                                                                      \
        AUV_MAY_AWAIT_;                                                                             \
        frame->at = (int32_t)((char *)&&label - (char *)&&auv_begin_);                              \
        return AUV_SUSPENDED

/*
 * The awaits: a piece of code each that ends with auv_r_ being 0 or the error. The label is in a block of
 * its own, so that there may be several in a line.
 */
#define AUV_AWAIT_FUTURE_(future, ret)                                                              \
        {                                                                                           \
                __label__ auv_resumed_;                                                             \
                auv_r_ = auv_frame_wait(future, ret);                                              \
                if (auv_r_ == AUV_SUSPENDED) {                                                      \
                        AUV_SUSPEND_AT_(auv_resumed_);                                              \
                auv_resumed_:                                                                       \
                        auv_r_ = auv_frame_resumed(frame, ret);                                     \
                }                                                                                   \
        }

#define AUV_AWAIT_SLEEP_(delay)                                                                     \
        {                                                                                           \
                __label__ auv_resumed_;                                                             \
                auv_r_ = auv_frame_sleep(delay);                                                    \
                if (auv_r_ == AUV_SUSPENDED) {                                                      \
                        AUV_SUSPEND_AT_(auv_resumed_);                                              \
                auv_resumed_:                                                                       \
                        auv_r_ = frame->error;                                                      \
                }                                                                                   \
        }

#define AUV_AWAIT_INLINE_(fn, inner, ret)                                                           \
        {                                                                                           \
                __label__ auv_resumed_;                                                             \
                ((auv_frame *)(void *)(inner))->at = 0;                                             \
                frame->error = 0;                                                                   \
        auv_resumed_:                                                                               \
                auv_r_ = auv_frame_run_inline(frame, inner, fn, ret);                               \
                if (auv_r_ == AUV_SUSPENDED) {                                                      \
                        AUV_SUSPEND_AT_(auv_resumed_);                                              \
                }                                                                                   \
        }

#define AUV_AWAIT_CALL_(subframe, call)                                                             \
        {                                                                                           \
                __label__ auv_waits_, auv_resumed_;                                                 \
                auv_subframe_begin(subframe);                                                       \
                auv_r_ = call;                                                                      \
                if (auv_subframe_waits(subframe)) {                                                 \
                auv_waits_:;                                                                        \
                        AUV_SUSPEND_AT_(auv_resumed_);                                              \
                auv_resumed_:                                                                       \
                        auv_r_ = auv_subframe_resume(subframe, frame);                              \
                        if ((subframe)->fn)                                                         \
                                goto auv_waits_;                                                    \
                }                                                                                   \
        }

#define AUV_OR_LEAVE_(await)                                                                        \
        do {                                                                                        \
                AUV_PEDANTIC_OFF_                                                                   \
                await                                                                               \
                AUV_PEDANTIC_ON_                                                                    \
                if (auv_r_ < 0)                                                                     \
                        goto auv_leave_;                                                            \
        } while (0)

#define AUV_CATCH_(r, await)                                                                        \
        do {                                                                                        \
                AUV_PEDANTIC_OFF_                                                                   \
                await                                                                               \
                AUV_PEDANTIC_ON_                                                                    \
                r = auv_r_;                                                                         \
        } while (0)

/* The end of a body, and the begin of its cleanup, in which the labels mean others than in the body. */
#define AUV_FINALLY_(left)                                                                          \
                        auv_r_ = 0;                                                                 \
                        goto auv_leave_;                                                            \
                }                                                                                   \
        auv_leave_:                                                                                 \
                auv_frame_leave(auv_r_, left);                                                      \
        }                                                                                           \
        AUV_PEDANTIC_OFF_                                                                           \
        {                                                                                           \
                __label__ auv_leave_, auv_return_;                                                  \
                AUV_PEDANTIC_ON_                                                                    \
                if (0) {                                                                            \
                auv_return_:                                                                        \
                        return auv_frame_left(auv_r_, left);                                        \
                }                                                                                   \
                {                                                                                   \
                        (void)0

/* True where it stands; AUV_FINALLY has another one of that name. */
enum { auv_may_await_ = 1 };
#define AUV_CANNOT_AWAIT_                                                                           \
        _Pragma("GCC diagnostic push")                                                              \
        _Pragma("GCC diagnostic ignored \"-Wshadow\"")                                              \
        enum { auv_may_await_ = 0 };                                                                \
        _Pragma("GCC diagnostic pop")                                                               \
        (void)0

#ifdef __cplusplus
#define AUV_MAY_AWAIT_ static_assert(auv_may_await_, "a cleanup that awaits needs AUV_FINALLY_AWAIT")
#else
#define AUV_MAY_AWAIT_ _Static_assert(auv_may_await_, "a cleanup that awaits needs AUV_FINALLY_AWAIT")
#endif

#endif

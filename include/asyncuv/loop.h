/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_LOOP_H
#define ASYNCUV_LOOP_H

#include <asyncuv/error.h>

AUV_BEGIN_DECLS

struct uv_loop_s;

/* An event loop; it belongs to the thread that made it. */
typedef struct auv_loop auv_loop;

/* A function that a loop will call once: asyncio's Handle and TimerHandle. */
typedef struct auv_call auv_call;

/* The result of an operation that may not have ended yet. A task is one: its result is that of its body. */
typedef struct auv_future auv_future;
typedef struct auv_future auv_task;

/* The values that context variables have; see context.h. */
typedef struct auv_context auv_context;

/**
 * auv_call_fn - a function that a loop calls
 * @arg:         what was given with it
 *
 * Runs on the loop's thread, outside of any task: it cannot await.
 */
typedef void (*auv_call_fn)(void *arg);

enum auv_clock {
        AUV_CLOCK_DEFAULT,   /* virtual where the environment has AUV_CLOCK=virtual, else monotonic */
        AUV_CLOCK_MONOTONIC, /* the system's */
        AUV_CLOCK_VIRTUAL,   /* starts at 0, and jumps to the next timer when nothing else is to do */
};

enum auv_deadlock {
        AUV_DEADLOCK_DEFAULT, /* report, unless the process has other threads, which might wake the loop */
        AUV_DEADLOCK_REPORT,  /* report: no other thread is going to wake the loop */
        AUV_DEADLOCK_WAIT,    /* wait, for ever if need be, as asyncio does */
};

/**
 * struct auv_loop_options - how to make a loop; all zero but @size is the default
 * @size:        sizeof(auv_loop_options), so that later versions may add fields
 * @uv_loop:     a libuv loop of the caller's to work on, which must outlive the loop; NULL
 *               for one of the loop's own
 * @clock:       one of enum auv_clock
 * @deadlock:    one of enum auv_deadlock
 * @stack_size:  bytes of stack for a coroutine, at the least, up to 127 MiB; 0 for the default of 48 KiB
 * @debug:       1 for debug mode; 0 for what the environment variable AUV_DEBUG says
 * @shuffle_seed: for tests: what is ready in a turn is run in an order that this number determines,
 *               so that what works only by the luck of the order fails; the callbacks of one
 *               future stay in order, and so do the calls of one thread. 0 for asyncio's order.
 * @stack_watermark: measure what coroutines use of their stacks, see auv_task_stack_used(); in debug
 *               mode they are measured anyway
 *
 * The AUV_LOOP_OPTIONS() macro fills in @size.
 */
typedef struct auv_loop_options {
        size_t size;
        struct uv_loop_s *uv_loop;
        enum auv_clock clock;
        enum auv_deadlock deadlock;
        size_t stack_size;
        int debug;
        uint64_t shuffle_seed;
        bool stack_watermark;
} auv_loop_options;

/* Options for auv_new_event_loop(), as in AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL). */
#define AUV_LOOP_OPTIONS(...) AUV_OPTIONS_(auv_loop_options, __VA_ARGS__)

/**
 * auv_new_event_loop() - make an event loop
 * @options:     how; NULL for the defaults
 * @ret_loop:    receives the loop
 *
 * On a libuv loop of the caller's (@options->uv_loop), the caller's own uv_run() turns the
 * loop as well: what has been scheduled runs inside of it, and keeps it from
 * returning until it has run. auv_loop_run_forever() and auv_loop_run_until_complete() then
 * drive the caller's handles, too.
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, an option has no meaning; AUV_ENOMEM; AUV_EMFILE and others of the
 * system's.
 * Owns: the caller owns *ret_loop; auv_loop_close() ends its use, auv_unref() gives it up,
 * and closes it if need be.
 * Suspends: no.    Thread: any; the loop then belongs to it.
 * Like: asyncio.new_event_loop().
 */
AUV_API int auv_new_event_loop(const auv_loop_options *options, auv_loop **ret_loop);

/**
 * auv_get_running_loop() - the loop that runs in this thread
 *
 * Return: the loop, or NULL where none is running.
 * Owns: nothing; the loop is borrowed.
 * Suspends: no.    Thread: any.
 * Like: asyncio.get_running_loop(). Differs: none gives NULL, not an error.
 */
AUV_API auv_loop *auv_get_running_loop(void);

/**
 * auv_get_event_loop() - the loop that runs in this thread, or was set for it
 *
 * Return: the loop, or NULL.
 * Owns: nothing; the loop is borrowed.
 * Suspends: no.    Thread: any.
 * Like: asyncio.get_event_loop(). Differs: none gives NULL, not an error.
 */
AUV_API auv_loop *auv_get_event_loop(void);

/**
 * auv_set_event_loop() - set the loop that auv_get_event_loop() gives in this thread
 * @loop:        the loop; NULL for none
 *
 * Owns: nothing; set another one before @loop goes.
 * Suspends: no.    Thread: any; for this thread alone.
 * Like: asyncio.set_event_loop().
 */
AUV_API void auv_set_event_loop(auv_loop *loop);

/**
 * auv_loop_run_forever() - run until auv_loop_stop()
 * @loop:        loop to run
 *
 * What was ready or due before the stop but has not run yet waits for the next run.
 *
 * Return: 0, or a negative error.
 * Errors: AUV_EINVAL, @loop is NULL; AUV_ERUNTIME, it is running already, or another one runs
 * in this thread; AUV_ECLOSED; AUV_ETHREAD, it belongs to another thread.
 * Suspends: no; it turns the loop, and returns when the loop stops.    Thread: the loop's.
 * Like: loop.run_forever().
 */
AUV_API int auv_loop_run_forever(auv_loop *loop);

/**
 * auv_loop_run_until_complete() - run until a future is done
 * @loop:        loop to run
 * @future:      future or task to wait for
 * @ret:         receives the result; may be NULL
 *
 * Return: 0, or the negative error that @future ended with, or one of those below.
 * Errors: as auv_loop_run_forever(); AUV_EINVAL, @future is NULL or belongs to another loop;
 * AUV_ENOMEM; AUV_ESTOPPED, the loop was stopped first; AUV_EDEADLK, @future can never be done:
 * nothing is ready, no timer is set, no I/O is pending and no thread could call. The exception
 * handler and auv_error_current() then have a message that names the tasks and what each awaits.
 * The loop can be run again after it.
 * Owns: nothing; the result is borrowed from @future.
 * Suspends: no; it turns the loop, and returns when @future is done.    Thread: the loop's.
 * Like: loop.run_until_complete(). Differs: takes no coroutine, see auv_loop_create_task(); says
 * AUV_EDEADLK where asyncio hangs, see enum auv_deadlock.
 */
AUV_API int auv_loop_run_until_complete(auv_loop *loop, auv_future *future, auv_value *ret);

/**
 * auv_loop_run_until() - run until nothing more can happen before a time
 * @loop:        loop to run
 * @when:        seconds on the loop's clock; the past means: until nothing is ready
 *
 * For tests: with a virtual clock, everything that is due up to @when happens, and then the clock
 * stands at @when, or where it stood if that is later. I/O goes first where it is ready, and is not
 * waited for where it is not; work in threads, such as the look-up of a name, is waited for. A task
 * that lets others run but never waits keeps it from returning, and so does I/O that is always ready.
 *
 * Return: 0, also where auv_loop_stop() ended it before; or a negative error.
 * Errors: AUV_EINVAL, @loop is NULL or @when is not a finite number; otherwise as
 * auv_loop_run_forever().
 * Suspends: no; it turns the loop.    Thread: the loop's.
 * Like: nothing in asyncio.
 */
AUV_API int auv_loop_run_until(auv_loop *loop, double when);

/**
 * auv_loop_stop() - ask a loop to stop running
 * @loop:        the loop; NULL does nothing
 *
 * The turn that runs is finished. Called before a run, that run makes one turn.
 *
 * Suspends: no.    Thread: the loop's; elsewhere hand it to auv_loop_call_soon_threadsafe().
 * Like: loop.stop().
 */
AUV_API void auv_loop_stop(auv_loop *loop);

/**
 * auv_loop_close() - end the use of a loop
 * @loop:        loop to close; NULL does nothing
 *
 * Calls that have not run are dropped. Tasks that have not ended are reported to the
 * exception handler and taken down: every await in them returns AUV_ECLOSED at once, so that
 * their functions can return. Futures stay valid for who holds them. Closing twice is fine.
 *
 * Return: 0, or a negative error, and then nothing has changed.
 * Errors: AUV_ERUNTIME, the loop is running; AUV_ETHREAD; AUV_EBUSY, handles that the program has made
 * itself on auv_loop_uv() are still open, and the libuv loop is not the program's.
 * Suspends: no; it blocks while libuv's pool has work of the loop.    Thread: the loop's.
 * Like: loop.close(). Differs: waits for what has begun in libuv's pool, such as the look-up of a name
 * that was cancelled; not where the libuv loop is the program's, whose uv_run() then does.
 */
AUV_API int auv_loop_close(auv_loop *loop);

/**
 * auv_loop_is_running() - whether a loop is running
 * @loop:        the loop; NULL is not
 *
 * Suspends: no.    Thread: the loop's.
 * Like: loop.is_running().
 */
AUV_API bool auv_loop_is_running(const auv_loop *loop);

/**
 * auv_loop_is_closed() - whether a loop has been closed
 * @loop:        the loop; NULL counts as closed
 *
 * Suspends: no.    Thread: the loop's.
 * Like: loop.is_closed().
 */
AUV_API bool auv_loop_is_closed(const auv_loop *loop);

/**
 * auv_loop_time() - the loop's clock
 * @loop:        the loop; NULL gives 0
 *
 * Return: seconds since a moment that is not specified; 0 at the start of a virtual clock.
 * Suspends: no.    Thread: any; with a virtual clock, the loop's.
 * Like: loop.time().
 */
AUV_API double auv_loop_time(const auv_loop *loop);

/**
 * auv_loop_uv() - the libuv loop under a loop
 * @loop:        the loop; NULL gives NULL
 *
 * For handles and requests of the caller's own beside the loop's. A libuv callback runs in the
 * loop's turn, outside of any task; it may complete futures and schedule calls. Such handles
 * have to be closed, and their close callbacks run, before auv_loop_close().
 *
 * Return: the libuv loop, or NULL when @loop has been closed.
 * Owns: nothing; it lives until @loop is closed.
 * Suspends: no.    Thread: the loop's.
 */
AUV_API struct uv_loop_s *auv_loop_uv(auv_loop *loop);

/**
 * auv_loop_call_soon() - run a function once, in the next turn
 * @loop:        loop to run it on; NULL for the running one
 * @fn:          called as fn(arg) on the loop's thread, never from inside this call
 * @arg:         handed to @fn; must live until @fn has returned or the call is cancelled
 * @ret_call:    receives a reference that can cancel the call; may be NULL
 *
 * Calls run in the order in which they were made.
 *
 * Return: 0, or a negative error, and then nothing was scheduled.
 * Errors: AUV_EINVAL, @fn is NULL; AUV_ENOLOOP; AUV_ECLOSED; AUV_ENOMEM; in debug mode
 * AUV_ETHREAD, this is not the loop's thread.
 * Owns: the caller owns *ret_call; giving it up cancels nothing.
 * Suspends: no.    Thread: the loop's; elsewhere use auv_loop_call_soon_threadsafe().
 * Like: loop.call_soon().
 */
AUV_API int auv_loop_call_soon(auv_loop *loop, auv_call_fn fn, void *arg, auv_call **ret_call);

/**
 * auv_loop_call_later() - run a function once, after a delay
 * @loop:        loop to run it on; NULL for the running one
 * @delay:       seconds from now on the loop's clock; 0 or less means the next turn
 * @fn:          called as fn(arg) on the loop's thread, never from inside this call
 * @arg:         handed to @fn; must live until @fn has returned or the call is cancelled
 * @ret_call:    receives a reference that can cancel the call; may be NULL
 *
 * Calls that fall due on the same turn run in order of due time, then in the order they were
 * made, after the calls that were ready before. The delay is a lower bound. With an infinite
 * delay the call never runs.
 *
 * Return: 0, or a negative error, and then nothing was scheduled.
 * Errors: as auv_loop_call_soon(); AUV_EINVAL, @delay is not a number.
 * Owns: the caller owns *ret_call; giving it up cancels nothing.
 * Suspends: no.    Thread: the loop's.
 * Like: loop.call_later(). Differs: equal due times keep the order of the calls, which asyncio
 * does not promise. Cost: O(log n) in the number of timers.
 */
AUV_API int auv_loop_call_later(auv_loop *loop, double delay, auv_call_fn fn, void *arg,
                                auv_call **ret_call);

/**
 * auv_loop_call_at() - run a function once, at a time of the loop's clock
 * @loop:        loop to run it on; NULL for the running one
 * @when:        seconds on the clock that auv_loop_time() reads; the past means the next turn
 * @fn:          called as fn(arg) on the loop's thread, never from inside this call
 * @arg:         handed to @fn; must live until @fn has returned or the call is cancelled
 * @ret_call:    receives a reference that can cancel the call; may be NULL
 *
 * Otherwise as auv_loop_call_later().
 *
 * Return: 0, or a negative error, and then nothing was scheduled.
 * Errors: as auv_loop_call_soon(); AUV_EINVAL, @when is not a number.
 * Owns: the caller owns *ret_call; giving it up cancels nothing.
 * Suspends: no.    Thread: the loop's.
 * Like: loop.call_at(). Differs: as auv_loop_call_later().
 */
AUV_API int auv_loop_call_at(auv_loop *loop, double when, auv_call_fn fn, void *arg, auv_call **ret_call);

/**
 * auv_loop_call_soon_threadsafe() - run a function once on a loop, from any thread
 * @loop:        loop to run it on
 * @fn:          called as fn(arg) on the loop's thread
 * @arg:         handed to @fn; must live until @fn has returned or the call is cancelled
 * @ret_call:    receives a reference that can cancel the call, from any thread; may be NULL
 *
 * The loop is woken. Calls of one thread run in the order in which it made them.
 *
 * Return: 0, or a negative error, and then nothing was scheduled.
 * Errors: AUV_EINVAL, @loop or @fn is NULL; AUV_ECLOSED; AUV_ENOMEM.
 * Owns: the caller owns *ret_call; giving it up cancels nothing. The calling thread must hold a
 * reference to @loop, or know that it lives.
 * Suspends: no.    Thread: any. Not for signal handlers.
 * Like: loop.call_soon_threadsafe().
 */
AUV_API int auv_loop_call_soon_threadsafe(auv_loop *loop, auv_call_fn fn, void *arg, auv_call **ret_call);

/**
 * auv_call_cancel() - do not run a call
 * @call:        the call; NULL does nothing
 *
 * A call that has run, runs or is cancelled stays as it is. A call made by
 * auv_loop_call_soon_threadsafe() may be cancelled in any thread; in another than the loop's this
 * waits for the function where it is running, so that afterwards its argument is free.
 *
 * Suspends: no.    Thread: the loop's; or any, see above.
 * Like: Handle.cancel().
 */
AUV_API void auv_call_cancel(auv_call *call);

/**
 * auv_call_cancelled() - whether a call has been cancelled
 * @call:        the call; NULL is not
 *
 * Suspends: no.    Thread: as auv_call_cancel().
 * Like: Handle.cancelled().
 */
AUV_API bool auv_call_cancelled(const auv_call *call);

/**
 * auv_call_when() - when a call is due
 * @call:        a call made by auv_loop_call_later() or auv_loop_call_at()
 *
 * Return: seconds on the loop's clock; not a number, where the call has no such time.
 * Suspends: no.    Thread: the loop's.
 * Like: TimerHandle.when().
 */
AUV_API double auv_call_when(const auv_call *call);

/**
 * struct auv_exception_context - what is told to an exception handler
 * @message:     what has happened
 * @error:       the error; NULL where there is none
 * @future:      the future or task that it is about; NULL where it is about none
 * @source:      lines of text, a heading and one for each function, the innermost last, that say where
 *               it was made; NULL where this is not known, as it is in debug mode alone
 *
 * All of it is borrowed, and valid until the handler returns. @future may be on its way out:
 * the handler must keep no reference to it.
 */
typedef struct auv_exception_context {
        const char *message;
        auv_error *error;
        auv_future *future;
        const char *source;
} auv_exception_context;

/**
 * auv_exception_handler_fn - a function that is told of errors that nobody handles
 * @loop:        the loop on which it happened
 * @context:     what happened
 * @arg:         what was given with the function
 */
typedef void (*auv_exception_handler_fn)(auv_loop *loop, const auv_exception_context *context, void *arg);

/**
 * auv_loop_set_exception_handler() - choose who is told of errors that nobody handles
 * @loop:        the loop; NULL does nothing
 * @handler:     called as handler(loop, context, arg); NULL for the default
 * @arg:         handed to @handler
 *
 * Suspends: no.    Thread: the loop's.
 * Like: loop.set_exception_handler().
 */
AUV_API void auv_loop_set_exception_handler(auv_loop *loop, auv_exception_handler_fn handler, void *arg);

/**
 * auv_loop_get_exception_handler() - who is told of errors that nobody handles
 * @loop:        the loop
 * @ret_arg:     receives what was given with the handler; may be NULL
 *
 * Return: the handler, or NULL: the default.
 * Suspends: no.    Thread: the loop's.
 * Like: loop.get_exception_handler().
 */
AUV_API auv_exception_handler_fn auv_loop_get_exception_handler(const auv_loop *loop, void **ret_arg);

/**
 * auv_loop_call_exception_handler() - tell a loop's exception handler
 * @loop:        the loop; NULL does nothing
 * @context:     what happened
 *
 * Suspends: no.    Thread: the loop's.
 * Like: loop.call_exception_handler().
 */
AUV_API void auv_loop_call_exception_handler(auv_loop *loop, const auv_exception_context *context);

/**
 * auv_loop_default_exception_handler() - write what happened to standard error
 * @loop:        the loop
 * @context:     what happened
 *
 * Suspends: no.    Thread: the loop's.
 * Like: loop.default_exception_handler().
 */
AUV_API void auv_loop_default_exception_handler(auv_loop *loop, const auv_exception_context *context);

/**
 * auv_loop_set_debug() - switch debug mode
 * @loop:        the loop; NULL does nothing
 * @enabled:     whether the loop is to be in debug mode
 *
 * In debug mode
 * - calls that belong to the loop's thread return AUV_ETHREAD in any other, and have not been made;
 * - it is noted where each task, future and call is made, which is the source of reports about it;
 * - whatever keeps the loop busy for longer than auv_loop_set_slow_callback_duration() says is reported
 *   to the exception handler, and so is an await outside of a task;
 * - a transport or a server that the program has not closed is reported when it goes with its loop, and a
 *   server also when it goes with its last reference;
 * - what a coroutine uses of its stack is measured, see auv_task_stack_used().
 * What was made before has no source, and tasks made before are not measured.
 *
 * Suspends: no.    Thread: the loop's.
 * Like: loop.set_debug().
 */
AUV_API void auv_loop_set_debug(auv_loop *loop, bool enabled);

/**
 * auv_loop_get_debug() - whether a loop is in debug mode
 * @loop:        the loop; NULL is not
 *
 * Suspends: no.    Thread: the loop's.
 * Like: loop.get_debug().
 */
AUV_API bool auv_loop_get_debug(const auv_loop *loop);

/**
 * auv_loop_set_slow_callback_duration() - choose what is slow in debug mode
 * @loop:        the loop; NULL does nothing
 * @duration:    seconds, 0.1 at first; less than 0, or not a number, does nothing
 *
 * A call, a callback, or a task between two suspensions that takes as long is reported.
 * What counts is the system's time, also where the loop's clock is virtual.
 *
 * Suspends: no.    Thread: the loop's.
 * Like: loop.slow_callback_duration. Differs: the report goes to the exception handler, not to a log.
 */
AUV_API void auv_loop_set_slow_callback_duration(auv_loop *loop, double duration);

/**
 * auv_loop_get_slow_callback_duration() - what is slow in debug mode
 * @loop:        the loop; NULL gives the default
 *
 * Return: seconds.
 * Suspends: no.    Thread: the loop's.
 * Like: loop.slow_callback_duration.
 */
AUV_API double auv_loop_get_slow_callback_duration(const auv_loop *loop);

AUV_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
#ifndef AUV_BASE_ERROR_H
#define AUV_BASE_ERROR_H

#include <asyncuv/error.h>

#include <stdarg.h>

/*
 * The error slot: where the error object of the most recent failure is kept. While a task
 * runs, it is the task's own; NULL means the thread's.
 */
extern _Thread_local auv_error **auv__error_slot;

/* The error that stands for a code without a message; NULL for the program's own codes. */
auv_error *auv__error_static(int code);

/*
 * The error object that goes with a code that somebody returned: the current one where it has
 * that code, else one without a message. Never NULL; the caller owns the reference.
 */
auv_error *auv__error_for(int code);

/* An error with a message; without memory for it, one without; never NULL. */
auv_error *auv__error_make(int code, const char *format, va_list arguments);

/* Makes an error the current one, and gives its code. Takes over the reference. */
int auv__error_set_current(auv_error *error);

/* An AUV_ECANCELED with a message; NULL for none, also when there is no memory for it. */
auv_error *auv__error_cancelled(const char *message);

#endif

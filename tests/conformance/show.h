/* SPDX-License-Identifier: MIT */
#ifndef CONFORMANCE_SHOW_H
#define CONFORMANCE_SHOW_H

#include "text.h"

#include <asyncuv.h>

/*
 * VALUE and ERROR of FORMAT.md
 *
 * A whole number stands as twice itself and one, so that 0 is not none, and has a destructor, so that
 * each scenario is one of results that are lent. An error is a code and, where there was memory for it, an
 * object.
 */
enum {
        ERROR_VALUE = AUV_EUSER,         /* the scenario's own, from `raise` and `fail` */
        ERROR_ATTRIBUTE = AUV_EUSER - 1, /* Python's AttributeError: the thing named has no such method */
        ERROR_TYPE = AUV_EUSER - 2,      /* Python's TypeError: the thing named is no awaitable */
};

auv_value number_value(intmax_t number);

/* The word that an `except` names the error by. */
const char *error_word(int code);

void text_add_error(struct text *text, int code, const auv_error *error);
void text_add_value(struct text *text, const auv_value *value);

#endif

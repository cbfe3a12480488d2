/* SPDX-License-Identifier: MIT */
#ifndef AUV_BASE_VALUE_H
#define AUV_BASE_VALUE_H

#include <asyncuv/value.h>

/* A list of values, as a gather has for its result. Its owner frees it. */
struct auv__list {
        size_t n;
        auv_value values[];
};

auv_value auv__value_from_list(struct auv__list *list);

/* Takes over the reference. */
auv_value auv__value_from_error(auv_error *error);

/* What is read of a value by one who does not own it: nothing is to be destroyed. */
auv_value auv__value_lent(auv_value value);

#endif

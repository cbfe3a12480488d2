/* SPDX-License-Identifier: MIT */

/*
 * Values that are more than a number or a pointer: their destructor tells what they are. An error has either
 * of two, since a destructor may be called by whoever has one, and one that is only lent must stay.
 */

#include "base/value.h"

/* Not auv_value_unref(), which a program may use for an error that it hands on as a value. */
static void destroy_error(void *error)
{
        auv_unref(error);
}

static void leave_error(void *error)
{
        (void)error;
}

/* A list belongs to the gather that made it. */
static void destroy_list(void *list)
{
        (void)list;
}

void auv_value_unref(void *object)
{
        auv_unref(object);
}

auv_value auv__value_from_error(auv_error *error)
{
        return (auv_value) { .p = error, .destroy = destroy_error };
}

auv_value auv__value_lent(auv_value value)
{
        if (value.destroy == destroy_error)
                value.destroy = leave_error;
        else if (value.destroy != leave_error && value.destroy != destroy_list)
                value.destroy = NULL;
        return value;
}

auv_value auv__value_from_list(struct auv__list *list)
{
        return (auv_value) { .p = list, .destroy = destroy_list };
}

auv_error *auv_value_error(const auv_value *value)
{
        if (!value || (value->destroy != destroy_error && value->destroy != leave_error))
                return NULL;
        return value->p;
}

const auv_value *auv_value_list(const auv_value *value, size_t *ret_n)
{
        const struct auv__list *list;

        if (!value || value->destroy != destroy_list)
                return NULL;
        list = value->p;
        if (ret_n)
                *ret_n = list->n;
        return list->values;
}

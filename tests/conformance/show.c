/* SPDX-License-Identifier: MIT */

#include "show.h"

#include <inttypes.h>

static const struct {
        int code;
        const char *word;
} words[] = {
        { ERROR_VALUE, "value" },
        { ERROR_ATTRIBUTE, "AttributeError" },
        { ERROR_TYPE, "TypeError" },
        { AUV_ENOTATASK, "AttributeError" },
        { AUV_ECANCELED, "cancelled" },
        { AUV_ETIMEDOUT, "timeout" },
        { AUV_EINVALIDSTATE, "invalidstate" },
        { AUV_EQUEUEEMPTY, "queueempty" },
        { AUV_EQUEUEFULL, "queuefull" },
        { AUV_EQUEUESHUTDOWN, "queueshutdown" },
        { AUV_EBROKENBARRIER, "brokenbarrier" },
        { AUV_EGROUP, "group" },
        { AUV_ENOMEM, "nomemory" },
};

static void leave_number(void *p)
{
        (void)p;
}

auv_value number_value(intmax_t number)
{
        return (auv_value) { .i = 2 * number + 1, .destroy = leave_number };
}

const char *error_word(int code)
{
        for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
                if (words[i].code == code)
                        return words[i].word;
        }
        return "runtime";
}

static void text_add_members(struct text *text, const auv_error *error)
{
        size_t n = 0;
        auv_error *const *members = auv_error_members(error, &n);

        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        text_add(text, " ");
                text_add_error(text, auv_error_code(members[i]), members[i]);
        }
}

void text_add_error(struct text *text, int code, const auv_error *error)
{
        const char *message = auv_error_message(error);

        text_add(text, "%s", error_word(code));
        if (code == ERROR_VALUE || code == AUV_ECANCELED) {
                text_add(text, "(%s)", message ? message : "");
        } else if (code == AUV_EGROUP) {
                text_add(text, "[");
                text_add_members(text, error);
                text_add(text, "]");
        }
}

static void text_add_list(struct text *text, const auv_value *values, size_t n)
{
        text_add(text, "[");
        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        text_add(text, " ");
                text_add_value(text, &values[i]);
        }
        text_add(text, "]");
}

void text_add_value(struct text *text, const auv_value *value)
{
        const auv_error *error = auv_value_error(value);
        size_t n;
        const auv_value *list = auv_value_list(value, &n);

        if (error)
                text_add_error(text, auv_error_code(error), error);
        else if (list)
                text_add_list(text, list, n);
        else if (value->i)
                text_add(text, "%jd", (value->i - 1) / 2);
        else
                text_add(text, "none");
}

/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_TEXT_H
#define SUPPORT_TEXT_H

/* Criterion's own eq(str, ...) takes neither const char * nor NULL. */
static inline char *text_or_none(const char *text)
{
        return (char *)(text ? text : "(none)");
}

/* Fail the test unless two texts are equal; NULL is equal to nothing but "(none)". */
#define cr_assert_text(actual, expected) \
        cr_assert(eq(str, text_or_none(actual), text_or_none(expected)))

/* Fail the test unless a text has another in it. */
#define cr_assert_has(whole, part)                                                      \
        do {                                                                            \
                const char *whole_ = text_or_none(whole);                             \
                                                                                        \
                cr_assert(strstr(whole_, (part)) != NULL, "no \"%s\" in: %s", (part), whole_); \
        } while (0)

#endif

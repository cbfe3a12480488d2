/* SPDX-License-Identifier: MIT */

/* Text: what debugging has to say. */

#include "debug/text.h"

#include "debug/symbols.h"

#include <stdarg.h>

void auv__text_add(struct auv__text *text, const char *format, ...)
{
        const size_t room = text->length < text->size ? text->size - text->length : 0;
        va_list arguments;
        int length;

        va_start(arguments, format);
        if (text->file)
                length = vfprintf(text->file, format, arguments);
        else
                length = vsnprintf(room > 0 ? text->buffer + text->length : NULL, room, format, arguments);
        va_end(arguments);
        if (length > 0)
                text->length += (size_t)length;
}

void auv__text_add_frame(struct auv__text *text, int indent, const char *lead, const void *address,
                         const char *tag)
{
        struct auv__symbol symbol;

        auv__symbol_find(address, &symbol);
        auv__text_add(text, "%*s%s", indent, "", lead);
        if (symbol.line > 0)
                auv__text_add(text, "File '%s', line %d, in ", symbol.file, symbol.line);
        else
                auv__text_add(text, "In ");
        if (symbol.name[0])
                auv__text_add(text, "%s%s()\n", tag, symbol.name);
        else
                auv__text_add(text, "%s%p\n", tag, address);
}

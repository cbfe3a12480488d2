/* SPDX-License-Identifier: MIT */

/*
 * Origin
 *
 * Where an object was made. Only addresses are noted then; what they mean is looked up when somebody
 * wants to read it. The first functions on the stack are the library's own, then come the program's,
 * which are what counts, and then, nearly always, the library's again: its loop, which called them.
 * Ours are known by name, and the static ones by the folder that their source lies in.
 */

#include "debug/origin.h"

#include "debug/symbols.h"

#include <stdbool.h>
#include <string.h>
#include <unwind.h>

struct walk {
        void **frames;
        size_t n;
        size_t room;
};

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *arg)
{
        struct walk *walk = arg;
        const _Unwind_Ptr pc = _Unwind_GetIP(context);

        if (walk->n == walk->room || pc == 0)
                return _URC_END_OF_STACK;
        walk->frames[walk->n++] = (void *)pc;
        return _URC_NO_REASON;
}

__attribute__((noinline)) size_t auv__frames(void **ret_frames, size_t n)
{
        struct walk walk = { .frames = ret_frames, .room = n };

        _Unwind_Backtrace(on_frame, &walk);
        return walk.n;
}

void auv__origin_note(struct auv__origin *origin)
{
        const size_t n = auv__frames(origin->frames, AUV__ORIGIN_FRAMES);

        if (n < AUV__ORIGIN_FRAMES)
                origin->frames[n] = NULL;
}

static bool begins_with(const char *text, const char *with)
{
        return strncmp(text, with, strlen(with)) == 0;
}

/* What comes before lib/... in the names of our own files, as the debug information has them. */
static size_t length_of_folder(char *folder, size_t size)
{
        static const char here[] = "debug/origin.c";
        struct auv__symbol symbol;
        size_t length;

        auv__symbol_find((const void *)auv__origin_note, &symbol);
        length = strlen(symbol.file);
        if (length < sizeof(here) || length >= size
            || strcmp(symbol.file + length + 1 - sizeof(here), here) != 0)
                return 0;
        length = length + 1 - sizeof(here);
        memcpy(folder, symbol.file, length);
        return length;
}

/* The program's functions among those of an origin, the innermost first; returns how many. */
static size_t select_frames(const struct auv__origin *origin, const void **ret_frames)
{
        char folder[sizeof(((struct auv__symbol *)0)->file)];
        const size_t length = length_of_folder(folder, sizeof(folder));
        size_t n = 0;

        for (size_t i = 0; i < AUV__ORIGIN_FRAMES && origin->frames[i]; i++) {
                struct auv__symbol symbol;
                const char *address = (const char *)origin->frames[i] - 1;
                bool ours;

                auv__symbol_find(address, &symbol);
                ours = begins_with(symbol.name, "auv_")
                       || (length > 0 && strncmp(symbol.file, folder, length) == 0);
                if (ours && n > 0)
                        break;
                if (!ours)
                        ret_frames[n++] = address;
                if (strcmp(symbol.name, "main") == 0)
                        break;
        }
        return n;
}

void auv__origin_tell(const struct auv__origin *origin, const char *heading, struct auv__text *text)
{
        const void *frames[AUV__ORIGIN_FRAMES];
        size_t n = select_frames(origin, frames);

        if (n > 0)
                auv__text_add(text, "%s (most recent call last):\n", heading);
        while (n > 0)
                auv__text_add_frame(text, 2, "", frames[--n], "");
}

/* SPDX-License-Identifier: MIT */
#ifndef AUV_DEBUG_ORIGIN_H
#define AUV_DEBUG_ORIGIN_H

#include "debug/text.h"
#include "loop/hooks.h"

/* The return addresses on the stack of the caller, the innermost first; returns how many, at most @n. */
size_t auv__frames(void **ret_frames, size_t n);

void auv__origin_note(struct auv__origin *origin);

/*
 * A line for each function of the program's that had a part in it, the innermost last, behind a heading;
 * nothing where there is none. Needs room.
 */
void auv__origin_tell(const struct auv__origin *origin, const char *heading, struct auv__text *text);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_SHUFFLE_H
#define AUV_LOOP_SHUFFLE_H

#include "loop/ready.h"

#include <asyncuv/loop.h>

#include <stdint.h>

/*
 * Another order for the items of a turn, the same each time for the same seed, so that a test finds
 * what works by luck only. Callbacks of one future stay in order, and so do the calls of one
 * thread.
 */
struct auv__shuffle;

/* Returns NULL where there is no memory. */
struct auv__shuffle *auv__shuffle_new(uint64_t seed);
void auv__shuffle_free(struct auv__shuffle *shuffle);

/* Notes that the chain, which is about to be pushed, must stay in order, behind others of @key. */
AUV_COLD void auv__shuffle_push(struct auv__shuffle *shuffle, const void *key, struct auv__item *first,
                                struct auv__item *last);

/* Gives the items of a turn another order; without memory for it, the one they have. */
AUV_COLD void auv__shuffle_turn(struct auv__shuffle *shuffle, struct auv__ready *turn);

#endif

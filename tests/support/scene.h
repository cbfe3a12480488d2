/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_SCENE_H
#define SUPPORT_SCENE_H

/*
 * Scene
 *
 * Coroutines with stacks, without a loop or tasks:
 *
 *      TestSuite(stackful, .init = scene_setup, .fini = scene_teardown);
 */

#include "coro/stack.h"
#include "coro/stackful.h"

extern struct auv__stack_pool scene_pool;

void scene_setup(void);
void scene_teardown(void);

/* A coroutine on a stack of the pool; its arguments are those of auv__stackful_new(). */
struct auv__coro *start_coro(auv_coro_fn fn, const void *arg, size_t size, auv_value *ret);

/* What most bodies get: the coroutine that they are, and room for what they see. */
struct scene {
        struct auv__coro *coro;
        int n;
        int errs[8];
        int result;
};

struct auv__coro *start_scene(struct scene *scene, auv_coro_fn fn);

#endif

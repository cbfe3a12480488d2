/* SPDX-License-Identifier: MIT */

#include "support/scene.h"

#include <stdlib.h>

struct auv__stack_pool scene_pool;

void scene_setup(void)
{
        if (auv__stack_pool_init(&scene_pool, /* default_size= */ 0) < 0)
                abort();
}

void scene_teardown(void)
{
        auv__stack_pool_deinit(&scene_pool);
}

struct auv__coro *start_coro(auv_coro_fn fn, const void *arg, size_t size, auv_value *ret)
{
        struct auv__coro *coro;

        if (auv__stackful_new(&scene_pool, /* stack_size= */ 0, fn, arg, size, ret, &coro) < 0)
                abort();
        return coro;
}

struct auv__coro *start_scene(struct scene *scene, auv_coro_fn fn)
{
        scene->coro = start_coro(fn, scene, /* size= */ 0, /* ret= */ NULL);
        return scene->coro;
}
